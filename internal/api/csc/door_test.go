package csc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/api/apitest"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/signing/signingtest"
)

// TestDisabledWhileItArrives: a call whose application was disabled before its body was
// there does nothing.
func TestDisabledWhileItArrives(t *testing.T) {
	s := open(t)
	id, _ := s.credentialOf("v1", s.ec)
	body, err := json.Marshal(object{"credentialID": id, "numSignatures": 1, "hash": []string{b64(digest("a"))}, "PIN": signingtest.Passphrase})
	if err != nil {
		t.Fatal(err)
	}
	r := s.request("v1/credentials/authorize", nil)
	r.ContentLength = int64(len(body))
	resp := apitest.Arrive(t, r, strings.NewReader(string(body)), func() {
		set := s.client.Settings()
		set.Enabled = false
		if err := s.clients.Change(t.Context(), audit.System("test"), s.client.ID, set); err != nil {
			t.Error(err)
		}
		s.now.Advance(2 * time.Second)
	})
	var got object
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusUnauthorized || got["error"] != "invalid_token" {
		t.Errorf("%d %v", resp.StatusCode, got)
	}
	if n, err := s.world.DB.Read().OpenActivations(t.Context(), 1<<62); err != nil || len(n) != 0 {
		t.Errorf("%d activations, %v", len(n), err)
	}
}

// TestCrash: a panic is a fault of the service like others, and what it carries is not in
// the log.
func TestCrash(t *testing.T) {
	var log bytes.Buffer
	d := &door{Config: Config{Log: slog.New(slog.NewJSONHandler(&log, nil))}}
	w := httptest.NewRecorder()
	d.logged(func(http.ResponseWriter, *http.Request) error { panic("kuda lompat pagar") })(w, httptest.NewRequest(http.MethodPost, "/csc/v1/signatures/signHash", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "server_error") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if strings.Contains(log.String(), "kuda lompat") || !strings.Contains(log.String(), "panic: string") {
		t.Errorf("%s", log.String())
	}
}

// TestEveryMethodAsksForItsScope: whoever has all scopes but the one is refused.
func TestEveryMethodAsksForItsScope(t *testing.T) {
	s := open(t)
	for _, m := range methods() {
		if m.scope == "" {
			continue
		}
		set := s.client.Settings()
		set.Scopes = slices.DeleteFunc(apiclient.Scopes(), func(one apiclient.Scope) bool { return one == m.scope })
		if err := s.clients.Change(t.Context(), audit.System("test"), s.client.ID, set); err != nil {
			t.Fatal(err)
		}
		for v := m.from; v <= m.to; v++ {
			if got := s.do(s.request(fmt.Sprintf("v%d/%s", v, m.name), object{}), 403); got["error"] != "access_denied" {
				t.Errorf("v%d/%s: %v", v, m.name, got)
			}
		}
	}
}
