package rest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"absah/internal/api/apitest"
	"absah/internal/apidoc"
	"absah/internal/audit"
	"absah/internal/store/db"
)

// TestDisabledWhileItArrives: a call whose application was disabled before its body was
// there does nothing.
func TestDisabledWhileItArrives(t *testing.T) {
	o := open(t)
	set := o.client.Settings()
	turn := func(on bool) {
		set.Enabled = on
		must(t, o.clients.Change(t.Context(), audit.System("test"), o.client.ID, set))
	}
	body, kind := form{"owner", o.nip, "kind", "surat_dinas", "file", o.letter()}.write(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.server.URL+apidoc.Base+"/documents", nil)
	must(t, err)
	r.Header.Set("Content-Type", kind)
	r.SetBasicAuth(o.user, o.password)
	resp := apitest.Arrive(t, r, body, func() { turn(false); o.now.Advance(2 * time.Second) })
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("status %d", resp.StatusCode)
	}
	turn(true)
	if l := o.ask("GET", "/documents", nil).want(200, ""); l.items() != 0 {
		t.Errorf("%d documents", l.items())
	}
}

// panicking is a registrar that panics with what it was given.
type panicking struct{ Registrar }

func (panicking) ResetPIN(context.Context, audit.Actor, bool) (db.Registration, error) {
	panic("kuda lompat pagar")
}

// TestCrash: a panic is a problem like others, and what it carries is not in the log.
func TestCrash(t *testing.T) {
	o := open(t)
	o.config.Registrar = panicking{o.stands}
	o.serve()
	o.ask("POST", "/people/"+o.nip+"/passphrase-reset", nil).want(500, "internal")
	if log := o.log.String(); strings.Contains(log, "kuda lompat") || !strings.Contains(log, "panic: string") {
		t.Errorf("%s", log)
	}
	o.ask("GET", "/me", nil).want(200, "")
}
