package seal_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/seal"
	"absah/internal/seal/sealtest"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pades/appearance"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: %v, want %v", what, err, target)
	}
}

// letters are what people were told.
type letters struct {
	mu  sync.Mutex
	all []seal.Notice
}

func (l *letters) Seal(_ context.Context, _ *store.Tx, n seal.Notice) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, n)
	return nil
}

func (l *letters) since() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, n := range l.all {
		out = append(out, fmt.Sprintf("%s>%d", n.What, len(n.To)))
	}
	l.all = nil
	return strings.Join(out, " ")
}

// house is an installation with a seal and two keepers.
type house struct {
	*sealtest.World
	t        *testing.T
	clock    *clock.Fake
	letters  *letters
	one, two audit.Actor // administrators
	asker    audit.Actor // keepers
	releaser audit.Actor
	stranger audit.Actor
	seal     string
}

func build(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewFake(time.Now()), letters: &letters{}}
	ctx := t.Context()
	h.World = must[*sealtest.World](t)(sealtest.Open(ctx, t.TempDir(), s, h.clock.Now, h.letters))
	for name, to := range map[string]*audit.Actor{"Ani Contoh": &h.asker, "Budi Contoh": &h.releaser, "Cici Contoh": &h.stranger} {
		*to = must[audit.Actor](t)(h.Person(ctx, name))
	}
	h.one, h.two = must[audit.Actor](t)(h.Admin(ctx, "Admin Contoh Satu")), must[audit.Actor](t)(h.Admin(ctx, "Admin Contoh Dua"))
	h.seal = must[string](t)(h.Made(ctx, h.one, h.two, sealtest.Subject(), h.asker, h.releaser))
	return h
}

func TestDualControl(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		t.Run("orders", h.orders)
		t.Run("certificate", h.certificate)
		t.Run("request", h.request)
		t.Run("constraints", h.constraints)
		t.Run("windows", h.windows)
		t.Run("renew", h.renew)
		t.Run("end", h.end)
	})
}

func (h *house) view(t *testing.T) seal.Seal { return must[seal.Seal](t)(h.Seal(t.Context(), h.seal)) }

// order is the one that waits.
func (h *house) order(t *testing.T, sealID string) seal.OrderView {
	t.Helper()
	for _, o := range must[[]seal.OrderView](t)(h.Orders(t.Context(), sealID)) {
		if o.State == "open" {
			return o
		}
	}
	t.Fatal("no order waits")
	return seal.OrderView{}
}

// orders: nothing about a seal by one administrator.
func (h *house) orders(t *testing.T) {
	ctx := t.Context()
	if h.view(t).State != seal.Active {
		t.Fatalf("after two administrators the seal is %s", h.view(t).State)
	}
	var field *ca.FieldError
	if _, err := h.Propose(ctx, h.one, ca.Institution{Name: "Contoh", Organisation: "Contoh", ID: "123"}, ""); !errors.As(err, &field) || field.Field != "organizationIdentifier" {
		t.Errorf("an identifier without a register: %v", err)
	}
	id := must[string](t)(h.Propose(ctx, h.one, ca.Institution{Name: "Segel Lain Contoh", Organisation: "Lain Contoh", ID: "NTRID-1"}, "untuk dicoba"))
	order := h.order(t, id)
	want(t, "one's own proposal", h.Approve(ctx, h.one, order.ID), seal.ErrOwn)
	want(t, "a refusal of one's own", h.Refuse(ctx, h.one, order.ID, "tidak"), seal.ErrOwn)
	want(t, "a refusal without reason", h.Refuse(ctx, h.two, order.ID, " "), seal.ErrReason)
	ok(t, h.Refuse(ctx, h.two, order.ID, "tidak perlu"))
	want(t, "after the refusal", h.Approve(ctx, h.two, order.ID), seal.ErrDecided)
	if s := must[seal.Seal](t)(h.Seal(ctx, id)); s.State != seal.Refused || s.Serial != "" {
		t.Errorf("refused: %+v", s)
	}
	// The authority looks for itself, whatever the rows say.
	id = must[string](t)(h.Propose(ctx, h.stranger, ca.Institution{Name: "Segel Palsu Contoh", Organisation: "Palsu Contoh", ID: "NTRID-2"}, ""))
	ok(t, h.Second(ctx, h.two, id))
	order = must[[]seal.OrderView](t)(h.Orders(ctx, id))[0]
	if order.State != "failed" || order.Problem != ca.RefusedApproval {
		t.Errorf("proposed by somebody who is no administrator: %s, %s", order.State, order.Problem)
	}
	want(t, "oneself as keeper", h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.NameKeeper, Keeper: h.one.EmployeeID}), seal.ErrOwn)
	want(t, "a keeper again", h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.NameKeeper, Keeper: h.asker.EmployeeID}), seal.ErrKeeper)
	ok(t, h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.NameKeeper, Keeper: h.two.EmployeeID}))
	want(t, "the same order twice", h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.NameKeeper, Keeper: h.two.EmployeeID}), seal.ErrPending)
	order = h.order(t, h.seal)
	want(t, "approving oneself", h.Approve(ctx, h.two, order.ID), seal.ErrOwn)
	ok(t, h.Withdraw(ctx, h.one, order.ID))
}

// certificate: that of a legal person, in the records, the checks and the status.
func (h *house) certificate(t *testing.T) {
	ctx := t.Context()
	row := must[db.AuthorityCertificate](t)(h.DB.Read().AuthorityCertificate(ctx, h.view(t).Serial))
	cert := must[*x509.Certificate](t)(x509.ParseCertificate(row.Der))
	var id string
	for _, a := range cert.Subject.Names {
		if a.Type.String() == "2.5.4.97" {
			id = fmt.Sprint(a.Value)
		}
	}
	if cert.Subject.CommonName != "Segel Direktorat Contoh" || cert.Subject.Organization[0] != "Direktorat Contoh" || id != "GO:ID-CONTOH-01" || cert.Subject.SerialNumber != "" {
		t.Errorf("subject %s", cert.Subject)
	}
	if cert.CheckSignatureFrom(h.Hierarchy.Issuing) != nil || cert.IsCA || len(cert.CRLDistributionPoints) != 1 || len(cert.OCSPServer) != 1 {
		t.Errorf("certificate %+v", cert)
	}
	status := func() ca.State {
		return must[ca.CertStatus](t)(ca.NewRecords(h.DB).CertStatus(ctx, row.Issuer, row.Serial)).State
	}
	if status() != ca.StateGood {
		t.Error("the status of the seal's certificate is not good")
	}
	ok(t, h.Authority.CheckJob(ctx, ""))
	if got := must[ca.CheckResult](t)(ca.NewRecords(h.DB).LastCheck(ctx, 10)); got.Run.Problems != 0 {
		t.Errorf("the check of what was issued: %+v", got.Problems)
	}
	if h.letters.since() == "" {
		t.Error("nobody was told")
	}
}

func (h *house) letter(t *testing.T, who audit.Actor, title string) signing.Document {
	t.Helper()
	return must[signing.Document](t)(h.Letter(t.Context(), who, title))
}

// request: one keeper asks, another releases, exactly this.
func (h *house) request(t *testing.T) {
	ctx := t.Context()
	d, e := h.letter(t, h.asker, "Surat Edaran Contoh"), h.letter(t, h.asker, "Pengumuman Contoh")
	_, err := h.Asked(ctx, h.stranger, h.seal, d)
	want(t, "a stranger asks for another's document", err, signing.ErrNotFound)
	_, err = h.Asked(ctx, h.stranger, h.seal, h.letter(t, h.stranger, "Surat Orang Lain"))
	want(t, "a stranger asks", err, seal.ErrNotFound)
	changed := d
	changed.SHA256[0]++
	_, err = h.Asked(ctx, h.asker, h.seal, changed)
	want(t, "another version than was seen", err, signing.ErrChanged)
	h.letters.since()

	place := signing.Place{Page: 1, Box: appearance.Box{X: 300, Y: 600, Width: 200, Height: 90, Origin: appearance.TopLeft}, Face: signing.Face{QR: true, Letter: true, Footer: true}}
	id := must[string](t)(h.Request(ctx, h.asker, seal.Ask{Seal: h.seal, Note: "mohon dirilis", Items: []seal.Item{
		{Document: d.ID, Digest: d.SHA256, Request: signing.Request{Level: pades.BT, Places: []signing.Place{place}}},
		{Document: e.ID, Digest: e.SHA256, Request: signing.Request{Level: pades.BT}},
	}}))
	if got := h.letters.since(); got != "request>1" {
		t.Errorf("told: %s", got)
	}
	_, err = h.Asked(ctx, h.asker, h.seal, d)
	want(t, "the same document again", err, seal.ErrBusy)
	if _, err := h.Signing.Readable(ctx, h.releaser.EmployeeID, d.ID); err != nil {
		t.Errorf("the other keeper cannot read what he is to release: %v", err)
	}
	if _, err := h.Signing.Readable(ctx, h.stranger.EmployeeID, d.ID); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("a stranger reads it: %v", err)
	}
	r := must[seal.RequestView](t)(h.Show(ctx, h.releaser.EmployeeID, id))
	_, err = h.Show(ctx, h.stranger.EmployeeID, id)
	want(t, "a stranger looks", err, seal.ErrNotFound)
	want(t, "one's own request", h.Release(ctx, h.asker, id, r.Digest), seal.ErrOwn)
	want(t, "by a stranger", h.Release(ctx, h.stranger, id, r.Digest), seal.ErrNotFound)
	want(t, "by an administrator", h.Release(ctx, h.one, id, r.Digest), seal.ErrNotFound)
	want(t, "another digest", h.Release(ctx, h.releaser, id, bytes.Repeat([]byte{1}, 32)), seal.ErrDigest)
	want(t, "declining one's own", h.Decline(ctx, h.asker, id, "tidak"), seal.ErrOwn)
	if n := must[int](t)(h.WaitingFor(ctx, h.releaser.EmployeeID)); n != 1 {
		t.Errorf("%d wait for the other keeper", n)
	}
	ok(t, h.Run(ctx, id))
	if n := must[db.CountSealUsesRow](t)(h.DB.Read().CountSealUses(ctx, h.seal)); n.Made+n.Intended != 0 {
		t.Fatalf("sealed before the release: %+v", n)
	}
	ok(t, h.Release(ctx, h.releaser, id, r.Digest))
	want(t, "twice", h.Release(ctx, h.releaser, id, r.Digest), seal.ErrDecided)
	want(t, "withdrawn after the release", h.WithdrawRequest(ctx, h.asker, id), seal.ErrDecided)
	ok(t, h.Run(ctx, id))
	ok(t, h.Run(ctx, id))
	if got := h.letters.since(); got != "done>2" {
		t.Errorf("told: %s", got)
	}
	r = must[seal.RequestView](t)(h.Show(ctx, h.asker.EmployeeID, id))
	if r.State != seal.Done || r.Items[0].State != "done" || r.Items[1].State != "done" || r.Decider != "Budi Contoh" {
		t.Fatalf("%+v", r)
	}
	for _, doc := range []signing.Document{d, e} {
		h.judge(t, must[[]byte](t)(h.Signing.Content(ctx, doc.ID, 0)))
	}
	p := must[signing.Public](t)(h.Signing.Public(ctx, d.ID, ""))
	if len(p.Seals) != 1 || p.Seals[0].Name != "Segel Direktorat Contoh" || len(p.Signatures) != 0 {
		t.Errorf("the page of the document: %+v", p)
	}
	acts := must[[]db.Audit](t)(h.DB.Read().ListAuditOfObject(ctx, db.ListAuditOfObjectParams{ObjectKind: "seal_request", ObjectID: id}))
	var names []string
	for _, a := range acts {
		names = append(names, a.Action)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"seal.done", "seal.release", "seal.request"}) {
		t.Errorf("the record says %v", names)
	}

	// A document that changed after the release is not sealed, and the other one is.
	f, g := h.letter(t, h.asker, "Surat Berubah"), h.letter(t, h.asker, "Surat Tetap")
	r = must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, f, g))
	ok(t, h.Release(ctx, h.releaser, r.ID, r.Digest))
	ok(t, h.Signing.Erase(ctx, h.asker, f.ID))
	ok(t, h.Run(ctx, r.ID))
	r = must[seal.RequestView](t)(h.Show(ctx, h.asker.EmployeeID, r.ID))
	if r.State != seal.Done || r.Items[0].State != "failed" || r.Items[0].Problem != "not_found" || r.Items[1].State != "done" {
		t.Errorf("%+v", r)
	}
	// Nobody decided in time.
	r = must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, h.letter(t, h.asker, "Surat Lama")))
	h.clock.Advance(seal.RequestLife)
	want(t, "too late", h.Release(ctx, h.releaser, r.ID, r.Digest), seal.ErrDecided)
	ok(t, h.Sweep(ctx, ""))
	if r = must[seal.RequestView](t)(h.Show(ctx, h.asker.EmployeeID, r.ID)); r.State != seal.Expired {
		t.Errorf("after its time: %s", r.State)
	}
	// Declined, withdrawn.
	r = must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, h.letter(t, h.asker, "Surat Ditolak")))
	ok(t, h.Decline(ctx, h.releaser, r.ID, "angka keliru"))
	if r = must[seal.RequestView](t)(h.Show(ctx, h.asker.EmployeeID, r.ID)); r.State != seal.Declined || r.Reason != "angka keliru" {
		t.Errorf("declined: %+v", r)
	}
	r = must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, h.letter(t, h.asker, "Surat Ditarik")))
	want(t, "withdrawn by the other", h.WithdrawRequest(ctx, h.releaser, r.ID), seal.ErrNotFound)
	ok(t, h.WithdrawRequest(ctx, h.asker, r.ID))
	want(t, "after it was withdrawn", h.Release(ctx, h.releaser, r.ID, r.Digest), seal.ErrDecided)
}

// judge holds a sealed file to two other programs.
func (h *house) judge(t *testing.T, b []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "segel.pdf")
	ok(t, os.WriteFile(file, b, 0o600))
	if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", file).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", file).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Signature is Valid")) || !bytes.Contains(out, []byte("Segel Direktorat Contoh")) {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
}

// constraints: the database itself knows two people.
func (h *house) constraints(t *testing.T) {
	ctx := t.Context()
	r := must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, h.letter(t, h.asker, "Surat Batas")))
	decide := func(by string) error {
		return h.DB.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.DecideSealRequest(ctx, db.DecideSealRequestParams{ID: r.ID, State: seal.Released, DecidedBy: sql.NullString{String: by, Valid: by != ""}, Now: 1})
			return err
		})
	}
	if decide(h.asker.EmployeeID) == nil || decide("") == nil {
		t.Error("the database takes a release by who asked, or by nobody")
	}
	id := must[string](t)(h.Propose(ctx, h.one, ca.Institution{Name: "Segel Batas Contoh", Organisation: "Batas Contoh", ID: "NTRID-3"}, ""))
	order := h.order(t, id)
	err := h.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.DecideSealOrder(ctx, db.DecideSealOrderParams{ID: order.ID, State: "approved", DecidedBy: sql.NullString{String: h.one.AccountID, Valid: true}, Csr: []byte{}})
		return err
	})
	if err == nil {
		t.Error("the database takes an approval by who proposed")
	}
	ok(t, h.Withdraw(ctx, h.one, order.ID))
	ok(t, h.WithdrawRequest(ctx, h.asker, r.ID))
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
