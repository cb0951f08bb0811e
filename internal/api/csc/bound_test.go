package csc

import (
	"net/http"
	"testing"

	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/db"
)

// TestBoundToAUnit: nobody outside of the unit that an application is bound to has
// credentials for it.
func TestBoundToAUnit(t *testing.T) {
	s := open(t)
	id, _ := s.credentialOf("v2", s.ec)
	e, err := s.world.DB.Read().GetEmployee(t.Context(), s.ec.EmployeeID)
	must(t, err)
	must(t, s.world.DB.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: "elsewhere", Code: "E", Name: "Biro Contoh", CreatedAt: 1})
	}))
	set := s.client.Settings()
	set.Unit = e.UnitID
	must(t, s.clients.Change(t.Context(), s.ec, s.client.ID, set))
	s.call("v2/credentials/info", object{"credentialID": id})
	set.Unit = "elsewhere"
	must(t, s.clients.Change(t.Context(), s.ec, s.client.ID, set))
	s.refused("v2/credentials/list", "Invalid parameter userID", object{"userID": e.Nip})
	s.refused("v2/credentials/info", "Invalid parameter credentialID", object{"credentialID": id})
	s.refused("v1/credentials/authorize", "Invalid parameter credentialID", object{"credentialID": id, "numSignatures": 1, "hash": []string{b64(digest("a"))}, "PIN": signingtest.Passphrase})
}

// TestElsewhere: a window of another process is no wrong PIN.
func TestElsewhere(t *testing.T) {
	if f := faultOf(signing.ErrElsewhere); f.status != 503 || f.code != "temporarily_unavailable" || f.after == 0 {
		t.Errorf("%+v", f)
	}
	if f := faultOf(signing.ErrActivationElsewhere); f.status != 503 || f.code != "temporarily_unavailable" || f.after == 0 {
		t.Errorf("%+v", f)
	}
	if f := faultOf(signing.ErrActivation); f.description != "Invalid parameter SAD" {
		t.Errorf("%+v", f)
	}
	if f := faultOf(signing.ErrWindow); f.description != "The PIN is invalid" {
		t.Errorf("%+v", f)
	}
}

// TestWhatIsNotThere: in the words of the interface, and with the method that is.
func TestWhatIsNotThere(t *testing.T) {
	s := open(t)
	ask := func(method, path string, status int) object {
		r, err := http.NewRequest(method, s.server.URL+path, nil)
		must(t, err)
		return s.do(r, status)
	}
	for _, path := range []string{"/csc/v1/credentials/list", "/csc/v2/signatures/signDoc", "/csc/v2/oauth2/token", "/oauth2/token"} {
		if got := ask("GET", path, 405); got["error"] != "invalid_request" || got["error_description"] != "Use POST" {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, path := range []string{"/csc/v1/signatures/signDoc", "/csc/v1/credentials/sendOTP", "/csc/v3/info", "/csc/v2/auth/login"} {
		if got := ask("POST", path, 404); got["error"] != "invalid_request" {
			t.Errorf("%s: %v", path, got)
		}
	}
}
