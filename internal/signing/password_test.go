package signing_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pades/certpath"
	"absah/pades/validation"
)

// encrypted is a letter encrypted by qpdf: user and owner password, and qpdf's
// arguments that follow them.
func encrypted(t *testing.T, user, owner string, more ...string) []byte {
	t.Helper()
	b, err := signingtest.PDF("rahasia", 1)
	must(t, err)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	must(t, os.WriteFile(in, b, 0o600))
	args := append([]string{"--allow-weak-crypto", "--encrypt", user, owner}, more...)
	said, err := exec.CommandContext(t.Context(), "qpdf", append(args, "--", in, out)...).CombinedOutput()
	if err != nil {
		t.Fatalf("qpdf: %v\n%s", err, said)
	}
	b, err = os.ReadFile(out)
	must(t, err)
	return b
}

// validWith is world.valid for a file that a password opens.
func (w *world) validWith(b []byte, password string) {
	w.t.Helper()
	root, err := certpath.ParseCertificate(w.Root.Raw)
	must(w.t, err)
	trust, err := certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(root)}})
	must(w.t, err)
	v, err := validation.New(validation.Config{Trust: trust, Source: w.Config.Evidence, Now: func() time.Time { return w.clock.Now().Add(time.Minute) }})
	must(w.t, err)
	r, err := v.Validate(w.t.Context(), bytes.NewReader(b), int64(len(b)), validation.Options{Password: []byte(password)})
	must(w.t, err)
	if r.Verdict != validation.Valid || len(r.Signatures) != 1 {
		w.t.Fatalf("%d signatures, verdict %s %v", len(r.Signatures), r.Verdict, r.Errors)
	}
}

// TestEncryptedDocuments: a locked file is kept, a wrong password is told from
// one that may only read, the right one is kept sealed until the document is
// signed, and the result opens with the same passwords.
func TestEncryptedDocuments(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	w := newWorld(t, s)
	for _, c := range []struct {
		name         string
		file         []byte
		say          string
		wrong        map[string]error
		open         []string // passwords that open the result
		asksToBeRead bool
	}{
		{
			"AES-256, user", encrypted(t, "pengguna", "pemilik", "256"), "pengguna", map[string]error{"": signing.ErrPassword, "salah": signing.ErrPassword},
			[]string{"pengguna", "pemilik"}, true,
		},
		{
			"AES-256, read only", encrypted(t, "pengguna", "pemilik", "256", "--modify=none"), "pemilik",
			map[string]error{"salah": signing.ErrPassword, "pengguna": signing.ErrReadOnly}, []string{"pengguna", "pemilik"}, true,
		},
		{
			"AES-256, owner only", encrypted(t, "", "pemilik", "256", "--modify=none"), "pemilik", map[string]error{"salah": signing.ErrPassword}, []string{"", "pemilik"}, false,
		},
		{
			"RC4, user", encrypted(t, "pengguna", "pemilik", "128", "--use-aes=n"), "pengguna", map[string]error{"salah": signing.ErrPassword},
			[]string{"pengguna", "pemilik"}, true,
		},
	} {
		d, err := w.Upload(t.Context(), w.who, signing.Upload{Name: c.name + ".pdf", Body: bytes.NewReader(c.file)})
		must(t, err)
		if !d.Encrypted || d.Unlocked || (d.Pages == 0) != c.asksToBeRead {
			t.Errorf("%s: uploaded as %+v", c.name, d)
		}
		if got := problem(w.signAll(item(d, signing.Request{Level: pades.BT, Places: []signing.Place{at(1)}}))[0].Err); got != "password" && got != "refused_permission" {
			t.Errorf("%s: signed without its password: %q", c.name, got)
		}
		for wrong, want := range c.wrong {
			if err := w.Unlock(t.Context(), w.who, d.ID, []byte(wrong)); !errors.Is(err, want) {
				t.Errorf("%s, %q: %v", c.name, wrong, err)
			}
		}
		stranger := w.who
		stranger.EmployeeID = "x"
		if err := w.Unlock(t.Context(), stranger, d.ID, []byte(c.say)); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("%s: somebody else: %v", c.name, err)
		}
		must(t, w.Unlock(t.Context(), w.who, d.ID, []byte(c.say)))
		var sealed []byte
		must(t, s.ReadDB().QueryRowContext(t.Context(), "select password_sealed from document where id = '"+d.ID+"'").Scan(&sealed))
		if len(sealed) == 0 || bytes.Contains(sealed, []byte(c.say)) {
			t.Errorf("%s: the password is kept as %q", c.name, sealed)
		}
		sheets, err := w.Sheets(t.Context(), d.ID, nil)
		must(t, err)
		if n, err := sheets.Count(); n != 1 || err != nil {
			t.Errorf("%s: %d pages, %v", c.name, n, err)
		}
		o := w.signAll(item(d, signing.Request{Level: pades.BT, Places: []signing.Place{at(1)}}))[0]
		must(t, o.Err)
		b, err := w.Content(t.Context(), d.ID, 0)
		must(t, err)
		must(t, s.ReadDB().QueryRowContext(t.Context(), "select password_sealed from document where id = '"+d.ID+"'").Scan(&sealed))
		if len(sealed) > 0 {
			t.Errorf("%s: the password is kept after signing", c.name)
		}
		path := filepath.Join(t.TempDir(), "signed.pdf")
		must(t, os.WriteFile(path, b, 0o600))
		for _, password := range c.open {
			w.validWith(b, password)
			if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", "--password="+password, path).CombinedOutput(); err != nil {
				t.Errorf("%s: qpdf: %v\n%s", c.name, err, out)
			}
		}
		out, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", "-opw", "pemilik", path).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Signature is Valid.") {
			t.Errorf("%s: pdfsig: %v\n%s", c.name, err, out)
		}
		if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", "--password=salah", path).CombinedOutput(); c.asksToBeRead && err == nil {
			t.Errorf("%s: a wrong password opens the result\n%s", c.name, out)
		}
	}
}

// TestPasswordInWorkflow: a document's password serves all its signers and is
// forgotten with the last, with a rejection, and with the document.
func TestPasswordInWorkflow(t *testing.T) {
	storetest.Each(t, testPasswordInWorkflow)
}

func testPasswordInWorkflow(t *testing.T, s *store.Store) {
	p := newParty(t, s)
	kept := func(id string) bool {
		d, err := p.AnyDocument(t.Context(), id)
		must(t, err)
		return d.Unlocked
	}
	start := func() signing.Document {
		d, err := p.Upload(t.Context(), p.who, signing.Upload{Name: "a.pdf", Body: bytes.NewReader(encrypted(t, "u", "o", "256")), Password: []byte("u")})
		must(t, err)
		if !d.Unlocked || d.Pages != 1 {
			t.Fatalf("uploaded with its password: %+v", d)
		}
		must(t, p.StartWorkflow(t.Context(), p.who, signing.NewWorkflow{Document: d.ID, Ordered: true, Steps: []signing.Step{
			{EmployeeID: p.one.EmployeeID, Role: signing.Paraf}, {EmployeeID: p.two.EmployeeID, Role: signing.SignRole},
		}}))
		return d
	}
	d := start()
	must(t, p.signs(p.one, d.ID))
	if !kept(d.ID) {
		t.Error("forgotten before the last signer")
	}
	must(t, p.signs(p.two, d.ID, at(1)))
	if kept(d.ID) {
		t.Error("kept after the last signer")
	}
	d = start()
	must(t, p.Reject(t.Context(), p.one, d.ID, "keliru"))
	if kept(d.ID) {
		t.Error("kept after a rejection")
	}
	must(t, p.Unlock(t.Context(), p.who, d.ID, []byte("o")))
	must(t, p.Erase(t.Context(), p.who, d.ID))
	if kept(d.ID) {
		t.Error("kept after the document was erased")
	}
	if _, err := p.Upload(t.Context(), p.who, signing.Upload{Name: "a.pdf", Body: bytes.NewReader(encrypted(t, "u", "o", "256")), Password: []byte("x")}); !errors.Is(err, signing.ErrPassword) {
		t.Errorf("uploaded with a wrong password: %v", err)
	}
}
