package signing_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// coded is an installation with a subscriber and an application.
type coded struct {
	*signingtest.World
	t      *testing.T
	now    *clock.Fake
	signer audit.Actor
	client string
}

func newCoded(t *testing.T) *coded {
	t.Helper()
	c := &coded{t: t, now: clock.NewFake(time.Now()), client: ident.New()}
	s := storetest.Open(t, storetest.SQLite(t))
	var err error
	if c.World, err = signingtest.Open(t.Context(), t.TempDir(), s, c.now.Now); err != nil {
		t.Fatal(err)
	}
	if c.signer, err = c.Subscriber(t.Context(), "Siti Contoh", keys.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	err = s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertAPIClient(t.Context(), db.InsertAPIClientParams{ID: c.client, Name: "persuratan", SecretHash: []byte{1}, PreviousHash: []byte{}, Scopes: "sign", Rate: 60})
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *coded) open(uses int, isCoded bool) signing.Window {
	c.t.Helper()
	secret, err := passphrase.Read([]byte(signingtest.Passphrase))
	if err != nil {
		c.t.Fatal(err)
	}
	defer secret.Wipe()
	w, err := c.OpenWindow(c.t.Context(), signing.WindowRequest{
		Who: c.signer, Signer: c.signer.EmployeeID, ClientID: c.client, Client: "persuratan", Longest: time.Hour, Life: c.CodeLifeFor(time.Hour), Uses: uses, Coded: isCoded, Secret: secret,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return w
}

// sign signs n files of a program with a code.
func (c *coded) sign(client, code string, n int) error {
	c.t.Helper()
	b, err := signingtest.PDF("Nota Dinas Contoh", 1)
	if err != nil {
		c.t.Fatal(err)
	}
	a := signing.Authorization{Who: audit.Actor{AccountID: "client:" + client}, Signer: c.signer.EmployeeID, Client: "persuratan", ClientID: client, Code: code}
	for range n {
		a.Items = append(a.Items, signing.Item{File: bytes.NewReader(b), Size: int64(len(b)), Name: "a.pdf"})
	}
	outs, err := c.SignNow(c.t.Context(), a, func(int) io.Writer { return io.Discard })
	for _, o := range outs {
		err = errors.Join(err, o.Err)
	}
	return err
}

func wrongCode(right string) string {
	if right == "111111" {
		return "222222"
	}
	return "111111"
}

// TestACodeOpensItsWindow: for its application, its documents and its minutes, and
// for nothing else.
func TestACodeOpensItsWindow(t *testing.T) {
	t.Parallel()
	c := newCoded(t)
	w := c.open(3, true)
	if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(w.Code) || w.Uses != 3 || w.Expires.Sub(w.Opened) != 5*time.Minute {
		t.Fatalf("%+v", w)
	}
	if list, err := c.Windows(t.Context(), c.signer.EmployeeID); err != nil || len(list) != 1 || list[0].Code != "" {
		t.Errorf("the code is told twice: %+v, %v", list, err)
	}
	for what, err := range map[string]error{
		"no code": c.sign(c.client, "", 1), "another application": c.sign(ident.New(), w.Code, 1), "more documents than it is for": c.sign(c.client, w.Code, 4),
	} {
		if !errors.Is(err, signing.ErrWindow) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if has, err := c.HasWindow(t.Context(), c.client, c.signer.EmployeeID); err != nil || has {
		t.Errorf("others see the window: %v, %v", has, err)
	}
	if err := c.sign(c.client, wrongCode(w.Code), 1); !errors.Is(err, signing.ErrCode) {
		t.Errorf("wrong: %v", err)
	}
	if err := c.sign(c.client, w.Code, 2); err != nil {
		t.Errorf("right: %v", err)
	}
	if err := c.sign(c.client, w.Code, 2); !errors.Is(err, signing.ErrWindow) {
		t.Errorf("one is left, two are wanted: %v", err)
	}
	if err := c.sign(c.client, w.Code, 1); err != nil {
		t.Errorf("the last one: %v", err)
	}
	if err := c.sign(c.client, w.Code, 1); !errors.Is(err, signing.ErrWindow) {
		t.Errorf("used up: %v", err)
	}
	w = c.open(1, true)
	c.now.Advance(5*time.Minute + time.Second)
	if err := c.sign(c.client, w.Code, 1); !errors.Is(err, signing.ErrWindow) {
		t.Errorf("too late: %v", err)
	}
}

// TestCodesAreNotGuessed: the fifth wrong one ends the window, and the right one
// comes too late.
func TestCodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	c := newCoded(t)
	w := c.open(1, true)
	for range 5 {
		if err := c.sign(c.client, wrongCode(w.Code), 1); !errors.Is(err, signing.ErrCode) {
			t.Fatalf("wrong: %v", err)
		}
	}
	if err := c.sign(c.client, w.Code, 1); !errors.Is(err, signing.ErrWindow) {
		t.Errorf("after five wrong ones: %v", err)
	}
	if list, err := c.Windows(t.Context(), c.signer.EmployeeID); err != nil || list[0].Reason != signing.WindowGuessed || list[0].Used != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	// A window without a code hears none.
	c.open(1, false)
	if err := c.sign(c.client, "123456", 1); !errors.Is(err, signing.ErrWindow) {
		t.Errorf("a code for a window without one: %v", err)
	}
	if err := c.sign(c.client, "", 1); err != nil {
		t.Errorf("a window without one: %v", err)
	}
}

func TestCodesLastNoLongerThanAnActivation(t *testing.T) {
	t.Parallel()
	s := &signing.Service{Config: signing.Config{WindowLife: time.Hour}}
	for longest, want := range map[time.Duration]time.Duration{0: 0, 2 * time.Minute: 2 * time.Minute, time.Hour: 5 * time.Minute} {
		if got := s.CodeLifeFor(longest); got != want {
			t.Errorf("%v: %v", longest, got)
		}
	}
	s.WindowLife = -1
	if got := s.CodeLifeFor(time.Hour); got != 0 {
		t.Errorf("where nobody opens windows: %v", got)
	}
}
