// Package stafftest gives tests of other packages a small fictional staff.
package stafftest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

// Set is a staff of two levels: Top above Finance, with two employees in
// Finance (Sari, and Budi without any data), an HR officer of Finance and an
// administrator who is no employee.
type Set struct {
	*staff.Service
	Clock        *clock.Fake
	Top, Finance staff.Unit
	Sari, Budi   staff.Employee
	Officer      staff.Employee
	Admin        audit.Actor
	t            testing.TB
	viewers      map[string]*account.Viewer
}

// New makes a Set in an empty database.
func New(t testing.TB, s *store.Store) *Set {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	must(t, err)
	blobs, err := blob.OpenDisk(t.TempDir())
	must(t, err)
	x := &Set{t: t, Clock: clock.NewFake(time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)), viewers: map[string]*account.Viewer{}}
	x.Service = &staff.Service{
		Store: s, Vault: vault, Clock: x.Clock.Now, Scans: Scans{}, Blobs: blob.Sealed{Store: blobs, Vault: vault},
	}
	x.Admin = x.Viewer(staff.Employee{}, account.Administrator, "").Actor(account.Administrator)
	x.Top = x.Unit("", "PUSAT", "Kantor Pusat Contoh")
	x.Finance = x.Unit(x.Top.ID, "KEU", "Biro Keuangan Contoh")
	x.Sari = x.Employee(staff.Data{
		NIP: "199108172015032001", NIK: "3174015708910001", Name: "Sari Contoh, S.E.", Position: "Analis Anggaran", Grade: "III/c / Penata",
		UnitID: x.Finance.ID, Email: "sari@contoh.example", Phone: "081200000001", BirthPlace: "Jakarta", BirthDate: "1991-08-17", Sex: staff.Female,
	})
	x.Budi = x.Employee(staff.Data{NIP: "060012345", Name: "Budi Contoh", UnitID: x.Finance.ID})
	x.Officer = x.Employee(staff.Data{NIP: "198001012005011001", Name: "Petugas Contoh", UnitID: x.Finance.ID, Email: "petugas@contoh.example"})
	return x
}

// Unit adds a unit.
func (x *Set) Unit(parentID, code, name string) staff.Unit {
	x.t.Helper()
	u, err := x.CreateUnit(x.t.Context(), x.Admin, parentID, code, name)
	must(x.t, err)
	return u
}

// Employee adds an employee.
func (x *Set) Employee(d staff.Data) staff.Employee {
	x.t.Helper()
	e, err := x.CreateEmployee(x.t.Context(), x.Admin, d)
	must(x.t, err)
	return e
}

// Viewer is a signed-in account of an employee (none when e is zero) with a
// granted role (none when role is empty) in a unit (everywhere when empty).
func (x *Set) Viewer(e staff.Employee, role account.Role, unitID string) *account.Viewer {
	x.t.Helper()
	name := "admin"
	if e.ID != "" {
		name = e.NIP.String()
	}
	v := x.viewers[name]
	if v == nil {
		v = &account.Viewer{
			Account: db.Account{ID: ident.New(), DisplayName: e.Name, Email: e.Email, Locale: "id"}, EmployeeID: e.ID,
			Session: db.Session{State: account.Full}, TimeZone: "WIB",
		}
		if e.ID == "" {
			v.Account.DisplayName = "Administrator Contoh"
		}
		x.viewers[name] = v
		err := x.Store.InTx(x.t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(x.t.Context(), `insert into account (id, employee_id, username, display_name, email, password_hash, state,
				totp_sealed, totp_step, failed, locked_until, locale, last_login_at, created_at, updated_at)
				values ($1, $2, $3, $4, $5, '', 'active', $6, 0, 0, 0, 'id', 0, 0, 0)`,
				v.Account.ID, nullable(e.ID), name, v.Account.DisplayName, e.Email, []byte{})
			return err
		})
		must(x.t, err)
	}
	if role == "" || v.HasRole(role) {
		return v
	}
	v.Grants = append(v.Grants, account.Grant{ID: ident.New(), Role: role, UnitID: unitID})
	err := x.Store.InTx(x.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(x.t.Context(), `insert into role_grant (id, account_id, role, unit_id, granted_by, granted_at)
			values ($1, $2, $3, $4, 'test', 0)`, ident.New(), v.Account.ID, string(role), nullable(unitID))
		return err
	})
	must(x.t, err)
	return v
}

func nullable(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// Upload uploads a scan that is drawn for the name.
func (x *Set) Upload(e staff.Employee, kind staff.Field, name string) staff.Evidence {
	x.t.Helper()
	who := x.Viewer(e, "", "").Actor(account.Employee)
	ev, err := x.Service.Upload(x.t.Context(), who, scan.Input{Kind: scan.Kind(kind), Bytes: []byte(name)})
	must(x.t, err)
	return ev
}

// Scans stands in for the processing of uploads: every file becomes a plain
// image; one that starts with "!" is refused as damaged, for one with "?" there
// is no room, one with "%" is a PDF.
type Scans struct{}

// Process implements scan.Processor.
func (Scans) Process(_ context.Context, in scan.Input) (scan.Result, error) {
	if bytes.HasPrefix(in.Bytes, []byte("!")) {
		return scan.Result{}, &scan.Error{Code: scan.Damaged}
	}
	if bytes.HasPrefix(in.Bytes, []byte("?")) {
		return scan.Result{}, scan.ErrBusy
	}
	r := scan.Result{Pages: 1, UploadSHA256: sha256.Sum256(in.Bytes), MediaType: scan.JPEG, Width: 856, Height: 540}
	r.Bytes = append(bytes.Clone(card()), in.Bytes...) // readers stop at the end of the image
	r.Thumb = thumb()
	if bytes.HasPrefix(in.Bytes, []byte("%")) {
		r.Bytes, r.MediaType, r.Width, r.Height, r.Thumb = append([]byte("%PDF-1.7\n"), in.Bytes...), scan.PDF, 0, 0, nil
	}
	r.SHA256 = sha256.Sum256(r.Bytes)
	return r, nil
}

// Drawing takes longer than all the rest of an upload.
var (
	card  = sync.OnceValue(func() []byte { return picture(856, 540) })
	thumb = sync.OnceValue(func() []byte { return picture(171, 108) })
)

func picture(w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(180 + 40*y/h), uint8(205 + 30*x/w), 235, 255})
		}
	}
	for y := h / 6; y < h*5/6; y += max(h/9, 1) {
		for x := w / 3; x < w*9/10; x++ {
			for d := range max(h/60, 1) {
				img.Set(x, y+d, color.RGBA{60, 70, 90, 255})
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
