package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/confine"
	"absah/internal/portal"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/verify"
	"absah/internal/verification"
	"absah/pades"
	"absah/pades/appearance"
	"absah/pades/validation"
	"absah/pades/validation/validationtest"
)

// court is the page behind which documents are judged in child processes, on the
// day and with the trust of a house of package validationtest.
type court struct {
	http.Handler
	pool    *confine.Pool
	service *verification.Service
	asked   atomic.Int64 // requests; each comes from an address of its own, for addresses have a limit
}

func newCourt(t testing.TB, h *validationtest.House) *court {
	t.Helper()
	self, err := confine.Self(verification.WorkerCommand)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := verification.NewPool(self, 2)
	if err != nil {
		t.Fatal(err)
	}
	pool.Wall, pool.Wait = 2*time.Minute, 2*time.Minute // a busy machine is no reason to fail
	now := func() time.Time { return validationtest.Now }
	trust := verification.Trust{Anchors: []verification.TrustAnchor{{DER: h.Root.Cert.Raw}}, CRLs: [][]byte{h.CRL.Raw, h.RootCRL.Raw}}
	s := &verification.Service{Pool: pool, Clock: now, Trust: func(context.Context) (verification.Trust, error) { return trust, nil }}
	reports := &verification.Reports{Vault: vault(t), Clock: now, Seal: func(_ context.Context, pdf []byte) ([]byte, error) { return pdf, nil }}
	return &court{pool: pool, service: s, Handler: portal.New(portal.Config{
		BaseURL: base, Accounts: nobody{}, Identity: ui.Identity{Product: "Absah", Organisation: "Instansi Contoh"},
	}, verify.New(verify.Config{Service: s, Reports: reports, Clock: now}).Routes())}
}

func (c *court) post(t testing.TB, path, lang string, file []byte, fields map[string]string) *httptest.ResponseRecorder {
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
	n := c.asked.Add(1)
	r.RemoteAddr = fmt.Sprintf("198.18.%d.%d:9", n/250, n%250+1)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", base)
	r.AddCookie(&http.Cookie{Name: ui.LangCookie, Value: lang})
	rec := httptest.NewRecorder()
	c.ServeHTTP(rec, r)
	return rec
}

// judge has a document judged and gives the page and, from the report that the
// page offers, the answer for programs.
func (c *court) judge(t testing.TB, lang string, file []byte) (page string, report validation.Report) {
	t.Helper()
	rec := c.post(t, verify.Path, lang, file, nil)
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d\n%s", rec.Code, rec.Body)
	}
	page = html.UnescapeString(rec.Body.String())
	token := tokenField.FindStringSubmatch(rec.Body.String())
	if token == nil {
		t.Fatal("the page offers no report")
	}
	answer := c.post(t, verify.Path+"/laporan", lang, nil, map[string]string{"laporan": token[1], "jenis": "json"})
	if err := json.Unmarshal(answer.Body.Bytes(), &report); err != nil {
		t.Fatalf("status %d: %v", answer.Code, err)
	}
	return page, report
}

// banners are what the page says above all, by verdict.
var banners = map[validation.Verdict]string{
	validation.Valid: "Sah: semua tanda tangan", validation.Invalid: "Tidak sah: dokumen", validation.Indeterminate: "Tidak dapat dipastikan",
	validation.Unsigned: "tidak memiliki tanda tangan elektronik",
}

// TestAttacks: every class of attack on signatures, as people and programs meet it
// on the page, is called what it may be called: the honest files valid, the others
// never.
func TestAttacks(t *testing.T) {
	t.Parallel()
	h := validationtest.Home()
	c := newCourt(t, h)
	classes := map[string]int{}
	for _, one := range h.Cases(t) {
		classes[one.Class]++
		t.Run(one.Class+"/"+one.Name, func(t *testing.T) {
			t.Parallel()
			page, report := c.judge(t, "id", one.File)
			if !one.Allows(string(report.Verdict)) {
				t.Errorf("called %s, want %v: %v", report.Verdict, one.Want, report.Errors)
			}
			said := banners[report.Verdict]
			if report.Verdict == validation.Indeterminate && len(report.Signatures) == 0 {
				said = "tidak dapat dibaca sebagai dokumen PDF"
			}
			if !strings.Contains(page, said) || report.Verdict != validation.Valid && strings.Contains(page, banners[validation.Valid]) {
				t.Errorf("the page does not say %q of a document that is %s", said, report.Verdict)
			}
			if strings.Contains(page, `<li lang="en"`) {
				t.Error("a finding has no words in Indonesian")
			}
		})
	}
	for class, least := range map[string]int{
		validationtest.Honest: 5, validationtest.Universal: 100, validationtest.Incremental: 30, validationtest.Shadow: 10, validationtest.Certified: 90,
		validationtest.Wrapping: 12, validationtest.Behind: 12, validationtest.Recycled: 1, validationtest.TwoDocuments: 4, validationtest.TwoRoles: 50, validationtest.BadCMS: 17,
	} {
		if classes[class] < least {
			t.Errorf("%d files of the class %s, want %d", classes[class], class, least)
		}
	}
}

// TestSpoofedFace: whom a visible signature or the signature's own dictionary
// claims to be of is not on the page; the certificate is.
func TestSpoofedFace(t *testing.T) {
	t.Parallel()
	h := validationtest.Home()
	file := h.Sign(t, validationtest.Letter(""), pades.Options{
		Name:    "Menteri Palsu",
		Visible: &pades.Visible{Page: 1, Box: appearance.Box{X: 300, Y: 100, Width: 200, Height: 60}, Spec: appearance.Spec{Lines: []appearance.Line{{Text: "Menteri Palsu"}}}},
	})
	page, report := newCourt(t, h).judge(t, "id", file)
	if report.Verdict != validation.Valid || !strings.Contains(page, "CN=Siti Contoh") || strings.Contains(page, "Menteri Palsu") {
		t.Errorf("%s; the page says who the signature claims to be: %v", report.Verdict, strings.Contains(page, "Menteri Palsu"))
	}
}

// TestFindingsHaveWords: every finding that a report can hold has words in both
// languages.
func TestFindingsHaveWords(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		ctx := i18n.With(t.Context(), lang, i18n.WIB)
		for _, code := range validation.Codes() {
			if code != "changed" && !i18n.Has(ctx, "verify.finding."+code) {
				t.Errorf("%s: no words for %s", lang, code)
			}
		}
	}
}
