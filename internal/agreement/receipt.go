package agreement

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Receipt proves an acceptance: who, what, when and from where.
type Receipt struct {
	Identity  Identity
	Name      string
	NIP       string
	Unit      string
	Reference string // of the registration
	Address   string // network address from which it was sent
	Zone      string // WIB, WITA or WIT
	Accepted  []Accepted
}

// Accepted is one text and when it was accepted.
type Accepted struct {
	Text enrolment.Text
	At   time.Time
}

// Locale is the language in which the texts were accepted.
func (r Receipt) Locale() string {
	if len(r.Accepted) > 0 && r.Accepted[0].Text.Locale == "en" {
		return "en"
	}
	return "id"
}

// Archive finds what was accepted.
type Archive struct {
	Store    *store.Store
	Identity Identity
}

// Receipt gathers what was accepted for a registration, word for word as it
// was then. It fails with ErrNoText when nothing was.
func (a Archive) Receipt(ctx context.Context, registrationID string) (Receipt, error) {
	q := a.Store.Read()
	accepted, err := q.AcceptancesOf(ctx, registrationID)
	if err != nil {
		return Receipt{}, fmt.Errorf("read acceptances: %w", err)
	}
	if len(accepted) == 0 {
		return Receipt{}, fmt.Errorf("%w was accepted", ErrNoText)
	}
	r, err := q.GetRegistration(ctx, registrationID)
	if err != nil {
		return Receipt{}, fmt.Errorf("read registration: %w", err)
	}
	e, err := q.GetEmployee(ctx, r.EmployeeID)
	if err != nil {
		return Receipt{}, fmt.Errorf("read subscriber: %w", err)
	}
	unit, err := q.GetUnit(ctx, e.UnitID)
	if err != nil {
		return Receipt{}, fmt.Errorf("read unit: %w", err)
	}
	out := Receipt{
		Identity: a.Identity, Name: e.Name, NIP: e.Nip, Unit: unit.Name, Reference: r.Reference, Zone: e.TimeZone,
	}
	seen := map[string]bool{}
	for _, row := range accepted { // the latest first; the agreement before the consent
		if seen[row.Kind] {
			continue // accepted for a key that was discarded since
		}
		seen[row.Kind] = true
		one, err := acceptedOf(ctx, q, row)
		if err != nil {
			return Receipt{}, err
		}
		out.Address = row.Address
		out.Accepted = append(out.Accepted, one)
	}
	return out, nil
}

func acceptedOf(ctx context.Context, q *db.Queries, row db.AcceptancesOfRow) (Accepted, error) {
	t, err := q.GetAgreementText(ctx, row.TextHash)
	if err != nil {
		return Accepted{}, fmt.Errorf("read text of the %s: %w", row.Kind, err)
	}
	return Accepted{
		Text: enrolment.Text{Kind: t.Kind, Version: t.Version, Locale: t.Locale, Body: t.Body, Hash: t.Hash},
		At:   clock.FromMicros(row.AcceptedAt),
	}, nil
}

// Copy is the PDF of what was accepted for a registration and the name of its
// file. It names the subscriber as he is called now; as long as that stays, so
// do its bytes.
func (a Archive) Copy(ctx context.Context, registrationID string) (pdf []byte, fileName string, err error) {
	r, err := a.Receipt(ctx, registrationID)
	if err != nil {
		return nil, "", err
	}
	pdf, err = PDF(ctx, r)
	if err != nil {
		return nil, "", err
	}
	return pdf, FileName(r), nil
}

// FileName is a name for the PDF that tells one registration from another.
func FileName(r Receipt) string {
	if r.Locale() == "en" {
		return "Subscriber-Agreement-" + r.Reference + ".pdf"
	}
	return "Perjanjian-Pemilik-Sertifikat-" + r.Reference + ".pdf"
}

// Fingerprint writes a hash in groups of eight digits, which people can
// compare.
func Fingerprint(hash []byte) string {
	s := hex.EncodeToString(hash)
	out := make([]byte, 0, len(s)+len(s)/8)
	for i := range len(s) {
		if i > 0 && i%8 == 0 {
			out = append(out, ' ')
		}
		out = append(out, s[i])
	}
	return string(out)
}
