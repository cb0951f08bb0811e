package esign

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFields: whatever is sent, reading it ends without a panic, and what is read
// gives a request or an error.
func FuzzFields(f *testing.F) {
	files, err := filepath.Glob("testdata/wire/*.http")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		head, body, _ := strings.Cut(string(raw), "\n\n")
		kind := ""
		for line := range strings.SplitSeq(head, "\n") {
			if k, v, _ := strings.Cut(line, ": "); strings.EqualFold(k, "content-type") {
				kind = v
			}
		}
		f.Add(kind, "nik=1&xAxis=1e9&halaman=TERAKHIR", []byte(strings.ReplaceAll(body, "\n", "\r\n")))
	}
	f.Add("application/json", "", []byte(`{"file":[1],"signatureProperties":{"tampilan":"VISIBLE","width":"NaN"},"passphrase":{}}`))
	f.Fuzz(func(t *testing.T, kind, query string, body []byte) {
		r := httptest.NewRequest("POST", "/api/sign/pdf", bytes.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", kind)
		fields, err := readFields(r)
		if err != nil {
			return
		}
		secret, err := fields.secret("passphrase")
		if err == nil && secret != nil && fields.text["passphrase"] != "" {
			t.Error("the passphrase stays in the fields")
		}
		secret.Wipe()
		for _, corner := range []bool{false, true} {
			if request, err := fields.requestV1(corner, verifyPage); err == nil {
				for _, p := range request.Places {
					if p.Box.Width <= 0 || p.Box.Height <= 0 {
						t.Errorf("a box of %v by %v", p.Box.Width, p.Box.Height)
					}
				}
			}
		}
		var o order
		if fields.files64(&o) == nil && fields.properties(&o) == nil && len(o.requests) != len(o.files) {
			t.Errorf("%d requests for %d files", len(o.requests), len(o.files))
		}
	})
}
