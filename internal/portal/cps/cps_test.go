package cps_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"absah/internal/cps"
	pages "absah/internal/portal/cps"
	"absah/internal/store/storetest"
)

func TestStatementPage(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	publisher := &cps.Publisher{Store: s, Clock: func() time.Time { return now }, Facts: cps.Facts{
		Issuer: "CA <Contoh>", PolicyOID: "2.25.7260.1.1", RenewalChecks: "none", Years: 2,
	}}
	seals := 0
	seal := func(_ context.Context, pdf []byte) ([]byte, error) {
		if seals++; seals == 1 {
			return nil, errors.New("the clock is not known well enough")
		}
		return append(pdf, "% sealed"...), nil
	}
	p, err := pages.New(publisher, seal, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	get := func(query string, status int, texts ...string) http.Header {
		t.Helper()
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/pki/cps"+query, nil))
		if w.Code != status {
			t.Fatalf("%s: %d", query, w.Code)
		}
		for _, x := range texts {
			if !strings.Contains(w.Body.String(), x) {
				t.Errorf("%s: the page lacks %q", query, x)
			}
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && strings.Contains(w.Body.String(), "<Contoh>") {
			t.Errorf("%s: a name is taken for HTML", query)
		}
		return w.Header()
	}
	get("", 200, `lang="id"`, `id="s-4-7"`, "Penggantian kunci")
	if err := publisher.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	publisher.Facts.Years = 1
	if err := publisher.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := get("?lang=en", 200, `lang="en"`, "valid for 1 years", "?versi=1", "Version")
	if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("policy %q", h.Get("Content-Security-Policy"))
	}
	get("?versi=1&lang=en", 200, "valid for 2 years", "bentuk=pdf")
	if h := get("?versi=1&lang=en&bentuk=pdf", 200, "%PDF-"); h.Get("Content-Type") != "application/pdf" {
		t.Errorf("type %q", h.Get("Content-Type"))
	}
	for range 3 { // sealed as soon as it can be, and once
		get("?versi=1&lang=en&bentuk=pdf", 200, "%PDF-", "% sealed")
	}
	get("?versi=9&bentuk=pdf", 404)
	if seals != 2 {
		t.Errorf("%d seals for one paper", seals)
	}
	for _, bad := range []string{"?versi=3", "?versi=0", "?versi=x", "?versi=-1"} {
		get(bad, 404)
	}
}
