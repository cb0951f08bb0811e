package app_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/signing"
	"absah/internal/signing/paper"
	"absah/internal/signing/signingtest"
	"absah/pades"
	"absah/pades/appearance"
	"absah/pades/certpath"
	"absah/pades/validation"
)

// TestSignedHereIsValidAnywhere: what a subscriber signs at B-LTA is valid for a
// validator that knows the root and asks nobody, and for qpdf and pdfsig.
func TestSignedHereIsValidAnywhere(t *testing.T) {
	t.Parallel()
	m := newMinistry(t, apptest.Configure(t.TempDir(), "", 25), 1)
	t.Cleanup(func() { must(t, m.Close()) })
	if _, confined := m.Signing.Paper.(*paper.Pool); !confined {
		t.Errorf("files that people bring are read in the service's own process, by %T", m.Signing.Paper)
	}
	m.issue(0)
	must(t, m.Authority.Upkeep(t.Context())) // publishes the lists
	who, id := m.estate.People[0], ""
	who.Role = "employee"
	for _, level := range []pades.Level{pades.BT, pades.BLT, pades.BLTA} {
		out := signOne(t, m, who, level)
		if out.Err != nil {
			t.Fatalf("%v: %v", level, out.Err)
		}
		id = out.Document
		b, err := m.Signing.Content(t.Context(), id, 0)
		must(t, err)
		root, err := certpath.ParseCertificate(m.Hierarchy.Root.Raw)
		must(t, err)
		trust, err := certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(root)}})
		must(t, err)
		v, err := validation.New(validation.Config{Trust: trust, Now: func() time.Time { return time.Now().Add(time.Minute) }})
		must(t, err)
		r, err := v.Validate(t.Context(), bytes.NewReader(b), int64(len(b)), validation.Options{})
		must(t, err)
		// Without a connection nothing is known of revocation at B-T.
		if level >= pades.BLT && (r.Verdict != validation.Valid || r.Signatures[0].Level != level.String()) || !r.Signatures[0].Intact {
			t.Errorf("%v: %s, level %s, %s %v %v", level, r.Verdict, r.Signatures[0].Level, r.Signatures[0].SubIndication, r.Signatures[0].Errors, r.Errors)
		}
		path := filepath.Join(t.TempDir(), "surat.pdf")
		must(t, os.WriteFile(path, b, 0o600))
		if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", path).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %v\n%s", err, out)
		}
		if out, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "Signature is Valid.") {
			t.Errorf("pdfsig: %v\n%s", err, out)
		}
	}
	p, err := m.Signing.Public(t.Context(), id, "")
	must(t, err)
	if len(p.Signatures) != 1 || p.Fetchable {
		t.Errorf("its page shows %+v", p)
	}
}

// signOne uploads a letter and signs it.
func signOne(t *testing.T, m *ministry, who audit.Actor, level pades.Level) signing.Outcome {
	t.Helper()
	letter, err := signingtest.PDF("Surat Contoh", 1)
	must(t, err)
	d, err := m.Signing.Upload(t.Context(), who, signing.Upload{Name: "surat.pdf", Body: bytes.NewReader(letter)})
	must(t, err)
	place := signing.Place{Page: 1, Box: appearance.Box{X: 300, Y: 80, Width: 220, Height: 90}, Face: signing.Face{QR: true, Letter: true, Footer: true}}
	a, err := m.Signing.Authorize(t.Context(), signing.Authorization{
		Who: who, Signer: who.EmployeeID, Secret: secretOf(t),
		Items: []signing.Item{{Document: d.ID, Digest: d.SHA256, Request: signing.Request{Level: level, Places: []signing.Place{place}}}},
	})
	must(t, err)
	out := a.SignDocuments(t.Context(), nil)
	must(t, a.Close(t.Context()))
	return out[0]
}
