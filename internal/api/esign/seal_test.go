package esign

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/seal"
	"absah/internal/seal/sealtest"
	"absah/internal/verification"
	"absah/pades/certpath"
)

// seals is an office whose application may use a seal with two keepers.
type seals struct {
	*office
	house  *sealtest.World
	id     string
	keeper [2]audit.Actor
}

func openSeals(t *testing.T, sandbox bool) *seals {
	t.Helper()
	s := &seals{office: open(t, nil, sandbox)}
	ctx, o := t.Context(), s.office
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	s.house, err = sealtest.Open(ctx, t.TempDir(), o.config.Store, o.now.Now, nil)
	must(err)
	var admins [2]audit.Actor
	for i := range 2 {
		admins[i], err = s.house.Admin(ctx, "Admin Contoh")
		must(err)
		s.keeper[i], err = s.house.Person(ctx, "Penjaga Contoh")
		must(err)
	}
	s.id, err = s.house.Made(ctx, admins[0], admins[1], sealtest.Subject(), s.keeper[0], s.keeper[1])
	must(err)
	must(s.house.Authority.Upkeep(ctx))
	trust := verification.Trust{Anchors: []verification.TrustAnchor{{DER: s.house.Hierarchy.Root.Raw}, {DER: s.house.Signing.Root.Raw}, {DER: o.world.Root.Raw}}}
	records := ca.NewRecords(o.config.Store)
	for _, name := range []string{"ca-root", "ca-issuing"} {
		list, err := records.CRL(ctx, name)
		must(err)
		trust.CRLs = append(trust.CRLs, list.DER)
	}
	issuing := s.house.Signing.Config.Chain()[0]
	c, err := certpath.ParseCertificate(issuing.Raw)
	must(err)
	lists, err := s.house.Signing.Config.Evidence.CRLs(ctx, c, nil)
	must(err)
	for _, l := range lists {
		trust.CRLs = append(trust.CRLs, l.Raw)
	}
	o.config.Seals = s.house.Service
	verifier := *o.config.Verifier
	verifier.Trust = func(context.Context) (verification.Trust, error) { return trust, nil }
	o.config.Verifier = &verifier
	o.server.Close()
	o.server = httptest.NewServer(New(o.config))
	t.Cleanup(o.server.Close)
	return s
}

// activation is that which two keepers open for the application.
func (s *seals) activation(lasts time.Duration, documents int) string {
	s.t.Helper()
	ctx := s.t.Context()
	s.now.Advance(time.Second)
	if err := s.house.ProposeWindow(ctx, s.keeper[0], s.id, s.client.ID, lasts, documents); err != nil {
		s.t.Fatal(err)
	}
	list, err := s.house.Windows(ctx, s.id)
	if err != nil {
		s.t.Fatal(err)
	}
	code, err := s.house.OpenWindow(ctx, s.keeper[1], list[0].ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

func (s *seals) call(name, activation, code string, status int) map[string]any {
	s.t.Helper()
	return s.object(s.send(name, map[string]string{"seal": s.id, "activation": activation, "code": code}), status)
}

// files are those of an answer, held to three judges.
func (s *seals) files(name string, got map[string]any, n int) {
	s.t.Helper()
	list, _ := got["file"].([]any)
	if _, ok := got["time"].(float64); !ok || len(list) != n {
		s.t.Fatalf("%s: %d files, time %v", name, len(list), got["time"])
	}
	for i, one := range list {
		b, err := base64.StdEncoding.DecodeString(one.(string))
		if err != nil {
			s.t.Fatal(err)
		}
		s.sealed(name+"-"+string(rune('1'+i)), b, "Segel Direktorat Contoh", "valid")
	}
}

// sealed holds a sealed document to three judges.
func (o *office) sealed(name string, b []byte, subject, verdict string) {
	o.t.Helper()
	o.judges(name, b)
	a := o.judge(b)
	if string(a.Verdict) != verdict || len(a.Signatures) != 1 || a.Signatures[0].Level != "B-T" || !strings.Contains(a.Signatures[0].Signer.Subject, subject) {
		o.t.Errorf("%s: %s, %+v", name, a.Verdict, *a.Signatures[0])
	}
}

// TestGoldenSeal replays what clients send to seal: they are told what the
// interface says, and get only what two keepers opened.
func TestGoldenSeal(t *testing.T) {
	s := openSeals(t, false)
	got := s.call("21-seal-get-activation", "", "", 200)
	if data, ok := got["data"]; got["success"] != true || got["message"] != "TOTP Aktivasi berhasil dikirim" || !ok || data != nil {
		t.Errorf("get/activation: %v", got)
	}
	activation := s.activation(time.Hour, 4)
	got = s.call("22-seal-refresh-activation", activation, "", 200)
	data, _ := got["data"].(map[string]any)
	if got["success"] != true || data["message"] != "TOTP Aktivasi masih berlaku" || data["totp"] != activation || data["result"] != true {
		t.Errorf("refresh: %v", got)
	}
	if expires, err := time.Parse("2006-01-02T15:04:05.000-0700", data["expires"].(string)); err != nil || expires.Sub(s.now.Now()).Round(time.Minute) != time.Hour || !strings.HasSuffix(data["expires"].(string), "+0000") {
		t.Errorf("expires %v, %v", data["expires"], err)
	}
	got = s.call("23-seal-get-totp", activation, "", 200)
	one, _ := got["totp"].(string)
	if got["message"] != "TOTP berhasil dibuat" || got["result"] != true || one == "" || one == activation {
		t.Errorf("get/totp: %v", got)
	}
	s.files("25-seal-pdf", s.call("25-seal-pdf", activation, one, 200), 1)
	two, _ := s.call("24-seal-get-totp-string", activation, "", 200)["totp"].(string)
	s.files("26-seal-pdf-two", s.call("26-seal-pdf-two", activation, two, 200), 2)

	for name, refused := range map[string]struct {
		request, activation, code string
		want                      float64
	}{
		"a used code":               {"25-seal-pdf", activation, one, codeSealCode},
		"a made-up code":            {"25-seal-pdf", activation, "1", codeSealCode},
		"the activation's own code": {"25-seal-pdf", activation, activation, codeSealCode},
		"a made-up activation":      {"23-seal-get-totp", "1", "", codeSealCode},
		"an activation that is not": {"22-seal-refresh-activation", "123456", "", codeSealCode},
		"more than the window has":  {"24-seal-get-totp-string", activation, "", codeSealSpent},
		"no code":                   {"25-seal-pdf", activation, "", codeData},
	} {
		if got := s.call(refused.request, refused.activation, refused.code, 400); got["status_code"] != refused.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	last, _ := s.call("23-seal-get-totp", activation, "", 200)["totp"].(string)
	if got := s.call("26-seal-pdf-two", activation, last, 400); got["status_code"] != float64(codeSealSpent) {
		t.Errorf("two files with a code for one: %v", got)
	}
	if got := s.call("27-seal-revoke-activation", activation, "", 200); got["success"] != true {
		t.Errorf("revoke: %v", got)
	}
	if got := s.call("25-seal-pdf", activation, last, 400); got["status_code"] != float64(codeSealCode) {
		t.Errorf("after the activation was revoked: %v", got)
	}
	if got := s.object(s.send("21-seal-get-activation", map[string]string{"seal": "S1"}), 400); got["status_code"] != float64(codeUnknown) {
		t.Errorf("an unknown seal: %v", got)
	}
	if log := s.log.String(); strings.Contains(log, activation) || strings.Contains(log, one) {
		t.Error("a code is in the log")
	}
}

// TestSealScope: an application without the scope seals nothing.
func TestSealScope(t *testing.T) {
	s := openSeals(t, false)
	set := apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Sign, apiclient.Verify}, Rate: 6000, Enabled: true}
	if err := s.clients.Change(t.Context(), audit.System("test"), s.client.ID, set); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"21-seal-get-activation", "23-seal-get-totp", "25-seal-pdf", "27-seal-revoke-activation"} {
		s.call(name, "1", "1", 403)
	}
	if err := s.house.ProposeWindow(t.Context(), s.keeper[0], s.id, s.client.ID, time.Hour, 1); !errors.Is(err, seal.ErrClient) {
		t.Errorf("a window for it: %v", err)
	}
}

// TestSandboxSeal: specimens, without anybody.
func TestSandboxSeal(t *testing.T) {
	s := openSeals(t, true)
	s.call("21-seal-get-activation", "", "", 200)
	s.call("22-seal-refresh-activation", "123456", "", 200)
	s.call("22-seal-refresh-activation", "salah", "", 400)
	code, _ := s.call("23-seal-get-totp", "123456", "", 200)["totp"].(string)
	got := s.call("26-seal-pdf-two", "", code, 200)
	for i, one := range got["file"].([]any) {
		b, err := base64.StdEncoding.DecodeString(one.(string))
		if err != nil {
			t.Fatal(err)
		}
		s.sealed("sandbox-"+string(rune('1'+i)), b, specimenSeal, "indeterminate")
	}
	s.call("25-seal-pdf", "", "salah", 400)
	n, err := s.house.Waiting(t.Context())
	if err != nil || n != 0 {
		t.Errorf("%d orders, %v", n, err)
	}
}
