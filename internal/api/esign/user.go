package esign

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/signing"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Staff takes data of employees as proposals that their HR unit decides.
// *staff.Service is one.
type Staff interface {
	Propose(ctx context.Context, who audit.Actor, values map[staff.Field]string) error
	Upload(ctx context.Context, who audit.Actor, in scan.Input) (staff.Evidence, error)
}

// person is an employee whom a call names.
type person struct {
	id string
	db.Employee
}

var errNobody = errors.New("no such person")

// find looks for an employee whom the application knows, by NIK or e-mail address.
// Exactly one counts: a NIK that two share names nobody.
func (d *door) find(ctx context.Context, c *call, nik, email string) (person, error) {
	p, err := d.anybody(ctx, nik, email)
	if err != nil {
		return p, err
	}
	return p, d.knows(ctx, c, p)
}

// knows fails with errNobody for somebody outside of the unit that the application is
// bound to.
func (d *door) knows(ctx context.Context, c *call, p person) error {
	ok, err := c.client.Sees(ctx, d.Store.Read(), p.UnitID)
	if err == nil && !ok {
		err = errNobody
	}
	return err
}

func (d *door) anybody(ctx context.Context, nik, email string) (person, error) {
	var id string
	switch q := d.Store.Read(); {
	case nik != "":
		if len(nik) != 16 || strings.Trim(nik, "0123456789") != "" {
			return person{}, errNobody
		}
		rows, err := d.ByNIK(ctx, q, nik, "")
		if err != nil {
			return person{}, fmt.Errorf("look for a NIK: %w", err)
		}
		if len(rows) != 1 {
			return person{}, errNobody
		}
		id = rows[0].ID
	case email != "":
		rows, err := q.EmployeesByEmail(ctx, db.EmployeesByEmailParams{Email: email})
		if err != nil {
			return person{}, fmt.Errorf("look for an e-mail address: %w", err)
		}
		if len(rows) != 1 {
			return person{}, errNobody
		}
		id = rows[0].ID
	default:
		return person{}, errNobody
	}
	e, err := d.Store.Read().GetEmployee(ctx, id)
	if store.IsNotFound(err) {
		return person{}, errNobody
	}
	if err != nil {
		return person{}, fmt.Errorf("read employee: %w", err)
	}
	return person{id, e}, nil
}

// person is who signs. Real clients send NIK and e-mail together; the NIK counts.
func (d *door) person(ctx context.Context, c *call, nik, email string) (person, error) {
	if nik == "" && email == "" {
		return person{}, &fieldError{field: "nik", code: codeNIK, text: "NIK harus diisi"}
	}
	if c.client.Sandbox {
		return person{id: nik + email}, nil
	}
	p, err := d.find(ctx, c, nik, email)
	if errors.Is(err, errNobody) {
		return p, signing.ErrNotFound
	}
	return p, err
}

// word is a status of the interface.
type word struct {
	code   int
	status string
	text   string
}

var (
	unknown = word{codeNotRegistered, "NOT_REGISTERED", "User belum terdaftar"}
	issued  = word{codeIssue, "ISSUE", "User sudah terdaftar dan memiliki sertifikat dengan status ISSUE"}
)

func state(code int, status string) word {
	return word{code, status, "User sudah terdaftar dan memiliki sertifikat dengan status " + status}
}

// stateOf is where somebody stands, in the words of the interface.
func (d *door) stateOf(ctx context.Context, p person) (word, error) {
	none := word{codeNoCertificate, "NO_CERTIFICATE", "User sudah terdaftar namun belum memiliki Sertifikat Elektronik"}
	if d.Registrar == nil {
		return none, nil
	}
	s, err := d.Registrar.StandingOf(ctx, p.id)
	if err != nil {
		return word{}, err
	}
	if s.Registration == nil {
		return unknown, nil
	}
	switch s.Status {
	case enrolment.New:
		if s.Registration.Kind == "renewal" {
			return state(codeRenew, "RENEW"), nil
		}
		return none, nil
	case enrolment.OnSetPassphrase:
		return state(codeNew, "NEW"), nil
	case enrolment.Enroll, enrolment.Issuing:
		if s.Registration.Kind == "renewal" {
			return state(codeRenew, "RENEW"), nil
		}
		return state(codeWaiting, "WAITING_FOR_VERIFICATION"), nil
	case enrolment.Issue:
		if s.Certificate != nil && s.Certificate.RevokedAt > 0 && s.Certificate.RevocationReason == int64(ca.CertificateHold) {
			return state(codeSuspended, "SUSPEND"), nil
		}
		return issued, nil
	case enrolment.Expired:
		return state(codeExpired, "EXPIRED"), nil
	case enrolment.Revoked:
		return state(codeRevoked, "REVOKE"), nil
	case enrolment.Returned:
		return none, nil
	}
	return unknown, nil // rejected or withdrawn: as the guide's sentence says
}

// statusV1 answers GET /api/user/status/{nik}; status_code is a number there.
func (d *door) statusV1(w http.ResponseWriter, r *http.Request, c *call) error {
	s, err := d.status(r.Context(), c, r.PathValue("nik"), "")
	if err != nil {
		return err
	}
	d.json(w, http.StatusOK, map[string]any{"status_code": s.code, "status": s.status, "message": s.text})
	return nil
}

// statusV2 answers POST /api/v2/user/check/status; status_code is a string there.
func (d *door) statusV2(w http.ResponseWriter, r *http.Request, c *call) error {
	nik, email := c.fields.get("nik"), c.fields.get("email")
	if nik == "" && email == "" {
		return &fieldError{field: "nik", code: codeNIK, text: "NIK harus diisi"}
	}
	s, err := d.status(r.Context(), c, nik, email)
	if err != nil {
		return err
	}
	if s == unknown {
		s.code = codeUnknown
	}
	d.json(w, http.StatusOK, map[string]any{"status_code": strconv.Itoa(s.code), "status": s.status, "message": s.text})
	return nil
}

func (d *door) status(ctx context.Context, c *call, nik, email string) (word, error) {
	if c.client.Sandbox {
		return d.Sandbox.status(nik), nil
	}
	p, err := d.find(ctx, c, nik, email)
	if errors.Is(err, errNobody) {
		return unknown, nil
	}
	if err != nil {
		return word{}, err
	}
	return d.stateOf(ctx, p)
}

// profile answers with what an office may know of its employee.
func (d *door) profile(w http.ResponseWriter, r *http.Request, c *call) error {
	if c.client.Sandbox {
		d.sandboxProfile(w, r.PathValue("nik"))
		return nil
	}
	p, err := d.find(r.Context(), c, r.PathValue("nik"), "")
	if errors.Is(err, errNobody) {
		d.json(w, http.StatusOK, map[string]any{"status_code": codeNotRegistered, "status": "NOT REGISTERED", "message": unknown.text})
		return nil
	}
	if err != nil {
		return err
	}
	s, err := d.stateOf(r.Context(), p)
	if err != nil {
		return err
	}
	d.json(w, http.StatusOK, map[string]any{
		"success": true, "nama": p.Name, "nip": p.Nip, "jabatan": p.Position, "email": p.Email, "status": s.status, "status_code": s.code, "message": s.text,
	})
	return nil
}

// behalf is the application acting for an employee: what it sends waits for the
// HR unit, as if the employee had sent it.
func (c *call) behalf(p person) audit.Actor {
	a := c.actor
	a.EmployeeID = p.id
	return a
}

// register takes the data of an employee and his scans as a correction that the HR
// unit decides; then the employee registers. Who is not on the staff cannot be
// registered by an application.
func (d *door) register(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx, f := r.Context(), c.fields
	nik, email := f.get("nik"), f.get("email")
	if nik == "" && email == "" {
		return &fieldError{field: "nik", code: codeNIK, text: "NIK harus diisi"}
	}
	if c.client.Sandbox {
		d.json(w, http.StatusOK, map[string]any{"message": "Pendaftaran berhasil"})
		return nil
	}
	p, err := d.find(ctx, c, nik, "")
	if errors.Is(err, errNobody) {
		p, err = d.byNIP(ctx, c, f.get("nip"), email)
	}
	if errors.Is(err, errNobody) {
		return &fieldError{field: "nip", code: codeData, text: "Data tidak sesuai ketentuan : pegawai tidak ditemukan. Isi 'nip' pegawai yang sudah ada di data kepegawaian"}
	}
	if err != nil {
		return err
	}
	s, err := d.stateOf(ctx, p)
	if err != nil {
		return err
	}
	if s.code == codeIssue || s.code == codeWaiting || s.code == codeNew || s.code == codeRenew {
		return refused(codeRegistered, "NIK telah terdaftar")
	}
	if err := d.propose(ctx, c.behalf(p), f); err != nil {
		return err
	}
	d.json(w, http.StatusOK, map[string]any{"message": "Pendaftaran berhasil"})
	return nil
}

func (d *door) byNIP(ctx context.Context, c *call, nip, email string) (person, error) {
	if nip = strings.ReplaceAll(nip, " ", ""); nip == "" {
		return d.find(ctx, c, "", email)
	}
	e, err := d.Store.Read().GetEmployeeByNIP(ctx, nip)
	if store.IsNotFound(err) {
		return person{}, errNobody
	}
	if err != nil {
		return person{}, fmt.Errorf("look for a NIP: %w", err)
	}
	p := person{e.ID, e}
	return p, d.knows(ctx, c, p)
}

func (d *door) propose(ctx context.Context, who audit.Actor, f *fields) error {
	values := map[staff.Field]string{}
	for field, name := range map[staff.Field]string{staff.NIK: "nik", staff.Email: "email", staff.Phone: "nomor_telepon"} {
		if v := f.get(name); v != "" {
			values[field] = v
		}
	}
	if len(values) > 0 {
		if err := d.Staff.Propose(ctx, who, values); err != nil && !errors.Is(err, staff.ErrNothing) {
			return err
		}
	}
	for name, kind := range map[string]scan.Kind{"ktp": scan.IDCard, "surat_rekomendasi": scan.Recommendation, "image_ttd": scan.Specimen} {
		for _, up := range f.files[name] {
			if _, err := d.Staff.Upload(ctx, who, scan.Input{Kind: kind, Bytes: up.bytes}); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget is Reset PIN DS: nobody can open a key without its passphrase, so the
// certificate is revoked and a link to a new key goes out.
func (d *door) forget(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx := r.Context()
	if c.client.Sandbox {
		if d.Sandbox.status(r.PathValue("nik")) == unknown {
			return refused(codeUnknown, "User tidak terdaftar")
		}
		d.json(w, http.StatusOK, map[string]any{"success": true, "message": "Tautan pembuatan passphrase baru dikirim ke e-mail pemilik"})
		return nil
	}
	p, err := d.find(ctx, c, r.PathValue("nik"), "")
	if errors.Is(err, errNobody) || err == nil && d.Registrar == nil {
		return refused(codeUnknown, "User tidak terdaftar")
	}
	if err != nil {
		return err
	}
	if _, err := d.Registrar.ResetPIN(ctx, c.behalf(p), false); err != nil {
		var no *enrolment.NotAllowedError
		if errors.As(err, &no) {
			return refused(codeData, "Reset PIN belum dapat dilakukan: permohonan sebelumnya masih berjalan")
		}
		return err
	}
	d.json(w, http.StatusOK, map[string]any{"success": true, "message": "Tautan pembuatan passphrase baru dikirim ke e-mail pemilik"})
	return nil
}

// chain gives the certificate of somebody and those above it, in base64 of DER,
// by NIK, e-mail address or NIP.
func (d *door) chain(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx, id := r.Context(), r.PathValue("id")
	var p person
	var err error
	switch {
	case c.client.Sandbox:
		list, err := d.Sandbox.chain()
		if err != nil {
			return err
		}
		d.json(w, http.StatusOK, map[string]any{"success": true, "data": list})
		return nil
	case strings.Contains(id, "@"):
		p, err = d.find(ctx, c, "", id)
	case len(id) == 16:
		p, err = d.find(ctx, c, id, "")
	default:
		p, err = d.byNIP(ctx, c, id, "")
	}
	if errors.Is(err, errNobody) {
		return refused(codeUnknown, "User tidak terdaftar")
	}
	if err != nil {
		return err
	}
	q := d.Store.Read()
	reg, err := q.IssuedRegistration(ctx, p.id)
	if store.IsNotFound(err) {
		return refused(codeNoCertificate, "User sudah terdaftar namun belum memiliki Sertifikat Elektronik")
	}
	if err != nil {
		return fmt.Errorf("look for the certificate: %w", err)
	}
	cert, err := q.CertificateOfRegistration(ctx, reg.ID)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	out := []string{base64.StdEncoding.EncodeToString(cert.Der)}
	for _, above := range d.Chain() {
		out = append(out, base64.StdEncoding.EncodeToString(above.Raw))
	}
	d.json(w, http.StatusOK, map[string]any{"success": true, "data": out})
	return nil
}
