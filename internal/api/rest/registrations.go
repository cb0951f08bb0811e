package rest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

type registrationBody struct {
	ID          string     `json:"id"`
	Reference   string     `json:"reference"`
	Kind        string     `json:"kind"`
	Status      string     `json:"status"`
	Turn        string     `json:"turn"`
	SubmittedAt string     `json:"submitted_at"`
	Since       string     `json:"since"`
	UpdatedAt   string     `json:"updated_at"`
	Person      personBody `json:"person"`
}

type registrationDetail struct {
	registrationBody
	State       stateBody        `json:"state"`
	LockedOut   bool             `json:"locked_out"`
	UsualWait   *waitBody        `json:"usual_wait"`
	Certificate *certificateBody `json:"certificate"`
	Timeline    []eventBody      `json:"timeline"`
}

type waitBody struct {
	Median int64 `json:"median_seconds"`
	P95    int64 `json:"p95_seconds"`
}

type eventBody struct {
	At     string  `json:"at"`
	Action string  `json:"action"`
	From   string  `json:"from"`
	To     string  `json:"to"`
	Role   string  `json:"role"`
	Reason *string `json:"reason"`
}

// listRegistrations lists registrations, the one submitted last first, GET
// /registrations.
func (d *door) listRegistrations(ctx context.Context, c *call) (*answer, error) {
	p, err := c.page(ctx)
	if err != nil {
		return nil, err
	}
	q := db.RegistrationsSubmittedParams{ScopeID: c.client.Unit, Status: c.query("status"), Before: p.before, BeforeID: p.beforeID, MaxRows: int32(p.limit) + 1}
	if nip := c.query("nip"); nip != "" {
		e, err := d.find(ctx, c, reference{NIP: nip})
		if errors.Is(err, errNobody) {
			return list(ctx, c, p, []registrationBody{}, nil)
		}
		if err != nil {
			return nil, err
		}
		q.EmployeeID = e.ID
	}
	if since := c.query("updated_since"); since != "" {
		t, err := time.Parse(time.RFC3339, since)
		if err != nil { // the document says so already
			return nil, problem("invalid_fields")
		}
		q.Since = clock.Micros(t)
	}
	rows, err := d.Store.Read().RegistrationsSubmitted(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list registrations: %w", err)
	}
	out, at := make([]registrationBody, len(rows)), map[string]time.Time{}
	for i, r := range rows {
		at[r.ID] = clock.FromMicros(r.SubmittedAt)
		out[i] = registrationBody{
			r.ID, r.Reference, r.Kind, r.Status, string(enrolment.TurnOf(enrolment.Status(r.Status))), moment(clock.FromMicros(r.SubmittedAt)),
			moment(clock.FromMicros(r.StatusSince)), moment(clock.FromMicros(r.UpdatedAt)),
			personBody{r.EmployeeID, r.Nip, r.Name, r.Position, r.UnitName, r.Active},
		}
	}
	return list(ctx, c, p, out, func(b registrationBody) (time.Time, string) { return at[b.ID], b.ID })
}

// showRegistration gives one with its timeline, GET /registrations/{id}; its
// reference serves as well.
func (d *door) showRegistration(ctx context.Context, c *call) (*answer, error) {
	q, id := d.Store.Read(), c.path("id")
	r, err := q.GetRegistration(ctx, id)
	if store.IsNotFound(err) {
		r, err = q.GetRegistrationByReference(ctx, id)
	}
	if store.IsNotFound(err) {
		return nil, problem("not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("read registration: %w", err)
	}
	e, err := q.GetEmployee(ctx, r.EmployeeID)
	if err != nil {
		return nil, fmt.Errorf("read employee: %w", err)
	}
	if err := d.knows(ctx, c, e); errors.Is(err, errNobody) {
		return nil, problem("not_found")
	} else if err != nil {
		return nil, err
	}
	s, err := d.Registrar.StandingFor(ctx, r)
	if err != nil {
		return nil, err
	}
	person, err := d.personOf(ctx, e)
	if err != nil {
		return nil, err
	}
	out := registrationDetail{
		registrationBody: registrationBody{
			r.ID, r.Reference, r.Kind, r.Status, string(s.Turn), moment(clock.FromMicros(r.SubmittedAt)), moment(clock.FromMicros(r.StatusSince)),
			moment(clock.FromMicros(r.UpdatedAt)), person,
		},
		State: stateBody{string(s.Sentence), sentence(s.Sentence).In(c.lang), maybe(s.Since)}, LockedOut: s.LockedOut, Timeline: []eventBody{},
	}
	if s.Wait != nil {
		out.UsualWait = &waitBody{int64(s.Wait.Median.Seconds()), int64(s.Wait.P95.Seconds())}
	}
	if s.Certificate != nil {
		if out.Certificate, err = d.certificateOf(*s.Certificate, false); err != nil {
			return nil, err
		}
	}
	for _, h := range s.History {
		one := eventBody{At: moment(clock.FromMicros(h.At)), Action: h.Action, From: h.FromStatus, To: h.ToStatus, Role: h.ActorRole}
		if h.ReasonCode != "" {
			one.Reason = &h.ReasonCode
		}
		out.Timeline = append(out.Timeline, one)
	}
	return ok(out)
}

type registrationOrder struct {
	Person reference   `json:"person"`
	NIK    string      `json:"nik"`
	Email  string      `json:"email"`
	Phone  string      `json:"phone"`
	Scans  []scanOrder `json:"scans"`
}

type scanOrder struct {
	Kind string `json:"kind"`
	Data string `json:"data"`
}

type registrationOffer struct {
	Person       personBody        `json:"person"`
	Correction   *correctionBody   `json:"correction"`
	Registration *registrationLink `json:"registration"`
}

type correctionBody struct {
	Reference string   `json:"reference"`
	State     string   `json:"state"`
	Waiting   []string `json:"waiting"`
}

// orderRegistration takes data and scans of an employee as a correction that the
// HR unit decides, as the employee would have sent them, POST /registrations. The
// employee registers himself: nobody can set his passphrase for him.
func (d *door) orderRegistration(ctx context.Context, c *call) (*answer, error) {
	var in registrationOrder
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	e, err := d.named(ctx, c, in.Person, "/person")
	if err != nil {
		return nil, err
	}
	s, err := d.Registrar.StandingOf(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	switch s.Status {
	case enrolment.OnSetPassphrase, enrolment.Enroll, enrolment.Issuing, enrolment.Issue:
		return nil, problem("registration_exists")
	}
	scans, err := in.scans()
	if err != nil {
		return nil, err
	}
	who, values := c.behalf(e.ID), map[staff.Field]string{}
	for field, v := range map[staff.Field]string{staff.NIK: in.NIK, staff.Email: in.Email, staff.Phone: in.Phone} {
		if v != "" {
			values[field] = v
		}
	}
	if len(values) > 0 {
		if err := d.Staff.Propose(ctx, who, values); err != nil && !(errors.Is(err, staff.ErrNothing) && (len(scans) > 0 || c.again)) {
			return nil, err
		}
	}
	for _, one := range scans {
		if _, err := d.Staff.Upload(ctx, who, one); err != nil {
			return nil, err
		}
	}
	return d.offer(ctx, e, s)
}

func (o *registrationOrder) scans() ([]scan.Input, error) {
	var out []scan.Input
	for i, s := range o.Scans {
		b, err := base64.StdEncoding.DecodeString(s.Data)
		if err != nil {
			return nil, problem("invalid_fields").at(fmt.Sprintf("/scans/%d/data", i), "unreadable")
		}
		out = append(out, scan.Input{Kind: scan.Kind(s.Kind), Bytes: b})
	}
	return out, nil
}

func (d *door) offer(ctx context.Context, e db.Employee, s enrolment.Standing) (*answer, error) {
	var out registrationOffer
	var err error
	if out.Person, err = d.personOf(ctx, e); err != nil {
		return nil, err
	}
	open, err := d.Staff.OpenCorrection(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	if open != nil {
		out.Correction = &correctionBody{Reference: open.Reference, State: string(open.State), Waiting: []string{}}
		for _, i := range open.Waiting() {
			out.Correction.Waiting = append(out.Correction.Waiting, string(i.Field))
		}
	}
	if s.Registration != nil {
		out.Registration = &registrationLink{s.Registration.ID, s.Registration.Reference, string(s.Status)}
	}
	a, err := with(http.StatusAccepted, out)
	if err == nil {
		a.location = "/people/" + e.Nip
	}
	return a, err
}

// resetPassphrase is Reset PIN DS, POST /people/{nip}/passphrase-reset: nobody can
// open a key without its passphrase, so that the certificate is revoked and a link
// to a new key goes to its owner.
func (d *door) resetPassphrase(ctx context.Context, c *call) (*answer, error) {
	e, err := d.find(ctx, c, reference{NIP: c.path("nip")})
	if errors.Is(err, errNobody) {
		return nil, problem("not_found")
	}
	if err != nil {
		return nil, err
	}
	var r db.Registration
	if c.again {
		// An earlier attempt was cut off: when the new registration is there, it is
		// that one's.
		s, err := d.Registrar.StandingOf(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		if s.Registration != nil && s.Registration.Kind == string(enrolment.Reset) && s.Status.Open() {
			r = *s.Registration
		}
	}
	if r.ID == "" {
		if r, err = d.Registrar.ResetPIN(ctx, c.behalf(e.ID), false); err != nil {
			return nil, err
		}
	}
	a, err := with(http.StatusAccepted, registrationLink{r.ID, r.Reference, r.Status})
	if err == nil {
		a.location = "/registrations/" + r.ID
	}
	return a, err
}
