package csc

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// holder is who signs with a credential.
type holder struct {
	credential  db.Credential
	certificate db.Certificate
	parsed      *x509.Certificate
}

var errNone = errors.New("no such credential")

// credentialOf finds the living credential of an employee.
func (d *door) credentialOf(ctx context.Context, employeeID string) (holder, error) {
	q := d.Store.Read()
	var h holder
	reg, err := q.IssuedRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return h, errNone
	}
	if err != nil {
		return h, fmt.Errorf("look for the certificate: %w", err)
	}
	if h.credential, err = q.LiveCredential(ctx, reg.ID); store.IsNotFound(err) {
		return h, errNone
	} else if err != nil {
		return h, fmt.Errorf("look for the credential: %w", err)
	}
	if h.certificate, err = q.CertificateOfRegistration(ctx, reg.ID); err != nil {
		return h, fmt.Errorf("read certificate: %w", err)
	}
	if h.parsed, err = x509.ParseCertificate(h.certificate.Der); err != nil {
		return h, fmt.Errorf("read certificate: %w", err)
	}
	return h, nil
}

// find finds a living credential by its id. A token that stands for somebody finds
// those of this person only.
func (d *door) find(ctx context.Context, call *call) (holder, error) {
	id, err := call.body.need("credentialID")
	if err != nil {
		return holder{}, err
	}
	c, err := d.Store.Read().GetCredential(ctx, id)
	if store.IsNotFound(err) {
		return holder{}, invalid("Invalid parameter credentialID")
	}
	if err != nil {
		return holder{}, fmt.Errorf("look for the credential: %w", err)
	}
	if call.access.Employee != "" && c.EmployeeID != call.access.Employee {
		return holder{}, invalid("Invalid parameter credentialID")
	}
	if err := d.knows(ctx, call, c.EmployeeID); errors.Is(err, errNone) {
		return holder{}, invalid("Invalid parameter credentialID")
	} else if err != nil {
		return holder{}, err
	}
	h, err := d.credentialOf(ctx, c.EmployeeID)
	if errors.Is(err, errNone) || err == nil && h.credential.ID != id {
		return holder{}, invalid("Invalid parameter credentialID")
	}
	return h, err
}

// knows fails with errNone for somebody outside of the unit that the application is
// bound to.
func (d *door) knows(ctx context.Context, c *call, employeeID string) error {
	ok, err := d.Clients.Knows(ctx, c.client, employeeID)
	if err == nil && !ok {
		err = errNone
	}
	return err
}

// list is credentials/list. The token of an application alone is nobody's, so that
// the person has to be named: userID is the NIP or the e-mail address. One of
// somebody's lists what is this person's.
func (d *door) list(w http.ResponseWriter, r *http.Request, c *call) error {
	user, ok := c.body.text("userID")
	if raw, there := c.body["userID"]; there && !ok && string(raw) != "null" {
		return invalid("Invalid parameter userID")
	}
	if page, ok := c.body.text("pageToken"); ok && page != "" {
		return invalid("Invalid parameter pageToken") // there is one page
	}
	employee := c.access.Employee
	switch {
	case employee != "" && user != "":
		return invalid("userID parameter MUST be null")
	case employee == "" && user == "":
		return invalid("Missing (or invalid type) string parameter userID")
	case employee == "":
		var err error
		if employee, err = d.employee(r.Context(), user); err != nil {
			return err
		}
	}
	if err := d.knows(r.Context(), c, employee); errors.Is(err, errNone) {
		return invalid("Invalid parameter userID")
	} else if err != nil {
		return err
	}
	if _, err := wanted(c); err != nil {
		return err
	}
	ids, infos := []string{}, []any{}
	h, err := d.credentialOf(r.Context(), employee)
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	if err == nil {
		info, err := d.describe(r.Context(), h, c)
		if err != nil {
			return err
		}
		if !c.flag("onlyValid") || info["key"].(map[string]any)["status"] == "enabled" {
			ids = append(ids, h.credential.ID)
			info["credentialID"] = h.credential.ID
			infos = append(infos, info)
		}
	}
	body := map[string]any{"credentialIDs": ids}
	if c.version == v2 {
		body["onlyValid"] = c.flag("onlyValid")
		if c.flag("credentialInfo") {
			body["credentialInfos"] = infos
		}
	}
	d.answer(w, http.StatusOK, body)
	return nil
}

// flag tells whether a boolean is true.
func (c *call) flag(name string) bool { return string(c.body[name]) == "true" }

// wanted says which certificates an answer has: none, single or chain.
func wanted(c *call) (string, error) {
	which, given := c.body.text("certificates")
	switch {
	case !given:
		return "single", nil
	case which != "none" && which != "single" && which != "chain":
		return "", invalid("Invalid parameter certificates")
	}
	return which, nil
}

func (d *door) employee(ctx context.Context, user string) (string, error) {
	q := d.Store.Read()
	if strings.Contains(user, "@") {
		rows, err := q.EmployeesByEmail(ctx, db.EmployeesByEmailParams{Email: user})
		if err != nil {
			return "", fmt.Errorf("look for an e-mail address: %w", err)
		}
		if len(rows) == 1 {
			return rows[0].ID, nil
		}
		return "", invalid("Invalid parameter userID")
	}
	e, err := q.GetEmployeeByNIP(ctx, strings.ReplaceAll(user, " ", ""))
	if store.IsNotFound(err) {
		return "", invalid("Invalid parameter userID")
	}
	if err != nil {
		return "", fmt.Errorf("look for a NIP: %w", err)
	}
	return e.ID, nil
}

// credential is credentials/info.
func (d *door) credential(w http.ResponseWriter, r *http.Request, c *call) error {
	h, err := d.find(r.Context(), c)
	if err != nil {
		return err
	}
	info, err := d.describe(r.Context(), h, c)
	if err != nil {
		return err
	}
	d.answer(w, http.StatusOK, info)
	return nil
}

func (d *door) describe(ctx context.Context, h holder, c *call) (map[string]any, error) {
	cert := map[string]any{"status": "valid"}
	enabled := true
	switch now := d.Clock(); {
	case h.certificate.RevokedAt > 0 && h.certificate.RevocationReason == int64(ca.CertificateHold):
		cert["status"], enabled = "suspended", false
	case h.certificate.RevokedAt > 0:
		cert["status"], enabled = "revoked", false
	case now.After(clock.FromMicros(h.certificate.NotAfter)):
		cert["status"], enabled = "expired", false
	}
	which, err := wanted(c)
	if err != nil {
		return nil, err
	}
	if which != "none" {
		all := []string{base64.StdEncoding.EncodeToString(h.parsed.Raw)}
		for _, der := range d.Chain() {
			if which == "chain" {
				all = append(all, base64.StdEncoding.EncodeToString(der))
			}
		}
		cert["certificates"] = all
	}
	if c.flag("certInfo") {
		const layout = "20060102150405Z"
		cert["issuerDN"], cert["subjectDN"] = h.parsed.Issuer.String(), h.parsed.Subject.String()
		cert["serialNumber"] = h.certificate.Serial
		cert["validFrom"], cert["validTo"] = h.parsed.NotBefore.UTC().Format(layout), h.parsed.NotAfter.UTC().Format(layout)
	}
	key := map[string]any{"status": "enabled"}
	if !enabled {
		key["status"] = "disabled"
	}
	switch k := h.parsed.PublicKey.(type) {
	case *ecdsa.PublicKey:
		key["algo"], key["len"], key["curve"] = []string{oidECDSASHA256, oidECDSASHA384, oidECDSASHA512}, k.Params().BitSize, curves[k.Params().Name]
	case *rsa.PublicKey:
		key["algo"], key["len"] = []string{oidRSA, oidRSASHA256, oidRSASHA384, oidRSASHA512, oidPSS}, k.N.BitLen()
	}
	out := map[string]any{"description": h.parsed.Subject.CommonName, "key": key, "cert": cert, "SCAL": "2", "multisign": d.Signing.Limits.Batch, "lang": "id"}
	return out, d.authentication(ctx, out, h, c)
}

// authentication says how hashes are authorised. Whoever came by the browser
// authorises there; an application alone brings the passphrase, or nothing while its
// window is open.
func (d *door) authentication(ctx context.Context, out map[string]any, h holder, c *call) error {
	mode := "explicit"
	if c.access.Employee != "" {
		mode = "oauth2code"
	}
	open, err := d.Signing.HasWindow(ctx, c.client.ID, h.credential.EmployeeID)
	if err != nil {
		return err
	}
	presence := "true"
	if open {
		presence = "optional"
	}
	if c.version == v1 {
		out["authMode"] = mode
		out["PIN"] = map[string]any{"presence": presence, "format": "A", "label": "Passphrase", "description": "Passphrase penanda tangan"}
		out["OTP"] = map[string]any{"presence": "false"}
		return nil
	}
	auth := map[string]any{"mode": mode}
	if mode == "explicit" {
		auth["expression"] = "PIN"
		auth["objects"] = []any{map[string]any{"type": "Password", "id": "PIN", "format": "A", "label": "Passphrase", "description": "Passphrase penanda tangan"}}
	}
	out["auth"] = auth
	return nil
}

// curves are the OIDs of RFC 5480 2.1.1.1.
var curves = map[string]string{"P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35"}
