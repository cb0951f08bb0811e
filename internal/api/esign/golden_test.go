package esign

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/verification"
)

// judges holds a document to two other programs.
func (o *office) judges(name string, b []byte) {
	o.t.Helper()
	file := filepath.Join(o.t.TempDir(), name+".pdf")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		o.t.Fatal(err)
	}
	if dir := os.Getenv("ABSAH_KEEP"); dir != "" {
		_ = os.WriteFile(filepath.Join(dir, name+".pdf"), b, 0o600)
	}
	if out, err := exec.CommandContext(o.t.Context(), "qpdf", "--check", file).CombinedOutput(); err != nil {
		o.t.Errorf("%s: qpdf: %v\n%s", name, err, out)
	}
	out, err := exec.CommandContext(o.t.Context(), "pdfsig", "-nocert", file).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Signature is Valid")) || !bytes.Contains(out, []byte("Total document signed")) {
		o.t.Errorf("%s: pdfsig: %v\n%s", name, err, out)
	}
}

// signed holds a signed document to three judges.
func (o *office) signed(name string, b []byte, visible bool) {
	o.t.Helper()
	o.judges(name, b)
	a := o.judge(b)
	if a.Verdict != "valid" || a.Signatures[0].Level != "B-T" || !strings.Contains(a.Signatures[0].Signer.Subject, "Siti Contoh") {
		o.t.Errorf("%s: %s, %+v", name, a.Verdict, a.Signatures)
	}
	tail := b[len(letter(o.t)):]
	if got := !bytes.Contains(tail, []byte("/Rect[0 0 0 0]")); got != visible {
		o.t.Errorf("%s: visible %v, want %v", name, got, visible)
	}
}

func (o *office) judge(b []byte) *verification.Answer {
	o.t.Helper()
	doc, err := verification.Take(bytes.NewReader(b))
	if err != nil {
		o.t.Fatal(err)
	}
	defer doc.Close()
	a, err := o.config.Verifier.Judge(o.t.Context(), doc, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

// TestGoldenSign replays what clients send to sign.
func TestGoldenSign(t *testing.T) {
	o := open(t, nil, false)
	for name, visible := range map[string]bool{
		"01-sign-invisible": false, "02-sign-image": true, "03-sign-qr": true, "04-sign-tag": true, "06-sign-php-file-first": true, "08-sign-sec-fetch-cross-site": false,
	} {
		t.Run(name, func(t *testing.T) {
			o := o.as(t)
			resp := o.send(name, nil)
			b := o.body(resp, 200)
			h := resp.Header
			if id := h.Get("id_dokumen"); len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
				t.Errorf("id_dokumen %q", id)
			}
			if h.Get("signing_time") == "" || h.Get("Content-Disposition") == "" || h.Get("Content-Type") != "application/pdf" {
				t.Errorf("headers: %v", h)
			}
			o.signed(name, b, visible)
		})
	}
	t.Run("07-sign-query", func(t *testing.T) {
		o := o.as(t)
		got := o.object(o.send("07-sign-query", nil), 200)
		b, err := base64.StdEncoding.DecodeString(fmt.Sprint(got["base64_signed_file"]))
		if err != nil || len(fmt.Sprint(got["id_dokumen"])) != 32 {
			t.Fatalf("%v, %v", got, err)
		}
		o.signed("07-sign-query", b, true)
	})
	for name, files := range map[string][]bool{"13-v2-sign-invisible": {false}, "14-v2-sign-image": {true}, "15-v2-sign-two": {false, true}} {
		t.Run(name, func(t *testing.T) {
			o := o.as(t)
			got := o.object(o.send(name, nil), 200)
			list, _ := got["file"].([]any)
			if len(list) != len(files) {
				t.Fatalf("%d files, want %d", len(list), len(files))
			}
			if _, ok := got["time"].(float64); !ok {
				t.Errorf("time is %v", got["time"])
			}
			for i, visible := range files {
				b, err := base64.StdEncoding.DecodeString(list[i].(string))
				if err != nil {
					t.Fatal(err)
				}
				o.signed(fmt.Sprintf("%s-%d", name, i), b, visible)
			}
		})
	}
	if log := o.log.String(); strings.Contains(log, "kuda lompat") || strings.Contains(log, nik) || strings.Contains(log, o.secret) {
		t.Error("a passphrase, NIK or secret is in the log")
	}
}

// TestGoldenPassphrase: a wrong one is told with the code of the interface,
// counted, and locks in the end.
func TestGoldenPassphrase(t *testing.T) {
	o := open(t, nil, false)
	for left := 4; left > 0; left-- {
		got := o.object(o.send("05-sign-wrong-passphrase", nil), 400)
		if got["status_code"] != 2031.0 || !strings.HasPrefix(fmt.Sprint(got["error"]), "Passphrase anda salah") || !strings.Contains(fmt.Sprint(got["error"]), fmt.Sprintf("percobaan: %d", left)) {
			t.Fatalf("with %d left: %v", left, got)
		}
	}
	o.object(o.send("05-sign-wrong-passphrase", nil), 400)
	got := o.object(o.send("01-sign-invisible", nil), 400)
	if got["status_code"] != 2032.0 || !strings.Contains(fmt.Sprint(got["error"]), "terkunci sampai") {
		t.Errorf("locked: %v", got)
	}
}

func TestGoldenVerify(t *testing.T) {
	o := open(t, nil, false)
	signed := o.body(o.send("03-sign-qr", nil), 200)
	with := map[string]string{"signed": string(signed), "signed64": base64.StdEncoding.EncodeToString(signed)}
	v1 := o.object(o.send("09-verify", with), 200)
	if v1["summary"] != "VALID" || v1["jumlah_signature"] != 1.0 || v1["nama_dokumen"] != "in.pdf" || v1["notes"] != trusted {
		t.Errorf("verify v1: %v", v1)
	}
	detail := v1["details"].([]any)[0].(map[string]any)
	signer, document := detail["info_signer"].(map[string]any), detail["signature_document"].(map[string]any)
	if signer["signer_name"] != "Siti Contoh" || signer["cert_user_certified"] != true || document["document_integrity"] != true || document["signed_using_tsa"] != true || detail["info_tsa"].(map[string]any)["name"] == nil {
		t.Errorf("verify v1: %v", detail)
	}
	if validity := strings.Split(fmt.Sprint(signer["signer_cert_validity"]), " to "); len(validity) != 2 || validity[0] == validity[1] {
		t.Errorf("validity %v", validity)
	}
	none := o.object(o.send("10-verify-unsigned", nil), 200)
	if none["jumlah_signature"] != 0.0 || none["summary"] != nil || none["notes"] != nil || len(none["details"].([]any)) != 0 {
		t.Errorf("unsigned: %v", none)
	}
	v2 := o.object(o.send("19-v2-verify", with), 200)
	if v2["conclusion"] != "VALID" || v2["signatureCount"] != 1.0 || v2["description"] != trusted {
		t.Errorf("verify v2: %v", v2)
	}
	info := v2["signatureInformations"].([]any)[0].(map[string]any)
	if info["signatureFormat"] != "PAdES-BASELINE-T" || info["lastSignature"] != true || info["integrityValid"] != true || info["timestampInfomation"] == nil || len(info["certificateDetails"].([]any)) < 2 {
		t.Errorf("verify v2: %v", info)
	}
	tampered := bytes.Replace(signed, []byte("/MediaBox"), []byte("/MediaBux"), 1)
	bad := o.object(o.send("19-v2-verify", map[string]string{"signed64": base64.StdEncoding.EncodeToString(tampered)}), 200)
	if bad["conclusion"] != "INVALID" {
		t.Errorf("tampered: %v", bad["conclusion"])
	}
}

func TestGoldenPeople(t *testing.T) {
	o := open(t, nil, false)
	for _, name := range []string{"11-status", "12-status-with-body"} {
		got := o.object(o.send(name, nil), 200)
		if got["status_code"] != 1111.0 || got["status"] != "ISSUE" {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := o.object(o.send("17-v2-status", nil), 200); got["status_code"] != "1111" || got["status"] != "ISSUE" {
		t.Errorf("v2 status: %v", got)
	}
	if got := o.object(o.send("11-status", map[string]string{"nik": stranger}), 200); got["status_code"] != 1110.0 {
		t.Errorf("a stranger: %v", got)
	}
	if got := o.object(o.send("17-v2-status", map[string]string{"nik": stranger}), 200); got["status_code"] != "2011" || got["status"] != "NOT_REGISTERED" {
		t.Errorf("a stranger, v2: %v", got)
	}
	if got := o.object(o.send("01-sign-invisible", map[string]string{"nik": stranger}), 400); got["status_code"] != 2011.0 {
		t.Errorf("a stranger signs: %v", got)
	}
	if got := o.object(o.send("16-v2-totp", nil), 400); got["status_code"] != float64(codeTOTP) {
		t.Errorf("totp: %v", got)
	}
	if got := o.object(o.send("18-v2-register", nil), 400); got["status_code"] != float64(codeData) {
		t.Errorf("register somebody who is not on the staff: %v", got)
	}
	chain := o.object(o.send("20-v2-chain", nil), 200)
	data := chain["data"].([]any)
	if chain["success"] != true || len(data) != 3 {
		t.Fatalf("chain: %v", chain)
	}
	der, err := base64.StdEncoding.DecodeString(data[0].(string))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := x509.ParseCertificate(der); err != nil || c.Subject.CommonName != "Siti Contoh" {
		t.Errorf("%v, %v", c, err)
	}
}
