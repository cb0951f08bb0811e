package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"

	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
)

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// Words gives the text of a message key in a language, as the pages show it.
type Words func(lang, key string) string

// Registrations writes the mails of the registration authority. It implements
// enrolment.Courier.
type Registrations struct {
	*Outbox
	Words Words
}

var _ enrolment.Courier = Registrations{}

// Pages of the portal that mails lead to.
const (
	pageStatus      = "/ds"
	pageCertificate = "/ds/sertifikat"
	pageReset       = "/ds/reset-pin"
	pageRenewal     = "/ds/perpanjang"

	pageOfficerQueue = "/petugas"
)

// readers names the employees that Ahead read in a transaction, by identifier.
type readers struct{}

func newReaders() map[string]db.Employee { return map[string]db.Employee{} }

// Ahead implements enrolment.Courier.
func (c Registrations) Ahead(ctx context.Context, tx *store.Tx, rs []db.Registration) error {
	ids := make([]string, len(rs))
	for i, r := range rs {
		ids[i] = r.EmployeeID
	}
	rows, err := store.Of(tx, ids).Employees(ctx, "")
	if err != nil {
		return fmt.Errorf("read recipients: %w", err)
	}
	known := store.Memo(tx, readers{}, newReaders)
	for _, e := range rows {
		known[e.ID] = e
	}
	return nil
}

// recipient is an employee as the reader of a mail.
func (o *Outbox) recipient(ctx context.Context, tx *store.Tx, employeeID string) (mail.Recipient, db.Employee, error) {
	e, known := store.Memo(tx, readers{}, newReaders)[employeeID]
	if !known {
		var err error
		if e, err = tx.GetEmployee(ctx, employeeID); err != nil {
			return mail.Recipient{}, e, fmt.Errorf("read recipient: %w", err)
		}
	}
	r := mail.Recipient{Name: e.Name, Email: e.Email, Lang: mail.Lang(e.Locale), Zone: mail.Zone(e.TimeZone)}
	if len(e.NikSealed) > 0 {
		nik, err := o.Vault.Open(ctx, keys.Data, e.NikSealed, []byte("employee/"+e.ID+"/nik"))
		if err != nil {
			return r, e, fmt.Errorf("open NIK of recipient: %w", err)
		}
		if len(nik) > 4 {
			r.NIKLast4 = string(nik[len(nik)-4:])
		}
	}
	return r, e, nil
}

func (c Registrations) queue(ctx context.Context, tx *store.Tx, r db.Registration, p func(mail.Recipient) mail.Params) error {
	to, _, err := c.recipient(ctx, tx, r.EmployeeID)
	if err != nil {
		return err
	}
	if to.Email == "" {
		// The HR unit took the address away. What the mail is about must
		// happen all the same; the pages tell it.
		c.Log.WarnContext(ctx, "nobody to write to", "registration", r.ID)
		return nil
	}
	_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: p(to)}, About{EmployeeID: r.EmployeeID, RegistrationID: r.ID})
	return err
}

func always(p mail.Params) func(mail.Recipient) mail.Params {
	return func(mail.Recipient) mail.Params { return p }
}

// officer is the name of who made the last check, for "asked by".
func (c Registrations) officer(ctx context.Context, tx *store.Tx, r db.Registration) (string, error) {
	reviews, err := tx.ReviewsOf(ctx, r.ID)
	if err != nil {
		return "", fmt.Errorf("read checks: %w", err)
	}
	if len(reviews) == 0 {
		e, err := tx.GetEmployee(ctx, r.EmployeeID)
		if err != nil {
			return "", fmt.Errorf("read applicant: %w", err)
		}
		return e.Name, nil
	}
	e, err := tx.GetEmployee(ctx, reviews[len(reviews)-1].OfficerID)
	if err != nil {
		return "", fmt.Errorf("read officer: %w", err)
	}
	return e.Name, nil
}

// Received implements enrolment.Courier.
func (c Registrations) Received(ctx context.Context, tx *store.Tx, r db.Registration) error {
	p := mail.RegistrationReceived{Reference: r.Reference, SubmittedAt: clock.FromMicros(r.SubmittedAt), Page: pageStatus}
	return c.queue(ctx, tx, r, always(p))
}

// EnrolLink implements enrolment.Courier.
func (c Registrations) EnrolLink(ctx context.Context, tx *store.Tx, r db.Registration, token string, expires time.Time) error {
	p := mail.EnrolLink{Token: token, Purpose: mail.PurposeFirst, Expires: expires, Reference: r.Reference}
	history, err := tx.HistoryOf(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	if n := len(history); n > 0 && history[n-1].Action == string(enrolment.ActionSendLink) {
		p.Purpose = mail.PurposeResend
	} else if enrolment.Kind(r.Kind) == enrolment.Reset {
		p.Purpose = mail.PurposeReset
	} else if enrolment.Kind(r.Kind) == enrolment.Renewal {
		p.Purpose = mail.PurposeRenew
	}
	if p.AskedBy, err = c.officer(ctx, tx, r); err != nil {
		return err
	}
	return c.queue(ctx, tx, r, always(p))
}

// LoginInformation implements enrolment.Courier.
func (c Registrations) LoginInformation(ctx context.Context, tx *store.Tx, r db.Registration, username, token string, expires time.Time) error {
	by, err := c.officer(ctx, tx, r)
	if err != nil {
		return err
	}
	return c.queue(ctx, tx, r, always(mail.LoginInformation{
		UserName: username, Activation: mail.Path("/aktivasi/" + token), Expires: expires, AskedBy: by,
	}))
}

// ReturnedToApplicant implements enrolment.Courier.
func (c Registrations) ReturnedToApplicant(ctx context.Context, tx *store.Tx, r db.Registration, fields []enrolment.FieldDecision, note string) error {
	by, err := c.officer(ctx, tx, r)
	if err != nil {
		return err
	}
	return c.queue(ctx, tx, r, func(to mail.Recipient) mail.Params {
		var found []mail.Finding
		for _, f := range fields {
			if !f.Accepted {
				found = append(found, mail.Finding{Field: mail.Field(f.Field), Reason: c.reason(to, f.Reason.Code), Note: f.Reason.Text})
			}
		}
		if note != "" {
			found = append(found, mail.Finding{Reason: c.Words(string(to.Lang), "reason.note"), Note: note})
		}
		return mail.RegistrationReturned{Reference: r.Reference, By: by, At: c.Clock(), Findings: found, Page: pageStatus}
	})
}

func (c Registrations) reason(to mail.Recipient, code string) string {
	return c.Words(string(to.Lang), "reason."+code)
}

// RejectedApplicant implements enrolment.Courier.
func (c Registrations) RejectedApplicant(ctx context.Context, tx *store.Tx, r db.Registration, why enrolment.Reason) error {
	by, err := c.officer(ctx, tx, r)
	if err != nil {
		return err
	}
	return c.queue(ctx, tx, r, func(to mail.Recipient) mail.Params {
		return mail.RegistrationRejected{
			Reference: r.Reference, By: by, At: c.Clock(), Page: pageStatus,
			Findings: []mail.Finding{{Reason: c.reason(to, why.Code), Note: why.Text}},
		}
	})
}

// Invalidated implements enrolment.Courier.
func (c Registrations) Invalidated(ctx context.Context, tx *store.Tx, r db.Registration, fields []string) error {
	p := mail.RegistrationInvalidated{Reference: r.Reference, At: c.Clock(), Page: pageStatus}
	for _, f := range fields {
		p.Fields = append(p.Fields, mail.Field(f))
	}
	return c.queue(ctx, tx, r, always(p))
}

// LinkExpiring implements enrolment.Courier.
func (c Registrations) LinkExpiring(ctx context.Context, tx *store.Tx, r db.Registration, expires time.Time) error {
	l, err := tx.LatestEnrolLink(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read link: %w", err)
	}
	return c.queue(ctx, tx, r, always(mail.LinkExpiring{SentAt: clock.FromMicros(l.CreatedAt), Expires: expires, Page: pageStatus}))
}

// ResetRequested implements enrolment.Courier.
func (c Registrations) ResetRequested(ctx context.Context, tx *store.Tx, r db.Registration) error {
	return c.queue(ctx, tx, r, func(to mail.Recipient) mail.Params {
		return mail.ResetRequested{
			At: c.Clock(), AskedBy: to.Name, Waits: enrolment.Status(r.Status) == enrolment.New, Cancel: pageStatus,
		}
	})
}

// PassphraseChanged implements enrolment.Courier.
func (c Registrations) PassphraseChanged(ctx context.Context, tx *store.Tx, r db.Registration) error {
	return c.queue(ctx, tx, r, always(mail.PassphraseChanged{At: c.Clock(), Page: pageCertificate}))
}

// AgreementCopy implements enrolment.Courier. The document itself is made when
// the mail is sent.
func (c Registrations) AgreementCopy(ctx context.Context, tx *store.Tx, r db.Registration) error {
	accepted, err := tx.AcceptancesOf(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read acceptance: %w", err)
	}
	p := mail.AgreementCopy{Page: pageStatus, AcceptedAt: c.Clock()}
	for _, a := range accepted {
		if a.Kind == "agreement" {
			p.Version, p.AcceptedAt = a.Version, clock.FromMicros(a.AcceptedAt)
			break // the latest one
		}
	}
	return c.queue(ctx, tx, r, always(p))
}

// CertificateIssued implements enrolment.Courier.
func (c Registrations) CertificateIssued(ctx context.Context, tx *store.Tx, r db.Registration, cert db.Certificate) error {
	return c.queue(ctx, tx, r, always(mail.CertificateIssued{
		Subject: cert.Subject, Serial: cert.Serial, NotBefore: clock.FromMicros(cert.NotBefore),
		NotAfter: clock.FromMicros(cert.NotAfter), Page: pageCertificate,
	}))
}

// revocations are the names of mail for the codes of RFC 5280 5.3.1.
var revocations = map[int64]mail.Revocation{
	1: mail.RevocationKeyCompromise, 3: mail.RevocationAffiliationChanged, 4: mail.RevocationSuperseded,
	5: mail.RevocationCessationOfOperation, 9: mail.RevocationPrivilegeWithdrawn,
}

// CertificateRevoked implements enrolment.Courier.
func (c Registrations) CertificateRevoked(ctx context.Context, tx *store.Tx, r db.Registration, cert db.Certificate) error {
	history, err := tx.HistoryOf(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	reason, ok := revocations[cert.RevocationReason]
	if !ok {
		reason = mail.RevocationUnspecified
	}
	p := mail.CertificateRevoked{Serial: cert.Serial, At: clock.FromMicros(cert.RevokedAt), Reason: reason, Page: pageCertificate}
	if n := len(history); n > 0 {
		p.AskedBy, p.Note = history[n-1].DisplayName.String, history[n-1].ReasonText
	}
	return c.queue(ctx, tx, r, func(to mail.Recipient) mail.Params {
		if p.AskedBy == "" {
			p.AskedBy = to.Name
		}
		return p
	})
}

// CertificateSuspended implements enrolment.Courier.
func (c Registrations) CertificateSuspended(ctx context.Context, tx *store.Tx, r db.Registration, cert db.Certificate) error {
	h, err := lastStep(ctx, tx, r)
	if err != nil {
		return err
	}
	return c.queue(ctx, tx, r, func(to mail.Recipient) mail.Params {
		return mail.CertificateSuspended{
			Serial: cert.Serial, At: clock.FromMicros(cert.RevokedAt), AskedBy: cmp.Or(h.DisplayName.String, to.Name),
			Reason: c.Words(string(to.Lang), "reason."+h.ReasonCode), Note: h.ReasonText,
			Asked: h.Action == string(enrolment.ActionAskRevocation), Page: pageCertificate,
		}
	})
}

// CertificateReleased implements enrolment.Courier.
func (c Registrations) CertificateReleased(ctx context.Context, tx *store.Tx, r db.Registration, cert db.Certificate) error {
	h, err := lastStep(ctx, tx, r)
	if err != nil {
		return err
	}
	return c.queue(ctx, tx, r, always(mail.CertificateReleased{
		Serial: cert.Serial, At: c.Clock(), By: h.DisplayName.String, Note: h.ReasonText, Page: pageCertificate,
	}))
}

// lastStep is the step of the registration that the mail is about.
func lastStep(ctx context.Context, tx *store.Tx, r db.Registration) (db.HistoryOfRow, error) {
	history, err := tx.HistoryOf(ctx, r.ID)
	if err != nil {
		return db.HistoryOfRow{}, fmt.Errorf("read history: %w", err)
	}
	if len(history) == 0 {
		return db.HistoryOfRow{}, nil
	}
	return history[len(history)-1], nil
}

// KeyDestroyed implements enrolment.Courier.
func (c Registrations) KeyDestroyed(ctx context.Context, tx *store.Tx, r db.Registration, cert db.Certificate, why credential.End) error {
	return c.queue(ctx, tx, r, always(mail.KeyDestroyed{
		Serial: cert.Serial, At: clock.FromMicros(cert.RevokedAt), InDay: why == credential.EndInDay, Page: pageReset,
	}))
}

// CertificateExpiring implements enrolment.Courier.
func (c Registrations) CertificateExpiring(ctx context.Context, tx *store.Tx, r db.Registration, cert db.Certificate) error {
	end := clock.FromMicros(cert.NotAfter)
	return c.queue(ctx, tx, r, always(mail.CertificateExpiring{
		Serial: cert.Serial, NotAfter: end, Days: int(end.Sub(c.Clock()).Hours() / 24), Page: pageRenewal,
	}))
}

// OfficerDigest implements enrolment.Courier.
func (c Registrations) OfficerDigest(ctx context.Context, tx *store.Tx, employeeID string, d enrolment.Digest) error {
	to, _, err := c.recipient(ctx, tx, employeeID)
	if err != nil {
		return err
	}
	_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: mail.OfficerDigest{
		First: d.First, Second: d.Second, Mine: d.Mine, Oldest: d.Oldest, Page: pageOfficerQueue,
	}}, About{EmployeeID: employeeID})
	return err
}

// CancelLink implements enrolment.Courier.
func (c Registrations) CancelLink(ctx context.Context, tx *store.Tx, r db.Registration) error {
	err := tx.CancelMailsOfLink(ctx, db.CancelMailsOfLinkParams{
		RegistrationID: null(r.ID), Kind: string(mail.KindEnrolLink), FinishedAt: clock.Micros(c.Clock()),
	})
	if err != nil {
		return fmt.Errorf("cancel mails of an ended link: %w", err)
	}
	return nil
}
