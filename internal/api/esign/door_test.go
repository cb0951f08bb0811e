package esign

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/api/apitest"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/store/db"
)

// TestDisabledWhileItArrives: a call whose application was disabled before its body was
// there does nothing.
func TestDisabledWhileItArrives(t *testing.T) {
	o := open(t, nil, false)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.server.URL+"/api/user/passphrase/forget/"+nik, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("persuratan", o.secret)
	r.Header.Set("Content-Type", "application/json")
	resp := apitest.Arrive(t, r, strings.NewReader("{}"), func() {
		set := o.client.Settings()
		set.Enabled = false
		if err := o.clients.Change(t.Context(), audit.System("test"), o.client.ID, set); err != nil {
			t.Error(err)
		}
		o.now.Advance(2 * time.Second)
	})
	if got := o.object(resp, 401); got["error"] != "Unauthorized" || len(o.stands.reset) != 0 {
		t.Errorf("%v, %v", got, o.stands.reset)
	}
}

// panicking is a registrar that panics with what it was given.
type panicking struct{ Registrar }

func (panicking) ResetPIN(context.Context, audit.Actor, bool) (db.Registration, error) {
	panic("kuda lompat pagar")
}

// TestCrash: a panic is a fault of the service like others, and what it carries is not in
// the log.
func TestCrash(t *testing.T) {
	o := open(t, nil, false)
	o.config.Registrar = panicking{o.stands}
	o.server.Config.Handler = New(o.config)
	if got := o.object(o.ask("POST", "/api/user/passphrase/forget/"+nik), 500); got["status_code"] != float64(codeInternal) {
		t.Errorf("%v", got)
	}
	if log := o.log.String(); strings.Contains(log, "kuda lompat") || !strings.Contains(log, "panic: string") {
		t.Errorf("%s", log)
	}
}

// TestEveryCallAsksForItsScope: whoever has all scopes but the one is refused.
func TestEveryCallAsksForItsScope(t *testing.T) {
	o := open(t, nil, false)
	places := strings.NewReplacer("{id}", "x", "{nik}", nik)
	for _, scope := range apiclient.Scopes() {
		set := o.client.Settings()
		set.Scopes = slices.DeleteFunc(apiclient.Scopes(), func(s apiclient.Scope) bool { return s == scope })
		if err := o.clients.Change(t.Context(), audit.System("test"), o.client.ID, set); err != nil {
			t.Fatal(err)
		}
		for _, r := range (&door{}).routes() {
			if r.scope != scope {
				continue
			}
			method, path, _ := strings.Cut(places.Replace(r.pattern), " ")
			if got := o.object(o.ask(method, path), 403); got["error"] != "Forbidden" || !strings.Contains(got["message"].(string), string(scope)) {
				t.Errorf("%s: %v", r.pattern, got)
			}
		}
	}
}

// TestEveryRecordedRequestIsReplayed: none of testdata/wire lies there for nothing.
func TestEveryRecordedRequestIsReplayed(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.http")
	if err != nil || len(files) < 28 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var tests strings.Builder
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		b, err := os.ReadFile(s)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(b)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".http"); !strings.Contains(tests.String(), `"`+name+`"`) {
			t.Errorf("no test sends %s", name)
		}
	}
}
