package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

var testSite = SiteAt("https://absah.contoh.example:8443")

// authenticator holds one passkey.
type authenticator struct {
	id  []byte
	key *ecdsa.PrivateKey
}

func newAuthenticator(t testing.TB) authenticator {
	t.Helper()
	id := make([]byte, 16)
	rand.Read(id)
	return authenticator{id, newKey(t)}
}

// cose is the public key as a COSE_Key (RFC 9053 7.1.1).
func (a authenticator) cose(t testing.TB) []byte {
	t.Helper()
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b := []byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}
	b = append(b, point[1:33]...)
	return append(append(b, 0x22, 0x58, 0x20), point[33:]...)
}

// signing is how an authenticator signs; a test spoils one part.
type signing struct {
	kind, origin, rp string
	cross            bool
	flags            byte
}

func (a authenticator) sign(t testing.TB, challenge [32]byte, change ...func(*signing)) Assertion {
	t.Helper()
	s := signing{kind: "webauthn.get", origin: testSite.Origin, rp: testSite.ID, flags: flagUserPresent | flagUserVerified}
	for _, f := range change {
		f(&s)
	}
	client, err := json.Marshal(map[string]any{"type": s.kind, "challenge": base64.RawURLEncoding.EncodeToString(challenge[:]), "origin": s.origin, "crossOrigin": s.cross})
	if err != nil {
		t.Fatal(err)
	}
	site := sha256.Sum256([]byte(s.rp))
	data := append(bytes.Clone(site[:]), s.flags, 0, 0, 0, 1)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := a.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return Assertion{CredentialID: a.id, AuthenticatorData: data, ClientData: client, Signature: signature}
}

func (a Assertion) json(t testing.TB) []byte {
	t.Helper()
	e := base64.RawURLEncoding.EncodeToString
	b, err := json.Marshal(map[string]any{"id": e(a.CredentialID), "rawId": e(a.CredentialID), "type": "public-key", "response": map[string]string{
		"authenticatorData": e(a.AuthenticatorData), "clientDataJSON": e(a.ClientData), "signature": e(a.Signature),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAssertionsAreChecked(t *testing.T) {
	t.Parallel()
	a, other := newAuthenticator(t), newAuthenticator(t)
	s := Statement{Stage: 2, RegistrationID: "r", ApplicantID: "a", OfficerID: "o", SnapshotHash: []byte("h"), Subject: "CN=x", Profile: "p", CSR: []byte("c"), SPKI: []byte("k")}
	good := a.sign(t, s.Hash())
	if err := good.Check(a.cose(t), testSite, s.Hash()); err != nil {
		t.Fatal(err)
	}
	if parsed, err := ParseAssertion(good.json(t)); err != nil || parsed.Check(a.cose(t), testSite, s.Hash()) != nil {
		t.Fatalf("as the browser sends it: %v", err)
	}
	for name, change := range map[string]func(*signing){
		"a registration's answer": func(s *signing) { s.kind = "webauthn.create" },
		"another origin":          func(s *signing) { s.origin = "https://absah.contoh.example.evil.example" },
		"in a frame of another":   func(s *signing) { s.cross = true },
		"another site":            func(s *signing) { s.rp = "evil.example" },
		"nobody there":            func(s *signing) { s.flags = flagUserVerified },
		"owner not verified":      func(s *signing) { s.flags = flagUserPresent },
	} {
		if err := a.sign(t, s.Hash(), change).Check(a.cose(t), testSite, s.Hash()); !errors.Is(err, ErrApproval) {
			t.Errorf("%s: %v, want ErrApproval", name, err)
		}
	}
	for name, bad := range map[string]Assertion{
		"another key": other.sign(t, s.Hash()), "another challenge": a.sign(t, sha256.Sum256([]byte("x"))), "nothing": {},
		"cut off": {CredentialID: a.id, AuthenticatorData: good.AuthenticatorData[:36], ClientData: good.ClientData, Signature: good.Signature},
	} {
		if err := bad.Check(a.cose(t), testSite, s.Hash()); !errors.Is(err, ErrApproval) {
			t.Errorf("%s: %v, want ErrApproval", name, err)
		}
	}
	// Every part of a statement changes its hash, and no part can be moved into
	// the next.
	seen := map[[32]byte]string{s.Hash(): "itself"}
	for name, change := range map[string]func(*Statement){
		"stage": func(s *Statement) { s.Stage = 1 }, "registration": func(s *Statement) { s.RegistrationID = "r2" },
		"applicant": func(s *Statement) { s.ApplicantID = "b" }, "officer": func(s *Statement) { s.OfficerID = "p" },
		"data": func(s *Statement) { s.SnapshotHash = []byte("i") }, "subject": func(s *Statement) { s.Subject = "CN=y" },
		"email": func(s *Statement) { s.Email = "e" }, "profile": func(s *Statement) { s.Profile = "q" },
		"request": func(s *Statement) { s.CSR = []byte("d") }, "key": func(s *Statement) { s.SPKI = []byte("l") },
		"moved": func(s *Statement) { s.CSR, s.SPKI = []byte("ck"), nil },
	} {
		changed := s
		change(&changed)
		if before, ok := seen[changed.Hash()]; ok {
			t.Errorf("%s has the hash of %s", name, before)
		}
		seen[changed.Hash()] = name
	}
}

func FuzzParseAssertion(f *testing.F) {
	a := newAuthenticator(f)
	f.Add(a.sign(f, sha256.Sum256(nil)).json(f))
	f.Add([]byte(`{"rawId":"AA","response":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseAssertion(b)
		if err != nil {
			return
		}
		if got.Check(a.cose(t), testSite, sha256.Sum256([]byte("nobody signed this"))) == nil {
			t.Error("holds over what nobody signed")
		}
	})
}

// signedOffice is an office whose officers have pinned passkeys.
type signedOffice struct {
	*office
	pins    *Pins
	devices [2]authenticator
}

func newSignedOffice(t *testing.T, s *store.Store, policy ApprovalPolicy, pinned ...int) *signedOffice {
	t.Helper()
	o := &signedOffice{office: newOffice(t, s)}
	var err error
	o.pins, err = OpenPins(t.Context(), o.w.vault, filepath.Join(t.TempDir(), "pins"))
	o.must(err)
	for i := range 2 {
		o.devices[i] = newAuthenticator(t)
	}
	for _, i := range pinned {
		o.must(o.pins.Add(Pin{CredentialID: o.devices[i].id, PublicKey: o.devices[i].cose(t), EmployeeID: o.officer[i], NIP: "1", Name: "Petugas", By: "test", At: testTime}))
	}
	p := o.w.profile()
	p.IncludeUnit = false
	o.a, err = NewAuthority(AuthorityConfig{Store: s, Hierarchy: o.w.h, Profile: p, People: o, Registrations: o, Clock: o.w.clock.Now,
		Log: slog.New(slog.DiscardHandler), Pins: o.pins, Approval: policy, Site: testSite})
	o.must(err)
	o.must(o.a.tellPins(t.Context()))
	return o
}

// statement is what the officer of a stage has to sign.
func (o *signedOffice) statement(id string, stage int) Statement {
	o.t.Helper()
	var request Request
	o.must(o.a.reading.InTx(context.Background(), id, func(_ *store.Tx, known map[string]order) error {
		request = known[id].request
		return known[id].fault
	}))
	return o.a.cfg.Profile.statement(request, stage, id)
}

// attach puts an assertion under the approval of a stage, as whoever writes the
// database can.
func (o *signedOffice) attach(id string, stage int, about string, a Assertion) {
	o.t.Helper()
	reviews, err := o.s.Read().ReviewsOf(context.Background(), id)
	o.must(err)
	for _, v := range reviews {
		if int(v.Stage) != stage {
			continue
		}
		o.must(o.s.InTx(context.Background(), func(tx *store.Tx) error {
			return tx.InsertApproval(context.Background(), db.InsertApprovalParams{ReviewID: v.ID, AboutID: about, CredentialID: a.CredentialID,
				AuthenticatorData: a.AuthenticatorData, ClientData: a.ClientData, Signature: a.Signature, CreatedAt: 1})
		}))
		return
	}
	o.t.Fatal("no such approval")
}

func (o *signedOffice) approveSigned() string {
	id := o.approve(newKey(o.t))
	for stage := range 2 {
		o.attach(id, stage+1, id, o.devices[stage].sign(o.t, o.statement(id, stage+1).Hash()))
	}
	return id
}

func TestApprovalsByPasskey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		o := newSignedOffice(t, s, ByPasskey, 0, 1)
		id := o.approveSigned()
		o.must(o.a.IssueJob(t.Context(), id))
		if o.issued[id] != 1 || o.row(id).State != "issued" {
			t.Fatalf("refused with %q", o.refused[id])
		}

		// Whoever holds the database, and the portal with it, has no certificate
		// made: not by rows alone, nor by what officers signed for something else.
		stranger := newAuthenticator(t)
		for name, forge := range map[string]func(id string){
			"no signatures": func(string) {},
			"first alone": func(id string) {
				o.attach(id, 1, id, o.devices[0].sign(t, o.statement(id, 1).Hash()))
			},
			"replayed from another registration": func(id string) {
				earlier := o.approveSigned()
				for stage := range 2 {
					o.attach(id, stage+1, id, o.devices[stage].sign(t, o.statement(earlier, stage+1).Hash()))
				}
			},
			"second about another registration": func(id string) {
				o.attach(id, 1, id, o.devices[0].sign(t, o.statement(id, 1).Hash()))
				earlier := o.approveSigned()
				o.attach(id, 2, earlier, o.devices[1].sign(t, o.statement(earlier, 2).Hash()))
			},
			"the second officer's twice": func(id string) {
				for stage := range 2 {
					o.attach(id, stage+1, id, o.devices[1].sign(t, o.statement(id, stage+1).Hash()))
				}
			},
			"first check's signature under the second": func(id string) {
				for stage := range 2 {
					o.attach(id, stage+1, id, o.devices[stage].sign(t, o.statement(id, 1).Hash()))
				}
			},
			"a passkey that nobody pinned": func(id string) {
				// The news for the pages say that it is pinned; they are only news.
				o.must(s.InTx(t.Context(), func(tx *store.Tx) error {
					return tx.PinPasskey(t.Context(), db.PinPasskeyParams{CredentialID: stranger.id, EmployeeID: o.officer[1], PublicKey: stranger.cose(t), PinnedAt: 1})
				}))
				o.attach(id, 1, id, o.devices[0].sign(t, o.statement(id, 1).Hash()))
				o.attach(id, 2, id, stranger.sign(t, o.statement(id, 2).Hash()))
			},
			"another key's signature under a pinned name": func(id string) {
				o.attach(id, 1, id, o.devices[0].sign(t, o.statement(id, 1).Hash()))
				fake := stranger
				fake.id = o.devices[1].id
				o.attach(id, 2, id, fake.sign(t, o.statement(id, 2).Hash()))
			},
			"the key changed after the signature": func(id string) {
				for stage := range 2 {
					o.attach(id, stage+1, id, o.devices[stage].sign(t, o.statement(id, stage+1).Hash()))
				}
				key := newKey(t)
				spki, err := spkiOf(key.Public())
				o.must(err)
				o.exec("update credential set csr = $2, spki = $3 where registration_id = $1", id, testCSR(t, key), spki)
			},
			"the subject changed after the signature": func(id string) {
				for stage := range 2 {
					o.attach(id, stage+1, id, o.devices[stage].sign(t, o.statement(id, stage+1).Hash()))
				}
				o.exec("update employee set email = 'lain@contoh.example' where id = (select employee_id from registration where id = $1)", id)
			},
		} {
			id := o.approve(newKey(t))
			forge(id)
			o.must(o.a.IssueJob(t.Context(), id))
			if o.refused[id] != RefusedApproval || o.issued[id] != 0 {
				t.Errorf("%s: refused with %q, issued %d times", name, o.refused[id], o.issued[id])
			}
			if _, err := s.Read().CertificateOfRegistration(t.Context(), id); !store.IsNotFound(err) {
				t.Errorf("%s: an intent was recorded", name)
			}
		}
	})
}

func TestApprovalPolicies(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	for name, c := range map[string]struct {
		policy ApprovalPolicy
		pinned []int
		signed bool
		issues bool
	}{
		"passkey, nobody has one":       {ByPasskey, nil, true, false},
		"account, both have":            {ByAccount, []int{0, 1}, false, true},
		"auto, nobody has one":          {ByEither, nil, false, true},
		"auto, one has and did not":     {ByEither, []int{1}, false, false},
		"auto, both have and did so":    {ByEither, []int{0, 1}, true, true},
		"auto, the first has one alone": {ByEither, []int{0}, true, true},
	} {
		o := newSignedOffice(t, s, c.policy, c.pinned...)
		id := o.approve(newKey(t))
		if c.signed {
			for stage := range 2 {
				o.attach(id, stage+1, id, o.devices[stage].sign(t, o.statement(id, stage+1).Hash()))
			}
		}
		o.must(o.a.IssueJob(t.Context(), id))
		if (o.issued[id] == 1) != c.issues {
			t.Errorf("%s: issued %d times, refused with %q", name, o.issued[id], o.refused[id])
		}
	}
}

// A reset carries the first check over; its signature goes on to say what the
// officer said of the registration before.
func TestCarriedSignature(t *testing.T) {
	t.Parallel()
	o := newSignedOffice(t, storetest.Open(t, storetest.SQLite(t)), ByPasskey, 0, 1)
	before := o.approveSigned()
	id := o.approve(newKey(t))
	o.exec("update registration set status = 'Revoked' where id = $1", before)
	old := o.statementOf(before, id)
	o.attach(id, 1, before, o.devices[0].sign(t, old.Hash()))
	o.attach(id, 2, id, o.devices[1].sign(t, o.statement(id, 2).Hash()))
	o.must(o.a.IssueJob(t.Context(), id))
	if o.issued[id] != 1 {
		t.Errorf("refused with %q", o.refused[id])
	}
}

// statementOf is what the first officer signed of a registration before, of the
// same applicant as id.
func (o *signedOffice) statementOf(before, id string) Statement {
	s := o.statement(id, 1)
	s.RegistrationID = before
	return s
}

func TestPins(t *testing.T) {
	t.Parallel()
	w, a := newWorld(t), newAuthenticator(t)
	dir := filepath.Join(t.TempDir(), "pins")
	p, err := OpenPins(t.Context(), w.vault, dir)
	if err != nil {
		t.Fatal(err)
	}
	pin := Pin{CredentialID: a.id, PublicKey: a.cose(t), EmployeeID: "e1", Name: "Petugas", At: testTime}
	other := pin
	other.EmployeeID = "e2"
	if err := errors.Join(p.Add(pin), p.Add(pin)); err != nil {
		t.Fatal(err)
	}
	if err := p.Add(other); !errors.Is(err, ErrConfig) {
		t.Errorf("one passkey of two officers: %v", err)
	}
	if err := p.Add(Pin{CredentialID: []byte("x"), PublicKey: []byte("x"), EmployeeID: "e1"}); err == nil {
		t.Error("a key that is none")
	}
	again, err := OpenPins(t.Context(), w.vault, dir)
	if err != nil {
		t.Fatal(err)
	}
	if own, err := again.of("e1"); err != nil || len(own) != 1 || own[0].Fingerprint() != pin.Fingerprint() {
		t.Fatalf("%d, %v", len(own), err)
	}
	// A pin that the ca role did not sign stops it, rather than being left out.
	b, err := os.ReadFile(again.path(pin.Fingerprint()))
	if err != nil {
		t.Fatal(err)
	}
	forged := filepath.Join(dir, "0000-0000-0000-0000-0000.json")
	if err := os.WriteFile(forged, bytes.Replace(b, []byte("e1"), []byte("e2"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := again.All(); !errors.Is(err, ErrPin) {
		t.Errorf("a forged pin: %v", err)
	}
	if err := os.Rename(forged, again.path(pin.Fingerprint())); err != nil {
		t.Fatal(err)
	}
	if _, err := again.All(); !errors.Is(err, ErrPin) {
		t.Errorf("a changed pin: %v", err)
	}
	if err := os.Remove(again.path(pin.Fingerprint())); err != nil {
		t.Fatal(err)
	}
	if all, err := p.All(); err != nil || len(all) != 0 {
		t.Errorf("%d pins, %v", len(all), err)
	}
	if err := p.Remove("0000"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// Pins without their key are not taken over by a new one.
	if _, err := OpenPins(t.Context(), newWorld(t).vault, dir); !errors.Is(err, ErrConfig) {
		t.Errorf("another key: %v", err)
	}
}

// The pages learn which passkeys are pinned, and officers sign by them.
func TestOfficersSign(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		o := newSignedOffice(t, s, ByPasskey, 0)
		id := o.approve(newKey(t))
		o.exec("update review set voided_at = 5 where registration_id = $1", id)
		r, err := s.Read().GetRegistration(ctx, id)
		o.must(err)
		p := Approvals{People: o, Profile: o.a.cfg.Profile, Policy: ByPasskey, Site: testSite}
		if _, err := p.Options(ctx, s.Read(), r, 1, o.officer[1]); !errors.Is(err, ErrNotPinned) {
			t.Errorf("an officer without a pinned passkey: %v", err)
		}
		ask, err := p.Options(ctx, s.Read(), r, 1, o.officer[0])
		o.must(err)
		var asked struct {
			PublicKey struct {
				Challenge        string `json:"challenge"`
				UserVerification string `json:"userVerification"`
				Allow            []struct{ ID string }
			} `json:"publicKey"`
		}
		o.must(json.Unmarshal(ask, &asked))
		challenge, err := base64.RawURLEncoding.DecodeString(asked.PublicKey.Challenge)
		o.must(err)
		if asked.PublicKey.UserVerification != "required" || len(challenge) != 32 {
			t.Fatalf("options %s", ask)
		}
		good := o.devices[0].sign(t, [32]byte(challenge))
		sign := func(officer string, answer []byte) error {
			return s.InTx(ctx, func(tx *store.Tx) error {
				v := db.InsertReviewParams{ID: ident.New(), RegistrationID: id, Stage: 1, OfficerID: officer, ApplicantID: r.EmployeeID,
					SnapshotHash: r.SnapshotHash, Verdict: "accepted", CreatedAt: 1}
				if err := tx.InsertReview(ctx, v); err != nil {
					return err
				}
				return p.Sign(ctx, tx, r, db.Review{ID: v.ID, RegistrationID: id, Stage: 1, OfficerID: officer, CreatedAt: 1}, answer)
			})
		}
		for name, c := range map[string]struct {
			answer []byte
			want   error
		}{
			"nothing": {nil, ErrUnsigned}, "not JSON": {[]byte("x"), ErrMalformed},
			"another's":         {o.devices[1].sign(t, [32]byte(challenge)).json(t), ErrApproval},
			"another challenge": {o.devices[0].sign(t, sha256.Sum256([]byte("x"))).json(t), ErrApproval},
		} {
			if err := sign(o.officer[0], c.answer); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		if err := sign(o.officer[0], good.json(t)); err != nil {
			t.Fatal(err)
		}
		// Unpinned again, the pages hear of it.
		o.must(o.pins.Remove(Fingerprint(o.devices[0].id, o.devices[0].cose(t))))
		o.must(o.a.tellPins(ctx))
		if _, err := p.Options(ctx, s.Read(), r, 1, o.officer[0]); !errors.Is(err, ErrNotPinned) {
			t.Errorf("after the removal: %v", err)
		}
		p.Policy = ByEither
		if ask, err := p.Options(ctx, s.Read(), r, 1, o.officer[0]); err != nil || ask != nil {
			t.Errorf("auto without a pin asks %s, %v", ask, err)
		}
	})
}
