package esign

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"absah/internal/apiclient"
)

// Codes asks signers for codes. A key opens by its owner's passphrase only, so the
// owner opens it on the portal, for one application, so many documents and minutes,
// and gets a code of six digits that he gives to the application: the TOTP of the
// interface.
type Codes interface {
	// AskCode tells the signer that the application wants to sign n documents. It
	// fails with ErrNoCodes, and with the errors of signing.Service.Authorize before
	// any passphrase.
	AskCode(ctx context.Context, c *apiclient.Client, employeeID string, n int) error
}

// ErrNoCodes says that an application may not sign with codes here.
var ErrNoCodes = errors.New("the application may not sign with codes")

// totp asks the signer for a code, POST /api/v2/sign/get/totp. The code itself
// never goes through the application's hands before the signer gives it.
func (d *door) totp(w http.ResponseWriter, r *http.Request, c *call) error {
	n := 1
	if v := c.fields.get("data"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 || n > MaxFiles {
			return wrongField("data", "Kolom 'data' harus berisi jumlah dokumen, 1 sampai %d", MaxFiles)
		}
	}
	who, err := d.person(r.Context(), c, c.fields.get("nik"), c.fields.get("email"))
	if err != nil {
		return err
	}
	if !c.client.Sandbox {
		if d.Codes == nil {
			return ErrNoCodes
		}
		if err := d.Codes.AskCode(r.Context(), c.client, who.id, n); err != nil {
			return err
		}
	}
	d.json(w, http.StatusOK, map[string]any{
		"success": true, "message": "Permintaan TOTP dikirim ke e-mail penanda tangan. TOTP tampil di portal setelah penanda tangan memasukkan passphrase", "data": nil,
	})
	return nil
}
