package seal_test

import (
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/seal"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store/db"
	"absah/pades"
)

func (h *house) client(t *testing.T, name string, scopes ...apiclient.Scope) *apiclient.Client {
	t.Helper()
	c, _, err := h.Clients.Add(t.Context(), audit.System("test"), name, false, apiclient.Settings{Scopes: scopes, Rate: 100, Enabled: true})
	ok(t, err)
	return &c
}

// opened opens a window by two keepers and returns its code.
func (h *house) opened(t *testing.T, c *apiclient.Client, lasts time.Duration, documents int) (id, code string) {
	t.Helper()
	h.clock.Advance(time.Second)
	ok(t, h.ProposeWindow(t.Context(), h.asker, h.seal, c.ID, lasts, documents))
	id = must[[]seal.Window](t)(h.Windows(t.Context(), h.seal))[0].ID
	return id, must[string](t)(h.OpenWindow(t.Context(), h.releaser, id))
}

func (h *house) files(t *testing.T, n int) []seal.File {
	t.Helper()
	var out []seal.File
	for range n {
		out = append(out, seal.File{Bytes: must[[]byte](t)(signingtest.PDF("Berkas Aplikasi", 1)), Request: signing.Request{Level: pades.BT}})
	}
	return out
}

// windows: an application seals within what two keepers opened, and not more.
func (h *house) windows(t *testing.T) {
	ctx := t.Context()
	c, other, dumb := h.client(t, "surat", apiclient.Seal), h.client(t, "lain", apiclient.Seal), h.client(t, "tanpa", apiclient.Verify)
	who := c.Actor("127.0.0.1")
	h.letters.since()
	ok(t, h.AskWindow(ctx, who, c, h.seal))
	h.clock.Advance(time.Second)
	ok(t, h.AskWindow(ctx, who, c, h.seal))
	if got := h.letters.since(); got != "ask>2" {
		t.Errorf("told: %s", got)
	}
	want(t, "an unknown seal", h.AskWindow(ctx, who, c, "S1"), seal.ErrNotFound)
	want(t, "too long", h.ProposeWindow(ctx, h.asker, h.seal, c.ID, 13*time.Hour, 5), seal.ErrBounds)
	want(t, "for nothing", h.ProposeWindow(ctx, h.asker, h.seal, c.ID, time.Hour, 0), seal.ErrBounds)
	want(t, "no such scope", h.ProposeWindow(ctx, h.asker, h.seal, dumb.ID, time.Hour, 5), seal.ErrClient)
	want(t, "a stranger", h.ProposeWindow(ctx, h.stranger, h.seal, c.ID, time.Hour, 5), seal.ErrNotFound)
	ok(t, h.ProposeWindow(ctx, h.asker, h.seal, c.ID, time.Hour, 3))
	list := must[[]seal.Window](t)(h.Windows(ctx, h.seal))
	if len(list) != 2 || list[0].State != seal.Proposed || list[1].State != seal.Closed {
		t.Fatalf("windows %+v", list)
	}
	_, err := h.OpenWindow(ctx, h.asker, list[0].ID)
	want(t, "one keeper alone", err, seal.ErrOwn)
	_, err = h.OpenWindow(ctx, h.stranger, list[0].ID)
	want(t, "a stranger opens", err, seal.ErrNotFound)
	code := must[string](t)(h.OpenWindow(ctx, h.releaser, list[0].ID))
	_, err = h.OpenWindow(ctx, h.releaser, list[0].ID)
	want(t, "twice", err, seal.ErrDecided)

	a := must[seal.Activation](t)(h.Activation(ctx, c, h.seal, " "+code[:8]+"-"+code[8:]))
	if a.Left != 3 || !a.Expires.Equal(h.clock.Now().Add(time.Hour).Truncate(time.Microsecond)) {
		t.Errorf("activation %+v", a)
	}
	_, err = h.Activation(ctx, other, h.seal, code)
	want(t, "another application", err, seal.ErrCode)
	_, _, err = h.Code(ctx, c, h.seal, code, 4)
	want(t, "more than the window has", err, seal.ErrSpent)
	one, _, err := h.Code(ctx, c, h.seal, code, 2)
	ok(t, err)
	_, err = h.SealFiles(ctx, who, c, h.seal, code, h.files(t, 1))
	want(t, "the activation's code seals", err, seal.ErrCode)
	_, err = h.SealFiles(ctx, who, other, h.seal, one, h.files(t, 1))
	want(t, "another application with the code", err, seal.ErrCode)
	_, err = h.SealFiles(ctx, who, c, h.seal, one, h.files(t, 3))
	want(t, "more files than the code is for", err, seal.ErrSpent)
	out := must[[][]byte](t)(h.SealFiles(ctx, who, c, h.seal, one, h.files(t, 2)))
	for _, b := range out {
		h.judge(t, b)
	}
	_, err = h.SealFiles(ctx, who, c, h.seal, one, h.files(t, 1))
	want(t, "a used code", err, seal.ErrCode)
	late, _, err := h.Code(ctx, c, h.seal, code, 1)
	ok(t, err)
	h.clock.Advance(seal.CodeLife)
	_, err = h.SealFiles(ctx, who, c, h.seal, late, h.files(t, 1))
	want(t, "an old code", err, seal.ErrCode)
	last, _, err := h.Code(ctx, c, h.seal, code, 1)
	ok(t, err)
	spare, _, err := h.Code(ctx, c, h.seal, code, 1)
	ok(t, err)
	must[[][]byte](t)(h.SealFiles(ctx, who, c, h.seal, last, h.files(t, 1)))
	_, err = h.SealFiles(ctx, who, c, h.seal, spare, h.files(t, 1))
	want(t, "a fourth document of three", err, seal.ErrSpent)

	// At once: by one keeper, by the application, by time, when a keeper goes.
	id, code := h.opened(t, c, time.Hour, 5)
	one, _, err = h.Code(ctx, c, h.seal, code, 1)
	ok(t, err)
	ok(t, h.EndWindow(ctx, h.asker, id))
	_, err = h.SealFiles(ctx, who, c, h.seal, one, h.files(t, 1))
	want(t, "after a keeper ended it", err, seal.ErrCode)
	_, code = h.opened(t, c, time.Hour, 5)
	want(t, "closed by another application", h.CloseActivation(ctx, who, other, h.seal, code), seal.ErrCode)
	ok(t, h.CloseActivation(ctx, who, c, h.seal, code))
	want(t, "closed twice", h.CloseActivation(ctx, who, c, h.seal, code), seal.ErrCode)
	_, code = h.opened(t, c, time.Hour, 5)
	h.clock.Advance(time.Hour)
	_, _, err = h.Code(ctx, c, h.seal, code, 1)
	want(t, "after its time", err, seal.ErrCode)
	_, code = h.opened(t, c, time.Hour, 5)
	ok(t, h.DismissKeeper(ctx, h.one, h.seal, h.asker.EmployeeID))
	_, _, err = h.Code(ctx, c, h.seal, code, 1)
	want(t, "after a keeper went", err, seal.ErrCode)
	_, err = h.Asked(ctx, h.releaser, h.seal, h.letter(t, h.releaser, "Surat Sendiri"))
	want(t, "the last keeper", err, seal.ErrAlone)
	ok(t, h.Order(ctx, h.two, h.seal, seal.Order{Kind: seal.NameKeeper, Keeper: h.asker.EmployeeID}))
	ok(t, h.Second(ctx, h.one, h.seal))
	_, code = h.opened(t, c, time.Hour, 5)
	one, _, err = h.Code(ctx, c, h.seal, code, 1)
	ok(t, err)
	set := c.Settings()
	set.Enabled = false
	ok(t, h.Clients.Change(ctx, audit.System("test"), c.ID, set))
	set.Enabled = true
	ok(t, h.Clients.Change(ctx, audit.System("test"), c.ID, set))
	_, err = h.SealFiles(ctx, who, c, h.seal, one, h.files(t, 1))
	want(t, "after its application was disabled and enabled again", err, seal.ErrCode)
	n := must[db.CountSealUsesRow](t)(h.DB.Read().CountSealUses(ctx, h.seal))
	if n.Intended != 0 || n.Lost != 0 {
		t.Errorf("uses %+v", n)
	}
}

// renew: a new key and certificate; what the old one sealed stays as it is.
func (h *house) renew(t *testing.T) {
	ctx := t.Context()
	before := h.view(t)
	ok(t, h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.Renew}))
	ok(t, h.Second(ctx, h.two, h.seal))
	after := h.view(t)
	if after.Serial == before.Serial || after.State != seal.Active {
		t.Fatalf("renewed: %+v", after)
	}
	old := must[db.AuthorityCertificate](t)(h.DB.Read().AuthorityCertificate(ctx, before.Serial))
	now := must[db.AuthorityCertificate](t)(h.DB.Read().AuthorityCertificate(ctx, after.Serial))
	if old.RevokedAt != 0 || string(old.SpkiHash) == string(now.SpkiHash) {
		t.Error("the old certificate was revoked, or the key is the same")
	}
	d := h.letter(t, h.asker, "Surat Sertifikat Baru")
	r := must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, d))
	ok(t, h.Release(ctx, h.releaser, r.ID, r.Digest))
	ok(t, h.Run(ctx, r.ID))
	if list := must[[]signing.SealOn](t)(h.Signing.Seals(ctx, d.ID)); len(list) != 1 || list[0].Serial != after.Serial {
		t.Errorf("sealed with %+v", list)
	}
}

// end: suspended by one, back by two, revoked by two.
func (h *house) end(t *testing.T) {
	ctx := t.Context()
	released := must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, h.letter(t, h.asker, "Surat Ditangguhkan")))
	open := must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, h.letter(t, h.asker, "Surat Terbuka")))
	ok(t, h.Release(ctx, h.releaser, released.ID, released.Digest))
	ok(t, h.Suspend(ctx, h.one, h.seal, "perangkat hilang"))
	want(t, "suspended twice", h.Suspend(ctx, h.one, h.seal, ""), seal.ErrState)
	want(t, "a release of a suspended seal", h.Release(ctx, h.releaser, open.ID, open.Digest), seal.ErrInactive)
	ok(t, h.Run(ctx, released.ID))
	if r := must[seal.RequestView](t)(h.Show(ctx, h.asker.EmployeeID, released.ID)); r.Items[0].Problem != "seal_inactive" {
		t.Errorf("released, then suspended: %+v", r.Items)
	}
	ok(t, h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.Resume}))
	ok(t, h.Second(ctx, h.two, h.seal))
	ok(t, h.Release(ctx, h.releaser, open.ID, open.Digest))
	ok(t, h.Run(ctx, open.ID))
	ok(t, h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.Revoke, Reason: ca.KeyCompromise}))
	if s := h.view(t); s.State != seal.Suspended {
		t.Errorf("while a revocation waits the seal is %s", s.State)
	}
	serial := h.view(t).Serial
	ok(t, h.Second(ctx, h.two, h.seal))
	if s := h.view(t); s.State != seal.Revoked {
		t.Errorf("revoked: %s", s.State)
	}
	status := must[ca.CertStatus](t)(ca.NewRecords(h.DB).CertStatus(ctx, "ca-issuing", serial))
	if status.State != ca.StateRevoked || status.Reason != ca.KeyCompromise {
		t.Errorf("status %+v", status)
	}
	for _, kind := range []string{seal.Renew, seal.Resume, seal.Revoke} {
		want(t, kind+" after all", h.Order(ctx, h.one, h.seal, seal.Order{Kind: kind, Reason: ca.Superseded}), seal.ErrState)
	}
}
