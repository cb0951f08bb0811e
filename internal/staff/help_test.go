package staff

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/hint"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/scan"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// fixture is a service on one database with a small institution:
//
//	PUSAT
//	├── KEU (hr: officer)
//	│   └── KEU-1 (staff: sari)
//	└── SDM
type fixture struct {
	*Service
	t                   testing.TB
	clock               *clock.Fake
	blobs               blob.Store
	mails               *mails
	heard               *listener
	accounts            *accounts
	top, keu, keu1, sdm Unit
	sari, officer       Employee
	admin               audit.Actor
}

func each(t *testing.T, f func(t *testing.T, x *fixture)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		t.Parallel()
		f(t, newFixture(t, s))
	})
}

func newFixture(t testing.TB, s *store.Store) *fixture {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	x := &fixture{
		t: t, clock: clock.NewFake(time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)), blobs: blobs,
		mails: &mails{}, heard: &listener{}, accounts: &accounts{},
		admin: audit.Actor{AccountID: "admin", Role: "administrator"},
	}
	x.Service = &Service{
		Store: s, Vault: vault, Clock: x.clock.Now, Scans: copier{}, Blobs: blob.Sealed{Store: blobs, Vault: vault},
		Accounts: x.accounts, Courier: x.mails, Listeners: []ChangeListener{x.heard},
	}
	x.top = x.unit("", "PUSAT", "Kantor Pusat")
	x.keu = x.unit(x.top.ID, "KEU", "Biro Keuangan")
	x.keu1 = x.unit(x.keu.ID, "KEU-1", "Bagian Anggaran")
	x.sdm = x.unit(x.top.ID, "SDM", "Biro SDM")
	x.sari = x.employee(Data{NIP: "199108172015032001", NIK: "3174015708910001", Name: "Sari Contoh", UnitID: x.keu1.ID,
		Email: "Sari.Contoh@contoh.example", BirthPlace: "Jakarta", BirthDate: "1991-08-17", Sex: Female})
	x.officer = x.employee(Data{NIP: "198001012005011001", Name: "Petugas Contoh", UnitID: x.keu.ID, Email: "petugas@contoh.example"})
	x.heard.employees, x.heard.count = nil, 0
	return x
}

func (x *fixture) unit(parent, code, name string) Unit {
	x.t.Helper()
	u, err := x.CreateUnit(x.t.Context(), x.admin, parent, code, name)
	if err != nil {
		x.t.Fatal(err)
	}
	return u
}

func (x *fixture) employee(d Data) Employee {
	x.t.Helper()
	e, err := x.CreateEmployee(x.t.Context(), x.admin, d)
	if err != nil {
		x.t.Fatal(err)
	}
	return e
}

// grant makes an account with the HR role for an employee.
func (x *fixture) grant(e Employee, unit Unit) Officer {
	x.t.Helper()
	account := ident.New()
	err := x.Store.InTx(x.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(x.t.Context(), `insert into account (id, employee_id, username, display_name, email, password_hash, state,
			totp_sealed, totp_step, failed, locked_until, locale, last_login_at, created_at, updated_at)
			values ($1, $2, $3, $4, $5, '', 'active', $6, 0, 0, 0, 'id', 0, 0, 0)`,
			account, e.ID, e.NIP.String(), e.Name, e.Email, []byte{})
		if err != nil {
			return err
		}
		_, err = tx.Exec(x.t.Context(), `insert into role_grant (id, account_id, role, unit_id, granted_by, granted_at)
			values ($1, $2, 'hr_officer', $3, 'test', 0)`, ident.New(), account, unit.ID)
		return err
	})
	if err != nil {
		x.t.Fatal(err)
	}
	return Officer{Actor: audit.Actor{AccountID: account, EmployeeID: e.ID, Role: RoleHROfficer}, Scopes: []string{unit.ID}}
}

func self(e Employee) audit.Actor {
	return audit.Actor{AccountID: "account-of-" + e.ID, EmployeeID: e.ID, Role: RoleEmployee}
}

// upload uploads a file whose content is text.
func (x *fixture) upload(e Employee, kind Field, text string) Evidence {
	x.t.Helper()
	ev, err := x.Upload(x.t.Context(), self(e), scan.Input{Kind: scan.Kind(kind), Bytes: []byte(text)})
	if err != nil {
		x.t.Fatal(err)
	}
	return ev
}

func (x *fixture) open(e Employee) *Correction {
	x.t.Helper()
	c, err := x.OpenCorrection(x.t.Context(), e.ID)
	if err != nil {
		x.t.Fatal(err)
	}
	return c
}

// copier is a Processor that keeps the bytes; the first letter "!" is refused,
// and files without a thumbnail start with "%".
type copier struct{}

func (copier) Process(_ context.Context, in scan.Input) (scan.Result, error) {
	if bytes.HasPrefix(in.Bytes, []byte("!")) {
		return scan.Result{}, &scan.Error{Code: scan.Damaged}
	}
	r := scan.Result{
		Bytes: append([]byte("stored "), in.Bytes...), MediaType: scan.JPEG, Width: 10, Height: 10, Pages: 1,
		UploadSHA256: sha256.Sum256(in.Bytes), Thumb: []byte("thumb"),
		Hints: []hint.Hint{{Code: hint.ScanBlurred, Severity: hint.Warning}},
	}
	if bytes.HasPrefix(in.Bytes, []byte("%")) {
		r.MediaType, r.Thumb = scan.PDF, nil
	}
	r.SHA256 = sha256.Sum256(r.Bytes)
	return r, nil
}

type mails struct {
	submitted []SubmittedNotice
	decided   []DecidedNotice
}

func (m *mails) CorrectionSubmitted(_ context.Context, _ *store.Tx, n SubmittedNotice) error {
	m.submitted = append(m.submitted, n)
	return nil
}

func (m *mails) CorrectionDecided(_ context.Context, _ *store.Tx, n DecidedNotice) error {
	m.decided = append(m.decided, n)
	return nil
}

// listener counts and can refuse, so that a test sees what is rolled back.
type listener struct {
	employees []string
	count     int
	err       error
}

func (l *listener) EmployeeChanged(_ context.Context, _ *store.Tx, id string, _ audit.Actor) error {
	l.employees = append(l.employees, id)
	l.count++
	return l.err
}

type accounts struct{ opened []string }

func (a *accounts) OpenEmployeeAccount(_ context.Context, _ *store.Tx, e Employee, _ audit.Actor) error {
	a.opened = append(a.opened, e.ID)
	return nil
}

func auditActions(t *testing.T, s *store.Store) []string {
	t.Helper()
	rows, err := s.Read().ListAudit(t.Context(), db.ListAuditParams{MaxRows: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range rows {
		list = append(list, r.Action)
	}
	return list
}

// long asks for the sizes that take minutes.
var long = os.Getenv("ABSAH_LONG") == "1"
