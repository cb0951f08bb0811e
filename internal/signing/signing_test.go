package signing_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/keys"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pades/appearance"
	"absah/pades/certpath"
	"absah/pades/validation"
)

// world is a signingtest.World with one subscriber.
type world struct {
	*signingtest.World
	t     testing.TB
	clock *clock.Fake
	who   audit.Actor
}

func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewFake(time.Now().Truncate(time.Second))}
	var err error
	w.World, err = signingtest.Open(t.Context(), t.TempDir(), s, w.clock.Now)
	must(t, err)
	w.who = w.subscriber("Siti Contohwati", keys.ECDSAP256)
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) subscriber(name string, alg keys.Algorithm) audit.Actor {
	w.t.Helper()
	who, err := w.Subscriber(w.t.Context(), name, alg)
	must(w.t, err)
	return who
}

func secret(t testing.TB, text string) *passphrase.Secret {
	t.Helper()
	p, err := passphrase.Read([]byte(text))
	must(t, err)
	return p
}

func (w *world) upload(title string) signing.Document {
	w.t.Helper()
	b, err := signingtest.PDF(title, 2)
	must(w.t, err)
	d, err := w.Upload(w.t.Context(), w.who, signing.Upload{Name: title + ".pdf", Body: bytes.NewReader(b)})
	must(w.t, err)
	return d
}

func letter() signing.Face { return signing.Face{QR: true, Letter: true, Footer: true} }

func at(page int) signing.Place {
	return signing.Place{Page: page, Box: appearance.Box{X: 300, Y: 100, Width: 220, Height: 90}, Face: letter()}
}

func (w *world) authorization(items ...signing.Item) signing.Authorization {
	w.t.Helper()
	return signing.Authorization{Who: w.who, Signer: w.who.EmployeeID, Items: items, Secret: secret(w.t, signingtest.Passphrase)}
}

func item(d signing.Document, r signing.Request) signing.Item {
	return signing.Item{Document: d.ID, Digest: d.SHA256, Request: r}
}

// signAll signs items and closes the activation.
func (w *world) signAll(items ...signing.Item) []signing.Outcome {
	w.t.Helper()
	a, err := w.Authorize(w.t.Context(), w.authorization(items...))
	must(w.t, err)
	out := a.SignDocuments(w.t.Context(), nil)
	must(w.t, a.Close(w.t.Context()))
	return out
}

// report judges a file as absah verify does.
func (w *world) report(b []byte) *validation.Report {
	w.t.Helper()
	root, err := certpath.ParseCertificate(w.Root.Raw)
	must(w.t, err)
	trust, err := certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(root)}})
	must(w.t, err)
	v, err := validation.New(validation.Config{Trust: trust, Source: w.Config.Evidence, Now: func() time.Time { return w.clock.Now().Add(time.Minute) }})
	must(w.t, err)
	r, err := v.Validate(w.t.Context(), bytes.NewReader(b), int64(len(b)), validation.Options{})
	must(w.t, err)
	return r
}

func (w *world) valid(b []byte, signatures int) {
	w.t.Helper()
	r := w.report(b)
	if r.Verdict != validation.Valid || len(r.Signatures) < signatures {
		for _, s := range r.Signatures {
			w.t.Log(s.Field, s.Verdict, s.SubIndication, s.Errors, s.ChangesAfter)
		}
		w.t.Fatalf("%d signatures, verdict %s %v, want %d valid ones", len(r.Signatures), r.Verdict, r.Errors, signatures)
	}
}

// TestLevels signs at every level, with faces of every kind, and has the result
// judged by our validation and by other programs.
func TestLevels(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.Config.Specimen = func(context.Context, string) ([]byte, error) { return signingtest.Specimen() }
		must(t, w.Reconfigure())
		both := letter()
		both.Specimen = true
		anchored := signing.Place{Anchor: "${ttd}", Box: appearance.Box{Width: 200, Height: 80}, Face: signing.Face{Specimen: true, Letter: true}}
		cases := []struct {
			name   string
			r      signing.Request
			level  string
			fields int
		}{
			{"invisible B-B", signing.Request{}, "B-B", 1},
			{"letter B-T", signing.Request{Level: pades.BT, Places: []signing.Place{at(2)}}, "B-T", 1},
			{"anchor B-T", signing.Request{Level: pades.BT, Places: []signing.Place{anchored}}, "B-T", 1},
			{"three places B-LT", signing.Request{Level: pades.BLT, Places: []signing.Place{at(1), at(2), {Page: 2, Box: appearance.Box{X: 50, Y: 300, Width: 160, Height: 160}, Face: both}}}, "B-LT", 3},
			{"B-LTA", signing.Request{Level: pades.BLTA, Reason: "Menyetujui", Location: "Jakarta", Places: []signing.Place{at(1)}}, "B-LTA", 1},
		}
		var items []signing.Item
		for _, c := range cases {
			items = append(items, item(w.upload(c.name), c.r))
		}
		dir := t.TempDir()
		for i, o := range w.signAll(items...) {
			if o.Err != nil {
				t.Fatalf("%s: %v", cases[i].name, o.Err)
			}
			if o.Level.String() != cases[i].level || len(o.Fields) != cases[i].fields || o.Version != 2 {
				t.Errorf("%s: level %v, fields %q, version %d", cases[i].name, o.Level, o.Fields, o.Version)
			}
			b, err := w.Content(t.Context(), o.Document, 0)
			must(t, err)
			if sha256.Sum256(b) != o.SHA256 || int64(len(b)) != o.Size {
				t.Errorf("%s: the stored file is not the signed one", cases[i].name)
			}
			w.valid(b, cases[i].fields)
			if got := w.report(b).Signatures[0].Level; got < cases[i].level {
				t.Errorf("%s: judged as %s", cases[i].name, got)
			}
			path := filepath.Join(dir, filepath.Base(o.Document)+".pdf")
			must(t, os.WriteFile(path, b, 0o600))
			oracles(t, path, cases[i].fields)
		}
	})
}

// oracles has a file judged by qpdf and by Poppler's pdfsig.
func oracles(t *testing.T, path string, signatures int) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", path).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", path).CombinedOutput()
	if err != nil || strings.Count(string(out), "Signature is Valid.") < signatures {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
}

// TestPartialFailure: one that cannot be signed stops no other, and says why.
func TestPartialFailure(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		good, far := w.upload("baik"), w.upload("jauh")
		changed := w.upload("berubah")
		stale := item(changed, signing.Request{Level: pades.BT})
		stale.Digest[0] ^= 1
		out := w.signAll(
			item(good, signing.Request{Level: pades.BT}),
			item(far, signing.Request{Level: pades.BT, Places: []signing.Place{at(9)}}),
			stale,
			item(w.upload("juga baik"), signing.Request{Level: pades.BT}),
		)
		want := []string{"", "refused_placement", "changed", ""}
		for i, o := range out {
			got := ""
			if o.Err != nil {
				got = signing.Problem(o.Err)
			}
			if got != want[i] {
				t.Errorf("item %d: %q (%v), want %q", i, got, o.Err, want[i])
			}
		}
		d, err := w.Document(t.Context(), w.who.EmployeeID, far.ID)
		must(t, err)
		if d.State != signing.StateNew || d.Version != 1 {
			t.Errorf("the document that was not signed is %s, version %d", d.State, d.Version)
		}
		w.balance(2, 0)
	})
}

// balance checks the uses of keys: made and lost ones, none on its way.
func (w *world) balance(made, lost int64) {
	w.t.Helper()
	n, err := w.DB.Read().CountSignatures(w.t.Context())
	must(w.t, err)
	if n.Made != made || n.Lost != lost || n.Intended != 0 {
		w.t.Errorf("%d made, %d lost, %d on their way; want %d made, %d lost", n.Made, n.Lost, n.Intended, made, lost)
	}
}

// TestFoundAgain: who asks again for what was signed, after the answer was lost,
// gets the result and no second signature.
func TestFoundAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		it := item(w.upload("sekali"), signing.Request{Level: pades.BT})
		first, second := w.signAll(it)[0], w.signAll(it)[0]
		must(t, errors.Join(first.Err, second.Err))
		if first.Found || !second.Found || first.SHA256 != second.SHA256 || first.Version != second.Version {
			t.Errorf("first %+v, second %+v", first, second)
		}
		w.balance(1, 0)
		other := w.subscriber("Rahmat Contohadi", keys.ECDSAP256)
		if _, err := w.Authorize(t.Context(), signing.Authorization{Who: other, Signer: other.EmployeeID, Items: []signing.Item{it}, Secret: secret(t, signingtest.Passphrase)}); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("somebody else's document: %v", err)
		}
	})
}

// TestRefusals: the exact cause, before or after the passphrase was tried.
func TestRefusals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		it := item(w.upload("surat"), signing.Request{Level: pades.BT})
		wrong := w.authorization(it)
		wrong.Secret = secret(t, "bukan frasa sandinya sama sekali")
		for left := 4; left >= 0; left-- {
			var p *signing.PassphraseError
			_, err := w.Authorize(t.Context(), wrong)
			if !errors.As(err, &p) || !errors.Is(err, credential.ErrWrongPassphrase) || p.Left != left {
				t.Fatalf("wrong passphrase: %v, want %d left", err, left)
			}
			w.clock.Advance(time.Second)
		}
		var locked *credential.LockedError
		if _, err := w.Authorize(t.Context(), w.authorization(it)); !errors.As(err, &locked) || locked.ForGood {
			t.Fatalf("after five wrong ones: %v", err)
		}
		st, err := w.Standing(t.Context(), w.who.EmployeeID)
		must(t, err)
		if !errors.As(st.Err, &locked) || st.Left != 0 {
			t.Errorf("standing of a locked key: %+v", st)
		}
		w.clock.Advance(16 * time.Minute)
		must(t, w.signAll(it)[0].Err)

		for _, c := range []struct {
			name   string
			change string
			want   any
		}{
			{"suspended", "update certificate set revoked_at = $1, revocation_reason = 6", new(*signing.SuspendedError)},
			{"expired", "update certificate set not_after = $1", new(*signing.ExpiredError)},
			{"not yet valid", "update certificate set not_before = $1 + 7200000000", new(*signing.NotYetError)},
			{"revoked", "update certificate set revoked_at = $1, revocation_reason = 1", new(*signing.RevokedError)},
		} {
			who := w.subscriber("Pegawai "+c.name, keys.ECDSAP256)
			must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), c.change+" where employee_id = $2", clock.Micros(w.clock.Now().Add(-time.Minute)), who.EmployeeID)
				return err
			}))
			_, err := w.Authorize(t.Context(), signing.Authorization{Who: who, Signer: who.EmployeeID, Items: []signing.Item{hashItem("x")}, Secret: secret(t, signingtest.Passphrase)})
			if !errors.As(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		nobody := w.authorization(hashItem("y"))
		nobody.Signer = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
		if _, err := w.Authorize(t.Context(), nobody); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		w.Config.Reliable = func(context.Context) error { return errors.New("no time server answers") }
		must(t, w.Reconfigure())
		if _, err := w.Authorize(t.Context(), w.authorization(hashItem("z"))); !errors.Is(err, signing.ErrClock) {
			t.Errorf("a clock that cannot be relied upon: %v", err)
		}
	})
}

// TestRevokedMeanwhile: a certificate that is revoked after the passphrase was
// tried signs no more.
func TestRevokedMeanwhile(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	a, err := w.Authorize(t.Context(), w.authorization(item(w.upload("surat"), signing.Request{}), hashItem("x")))
	must(t, err)
	must(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "update certificate set revoked_at = $1, revocation_reason = 1", clock.Micros(w.clock.Now()))
		return err
	}))
	var revoked *signing.RevokedError
	if out := a.SignDocuments(t.Context(), nil); !errors.As(out[0].Err, &revoked) {
		t.Errorf("document: %v", out[0].Err)
	}
	if _, err := a.SignHashes(t.Context(), [][]byte{hashItem("x").Hash}, false); !errors.As(err, &revoked) {
		t.Errorf("hash: %v", err)
	}
	must(t, a.Close(t.Context()))
	w.balance(0, 0)
}

func hashItem(text string) signing.Item {
	sum := sha256.Sum256([]byte(text))
	return signing.Item{Hash: sum[:], HashAlgorithm: crypto.SHA256}
}

// TestHashes: an activation is for its hashes only, each has one value, and who
// asks again gets that.
func TestHashes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.RSA3072} {
			w := newWorld(t, s)
			w.who = w.subscriber("Dewi Contohsari", alg)
			one, two, other := hashItem("one"), hashItem("two"), hashItem("other")
			a, err := w.Authorize(t.Context(), w.authorization(one, two))
			must(t, err)
			if found, err := w.Activation(t.Context(), "", a.Token()); err != nil || found != a {
				t.Fatalf("find the activation again: %v", err)
			}
			if _, err := w.Activation(t.Context(), "another client", a.Token()); !errors.Is(err, signing.ErrActivation) {
				t.Errorf("another client's token: %v", err)
			}
			if _, err := a.SignHashes(t.Context(), [][]byte{one.Hash, other.Hash}, false); !errors.Is(err, signing.ErrNotAuthorised) {
				t.Errorf("a hash that is not of the list: %v", err)
			}
			values, err := a.SignHashes(t.Context(), [][]byte{one.Hash, two.Hash, one.Hash}, alg == keys.RSA3072)
			must(t, err)
			if !bytes.Equal(values[0], values[2]) || !verifies(a.Public(), one.Hash, values[0]) || !verifies(a.Public(), two.Hash, values[1]) {
				t.Fatal("the values do not verify")
			}
			again, err := a.SignHashes(t.Context(), [][]byte{two.Hash}, alg == keys.RSA3072)
			must(t, err)
			must(t, a.Close(t.Context()))
			if _, err := a.SignHashes(t.Context(), [][]byte{two.Hash}, false); !errors.Is(err, signing.ErrActivation) {
				t.Errorf("a closed activation: %v", err)
			}
			b, err := w.Authorize(t.Context(), w.authorization(two))
			must(t, err)
			later, err := b.SignHashes(t.Context(), [][]byte{two.Hash}, alg == keys.RSA3072)
			must(t, err)
			must(t, b.Close(t.Context()))
			if !bytes.Equal(values[1], again[0]) || !bytes.Equal(values[1], later[0]) {
				t.Error("one hash has two values")
			}
		}
	})
}

func verifies(public crypto.PublicKey, hash, value []byte) bool {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, hash, value)
	case *rsa.PublicKey:
		return rsa.VerifyPSS(k, crypto.SHA256, hash, value, nil) == nil
	}
	return false
}

// TestLostHash: what came of a hash is not known; it is signed again only where
// that gives the same value.
func TestLostHash(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	w.who = w.subscriber("Dewi Contohsari", keys.RSA3072)
	h := hashItem("lost")
	a, err := w.Authorize(t.Context(), w.authorization(h))
	must(t, err)
	lose := func(scheme string) {
		must(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into signature (id, activation_id, position, place, credential_id, serial, scheme, hash, state, value,
				source_sha256, version, level, intended_at, made_at)
				select $1, $2, 7, 0, $3, serial, $4, $5, 'lost', '', '', 0, '', 1, 0 from certificate where credential_id = $3`,
				"lost-"+scheme, a.ID, a.Credential(), scheme, h.Hash)
			if err != nil {
				return err
			}
			_, err = tx.Exec(t.Context(), `update signature set position = position + 1 where id = $1`, "lost-"+scheme)
			return err
		}))
	}
	lose("pss")
	if _, err := a.SignHashes(t.Context(), [][]byte{h.Hash}, true); !errors.Is(err, signing.ErrLost) {
		t.Errorf("PSS: %v", err)
	}
	must(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `update signature set position = 9 where scheme = 'pss'`)
		return err
	}))
	lose("pkcs1")
	values, err := a.SignHashes(t.Context(), [][]byte{h.Hash}, false)
	must(t, err)
	if rsa.VerifyPKCS1v15(a.Public().(*rsa.PublicKey), crypto.SHA256, h.Hash, values[0]) != nil {
		t.Error("the value does not verify")
	}
	must(t, a.Close(t.Context()))
	w.balance(1, 1)
}

// TestActivationEnds: its time is over for whoever holds the token, and what was
// not signed is written down as interrupted.
func TestActivationEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		d := w.upload("surat")
		a, err := w.Authorize(t.Context(), w.authorization(item(d, signing.Request{}), hashItem("x")))
		must(t, err)
		w.clock.Advance(signing.Lifetime)
		if out := a.SignDocuments(t.Context(), nil); !errors.Is(out[0].Err, signing.ErrActivation) {
			t.Errorf("after its time: %v", out[0].Err)
		}
		w.clock.Advance(time.Second)
		if _, err := w.Activation(t.Context(), "", a.Token()); !errors.Is(err, signing.ErrActivation) {
			t.Errorf("its token after its time: %v", err)
		}
		must(t, a.Close(t.Context()))
		must(t, a.Close(t.Context()))
		b, err := w.Batch(t.Context(), w.who.EmployeeID, a.ID)
		must(t, err)
		for _, it := range b.Items {
			if it.State != "failed" || it.Problem != "interrupted" {
				t.Errorf("item %d is %s: %s", it.Position, it.State, it.Problem)
			}
		}
		if !b.Ended {
			t.Error("the batch has not ended")
		}
	})
}

// TestSignNow signs files of a program, in one call, without keeping them.
func TestSignNow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		file, err := signingtest.PDF("dari aplikasi", 1)
		must(t, err)
		face := signing.Face{QRText: "Keterangan apa saja", Lines: []string{"Baris pertama"}}
		r := signing.Request{Level: pades.BT, Places: []signing.Place{{Anchor: "#", Box: appearance.Box{Width: 120, Height: 60}, Face: face}}}
		a := w.authorization(
			signing.Item{File: bytes.NewReader(file), Size: int64(len(file)), Name: "a.pdf", Request: r},
			signing.Item{File: strings.NewReader("bukan PDF"), Size: 9, Name: "b.pdf"},
			signing.Item{File: bytes.NewReader(file), Size: int64(len(file)), Name: "c.pdf", Request: signing.Request{Level: pades.BLT}},
		)
		a.Client = w.application("aplikasi")
		var got [3]bytes.Buffer
		out, err := w.SignNow(t.Context(), a, func(i int) io.Writer { return &got[i] })
		must(t, err)
		if len(out) != 3 || out[0].Err != nil || signing.Problem(out[1].Err) != "not_pdf" || out[2].Err != nil {
			t.Fatalf("%+v", out)
		}
		w.valid(got[0].Bytes(), 1)
		w.valid(got[2].Bytes(), 1)
		w.balance(2, 0)
	})
}
