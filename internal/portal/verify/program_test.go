package verify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"absah/internal/portal/verify"
)

// program posts a document as a program does, which says not where it comes from.
func program(t *testing.T, h http.Handler, accept string, file []byte, headers ...string) *httptest.ResponseRecorder {
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
	w.Close()
	r := httptest.NewRequest(http.MethodPost, base+verify.Path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Accept", accept)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// TestProgramsVerify: a program without a credential gets the JSON that absah
// verify gives, and problem details where there is none; it is bounded as the
// page is, and a page of another site cannot ask in its name.
func TestProgramsVerify(t *testing.T) {
	s := sign(t)
	h, _ := site(t, s.cert.Raw)
	rec := program(t, h, "application/json", s.file)
	var report struct {
		File, Verdict, SHA256 string
		Size                  int
		Signatures            []struct {
			Verdict string
			Signer  struct{ Subject string }
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &report); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("status %d, %v\n%s", rec.Code, err, rec.Body)
	}
	if report.File != "surat.pdf" || report.Verdict != "valid" || report.Size != len(s.file) || len(report.SHA256) != 64 || len(report.Signatures) != 1 ||
		!strings.Contains(report.Signatures[0].Signer.Subject, "Siti Contoh") {
		t.Errorf("%+v", report)
	}
	if got := rec.Header().Get("Content-Type") + " " + rec.Header().Get("Cache-Control"); got != "application/json no-store" {
		t.Errorf("%s", got)
	}
	for _, c := range []struct {
		name    string
		rec     *httptest.ResponseRecorder
		status  int
		problem string
	}{
		{"nothing", program(t, h, "application/json", nil), 422, "document_empty"},
		{"no form", program(t, h, "application/json", nil, "Content-Type", "application/pdf"), 400, "unreadable"},
		{"another site's page", program(t, h, "application/json", s.file, "Sec-Fetch-Site", "cross-site"), 403, "cross_site"},
		{"another site's origin", program(t, h, "application/json", s.file, "Origin", "https://lain.example"), 403, "cross_site"},
		{"a page without its origin", program(t, h, "text/html, application/json", s.file), 403, ""},
		{"anything", program(t, h, "*/*", s.file), 403, ""},
	} {
		var p struct{ Code, Title, Type string }
		if c.problem != "" {
			if err := json.Unmarshal(c.rec.Body.Bytes(), &p); err != nil || p.Title == "" || p.Type != "about:blank" && !strings.HasPrefix(p.Type, base+"/") || c.rec.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %v, %s", c.name, err, c.rec.Body)
			}
		}
		if c.rec.Code != c.status || p.Code != c.problem {
			t.Errorf("%s: status %d, code %q", c.name, c.rec.Code, p.Code)
		}
	}
	many := 0
	for range 40 {
		if rec = program(t, h, "application/json", nil); rec.Code == http.StatusTooManyRequests {
			many++
		}
	}
	if many == 0 || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), `"too_many_requests"`) {
		t.Errorf("%d refused, %s", many, fmt.Sprint(rec.Header()))
	}
}
