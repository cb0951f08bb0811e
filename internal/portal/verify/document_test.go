package verify_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/verify"
	"absah/internal/signing"
)

// shelf is where documents that were signed are found; package signing has tests
// of who may have them.
type shelf map[string]signing.Public

func (s shelf) Public(_ context.Context, id, viewer string) (signing.Public, error) {
	d, ok := s[id]
	if id == "broken" {
		return d, errors.New("no database")
	}
	if !ok {
		return d, signing.ErrNotFound
	}
	d.Fetchable = d.Fetchable || viewer != "" && viewer == d.OwnerID
	return d, nil
}

func (s shelf) PublicContent(ctx context.Context, id, viewer string) ([]byte, error) {
	d, err := s.Public(ctx, id, viewer)
	if err != nil {
		return nil, err
	}
	if !d.Fetchable {
		return nil, signing.ErrNotFound
	}
	return []byte("%PDF-1.7 " + d.Name), nil
}

func (s shelf) Known(_ context.Context, sha256 []byte) (signing.Public, error) {
	for _, d := range s {
		if bytes.Equal(d.SHA256[:], sha256) {
			return d, nil
		}
	}
	return signing.Public{}, signing.ErrNotFound
}

func TestThePageBehindAQRCode(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	owner := h.Person("Siti Contoh", account.Employee, h.Unit)
	letter := func(id, name, state string, shared bool) signing.Public {
		return signing.Public{Document: signing.Document{ID: id, OwnerID: owner.EmployeeID, Name: name, State: state, Pages: 3, Size: 2048, SHA256: [32]byte{0xab, 0xcd}},
			Signatures: []signing.SignatureOf{{Name: "Siti Contoh", NIP: "199001012015012001", Office: "Plt. Kepala Biro Contoh", Decree: "SK-7/2026", Serial: "0a1b", Level: "PAdES-B-T", At: time.Now()}}, Fetchable: shared}
	}
	docs := shelf{
		"tertutup": letter("tertutup", `surat "satu".pdf`, signing.StateSigned, false), "terbuka": letter("terbuka", "surat-dua.pdf", signing.StateSigned, true),
		"terhapus": letter("terhapus", "", signing.StateErased, false),
	}
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes(), verify.New(verify.Config{Documents: docs, Issuer: "Absah CA Demo", Clock: h.Clock.Now}).Routes())
	v := h.Visitor()
	v.Get("/verifikasi/d/tertutup").Want(t, 200, "Ditandatangani secara elektronik oleh Siti Contoh", "199001012015012001", "Plt. Kepala Biro Contoh", "SK-7/2026",
		"abcd", "0a1b", "PAdES-B-T", "tidak membagikan", "Absah CA Demo", "tidak tercatat sebagai PSrE", "Kode QR dapat disalin").
		WantNo(t, "/berkas")
	v.Get("/verifikasi/d/tertutup/berkas").Want(t, 404)
	v.Get("/verifikasi/d/tertutup").WantNo(t, "data-sheet")
	v.Get("/verifikasi/d/terbuka").Want(t, 200, "/verifikasi/d/terbuka/berkas", "Unduh dokumen asli", `data-sheet-file value="/verifikasi/d/terbuka/berkas"`, "document.")
	a := v.Get("/verifikasi/d/terbuka/berkas").Want(t, 200, "%PDF-1.7")
	if got := a.Header.Get("Content-Disposition"); got != `attachment; filename=surat-dua.pdf` {
		t.Errorf("Content-Disposition: %s", got)
	}
	v.Get("/verifikasi/d/terhapus").Want(t, 200, "sudah dihapus", "Siti Contoh").WantNo(t, "SHA-256", "/berkas")
	v.Get("/verifikasi/d/palsu").Want(t, 404, "tidak dikenal", "patut dicurigai", "Periksa dokumen")
	v.Get("/verifikasi/d/palsu/berkas").Want(t, 404)
	v.Get("/verifikasi/d/broken").Want(t, 500)
	v.SetCookie("absah_lang", "en")
	v.Get("/verifikasi/d/terbuka").Want(t, 200, "Signed electronically by Siti Contoh", "Compare it with the letter in your hand")

	b := h.SignIn(owner)
	b.Get("/verifikasi/d/tertutup").Want(t, 200, "/verifikasi/d/tertutup/berkas")
	if got := b.Get("/verifikasi/d/tertutup/berkas").Want(t, 200).Header.Get("Content-Disposition"); !strings.Contains(got, `surat \"satu\".pdf`) {
		t.Errorf("Content-Disposition: %s", got)
	}
}

// TestNobodyTriesAllIDs: who looks at very many documents has to wait.
func TestNobodyTriesAllIDs(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	h.Serve(verify.New(verify.Config{Documents: shelf{}, Clock: h.Clock.Now}).Routes())
	v := h.Visitor()
	for range 60 {
		v.Get("/verifikasi/d/palsu").Want(t, 404)
	}
	v.Get("/verifikasi/d/palsu").Want(t, 429)
	h.Clock.Advance(2 * time.Second)
	v.Get("/verifikasi/d/palsu").Want(t, 404)
}
