package validation

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"sync"
	"testing"
	"time"

	"absah/pades"
	"absah/pades/certpath"
	"absah/pades/tsp"
	"absah/pades/validation/validationtest"
	"absah/pdf"
)

var (
	signedAt = validationtest.SignedAt
	now      = validationtest.Now
)

type entity = validationtest.Entity

// house is one of validationtest, and who validates for it.
type house struct {
	*validationtest.House
	root, ca, signer, tsa *entity
	crl, rootCRL          *certpath.CRL
}

var home = sync.OnceValue(newHouse)

func newHouse() *house {
	h := validationtest.NewHouse()
	return &house{h, h.Root, h.CA, h.Signer, h.TSA, h.CRL, h.RootCRL}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func certify(name string, issuer *entity, change func(*x509.Certificate)) *entity {
	return validationtest.Certify(name, issuer, change)
}

func (h *house) list(issuer *entity, this, next time.Time, revoked map[*entity]time.Time) *certpath.CRL {
	return h.List(issuer, this, next, revoked)
}

func (h *house) source(lists ...*certpath.CRL) certpath.Source { return h.Source(lists...) }

func (h *house) timestamper(at time.Time) tsp.Timestamper { return h.Timestamper(at) }

func (h *house) sign(t testing.TB, file []byte, o pades.Options) []byte {
	t.Helper()
	return h.Sign(t, file, o)
}

func (h *house) signAs(t testing.TB, e *entity, file []byte, o pades.Options) []byte {
	t.Helper()
	return h.SignAs(t, e, file, o)
}

// validator trusts the house's root and has the CRLs at hand.
func (h *house) validator(t testing.TB, lists ...*certpath.CRL) *Validator {
	t.Helper()
	c := Config{Trust: h.trust(t), Now: func() time.Time { return now }, Source: h.source(lists...)}
	return must(New(c))
}

func (h *house) trust(t testing.TB) *certpath.Validator {
	t.Helper()
	root, err := certpath.FromX509(h.root.Cert)
	if err != nil {
		t.Fatal(err)
	}
	return must(certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(root)}}))
}

func judge(t testing.TB, v *Validator, file []byte) *Report {
	t.Helper()
	r, err := v.Validate(context.Background(), bytes.NewReader(file), int64(len(file)), Options{})
	if err != nil {
		t.Fatalf("validate: %v", err)
	}
	// From memory it is the same.
	if m, err := v.Validate(context.Background(), pdf.Bytes(file), int64(len(file)), Options{}); err != nil || m.Verdict != r.Verdict {
		t.Fatalf("validate from memory: %v, and %s where a reader gave %s", err, m.Verdict, r.Verdict)
	}
	keep(t, file, r)
	return r
}

// What the tests below call most.
var (
	stream    = validationtest.Stream
	letter    = validationtest.Letter
	amend     = validationtest.Amend
	obj       = validationtest.Obj
	set       = validationtest.Set
	text      = validationtest.Text
	sigField  = validationtest.SigField
	addToForm = validationtest.AddToForm
	addToPage = validationtest.AddToPage
	gap       = validationtest.Gap
	rect      = validationtest.Rect
)

// holds judges the cases.
func holds(t *testing.T, h *house, cases []validationtest.Case) {
	t.Helper()
	v := h.validator(t)
	for _, c := range cases {
		t.Run(c.Class+"/"+c.Name, func(t *testing.T) {
			if r := judge(t, v, c.File); !slices.Contains(c.Want, string(r.Verdict)) {
				t.Errorf("called %s, want %v\n%s", r.Verdict, c.Want, dump(r))
			}
		})
	}
}
