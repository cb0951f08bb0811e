package rest

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"absah/internal/apiclient"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/signing/signingtest"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// TestPeople: where people stand, and what an application may send of them.
func TestPeople(t *testing.T) {
	o := open(t)
	r := o.ask("GET", "/people/"+o.nip, nil, "Accept-Language", "id").want(200, "")
	if r.text("/status/text") != "user telah terdaftar dan memiliki sertifikat elektronik" || r.text("/signing/able") != "true" || r.text("/signing/attempts_left") != "5" || r.text("/certificate/status") != "valid" {
		t.Errorf("%s", r.body)
	}
	if strings.Contains(string(r.body), nik) {
		t.Error("a NIK is told")
	}
	serial := r.text("/certificate/serial")
	if l := o.ask("POST", "/people/lookup", `{"nik":"`+nik+`"}`).want(200, ""); l.text("/person/nip") != o.nip {
		t.Errorf("%s", l.body)
	}
	e, err := o.config.Store.Read().GetEmployee(t.Context(), o.signer.EmployeeID)
	must(t, err)
	if l := o.ask("POST", "/people/lookup", `{"email":"`+e.Email+`"}`).want(200, ""); l.text("/person/nip") != o.nip {
		t.Errorf("%s", l.body)
	}
	o.ask("POST", "/people/lookup", `{"nik":"3171011201809999"}`).want(422, "person_unknown")
	o.ask("GET", "/people/nobody", nil).want(404, "not_found")
	if l := o.ask("GET", "/people/"+o.nip+"/certificates", nil).want(200, ""); l.items() != 1 {
		t.Errorf("%s", l.body)
	}
	o.ask("GET", "/people/nobody/certificates", nil).want(404, "not_found")
	if c := o.ask("GET", "/certificates/"+serial, nil).want(200, ""); !strings.HasPrefix(c.text("/pem"), "-----BEGIN CERTIFICATE-----\n") || !strings.HasPrefix(c.text("/chain/0"), "-----BEGIN") {
		t.Errorf("%s", c.body)
	}
	o.ask("GET", "/certificates/00", nil).want(404, "not_found")
	o.ask("GET", "/certificates/XY", nil).want(422, "invalid_fields")

	l := o.ask("GET", "/registrations?limit=1", nil).want(200, "")
	if l.items() != 1 || l.text("/next") == "null" {
		t.Fatalf("%s", l.body)
	}
	next := o.ask("GET", strings.TrimPrefix(l.text("/next"), "https://absah.example/api/v1"), nil).want(200, "")
	if next.items() != 1 || next.text("/next") != "null" || next.text("/items/0/id") == l.text("/items/0/id") {
		t.Errorf("%s", next.body)
	}
	if l := o.ask("GET", "/registrations?nip="+o.nip+"&status=Issue", nil).want(200, ""); l.items() != 1 || l.text("/items/0/person/nip") != o.nip {
		t.Errorf("%s", l.body)
	}
	for _, none := range []string{"status=New", "nip=nobody", "updated_since=2126-01-01T00:00:00Z"} {
		if l := o.ask("GET", "/registrations?"+none, nil).want(200, ""); l.items() != 0 {
			t.Errorf("%s: %s", none, l.body)
		}
	}
	one := o.ask("GET", "/registrations/"+l.text("/items/0/reference"), nil).want(200, "")
	if one.text("/id") != l.text("/items/0/id") || one.text("/timeline/0/action") != "submit" {
		t.Errorf("%s", one.body)
	}
	o.ask("GET", "/registrations/nothing", nil).want(404, "not_found")
}

func TestRegistrationOnBehalf(t *testing.T) {
	o := open(t)
	order := func(extra string) string { return `{"person":{"nip":"` + o.nip2 + `"},"phone":"0812"` + extra + `}` }
	o.ask("POST", "/registrations", order("")).want(409, "registration_exists")
	o.stands.of[o.second.EmployeeID] = enrolment.Standing{}
	picture := base64.StdEncoding.EncodeToString([]byte("gambar"))
	r := o.ask("POST", "/registrations", order(`,"email":"b@contoh.example","scans":[{"kind":"id_card","data":"`+picture+`"},{"kind":"specimen","data":"`+picture+`"}]`)).want(202, "")
	if r.text("/correction/reference") != "PD-1" || r.text("/correction/waiting/0") != "phone" || r.header.Get("Location") != "/api/v1/people/"+o.nip2 {
		t.Errorf("%s", r.body)
	}
	if o.staff.who.EmployeeID != o.second.EmployeeID || !strings.HasPrefix(o.staff.who.AccountID, "client:") {
		t.Errorf("by %+v", o.staff.who)
	}
	if o.staff.values[staff.Phone] != "0812" || o.staff.values[staff.Email] != "b@contoh.example" || o.staff.scans[scan.IDCard] != 1 || o.staff.scans[scan.Specimen] != 1 {
		t.Errorf("%v, %v", o.staff.values, o.staff.scans)
	}
	o.ask("POST", "/registrations", order(`,"scans":[{"kind":"id_card","data":"!!!!"}]`)).want(422, "invalid_fields")
	o.ask("POST", "/registrations", order(`,"scans":[{"kind":"poem","data":"`+picture+`"}]`)).want(422, "invalid_fields")
	o.ask("POST", "/registrations", `{"person":{"nip":"`+o.nip2+`"}}`).want(422, "invalid_fields")
	o.staff.err = staff.ErrNothing
	o.ask("POST", "/registrations", order("")).want(422, "nothing_new")
	o.staff.err = &staff.InvalidError{Problems: map[staff.Field]staff.Problem{staff.Phone: {Code: "phone_form"}}}
	if r := o.ask("POST", "/registrations", order("")).want(422, "invalid_fields"); r.text("/errors/0/pointer") != "/phone" {
		t.Errorf("%s", r.body)
	}

	if r := o.ask("POST", "/people/"+o.nip+"/passphrase-reset", nil).want(202, ""); r.text("/reference") != "DS-1" {
		t.Errorf("%s", r.body)
	}
	if len(o.stands.reset) != 1 || o.stands.reset[0].EmployeeID != o.signer.EmployeeID {
		t.Errorf("%+v", o.stands.reset)
	}
	o.stands.err = &enrolment.NotAllowedError{}
	o.ask("POST", "/people/"+o.nip+"/passphrase-reset", nil).want(409, "registration_running")
}

// TestBoundToAUnit: an application that is bound to a unit knows the people there and
// below, and nobody else; what it brought for others is not shown either.
func TestBoundToAUnit(t *testing.T) {
	o := open(t)
	ctx, st := t.Context(), o.config.Store
	e, err := st.Read().GetEmployee(ctx, o.second.EmployeeID)
	must(t, err)
	outside := o.document() // of the signer, who stays
	must(t, st.InTx(ctx, func(tx *store.Tx) error {
		must(t, tx.InsertUnit(ctx, db.InsertUnitParams{ID: "bound", Code: "B", Name: "Direktorat Contoh", CreatedAt: 1}))
		must(t, tx.InsertUnitScope(ctx, db.InsertUnitScopeParams{AncestorID: "bound", UnitID: "bound"}))
		must(t, tx.InsertUnit(ctx, db.InsertUnitParams{ID: "below", ParentID: nullable("bound"), Code: "B1", Name: "Seksi Contoh", CreatedAt: 1}))
		must(t, tx.InsertUnitScope(ctx, db.InsertUnitScopeParams{AncestorID: "below", UnitID: "below"}))
		must(t, tx.InheritUnitScope(ctx, db.InheritUnitScopeParams{UnitID: "below", ParentID: "bound"}))
		_, err := tx.UpdateEmployee(ctx, db.UpdateEmployeeParams{
			ID: e.ID, NikSealed: e.NikSealed, NikIndex: e.NikIndex, Name: e.Name, Position: e.Position, Grade: e.Grade, UnitID: "below", Email: e.Email,
			TimeZone: e.TimeZone, Locale: e.Locale, Active: true, UpdatedAt: e.UpdatedAt,
		})
		return err
	}))
	serial := o.ask("GET", "/people/"+o.nip, nil).want(200, "").text("/certificate/serial")
	registration := o.ask("GET", "/registrations?nip="+o.nip, nil).want(200, "").text("/items/0/id")
	if r := o.ask("GET", "/me", nil).want(200, ""); r.text("/unit") != "null" {
		t.Errorf("%s", r.body)
	}

	set := o.client.Settings()
	set.Unit = "bound"
	must(t, o.clients.Change(ctx, o.signer, o.client.ID, set))
	if r := o.ask("GET", "/me", nil).want(200, ""); r.text("/unit") != "B" {
		t.Errorf("%s", r.body)
	}
	if l := o.ask("GET", "/registrations", nil).want(200, ""); l.items() != 1 || l.text("/items/0/person/nip") != o.nip2 {
		t.Errorf("%s", l.body)
	}
	inside := o.ask("GET", "/people/"+o.nip2, nil).want(200, "").text("/certificate/serial")
	o.ask("GET", "/certificates/"+inside, nil).want(200, "")
	if l := o.ask("GET", "/registrations?nip="+o.nip, nil).want(200, ""); l.items() != 0 {
		t.Errorf("%s", l.body)
	}
	for _, path := range []string{
		"/registrations/" + registration, "/people/" + o.nip, "/people/" + o.nip + "/certificates", "/certificates/" + serial, "/documents/" + outside, "/documents/" + outside + "/file",
	} {
		o.ask("GET", path, nil).want(404, "not_found")
	}
	if l := o.ask("GET", "/documents", nil).want(200, ""); l.items() != 0 {
		t.Errorf("%s", l.body)
	}
	o.ask("POST", "/people/lookup", `{"nik":"`+nik+`"}`).want(422, "person_unknown")
	o.ask("POST", "/people/"+o.nip+"/passphrase-reset", nil).want(404, "not_found")
	o.ask("POST", "/registrations", `{"person":{"nip":"`+o.nip+`"},"phone":"0812"}`).want(422, "person_unknown")
	o.ask("POST", "/signings", o.order(signingtest.Passphrase, outside)).want(422, "person_unknown")
	if len(o.stands.reset) != 0 {
		t.Error("somebody outside was reset")
	}

	set.Unit = "nowhere"
	if err := o.clients.Change(ctx, o.signer, o.client.ID, set); !errors.Is(err, apiclient.ErrUnit) {
		t.Errorf("a unit that is not there: %v", err)
	}
}
