// Package apptest makes installations of the whole program for tests that kill
// it and measure it, and fills them with fictional people who can register at
// once.
package apptest

import (
	"context"
	"crypto/sha256"
	"fmt"

	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Configure gives the configuration of an installation in dir that sends its
// mail to a server on this machine. database is empty for SQLite.
func Configure(dir, database string, mailPort int) config.Config {
	cfg := config.Default()
	cfg.Data, cfg.Database.URL, cfg.Mail.Port = dir, database, mailPort
	return cfg
}

// Estate is who lives in an installation.
type Estate struct {
	Officers []enrolment.Checker // who may check every registration
	People   []audit.Actor       // employees whose five prerequisites are valid
}

// officers is how many there are; more than two so that a claim or a first
// check never leaves a registration without anybody.
const officers = 4

// The NIPs of officer and employee number i. They do not read as dates.
func officerNIP(i int) string { return fmt.Sprintf("99000000%010d", i) }
func personNIP(i int) string  { return fmt.Sprintf("99000001%010d", i) }

// Populate makes the officers and n employees with complete data. Their scans
// are rows without files: nothing here looks at them.
func Populate(ctx context.Context, a *app.App, n int) error {
	who := audit.System("test")
	unit, err := a.Staff.CreateUnit(ctx, who, "", "UJI", "Unit Uji Fiktif")
	if err != nil {
		return fmt.Errorf("make unit: %w", err)
	}
	add := func(nip, name string) error {
		e, err := a.Staff.CreateEmployee(ctx, who, staff.Data{
			NIP: nip, NIK: "3171011201800000", Name: name, Position: "Pelaksana Rekaan", Grade: "III/a - Penata Muda",
			UnitID: unit.ID, Email: "p" + nip + "@contoh.example", BirthPlace: "Kota Rekaan", BirthDate: "1980-01-12", Sex: staff.Male,
		})
		if err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		return a.Store.InTx(ctx, func(tx *store.Tx) error { return giveScans(ctx, tx, e.ID) })
	}
	for i := range officers {
		if err := add(officerNIP(i), fmt.Sprintf("Petugas Fiktif %d", i)); err != nil {
			return err
		}
	}
	for i := range n {
		if err := add(personNIP(i), fmt.Sprintf("Pegawai Fiktif %d", i)); err != nil {
			return err
		}
	}
	return nil
}

func giveScans(ctx context.Context, tx *store.Tx, employeeID string) error {
	for _, kind := range []scan.Kind{scan.IDCard, scan.Recommendation, scan.Specimen} {
		id := ident.New()
		sum := sha256.Sum256([]byte(id))
		err := tx.InsertEvidence(ctx, db.InsertEvidenceParams{
			ID: id, EmployeeID: employeeID, Kind: string(kind), State: string(staff.Current), MediaType: "image/png",
			Width: 800, Height: 500, Pages: 1, Size: 1, Sha256: sum[:], UploadSha256: sum[:], Hints: "[]",
			UploadedBy: "system:test", UploadedAt: clock.Micros(clock.System()),
		})
		if err != nil {
			return fmt.Errorf("give scans: %w", err)
		}
	}
	return nil
}

// Find returns who lives in an installation that Populate filled.
func Find(ctx context.Context, a *app.App) (Estate, error) {
	var out Estate
	q := a.Store.Read()
	actor := func(nip, role string) (audit.Actor, error) {
		e, err := q.GetEmployeeByNIP(ctx, nip)
		return audit.Actor{AccountID: "test:" + e.ID, EmployeeID: e.ID, Role: role, Address: "127.0.0.1", UserAgent: "test"}, err
	}
	for i := range officers {
		who, err := actor(officerNIP(i), string(enrolment.Officer))
		if err != nil {
			return out, fmt.Errorf("find officer %d: %w", i, err)
		}
		out.Officers = append(out.Officers, enrolment.Checker{Actor: who})
	}
	for i := 0; ; i++ {
		who, err := actor(personNIP(i), string(enrolment.Applicant))
		if store.IsNotFound(err) {
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("find employee %d: %w", i, err)
		}
		out.People = append(out.People, who)
	}
}

// Accept gives the check of a registration in which every field is accepted.
func Accept(r db.Registration) enrolment.Check {
	c := enrolment.Check{RegistrationID: r.ID, SnapshotHash: r.SnapshotHash}
	for _, f := range enrolment.Fields {
		c.Fields = append(c.Fields, enrolment.FieldDecision{Field: f, Accepted: true})
	}
	return c
}

// Consent agrees to the texts in force.
func Consent(a *app.App) (enrolment.Consent, error) {
	c := enrolment.Consent{Locale: "id"}
	for kind, hash := range map[string]*[]byte{"agreement": &c.Agreement, "privacy": &c.Privacy} {
		text, err := a.Texts.Current(kind, c.Locale)
		if err != nil {
			return c, fmt.Errorf("read the %s: %w", kind, err)
		}
		*hash = text.Hash
	}
	return c, nil
}
