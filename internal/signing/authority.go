package signing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Form is how somebody signs for an office that is not his own.
type Form string

// The forms of authority of official letters.
const (
	AtasNama    Form = "an"  // a.n.: on behalf of a superior
	UntukBeliau Form = "ub"  // u.b.: for him who signs on behalf of a superior
	Plt         Form = "plt" // Pelaksana Tugas: the office has no holder
	Plh         Form = "plh" // Pelaksana Harian: its holder is away
)

// Authority is the right to sign for an office by a decree, as HR data say. Who
// uses it signs with his own certificate.
type Authority struct {
	ID         string
	EmployeeID string
	Form       Form
	Office     string // that is acted for, for example "Sekretaris Jenderal"
	Behalf     string // UntukBeliau: the office between the two
	Decree     string // its number
	DecreeDate string // YYYY-MM-DD
	From       string // first day, YYYY-MM-DD
	Until      string // last day; empty without an end, which Plt. and Plh. have
	Forbidden  []string
	RevokedAt  time.Time
}

// Check says whether the data of an authority are complete. It fails with
// ErrAuthorityData, ErrAuthorityDates and ErrKind.
func (a Authority) Check() error {
	blank := func(s string) bool { return strings.TrimSpace(s) == "" || len(s) > 300 }
	if !slices.Contains([]Form{AtasNama, UntukBeliau, Plt, Plh}, a.Form) || blank(a.Office) || blank(a.Decree) {
		return ErrAuthorityData
	}
	if (a.Form == UntukBeliau) == blank(a.Behalf) {
		return ErrAuthorityData
	}
	acting := a.Form == Plt || a.Form == Plh
	for _, day := range []string{a.DecreeDate, a.From, a.Until} {
		if _, err := time.Parse(time.DateOnly, day); err != nil && (day != "" || acting) {
			return ErrAuthorityDates
		}
	}
	if a.DecreeDate == "" || a.From == "" || a.Until != "" && a.Until < a.From {
		return ErrAuthorityDates
	}
	for _, k := range a.Forbidden {
		if !knownKind(k) {
			return ErrKind
		}
	}
	return nil
}

// Serves says whether the authority serves for a kind of letter on a day, given
// as YYYY-MM-DD. It fails with an *AuthorityError.
func (a Authority) Serves(kind, day string) error {
	switch {
	case !a.RevokedAt.IsZero():
		return &AuthorityError{Cause: AuthorityRevoked}
	case day < a.From:
		return &AuthorityError{Cause: AuthorityNotYet, Day: a.From}
	case a.Until != "" && day > a.Until:
		return &AuthorityError{Cause: AuthorityEnded, Day: a.Until}
	case slices.Contains(a.Forbidden, kind):
		return &AuthorityError{Cause: AuthorityForbidden, Kind: kind}
	}
	return nil
}

// Lines are the lines above the signer's name, for somebody with an office of
// his own.
func (a *Authority) Lines(office string) []string {
	if a == nil {
		return []string{office}
	}
	switch a.Form {
	case AtasNama:
		return []string{"a.n. " + a.Office, office}
	case UntukBeliau:
		return []string{"a.n. " + a.Office, a.Behalf, "u.b.", office}
	case Plt:
		return []string{"Plt. " + a.Office}
	case Plh:
		return []string{"Plh. " + a.Office}
	}
	return []string{office}
}

// zones are those of employees, for whom a day begins at another moment each.
func zone(name string) *time.Location {
	hours := map[string]int{"WIB": 7, "WITA": 8, "WIT": 9}
	return time.FixedZone(name, hours[name]*3600)
}

// AddAuthority enters an authority. A Plt. or Plh. never serves for decisions on
// organisation, personnel and budget. It fails as Check does, and with
// ErrNotFound without such an employee.
func (s *Service) AddAuthority(ctx context.Context, who audit.Actor, a Authority) (Authority, error) {
	if a.Form == Plt || a.Form == Plh {
		a.Forbidden = append(slices.Clone(a.Forbidden), strategic()...)
	}
	slices.Sort(a.Forbidden)
	a.Forbidden = slices.Compact(a.Forbidden)
	if err := a.Check(); err != nil {
		return a, err
	}
	forbidden, err := json.Marshal(append([]string{}, a.Forbidden...))
	if err != nil {
		return a, fmt.Errorf("write kinds of letters: %w", err)
	}
	a.ID = ident.From(s.Random)
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.GetEmployee(ctx, a.EmployeeID); store.IsNotFound(err) {
			return ErrNotFound
		} else if err != nil {
			return fmt.Errorf("read employee: %w", err)
		}
		err := tx.InsertSigningAuthority(ctx, db.InsertSigningAuthorityParams{
			ID: a.ID, EmployeeID: a.EmployeeID, Form: string(a.Form), Office: a.Office, Behalf: a.Behalf, Decree: a.Decree, DecreeDate: a.DecreeDate,
			ValidFrom: a.From, ValidUntil: a.Until, Forbidden: string(forbidden), EnteredBy: who.AccountID, EnteredAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("store authority: %w", err)
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{
			Action: "authority.enter", ObjectKind: "signing_authority", ObjectID: a.ID,
			Detail: map[string]string{"employee": a.EmployeeID, "form": string(a.Form), "from": a.From, "until": a.Until},
		})
	})
	return a, err
}

// RevokeAuthority ends an authority now. It fails with ErrNotFound.
func (s *Service) RevokeAuthority(ctx context.Context, who audit.Actor, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.RevokeSigningAuthority(ctx, db.RevokeSigningAuthorityParams{ID: id, RevokedBy: who.AccountID, RevokedAt: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("revoke authority: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: "authority.revoke", ObjectKind: "signing_authority", ObjectID: id})
	})
}

// Authorities lists the authorities of an employee, the latest first.
func (s *Service) Authorities(ctx context.Context, employeeID string) ([]Authority, error) {
	rows, err := s.Store.Read().SigningAuthoritiesOf(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list authorities: %w", err)
	}
	out := make([]Authority, len(rows))
	for i, r := range rows {
		if out[i], err = authorityOf(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func authorityOf(r db.SigningAuthority) (Authority, error) {
	a := Authority{
		ID: r.ID, EmployeeID: r.EmployeeID, Form: Form(r.Form), Office: r.Office, Behalf: r.Behalf, Decree: r.Decree, DecreeDate: r.DecreeDate,
		From: r.ValidFrom, Until: r.ValidUntil, RevokedAt: clock.FromMicros(r.RevokedAt),
	}
	if err := json.Unmarshal([]byte(r.Forbidden), &a.Forbidden); err != nil {
		return a, fmt.Errorf("read authority %s: %w", r.ID, err)
	}
	return a, nil
}

// authority is the one that an employee uses for a document now; nil for none.
// It fails with an *AuthorityError.
func (s *Service) authority(ctx context.Context, q *db.Queries, e db.Employee, id, kind string) (*Authority, error) {
	if id == "" {
		return nil, nil
	}
	row, err := q.GetSigningAuthority(ctx, id)
	if store.IsNotFound(err) || err == nil && row.EmployeeID != e.ID {
		return nil, &AuthorityError{Cause: AuthorityUnknown}
	}
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	a, err := authorityOf(row)
	if err != nil {
		return nil, err
	}
	return &a, a.Serves(kind, s.now().In(zone(e.TimeZone)).Format(time.DateOnly))
}

// offices gives a function that says for which office an employee signs by an
// authority (empty: his own), as it is now, and the number of the decree. Whether
// the authority serves is looked at when the document is signed.
func (s *Service) offices(q *db.Queries, e db.Employee) func(ctx context.Context, id string) (lines, decree string, err error) {
	type office struct{ lines, decree string }
	known := map[string]office{"": {lines: e.Position}}
	return func(ctx context.Context, id string) (string, string, error) {
		if o, ok := known[id]; ok {
			return o.lines, o.decree, nil
		}
		row, err := q.GetSigningAuthority(ctx, id)
		if store.IsNotFound(err) || err == nil && row.EmployeeID != e.ID {
			return "", "", nil // it signs nothing
		}
		if err != nil {
			return "", "", fmt.Errorf("read authority: %w", err)
		}
		a, err := authorityOf(row)
		if err != nil {
			return "", "", err
		}
		o := office{strings.Join(a.Lines(e.Position), "\n"), a.Decree}
		known[id] = o
		return o.lines, o.decree, nil
	}
}
