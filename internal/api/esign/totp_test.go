package esign

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
)

// asked are the codes that were asked for; internal/app has a test of what is done
// about it.
type asked struct {
	client, employee string
	n                int
	err              error
}

func (a *asked) AskCode(_ context.Context, c *apiclient.Client, employeeID string, n int) error {
	a.client, a.employee, a.n = c.ID, employeeID, n
	return a.err
}

// TestTOTP: asked for as the interface says, made by the signer with the passphrase,
// and good for what it was made for.
func TestTOTP(t *testing.T) {
	t.Parallel()
	o := open(t, nil, false)
	ask := &asked{}
	o.config.Codes = ask
	o.server.Config.Handler = New(o.config)
	if got := o.object(o.send("16-v2-totp", nil), 200); got["success"] != true || got["message"] == "" || ask.client != o.client.ID || ask.employee != o.signer.EmployeeID || ask.n != 1 {
		t.Errorf("%v, %+v", got, ask)
	}
	const json = "POST /api/v2/sign/get/totp HTTP/1.1\nhost: {{host}}\nAuthorization: Basic {{basic}}\nContent-Type: application/json\nContent-Length: {{length}}\n\n"
	o.object(o.sendRaw(json+`{"nik":"{{nik}}","data":"12"}`, nil), 200)
	if ask.n != 12 {
		t.Errorf("asked for %d", ask.n)
	}
	for _, bad := range []string{"0", "101", "dua"} {
		if got := o.object(o.sendRaw(json+`{"nik":"{{nik}}","data":"`+bad+`"}`, nil), 400); got["field"] != "data" {
			t.Errorf("%s: %v", bad, got)
		}
	}
	if got := o.object(o.sendRaw(json+`{"nik":"`+stranger+`"}`, nil), 400); got["status_code"] != 2011.0 {
		t.Errorf("a stranger: %v", got)
	}
	ask.err = ErrNoCodes
	if got := o.object(o.send("16-v2-totp", nil), 400); got["status_code"] != float64(codeTOTP) {
		t.Errorf("not allowed: %v", got)
	}

	// The signer makes the code on the portal.
	secret, err := passphrase.Read([]byte(signingtest.Passphrase))
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Wipe()
	w, err := o.world.OpenWindow(t.Context(), signing.WindowRequest{
		Who: o.signer, Signer: o.signer.EmployeeID, ClientID: o.client.ID, Client: "persuratan", Longest: time.Hour, Life: time.Minute, Uses: 2, Coded: true, Secret: secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	const sign = "POST /api/v2/sign/pdf HTTP/1.1\nhost: {{host}}\nAuthorization: Basic {{basic}}\nContent-Type: application/json\nContent-Length: {{length}}\n\n"
	body := func(field, code string) string {
		return sign + `{"nik":"{{nik}}","` + field + `":"` + code + `","passphrase":null,"signatureProperties":[{"tampilan":"INVISIBLE"}],"file":["{{pdf64}}"]}`
	}
	wrong := "123456"
	if w.Code == wrong {
		wrong = "654321"
	}
	if got := o.object(o.sendRaw(body("totp", wrong), nil), 400); got["status_code"] != float64(codeTOTPWrong) {
		t.Errorf("wrong: %v", got)
	}
	for _, field := range []string{"totp", "otp"} { // the interface's own examples write otp
		got := o.object(o.sendRaw(body(field, w.Code), nil), 200)
		pdf, err := base64.StdEncoding.DecodeString(got["file"].([]any)[0].(string))
		if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.Contains(pdf, []byte("/ByteRange")) {
			t.Errorf("%s: %d bytes, %v", field, len(pdf), err)
		}
	}
	if got := o.object(o.sendRaw(body("totp", w.Code), nil), 400); got["status_code"] != float64(codeTOTPNone) {
		t.Errorf("used up: %v", got)
	}
	if strings.Contains(o.log.String(), w.Code) {
		t.Error("a code is in the log")
	}
}

func TestTOTPInTheSandbox(t *testing.T) {
	t.Parallel()
	o := open(t, nil, true)
	o.object(o.send("16-v2-totp", nil), 200)
	const sign = "POST /api/v2/sign/pdf HTTP/1.1\nhost: {{host}}\nAuthorization: Basic {{basic}}\nContent-Type: application/json\nContent-Length: {{length}}\n\n"
	for code, status := range map[string]int{"123456": 200, "000000": 400, "12": 400} {
		got := o.object(o.sendRaw(sign+`{"nik":"{{nik}}","totp":"`+code+`","signatureProperties":[{"tampilan":"INVISIBLE"}],"file":["{{pdf64}}"]}`, nil), status)
		if status == 400 && got["status_code"] != float64(codeTOTPWrong) {
			t.Errorf("%s: %v", code, got)
		}
	}
}
