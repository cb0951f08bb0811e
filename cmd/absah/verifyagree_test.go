package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/confine"
	"absah/internal/keys"
	"absah/internal/portal"
	"absah/internal/portal/ui"
	"absah/internal/portal/verify"
	"absah/internal/verification"
	"absah/pades"
	"absah/pades/validation/validationtest"
)

// nobody is signed in.
type nobody struct{}

func (nobody) Authenticate(context.Context, string, account.Client, bool) (*account.Viewer, error) {
	return nil, account.ErrNoSession
}

// TestPageAndCommandAgree: absah verify --json and the page's report for programs
// say the same of the same documents, word for word, when they trust the same root
// on the same day.
func TestPageAndCommandAgree(t *testing.T) {
	t.Parallel()
	h := validationtest.Home()
	open := validationtest.Certify("Siti Contoh", h.CA, nil) // whose status nobody offers
	files := map[string][]byte{
		"unsigned": validationtest.Letter(""), "nonsense": []byte("%PDF-1.7\nhalo"),
		"valid":    h.SignAs(t, open, validationtest.Letter(""), pades.Options{}),
		"archived": h.Sign(t, validationtest.Letter(""), pades.Options{Level: pades.BLTA, Timestamper: h.Timestamper(validationtest.SignedAt), Evidence: h.Source()}),
	}
	for i, c := range h.Cases(t) {
		if i%8 == 0 {
			files[fmt.Sprintf("%03d %s %s", i, c.Class, c.Name)] = c.File
		}
	}
	dir := signatory{dir: t.TempDir()}
	args := []string{"verify", "--json", "--at", validationtest.Now.Format(time.RFC3339), "--trust",
		dir.write(t, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Root.Cert.Raw}))}
	byPath := map[string]string{}
	for name, b := range files {
		path := dir.write(t, fmt.Sprintf("%d.pdf", len(byPath)), b)
		byPath[path] = name
		args = append(args, path)
	}
	page := verifyingPage(t, h.Root.Cert)
	verdicts := map[any]int{}
	for line := range strings.Lines(program(t, nil, args...).out) {
		var command map[string]any
		if err := json.Unmarshal([]byte(line), &command); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		name := byPath[command["file"].(string)]
		answer := page(t, files[name])
		for _, key := range []string{"verdict", "signatures", "errors", "findings"} {
			if !reflect.DeepEqual(command[key], answer[key]) {
				t.Errorf("%s: the command says %s %v, the page %v", name, key, command[key], answer[key])
			}
		}
		verdicts[answer["verdict"]]++
		delete(byPath, command["file"].(string))
	}
	if len(byPath) > 0 || len(verdicts) != 4 {
		t.Errorf("%d files without an answer; verdicts %v", len(byPath), verdicts)
	}
}

// verifyingPage gives what the page says of a document to programs.
func verifyingPage(t *testing.T, root *x509.Certificate) func(*testing.T, []byte) map[string]any {
	t.Helper()
	self, err := confine.Self(verification.WorkerCommand)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := verification.NewPool(self, 2)
	if err != nil {
		t.Fatal(err)
	}
	pool.Wall = 2 * time.Minute
	vault, err := keys.InitFile(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return validationtest.Now }
	const base = "http://localhost:8080"
	site := portal.New(portal.Config{BaseURL: base, Accounts: nobody{}, Identity: ui.Identity{Product: "Absah", Organisation: "Instansi Contoh"}}, verify.New(verify.Config{
		Service: &verification.Service{Pool: pool, Clock: now, Trust: func(context.Context) (verification.Trust, error) {
			return verification.Trust{Anchors: []verification.TrustAnchor{{DER: root.Raw}}}, nil
		}},
		Reports: &verification.Reports{Vault: vault, Clock: now}, Clock: now,
	}).Routes())
	token := regexp.MustCompile(`name="laporan" value="([^"]+)"`)
	visitors := 0
	post := func(t *testing.T, path string, file []byte, fields map[string]string) []byte {
		t.Helper()
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		if file != nil {
			part, err := w.CreateFormFile("dokumen", "surat.pdf")
			if err != nil {
				t.Fatal(err)
			}
			part.Write(file)
		}
		for name, value := range fields {
			w.WriteField(name, value)
		}
		w.Close()
		r := httptest.NewRequest(http.MethodPost, base+path, &body)
		visitors++
		r.RemoteAddr = fmt.Sprintf("198.18.%d.%d:9", visitors/250, visitors%250+1)
		r.Header.Set("Content-Type", w.FormDataContentType())
		r.Header.Set("Origin", base)
		rec := httptest.NewRecorder()
		site.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			t.Fatalf("status %d\n%s", rec.Code, rec.Body)
		}
		return rec.Body.Bytes()
	}
	return func(t *testing.T, file []byte) map[string]any {
		t.Helper()
		found := token.FindSubmatch(post(t, verify.Path, file, nil))
		if found == nil {
			t.Fatal("the page offers no report")
		}
		var out map[string]any
		if err := json.Unmarshal(post(t, verify.Path+"/laporan", nil, map[string]string{"laporan": string(found[1]), "jenis": "json"}), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
}
