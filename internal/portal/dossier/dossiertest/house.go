// Package dossiertest is an installation for the tests of the pages about
// registrations: that of portaltest with a real staff service, units, officers
// with grants, and applicants with scans.
package dossiertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/portal"
	"absah/internal/portal/dossier"
	"absah/internal/portal/portaltest"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

// House is the installation. Unit and Other are below Root.
type House struct {
	*portaltest.World
	Staff             *staff.Service
	Reader            *dossier.Reader
	Root, Unit, Other string

	hr      staff.Officer
	count   int
	mu      sync.Mutex
	viewers map[string]*account.Viewer
}

// New makes a House on a fresh SQLite database.
func New(t testing.TB) *House {
	t.Helper()
	w := portaltest.New(t)
	disk, err := blob.OpenDisk(t.TempDir())
	portaltest.Must(t, err)
	h := &House{World: w, Root: w.Unit, viewers: map[string]*account.Viewer{}}
	h.Staff = &staff.Service{
		Store: w.Store, Vault: w.Vault, Clock: w.Clock.Now, Scans: picture{}, Blobs: blob.Sealed{Store: disk, Vault: w.Vault},
		Cases: w.Svc, Listeners: []staff.ChangeListener{w.Svc},
	}
	w.Svc.People = staff.Applicants{Service: h.Staff}
	h.Reader = &dossier.Reader{Store: w.Store, Enrolment: w.Svc, Staff: h.Staff, Outbox: w.Outbox, Clock: w.Clock.Now}
	h.Unit, h.Other = h.unit("A", "Biro Keuangan Contoh"), h.unit("B", "Biro Umum Contoh")
	h.hr = staff.Officer{Actor: h.Person("Hana Contoh", account.HROfficer, account.Everywhere), Scopes: []string{account.Everywhere}}
	return h
}

var system = audit.Actor{AccountID: "system:test", Role: "system"}

func (h *House) unit(code, name string) string {
	h.T.Helper()
	u, err := h.Staff.CreateUnit(h.T.Context(), system, h.Root, code, name)
	portaltest.Must(h.T, err)
	return u.ID
}

// employee adds an employee of a unit with an account.
func (h *House) employee(name, unit string) (staff.Employee, db.Account) {
	h.T.Helper()
	h.count++
	ctx := h.T.Context()
	e, err := h.Staff.CreateEmployee(ctx, system, staff.Data{
		NIP: fmt.Sprintf("199001012015%02d1%03d", 1+h.count%12, h.count), NIK: fmt.Sprintf("317401010190%04d", h.count), Name: name,
		Position: "Analis Keuangan Contoh", Grade: "Penata Muda / III/a", UnitID: unit,
		Email: fmt.Sprintf("pegawai%d@contoh.example", h.count), BirthPlace: "Jakarta", BirthDate: "1990-01-01", Sex: staff.Male,
	})
	portaltest.Must(h.T, err)
	p := db.InsertAccountParams{
		ID: ident.New(), Username: e.NIP.String(), DisplayName: name, Email: e.Email, State: "active", Locale: "id", CreatedAt: 1,
	}
	p.EmployeeID.String, p.EmployeeID.Valid = e.ID, true
	portaltest.Must(h.T, h.Store.InTx(ctx, func(tx *store.Tx) error { return tx.InsertAccount(ctx, p) }))
	a, err := h.Store.Read().GetAccount(ctx, p.ID)
	portaltest.Must(h.T, err)
	return e, a
}

// Person adds an employee of the root unit with a role over a unit, or
// everywhere; account.Employee is nothing more than an employee.
func (h *House) Person(name string, role account.Role, unit string) audit.Actor {
	h.T.Helper()
	ctx := h.T.Context()
	e, a := h.employee(name, h.Root)
	v := &account.Viewer{Account: a, EmployeeID: e.ID, Session: db.Session{State: account.Full}, TimeZone: "WIB", UnitName: "Bagian Contoh Umum"}
	if role != account.Employee {
		v.Grants = []account.Grant{{Role: role, UnitID: unit}}
		g := db.InsertRoleGrantParams{ID: ident.New(), AccountID: a.ID, Role: string(role), GrantedBy: "test", GrantedAt: 1}
		g.UnitID.String, g.UnitID.Valid = unit, unit != ""
		portaltest.Must(h.T, h.Store.InTx(ctx, func(tx *store.Tx) error { return tx.InsertRoleGrant(ctx, g) }))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.viewers[a.ID] = v
	return audit.Actor{AccountID: a.ID, EmployeeID: e.ID, Role: string(role)}
}

// Officer is a registration officer over a unit.
func (h *House) Officer(name, unit string) enrolment.Checker {
	h.T.Helper()
	c := enrolment.Checker{Actor: h.Person(name, account.RegistrationOfficer, unit)}
	if unit != "" {
		c.Units = []string{unit}
	}
	return c
}

// Applicant adds an employee of a unit whose five prerequisites are valid.
func (h *House) Applicant(name, unit string) audit.Actor {
	h.T.Helper()
	ctx := h.T.Context()
	e, a := h.employee(name, unit)
	who := audit.Actor{AccountID: a.ID, EmployeeID: e.ID, Role: "employee"}
	h.mu.Lock()
	h.viewers[a.ID] = &account.Viewer{Account: a, EmployeeID: e.ID, Session: db.Session{State: account.Full}, TimeZone: "WIB"}
	h.mu.Unlock()
	decisions := map[staff.Field]staff.Decision{}
	for i, kind := range []staff.Field{staff.IDCard, staff.Recommendation, staff.Specimen} {
		_, err := h.Staff.Upload(ctx, who, scan.Input{Kind: scan.Kind(kind), Bytes: Picture(i, e.ID)})
		portaltest.Must(h.T, err)
		decisions[kind] = staff.Decision{Accept: true}
	}
	h.Accept(e.ID, decisions)
	return who
}

// Accept decides the open correction of an employee as its HR unit.
func (h *House) Accept(employeeID string, decisions map[staff.Field]staff.Decision) {
	h.T.Helper()
	ctx := h.T.Context()
	c, err := h.Staff.OpenCorrection(ctx, employeeID)
	portaltest.Must(h.T, err)
	portaltest.Must(h.T, h.Staff.Claim(ctx, h.hr, c.ID, false))
	full, _, err := h.Staff.CorrectionFor(ctx, h.hr, c.ID)
	portaltest.Must(h.T, err)
	portaltest.Must(h.T, h.Staff.Decide(ctx, h.hr, c.ID, full.Version, decisions))
}

// Submit registers an applicant.
func (h *House) Submit(who audit.Actor) db.Registration {
	h.T.Helper()
	r, err := h.Svc.Submit(h.T.Context(), who)
	portaltest.Must(h.T, err)
	return r
}

// Reload is the registration as it stands now.
func (h *House) Reload(id string) db.Registration {
	h.T.Helper()
	r, err := h.Store.Read().GetRegistration(h.T.Context(), id)
	portaltest.Must(h.T, err)
	return r
}

// Enroll takes a registration at New to Enroll, with one as the first officer.
func (h *House) Enroll(one enrolment.Checker, id string) {
	h.T.Helper()
	ctx, link := h.T.Context(), audit.Actor{AccountID: "link"}
	portaltest.Must(h.T, h.Svc.Verify(ctx, one, h.All(id)))
	_, err := h.Svc.SetPassphrase(ctx, link, h.Token(), portaltest.Secret(h.T, portaltest.Good))
	portaltest.Must(h.T, err)
	agreed, err := h.Texts.Current("agreement", "id")
	portaltest.Must(h.T, err)
	private, err := h.Texts.Current("privacy", "id")
	portaltest.Must(h.T, err)
	portaltest.Must(h.T, h.Svc.Accept(ctx, link, enrolment.LinkHolder, id, enrolment.Consent{Locale: "id", Agreement: agreed.Hash, Privacy: private.Hash}))
}

// Issue plays the ca role for a registration at Issuing.
func (h *House) Issue(id string) {
	h.T.Helper()
	ctx := h.T.Context()
	portaltest.Must(h.T, h.Store.InTx(ctx, func(tx *store.Tx) error {
		k, err := tx.LiveCredential(ctx, id)
		if err != nil {
			return err
		}
		spki, now := sha256.Sum256(k.Spki), h.Clock.Now()
		serial := fmt.Sprintf("%x", spki[:16])
		err = tx.InsertCertificateIntent(ctx, db.InsertCertificateIntentParams{
			Serial: serial, RegistrationID: id, CredentialID: k.ID, EmployeeID: k.EmployeeID, Issuer: "ca-issuing-1",
			Profile: "subscriber", Tbs: []byte("tbs"), SpkiHash: spki[:], Subject: "CN=Contoh",
			NotBefore: clock.Micros(now), NotAfter: clock.Micros(now.AddDate(2, 0, 0)), IntendedAt: clock.Micros(now),
		})
		if err != nil {
			return err
		}
		if _, err := tx.StoreCertificate(ctx, db.StoreCertificateParams{Serial: serial, Der: []byte("der"), IssuedAt: clock.Micros(now)}); err != nil {
			return err
		}
		c, err := tx.GetCertificate(ctx, serial)
		if err != nil {
			return err
		}
		return h.Svc.Issued(ctx, tx, id, c)
	}))
}

// Authenticate implements portal.Authenticator; a token is the ID of an account.
func (h *House) Authenticate(_ context.Context, token string, c account.Client, _ bool) (*account.Viewer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.viewers[token]
	if !ok {
		return nil, account.ErrNoSession
	}
	copied := *v
	copied.Address, copied.UserAgent = c.Address, c.UserAgent
	return &copied, nil
}

// Serve puts pages behind the router on a local address.
func (h *House) Serve(routes ...[]web.Route) *httptest.Server {
	h.T.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.Handler = h.Handler("http://"+srv.Listener.Addr().String(), routes...)
	srv.Start()
	h.T.Cleanup(srv.Close)
	return srv
}

// Handler is the router over pages.
func (h *House) Handler(base string, routes ...[]web.Route) http.Handler {
	return portal.New(portal.Config{
		BaseURL: base, Accounts: h, Clock: h.Clock.Now, Log: slog.New(slog.DiscardHandler), DemoMailbox: true,
		Identity: ui.Identity{Product: "Absah", Organisation: "Kementerian Contoh", ServiceDesk: "Servis Desk, pesawat 1500", Demo: true},
	}, routes...)
}

// Picture is a scan, with other bytes for every owner.
func Picture(kind int, owner string) []byte {
	return append(bytes.Clone(drawings()[kind%3]), owner...) // readers stop at the end of the image
}

var drawings = sync.OnceValue(func() (list [3][]byte) {
	for i, paper := range [...]color.RGBA{{198, 219, 236, 255}, {248, 246, 240, 255}, {255, 255, 255, 255}} {
		img := image.NewRGBA(image.Rect(0, 0, 856, 540))
		fill := func(r image.Rectangle, c color.Color) {
			draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
		}
		fill(img.Bounds(), paper)
		for line := range 14 {
			y := 60 + line*32
			fill(image.Rect(60, y, 260+(line*193)%330, y+12), color.RGBA{60, 72, 88, 255})
		}
		fill(image.Rect(650, 120, 800, 330), color.RGBA{150, 160, 170, 255})
		var b bytes.Buffer
		_ = jpeg.Encode(&b, img, nil) // a bytes.Buffer takes everything
		list[i] = b.Bytes()
	}
	return list
})

// picture is a scan.Processor that keeps images as they are.
type picture struct{}

// Process implements scan.Processor.
func (picture) Process(_ context.Context, in scan.Input) (scan.Result, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(in.Bytes))
	return scan.Result{
		Bytes: in.Bytes, MediaType: scan.JPEG, Width: c.Width, Height: c.Height, Pages: 1,
		SHA256: sha256.Sum256(in.Bytes), UploadSHA256: sha256.Sum256(in.Bytes), Thumb: in.Bytes,
	}, err
}

// Grant gives somebody who exists a role everywhere.
func (h *House) Grant(who audit.Actor, role account.Role) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.viewers[who.AccountID]
	v.Grants = append(v.Grants, account.Grant{Role: role, UnitID: account.Everywhere})
	g := db.InsertRoleGrantParams{ID: ident.New(), AccountID: who.AccountID, Role: string(role), GrantedBy: "test", GrantedAt: 1}
	return h.Store.InTx(h.T.Context(), func(tx *store.Tx) error { return tx.InsertRoleGrant(h.T.Context(), g) })
}
