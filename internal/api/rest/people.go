package rest

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"absah/internal/apidoc"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// reference names an employee by exactly one of its fields.
type reference struct {
	NIP   string `json:"nip"`
	NIK   string `json:"nik"`
	Email string `json:"email"`
}

func (r reference) text() string { return r.NIP + r.NIK + r.Email }

// person is an employee as the interface shows one.
type personBody struct {
	ID       string `json:"id"`
	NIP      string `json:"nip"`
	Name     string `json:"name"`
	Position string `json:"position"`
	Unit     string `json:"unit"`
	Active   bool   `json:"active"`
}

// find looks for an employee whom the application knows; a NIK or an address that two
// share names nobody. It fails with errNobody.
func (d *door) find(ctx context.Context, c *call, r reference) (db.Employee, error) {
	e, err := d.anybody(ctx, r)
	if err != nil {
		return e, err
	}
	return e, d.knows(ctx, c, e)
}

// knows fails with errNobody for somebody outside of the unit that the application is
// bound to.
func (d *door) knows(ctx context.Context, c *call, e db.Employee) error {
	ok, err := c.client.Sees(ctx, d.Store.Read(), e.UnitID)
	if err == nil && !ok {
		err = errNobody
	}
	return err
}

func (d *door) anybody(ctx context.Context, r reference) (db.Employee, error) {
	q := d.Store.Read()
	id := ""
	switch {
	case r.NIP != "":
		e, err := q.GetEmployeeByNIP(ctx, r.NIP)
		if store.IsNotFound(err) {
			return e, errNobody
		}
		if err != nil {
			return e, fmt.Errorf("look for a NIP: %w", err)
		}
		return e, nil
	case r.NIK != "":
		rows, err := d.ByNIK(ctx, q, r.NIK, "")
		if err != nil {
			return db.Employee{}, fmt.Errorf("look for a NIK: %w", err)
		}
		if len(rows) == 1 {
			id = rows[0].ID
		}
	case r.Email != "":
		rows, err := q.EmployeesByEmail(ctx, db.EmployeesByEmailParams{Email: r.Email})
		if err != nil {
			return db.Employee{}, fmt.Errorf("look for an e-mail address: %w", err)
		}
		if len(rows) == 1 {
			id = rows[0].ID
		}
	}
	if id == "" {
		return db.Employee{}, errNobody
	}
	e, err := q.GetEmployee(ctx, id)
	if err != nil {
		return e, fmt.Errorf("read employee: %w", err)
	}
	return e, nil
}

// named is find for a person in the body: who is not there is a wrong field.
func (d *door) named(ctx context.Context, c *call, r reference, pointer string) (db.Employee, error) {
	e, err := d.find(ctx, c, r)
	if errors.Is(err, errNobody) {
		return e, problem("person_unknown").at(pointer, "person_unknown")
	}
	return e, err
}

func (d *door) personOf(ctx context.Context, e db.Employee) (personBody, error) {
	u, err := d.Store.Read().GetUnit(ctx, e.UnitID)
	if err != nil {
		return personBody{}, fmt.Errorf("read unit: %w", err)
	}
	return personBody{e.ID, e.Nip, e.Name, e.Position, u.Name, e.Active}, nil
}

// stateBody is where somebody stands, in a word and in the guide's sentence.
type stateBody struct {
	Code  string  `json:"code"`
	Text  string  `json:"text"`
	Since *string `json:"since"`
}

// sentence is the guide's sentence of a standing; the first three are its words.
func sentence(s enrolment.Sentence) apidoc.Text {
	switch s {
	case enrolment.InProgress:
		return apidoc.Text{ID: "user telah terdaftar dan masih dalam proses penerbitan sertifikat elektronik", EN: "registered, the certificate is being issued"}
	case enrolment.HasCert:
		return apidoc.Text{ID: "user telah terdaftar dan memiliki sertifikat elektronik", EN: "registered, with a certificate"}
	case enrolment.WasRevoked:
		return apidoc.Text{ID: "sertifikat elektronik user telah dicabut", EN: "the certificate was revoked"}
	case enrolment.WasExpired:
		return apidoc.Text{ID: "masa berlaku sertifikat elektronik user telah berakhir", EN: "the certificate has expired"}
	case enrolment.IsSuspended:
		return apidoc.Text{ID: "sertifikat elektronik user sedang ditangguhkan", EN: "the certificate is suspended"}
	}
	return apidoc.Text{ID: "user belum terdaftar", EN: "not registered"}
}

type registrationLink struct {
	ID        string `json:"id"`
	Reference string `json:"reference"`
	Status    string `json:"status"`
}

type signingState struct {
	Able     bool    `json:"able"`
	Problem  *string `json:"problem"`
	Detail   *string `json:"detail"`
	Attempts *int    `json:"attempts_left"`
}

type personState struct {
	Person       personBody        `json:"person"`
	Status       stateBody         `json:"status"`
	Registration *registrationLink `json:"registration"`
	Certificate  *certificateBody  `json:"certificate"`
	Signing      signingState      `json:"signing"`
}

// showPerson tells where an employee stands, GET /people/{nip}.
func (d *door) showPerson(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return ok(d.pretend(c, c.path("nip")))
	}
	e, err := d.find(ctx, c, reference{NIP: c.path("nip")})
	if errors.Is(err, errNobody) {
		return nil, problem("not_found")
	}
	if err != nil {
		return nil, err
	}
	return d.stateOf(ctx, c, e)
}

// lookUpPerson is showPerson by what may not stand in an address, POST
// /people/lookup.
func (d *door) lookUpPerson(ctx context.Context, c *call) (*answer, error) {
	var in reference
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if c.client.Sandbox {
		return ok(d.pretend(c, in.text()))
	}
	e, err := d.find(ctx, c, in)
	if err != nil {
		return nil, err
	}
	return d.stateOf(ctx, c, e)
}

func (d *door) stateOf(ctx context.Context, c *call, e db.Employee) (*answer, error) {
	var out personState
	var err error
	if out.Person, err = d.personOf(ctx, e); err != nil {
		return nil, err
	}
	s, err := d.Registrar.StandingOf(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	out.Status = stateBody{string(s.Sentence), sentence(s.Sentence).In(c.lang), maybe(s.Since)}
	if s.Sentence == "" {
		out.Status.Code = string(enrolment.Unregistered)
	}
	if s.Registration != nil {
		out.Registration = &registrationLink{s.Registration.ID, s.Registration.Reference, string(s.Status)}
	}
	if s.Certificate != nil {
		if out.Certificate, err = d.certificateOf(*s.Certificate, false); err != nil {
			return nil, err
		}
	}
	can, err := d.Signing.Standing(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	out.Signing.Able = can.Err == nil
	if can.CredentialID != "" {
		out.Signing.Attempts = &can.Left
	}
	if can.Err != nil {
		code := problemOf(can.Err).code
		if lock := codeOf(signing.Problem(can.Err)); code == "internal" && lock == "internal" {
			code = "passphrase_locked" // the guard's own error
		}
		kind, _ := apidoc.ProblemOf(code)
		title := kind.Title.In(c.lang)
		out.Signing.Problem, out.Signing.Detail = &code, &title
	}
	return ok(out)
}

// certificateBody is a certificate; PEM and Chain are there where one is asked
// for.
type certificateBody struct {
	Serial    string   `json:"serial"`
	Subject   string   `json:"subject"`
	Issuer    string   `json:"issuer"`
	NotBefore string   `json:"not_before"`
	NotAfter  string   `json:"not_after"`
	Status    string   `json:"status"`
	RevokedAt *string  `json:"revoked_at"`
	Algorithm string   `json:"algorithm"`
	SHA256    string   `json:"sha256"`
	PEM       string   `json:"pem,omitempty"`
	Chain     []string `json:"chain,omitempty"`
}

func (d *door) certificateOf(row db.Certificate, whole bool) (*certificateBody, error) {
	c, err := x509.ParseCertificate(row.Der)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s: %w", row.Serial, err)
	}
	sum := sha256.Sum256(row.Der)
	out := &certificateBody{
		Serial: row.Serial, Subject: c.Subject.String(), Issuer: c.Issuer.String(), NotBefore: moment(c.NotBefore), NotAfter: moment(c.NotAfter),
		Status: certificateStatus(row, d.Clock()), Algorithm: c.SignatureAlgorithm.String(), SHA256: hex.EncodeToString(sum[:]),
	}
	if row.RevokedAt > 0 {
		out.RevokedAt = maybe(clock.FromMicros(row.RevokedAt))
	}
	if whole {
		out.PEM = pemOf(row.Der)
		for _, above := range d.Chain() {
			out.Chain = append(out.Chain, pemOf(above.Raw))
		}
	}
	return out, nil
}

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func certificateStatus(c db.Certificate, now time.Time) string {
	switch {
	case c.RevokedAt > 0 && c.RevocationReason == int64(ca.CertificateHold):
		return "suspended"
	case c.RevokedAt > 0:
		return "revoked"
	case now.After(clock.FromMicros(c.NotAfter)):
		return "expired"
	case now.Before(clock.FromMicros(c.NotBefore)):
		return "not_yet_valid"
	}
	return "valid"
}

// listCertificates lists those of an employee, GET /people/{nip}/certificates.
func (d *door) listCertificates(ctx context.Context, c *call) (*answer, error) {
	e, err := d.find(ctx, c, reference{NIP: c.path("nip")})
	if errors.Is(err, errNobody) {
		return nil, problem("not_found")
	}
	if err != nil {
		return nil, err
	}
	rows, err := d.Store.Read().CertificatesOfEmployee(ctx, e.ID)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	out := []*certificateBody{}
	for _, r := range rows {
		if len(r.Der) == 0 {
			continue // intended and not signed
		}
		one, err := d.certificateOf(r, false)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return ok(map[string]any{"items": out})
}

// showCertificate gives one with those above it, GET /certificates/{serial}.
func (d *door) showCertificate(ctx context.Context, c *call) (*answer, error) {
	row, err := d.Store.Read().GetCertificate(ctx, c.path("serial"))
	if store.IsNotFound(err) || err == nil && len(row.Der) == 0 {
		return nil, problem("not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	if c.client.Unit != "" {
		e, err := d.Store.Read().GetEmployee(ctx, row.EmployeeID)
		if err == nil {
			err = d.knows(ctx, c, e)
		}
		if store.IsNotFound(err) || errors.Is(err, errNobody) {
			return nil, problem("not_found")
		}
		if err != nil {
			return nil, fmt.Errorf("look whose certificate it is: %w", err)
		}
	}
	out, err := d.certificateOf(row, true)
	if err != nil {
		return nil, err
	}
	return ok(out)
}
