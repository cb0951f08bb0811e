package signing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pades/appearance"
	"absah/pdf"
)

// sigField is a signature field of a file: its page from 1, its rectangle in whole
// points, and whether it is signed.
type sigField struct {
	page   int
	rect   [4]int
	signed bool
}

// fieldsOf are the signature fields of a file by their widgets, page by page.
func fieldsOf(t *testing.T, b []byte) []sigField {
	t.Helper()
	d, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	must(t, err)
	var out []sigField
	for p, err := range d.Pages() {
		must(t, err)
		list, err := d.ResolveArray(p.Dict.Get("Annots"))
		must(t, err)
		for _, o := range list {
			w, err := d.ResolveDict(o)
			must(t, err)
			rect, err := d.ResolveArray(w.Get("Rect"))
			must(t, err)
			f := sigField{page: p.Number + 1, signed: w.Get("V") != nil}
			for i, v := range rect {
				n, err := d.ResolveNumber(v)
				must(t, err)
				f.rect[i] = int(n + 0.5)
			}
			out = append(out, f)
		}
	}
	return out
}

func (p *party) content(id string) []byte {
	p.t.Helper()
	b, err := p.Content(p.t.Context(), id, 0)
	must(p.t, err)
	return b
}

// placed sends a document to two signers with looks.
func (p *party) placed(d signing.Document, ordered bool, one, two *signing.Look) {
	p.t.Helper()
	must(p.t, p.StartWorkflow(p.t.Context(), p.who, signing.NewWorkflow{Document: d.ID, Ordered: ordered, Steps: []signing.Step{
		{EmployeeID: p.one.EmployeeID, Role: signing.Paraf, Look: one}, {EmployeeID: p.two.EmployeeID, Role: signing.SignRole, Look: two},
	}}))
}

// asked are the places of somebody's look on a document.
func (p *party) asked(who audit.Actor, id string) []signing.Place {
	p.t.Helper()
	w, err := p.Workflow(p.t.Context(), id)
	must(p.t, err)
	step, _ := w.Turn(who.EmployeeID)
	sheets, err := p.Sheets(p.t.Context(), id, nil)
	must(p.t, err)
	r, err := step.Look.Request(sheets)
	must(p.t, err)
	return r.Places
}

func onPage(page int, x, y, w, h float64) signing.Spot {
	return signing.Spot{Method: signing.ByPoint, Number: page, X: x, Y: y, Width: w, Height: h}
}

// TestPreparedFields: the first signer's update makes the fields of the others,
// on their pages and with their sizes; the others fill them in and add nothing to
// any page, and cannot sign elsewhere.
func TestPreparedFields(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newParty(t, s)
		d := p.upload("surat")
		p.placed(d, false, lookAt(onPage(1, 20, 100, 75, 32), onPage(2, 20, 100, 75, 32)), lookAt(onAnchor("${ttd}"), lowerRight()))
		must(t, p.signs(p.two, d.ID, p.asked(p.two, d.ID)...))
		first := fieldsOf(t, p.content(d.ID))
		mm := func(n float64) int { return int(n*72/25.4 + 0.5) }
		want := []sigField{
			{page: 1, rect: [4]int{mm(20), 842 - mm(132), mm(95), 842 - mm(100)}},
			{page: 2, rect: [4]int{mm(20), 842 - mm(132), mm(95), 842 - mm(100)}},
		}
		var empty []sigField
		for _, f := range first {
			if !f.signed {
				empty = append(empty, f)
			}
		}
		near := func(a, b sigField) bool {
			for i := range a.rect {
				if a.rect[i]-b.rect[i] > 1 || b.rect[i]-a.rect[i] > 1 {
					return false
				}
			}
			return a.page == b.page
		}
		if len(first) != 4 || !slices.EqualFunc(empty, want, near) {
			t.Fatalf("after the first signer: %+v", first)
		}
		if err := p.signs(p.one, d.ID, at(1)); !errors.Is(err, signing.ErrFixed) || signing.Problem(err) != "fixed_place" {
			t.Errorf("at another place: %v", err)
		}
		if err := p.signs(p.one, d.ID); !errors.Is(err, signing.ErrFixed) {
			t.Errorf("invisibly: %v", err)
		}
		must(t, p.signs(p.one, d.ID, p.asked(p.one, d.ID)...))
		b := p.content(d.ID)
		last := fieldsOf(t, b)
		if len(last) != len(first) {
			t.Errorf("the second signer added fields: %+v", last)
		}
		for i, f := range last {
			if !f.signed || f.rect != first[i].rect || f.page != first[i].page {
				t.Errorf("field %d is %+v", i, f)
			}
		}
		p.valid(b, 4)
		path := filepath.Join(t.TempDir(), "a.pdf")
		must(t, os.WriteFile(path, b, 0o600))
		oracles(t, path, 4)
	})
}

// TestFieldsOfFreeSigners: whose place was not said makes the fields of those
// whose place was, and goes where he likes himself.
func TestFieldsOfFreeSigners(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	d := p.upload("surat")
	p.placed(d, true, nil, lookAt(lowerRight()))
	must(t, p.signs(p.one, d.ID, at(1)))
	must(t, p.signs(p.two, d.ID, p.asked(p.two, d.ID)...))
	b := p.content(d.ID)
	if f := fieldsOf(t, b); len(f) != 2 || f[0].page != 1 || f[1].page != 2 || !f[0].signed || !f[1].signed {
		t.Errorf("fields %+v", f)
	}
	p.valid(b, 2)
}

// TestFieldsOfCertified: a certified document permits no empty fields; who signs it
// invisibly can do so all the same.
func TestFieldsOfCertified(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Pengesah Contoh"}, NotBefore: p.clock.Now().Add(-time.Hour), NotAfter: p.clock.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	signer, err := pades.NewSigner(pades.SignerConfig{Key: key, Certificate: c})
	must(t, err)
	plain, err := signingtest.PDF("surat", 2)
	must(t, err)
	var certified bytes.Buffer
	_, err = pades.Sign(t.Context(), bytes.NewReader(plain), int64(len(plain)), &certified, signer, pades.Options{Certify: pades.CertifyForms, Clock: p.clock.Now})
	must(t, err)
	d, err := p.Upload(t.Context(), p.who, signing.Upload{Name: "a.pdf", Body: &certified})
	must(t, err)
	p.placed(d, true, &signing.Look{Level: "B-T"}, lookAt(lowerRight()))
	must(t, p.signs(p.one, d.ID))
	if f := fieldsOf(t, p.content(d.ID)); len(f) != 2 {
		t.Errorf("fields %+v", f)
	}
	var refused *pades.Refusal
	if err := p.signs(p.two, d.ID, p.asked(p.two, d.ID)...); !errors.As(err, &refused) || refused.Reason != pades.ReasonCertified {
		t.Errorf("a visible one: %v", err)
	}
}

// TestFits: whether what a signature shows has room is known before it is made.
func TestFits(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	var fit *appearance.FitError
	small := lookAt(onPage(1, 0, 0, 12, 6))
	for name, c := range map[string]struct {
		l    *signing.Look
		want func(error) bool
	}{
		"room":        {lookAt(lowerRight()), func(err error) bool { return err == nil }},
		"no room":     {small, func(err error) bool { return errors.As(err, &fit) }},
		"no specimen": {&signing.Look{Level: "B-T", Content: []string{"spesimen"}, Spots: small.Spots}, func(err error) bool { return errors.Is(err, signing.ErrNoSpecimen) }},
		"invisible":   {&signing.Look{Level: "B-T"}, func(err error) bool { return err == nil }},
	} {
		if err := p.Fits(t.Context(), p.one.EmployeeID, *c.l); !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSurvey: places that lie over each other are found, wherever they are said.
func TestSurvey(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	d := p.upload("surat")
	p.placed(d, true, lookAt(onPage(2, 20, 100, 75, 32), onPage(1, 130, 250, 60, 30)), lookAt(onAnchor("${ttd}"), lowerRight(), onPage(1, 95, 205, 20, 20)))
	sheets, err := p.Sheets(t.Context(), d.ID, nil)
	must(t, err)
	w, err := p.Workflow(t.Context(), d.ID)
	must(t, err)
	planned, err := w.Planned(sheets)
	must(t, err)
	if len(planned) != 2 || planned[1].Step.EmployeeID != p.two.EmployeeID || len(planned[1].Places) != 3 {
		t.Fatalf("planned %+v", planned)
	}
	// The last point lies on the anchor of page 1; lower right is on page 2, where no other is.
	s, err := sheets.Survey(t.Context(), append(planned[0].Places, planned[1].Places...))
	must(t, err)
	if got := fmt.Sprint(s.Crossings); got != "[[2 4]]" || len(s.Where) != 5 || s.Where[2].Page != 1 || s.Where[3].Page != 2 {
		t.Errorf("crossings %s of %+v", got, s.Where)
	}
	if over := strings.TrimSpace(fmt.Sprint(s.Overlaps)); over != "[{4 1 ${ttd}}]" {
		t.Errorf("overlaps %s", over)
	}
	must(t, p.Cancel(t.Context(), p.who, d.ID))
	if w, err = p.Workflow(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	if planned, err = w.Planned(sheets); err != nil || len(planned) != 0 {
		t.Errorf("taken back: %+v %v", planned, err)
	}
}
