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
	"absah/internal/store/db"
	"absah/internal/store/storetest"
	"absah/pades"
)

// TestAuthority: for an office that is not one's own, on its days and for its
// kinds of letters only.
func TestAuthority(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		day := func(n int) string {
			return w.clock.Now().In(time.FixedZone("WIB", 7*3600)).AddDate(0, 0, n).Format(time.DateOnly)
		}
		base := signing.Authority{
			EmployeeID: w.who.EmployeeID, Form: signing.Plt, Office: "Kepala Biro Contoh", Decree: "SK-1/CONTOH/2026",
			DecreeDate: day(-10), From: day(0), Until: day(3),
		}
		enter := func(change func(*signing.Authority)) (signing.Authority, error) {
			a := base
			change(&a)
			return w.AddAuthority(t.Context(), w.who, a)
		}
		for name, c := range map[string]struct {
			change func(*signing.Authority)
			want   error
		}{
			"no decree":    {func(a *signing.Authority) { a.Decree = " " }, signing.ErrAuthorityData},
			"no end":       {func(a *signing.Authority) { a.Until = "" }, signing.ErrAuthorityDates},
			"ends before":  {func(a *signing.Authority) { a.Until = day(-1) }, signing.ErrAuthorityDates},
			"no such form": {func(a *signing.Authority) { a.Form = "pj" }, signing.ErrAuthorityData},
			"u.b. of none": {func(a *signing.Authority) { a.Form = signing.UntukBeliau }, signing.ErrAuthorityData},
			"kind":         {func(a *signing.Authority) { a.Forbidden = []string{"puisi"} }, signing.ErrKind},
			"nobody":       {func(a *signing.Authority) { a.EmployeeID = "x" }, signing.ErrNotFound},
		} {
			if _, err := enter(c.change); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		now, err := enter(func(*signing.Authority) {})
		must(t, err)
		future, err := enter(func(a *signing.Authority) { a.From = day(1) })
		must(t, err)
		past, err := enter(func(a *signing.Authority) { a.From, a.Until = day(-5), day(-1) })
		must(t, err)
		revoked, err := enter(func(*signing.Authority) {})
		must(t, err)
		must(t, w.RevokeAuthority(t.Context(), w.who, revoked.ID))
		decision := func() signing.Document {
			d := w.upload("keputusan")
			must(t, w.SetKind(t.Context(), w.who, d.ID, "keputusan_anggaran"))
			return d
		}
		with := func(d signing.Document, id string) signing.Item {
			return item(d, signing.Request{Level: pades.BT, Authority: id, Places: []signing.Place{at(1)}})
		}
		out := w.signAll(with(w.upload("a"), now.ID), with(w.upload("b"), future.ID), with(w.upload("c"), past.ID), with(w.upload("d"), revoked.ID),
			with(decision(), now.ID), with(w.upload("f"), "x"))
		for i, want := range []string{"", "authority_not_yet", "authority_ended", "authority_revoked", "authority_forbidden", "authority_unknown"} {
			if got := problem(out[i].Err); got != want {
				t.Errorf("item %d: %q, want %q", i, got, want)
			}
		}
		// What the letter says of the office stays, whatever its signer becomes.
		e, err := s.Read().GetEmployee(t.Context(), w.who.EmployeeID)
		must(t, err)
		own := w.upload("g")
		must(t, w.signAll(item(own, signing.Request{Level: pades.BT}))[0].Err)
		must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.UpdateEmployee(t.Context(), db.UpdateEmployeeParams{
				ID: e.ID, NikSealed: e.NikSealed, NikIndex: e.NikIndex, Name: e.Name, Position: "Direktur Lain", Grade: e.Grade, UnitID: e.UnitID, Email: e.Email,
				TimeZone: e.TimeZone, Locale: e.Locale, Active: e.Active,
			})
			return err
		}))
		for id, want := range map[string][2]string{out[0].Document: {"Plt. Kepala Biro Contoh", "SK-1/CONTOH/2026"}, own.ID: {e.Position, ""}} {
			list, err := w.Signatures(t.Context(), id)
			must(t, err)
			if got := [2]string{list[0].Office, list[0].Decree}; got != want {
				t.Errorf("signed as %q, want %q", got, want)
			}
		}
		b, err := w.Content(t.Context(), out[0].Document, 0)
		must(t, err)
		path := filepath.Join(t.TempDir(), "a.pdf")
		must(t, os.WriteFile(path, b, 0o600))
		text, err := exec.CommandContext(t.Context(), "pdftotext", path, "-").Output()
		must(t, err)
		for _, want := range []string{"Ditandatangani secara elektronik oleh:", "Plt. Kepala Biro Contoh", "Siti Contohwati", "NIP ", "Absah CA Demo"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the visible signature lacks %q:\n%s", want, text)
			}
		}
	})
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return signing.Problem(err)
}

// TestUpload: what is no PDF, too much or nobody's is refused, and what is stored
// is not readable in the store.
func TestUpload(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.Config.Limits = signing.Limits{FileBytes: 3000, TotalBytes: 5000}
		must(t, w.Reconfigure())
		file, err := signingtest.PDF("kecil", 1)
		must(t, err)
		put := func(b []byte, kind string) error {
			_, err := w.Upload(t.Context(), w.who, signing.Upload{Name: `C:\Users\x\surat` + "\x00.pdf", Kind: kind, Body: bytes.NewReader(b)})
			return err
		}
		for name, c := range map[string]struct {
			b    []byte
			kind string
			want error
		}{
			"empty": {nil, "", signing.ErrEmpty}, "text": {[]byte("halo"), "", signing.ErrNotPDF}, "too big": {make([]byte, 3001), "", signing.ErrTooBig},
			"kind": {file, "puisi", signing.ErrKind},
		} {
			if err := put(c.b, c.kind); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		n := 0
		for ; n < 20; n++ {
			if err = put(file, ""); err != nil {
				break
			}
		}
		if !errors.Is(err, signing.ErrQuota) || n == 0 {
			t.Errorf("after %d files: %v", n, err)
		}
		list, err := w.Documents(t.Context(), w.who.EmployeeID, "", signing.Position{}, 100)
		must(t, err)
		if len(list) != n || list[0].Name != "surat.pdf" || list[0].Pages != 1 {
			t.Errorf("%d listed, the first %+v", len(list), list[0])
		}
		must(t, w.Erase(t.Context(), w.who, list[0].ID))
		if _, err := w.Document(t.Context(), w.who.EmployeeID, list[0].ID); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("erased: %v", err)
		}
		if _, err := w.Content(t.Context(), list[0].ID, 0); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("bytes of an erased one: %v", err)
		}
	})
}

// TestKnown: a file that was signed here is found by its hash, with the signatures
// that it has and not with those that came later.
func TestKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		d := w.upload("surat")
		known := func(sum [32]byte) int {
			p, err := w.Known(t.Context(), sum[:])
			if errors.Is(err, signing.ErrNotFound) {
				return 0
			}
			must(t, err)
			return len(p.Signatures)
		}
		if n := known(d.SHA256); n != 0 {
			t.Errorf("before anybody signed: %d signatures", n)
		}
		one := w.signAll(item(d, signing.Request{Level: pades.BT}))[0]
		must(t, one.Err)
		again, err := w.Document(t.Context(), w.who.EmployeeID, d.ID)
		must(t, err)
		two := w.signAll(item(again, signing.Request{Level: pades.BT}))[0]
		must(t, two.Err)
		if got := [4]int{known(d.SHA256), known(one.SHA256), known(two.SHA256), known([32]byte{1})}; got != [4]int{0, 1, 2, 0} {
			t.Errorf("signatures known of the file, the first, the second version and a stranger: %v", got)
		}
	})
}
