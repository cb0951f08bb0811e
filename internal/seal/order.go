package seal

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The kinds of orders.
const (
	Make       = "make"
	Renew      = "renew"  // a new key and certificate; the one before is used no more
	Revoke     = "revoke" // for good; the seal is suspended from the proposal on
	Resume     = "resume" // after a suspension
	NameKeeper = "keeper"
)

// Order is what an administrator wants.
type Order struct {
	Kind    string
	Keeper  string    // employee; of NameKeeper
	Reason  ca.Reason // of Revoke
	Note    string
	Subject ca.Institution // of Make
}

func text(s string, needed bool) (string, error) {
	s = strings.TrimSpace(s)
	if needed && s == "" || utf8.RuneCountInString(s) > MaxNote {
		return "", ErrReason
	}
	return s, nil
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// Propose proposes a new seal and returns its id. It fails with a *ca.FieldError.
func (s *Service) Propose(ctx context.Context, who audit.Actor, subject ca.Institution, note string) (string, error) {
	if err := subject.Check(); err != nil {
		return "", err
	}
	note, err := text(note, false)
	if err != nil {
		return "", err
	}
	id := ident.From(s.Random)
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertSeal(ctx, db.InsertSealParams{
			ID: id, Name: subject.Name, Organisation: subject.Organisation, OrganisationID: subject.ID, CreatedAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("store seal: %w", err)
		}
		return s.propose(ctx, tx, who, db.Seal{ID: id, Name: subject.Name}, Order{Kind: Make, Note: note})
	})
	return id, err
}

func (s *Service) propose(ctx context.Context, tx *store.Tx, who audit.Actor, row db.Seal, o Order) error {
	id := ident.From(s.Random)
	err := tx.InsertSealOrder(ctx, db.InsertSealOrderParams{
		ID: id, SealID: row.ID, Kind: o.Kind, SubjectID: null(o.Keeper), ReasonCode: int64(o.Reason), Note: o.Note, ProposedBy: who.AccountID, ProposedAt: clock.Micros(s.now()),
	})
	if store.IsUnique(err) {
		return ErrPending
	}
	if err != nil {
		return fmt.Errorf("store order: %w", err)
	}
	detail := map[string]string{"order": id, "kind": o.Kind}
	if o.Keeper != "" {
		detail["employee"] = o.Keeper
	}
	if err := s.record(ctx, tx, who, "seal.propose", "seal", row.ID, detail); err != nil {
		return err
	}
	return s.tell(ctx, tx, Notice{What: NewsOrder, Admins: who.AccountID, Seal: row.Name, SealID: row.ID, Text: o.Note})
}

// Order proposes something about a seal that is there. A proposal to revoke it
// suspends it at once. The errors are ErrNotFound, ErrState, ErrPending, ErrKeeper,
// ErrOwn and ca.ErrReason.
func (s *Service) Order(ctx context.Context, who audit.Actor, sealID string, o Order) error {
	var err error
	if o.Note, err = text(o.Note, false); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := lock(ctx, tx, sealID)
		if err != nil {
			return err
		}
		if err := s.mayOrder(ctx, tx, who, row, o); err != nil {
			return err
		}
		if o.Kind == Revoke && row.State == Active {
			if err := s.suspend(ctx, tx, who, row, o.Note); err != nil {
				return err
			}
		}
		return s.propose(ctx, tx, who, row, o)
	})
}

func (s *Service) mayOrder(ctx context.Context, tx *store.Tx, who audit.Actor, row db.Seal, o Order) error {
	made := row.State == Active || row.State == Suspended
	switch o.Kind {
	case Make: // again, after the authority refused
		if row.State != Ordered {
			return ErrState
		}
	case Renew:
		if !made {
			return ErrState
		}
	case Revoke:
		if !made {
			return ErrState
		}
		if !o.Reason.Valid() || o.Reason == ca.CACompromise {
			return ca.ErrReason
		}
	case Resume:
		if row.State != Suspended {
			return ErrState
		}
	case NameKeeper:
		return s.mayKeep(ctx, tx, who, row, o.Keeper)
	default:
		return ErrState
	}
	return nil
}

// mayKeep: an active employee who is no keeper yet, and nobody names himself.
func (s *Service) mayKeep(ctx context.Context, tx *store.Tx, who audit.Actor, row db.Seal, employeeID string) error {
	if row.State == Revoked || row.State == Refused {
		return ErrState
	}
	e, err := tx.GetEmployee(ctx, employeeID)
	if store.IsNotFound(err) || err == nil && !e.Active {
		return ErrKeeper
	}
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	if who.EmployeeID == employeeID {
		return ErrOwn
	}
	is, err := isKeeper(ctx, tx.Queries, row.ID, employeeID)
	if err != nil {
		return err
	}
	if is {
		return ErrKeeper
	}
	return nil
}

// order reads an open order for the transaction, with its seal locked.
func (s *Service) order(ctx context.Context, tx *store.Tx, id string) (db.SealOrder, db.Seal, error) {
	o, row, err := behindLock(ctx, tx, "order", id, tx.GetSealOrder, func(o db.SealOrder) string { return o.SealID })
	if err != nil {
		return o, row, err
	}
	if o.State != "open" {
		return o, row, ErrDecided
	}
	return o, row, nil
}

// Approve carries out what another administrator proposed. It fails with
// ErrNotFound, ErrDecided, ErrOwn, ErrState and ErrKeeper.
func (s *Service) Approve(ctx context.Context, who audit.Actor, orderID string) error {
	o, err := s.Store.Read().GetSealOrder(ctx, orderID)
	if store.IsNotFound(err) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	if o.ProposedBy == who.AccountID {
		return ErrOwn
	}
	var name keys.Name
	var csr []byte
	if o.State == "open" && (o.Kind == Make || o.Kind == Renew) {
		if name, csr, err = s.makeKey(ctx, o); err != nil {
			return err
		}
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, row, err := s.order(ctx, tx, orderID)
		if err != nil {
			return err
		}
		n, err := tx.DecideSealOrder(ctx, db.DecideSealOrderParams{
			ID: o.ID, State: "approved", DecidedBy: null(who.AccountID), Now: clock.Micros(s.now()), KeyName: string(name), Csr: csr,
		})
		if err != nil || n != 1 {
			return fmt.Errorf("decide order (%d rows): %w", n, errors.Join(err, ErrDecided))
		}
		detail := map[string]string{"order": o.ID, "kind": o.Kind, "proposed_by": o.ProposedBy}
		if err := s.record(ctx, tx, who, "seal.approve", "seal", row.ID, detail); err != nil {
			return err
		}
		return s.carryOut(ctx, tx, who, o, row)
	})
}

// makeKey makes the key of an order, or finds it after a crash, and has it ask
// for its certificate.
func (s *Service) makeKey(ctx context.Context, o db.SealOrder) (keys.Name, []byte, error) {
	n, err := s.Store.Read().CountSealOrders(ctx, o.SealID)
	if err != nil {
		return "", nil, fmt.Errorf("count orders: %w", err)
	}
	row, err := s.Store.Read().GetSeal(ctx, o.SealID)
	if err != nil {
		return "", nil, fmt.Errorf("read seal: %w", err)
	}
	name := ca.SealKeyName(o.SealID, int(n))
	var key crypto.Signer
	if key, err = s.Vault.CreateSigner(ctx, name, s.Algorithm); errors.Is(err, keys.ErrExists) {
		key, err = s.Vault.Signer(ctx, name)
	}
	if err != nil {
		return "", nil, fmt.Errorf("make the key of a seal: %w", err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{Organization: []string{row.Organisation}, CommonName: row.Name},
	}, key)
	if err != nil {
		return "", nil, fmt.Errorf("ask for the certificate of a seal: %w", err)
	}
	return name, csr, nil
}

func (s *Service) carryOut(ctx context.Context, tx *store.Tx, who audit.Actor, o db.SealOrder, row db.Seal) error {
	now := clock.Micros(s.now())
	switch o.Kind {
	case Make, Renew:
		if row.State == Revoked || row.State == Refused {
			return ErrState
		}
		return tx.Enqueue(ctx, store.Job{Kind: ca.JobSeal, ID: o.ID})
	case Revoke:
		if err := s.revoke(ctx, tx, who, row, ca.Reason(o.ReasonCode)); err != nil {
			return err
		}
	case Resume:
		n, err := tx.SetSealState(ctx, db.SetSealStateParams{ID: row.ID, State: Active, OldState: Suspended, Now: now})
		if err != nil {
			return fmt.Errorf("resume seal: %w", err)
		}
		if n == 0 {
			return ErrState
		}
	case NameKeeper:
		if err := s.mayKeep(ctx, tx, who, row, o.SubjectID.String); err != nil {
			return err
		}
		err := tx.InsertSealKeeper(ctx, db.InsertSealKeeperParams{SealID: row.ID, EmployeeID: o.SubjectID.String, OrderID: o.ID, Since: now})
		if err != nil {
			return fmt.Errorf("store keeper: %w", err)
		}
		if err := s.tell(ctx, tx, Notice{What: NewsKeeper, To: []string{o.SubjectID.String}, Seal: row.Name, SealID: row.ID}); err != nil {
			return err
		}
	}
	if _, err := tx.FinishSealOrder(ctx, db.FinishSealOrderParams{ID: o.ID, State: "done"}); err != nil {
		return fmt.Errorf("end order: %w", err)
	}
	return nil
}

// revoke revokes every certificate that the seal has had.
func (s *Service) revoke(ctx context.Context, tx *store.Tx, who audit.Actor, row db.Seal, why ca.Reason) error {
	n, err := tx.SetSealState(ctx, db.SetSealStateParams{ID: row.ID, State: Revoked, OldState: row.State, Now: clock.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("revoke seal: %w", err)
	}
	if n == 0 || row.State == Revoked || row.State == Refused {
		return ErrState
	}
	if err := s.closeWindows(ctx, tx, who.AccountID, row.ID); err != nil {
		return err
	}
	list, err := tx.SealCertificates(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("read certificates of seal: %w", err)
	}
	for _, c := range list {
		if c.RevokedAt > 0 || clock.FromMicros(c.NotAfter).Before(s.now()) {
			continue
		}
		if err := s.Status.RevokeOwn(ctx, tx, c.Issuer, c.Serial, why, s.now()); err != nil {
			return err
		}
		err := s.record(ctx, tx, who, "certificate.revoke", "certificate", c.Serial, map[string]string{"seal": row.ID, "reason": why.String()})
		if err != nil {
			return err
		}
	}
	return s.tellKeepers(ctx, tx, row, Notice{What: NewsSuspended, Text: why.String()})
}

// tellKeepers tells all keepers of a seal.
func (s *Service) tellKeepers(ctx context.Context, tx *store.Tx, row db.Seal, n Notice) (err error) {
	if n.To, err = keepers(ctx, tx.Queries, row.ID, ""); err != nil {
		return err
	}
	n.Seal, n.SealID = row.Name, row.ID
	return s.tell(ctx, tx, n)
}

func (s *Service) closeWindows(ctx context.Context, tx *store.Tx, by, sealID string) error {
	if _, err := tx.EndSealWindowsOfSeal(ctx, db.EndSealWindowsOfSealParams{SealID: sealID, Now: clock.Micros(s.now()), EndedBy: by}); err != nil {
		return fmt.Errorf("close windows: %w", err)
	}
	return nil
}

// Refuse ends what another administrator proposed. It fails with ErrNotFound,
// ErrDecided, ErrOwn and ErrReason.
func (s *Service) Refuse(ctx context.Context, who audit.Actor, orderID, reason string) error {
	reason, err := text(reason, true)
	if err != nil {
		return err
	}
	return s.endOrder(ctx, who, orderID, "refused", reason, func(o db.SealOrder) error {
		if o.ProposedBy == who.AccountID {
			return ErrOwn
		}
		return nil
	})
}

// Withdraw takes back what the administrator proposed himself. It fails with
// ErrNotFound and ErrDecided.
func (s *Service) Withdraw(ctx context.Context, who audit.Actor, orderID string) error {
	return s.endOrder(ctx, who, orderID, "withdrawn", "", func(o db.SealOrder) error {
		if o.ProposedBy != who.AccountID {
			return ErrNotFound
		}
		return nil
	})
}

func (s *Service) endOrder(ctx context.Context, who audit.Actor, orderID, state, reason string, may func(db.SealOrder) error) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		o, row, err := s.order(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if err := may(o); err != nil {
			return err
		}
		p := db.DecideSealOrderParams{ID: o.ID, State: state, Now: clock.Micros(s.now()), Reason: reason, Csr: []byte{}}
		if state == "refused" {
			p.DecidedBy = null(who.AccountID)
		}
		if _, err := tx.DecideSealOrder(ctx, p); err != nil {
			return fmt.Errorf("end order: %w", err)
		}
		if o.Kind == Make {
			if _, err := tx.SetSealState(ctx, db.SetSealStateParams{ID: row.ID, State: Refused, OldState: Ordered, Now: p.Now}); err != nil {
				return fmt.Errorf("refuse seal: %w", err)
			}
		}
		return s.record(ctx, tx, who, "seal."+map[string]string{"refused": "refuse", "withdrawn": "withdraw"}[state], "seal", row.ID, map[string]string{"order": o.ID, "kind": o.Kind})
	})
}

// Suspend stops the use of a seal at once; one administrator is enough. Its
// certificate stays valid, and so does what it sealed. It fails with ErrNotFound
// and ErrState.
func (s *Service) Suspend(ctx context.Context, who audit.Actor, sealID, note string) error {
	note, err := text(note, false)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := lock(ctx, tx, sealID)
		if err != nil {
			return err
		}
		return s.suspend(ctx, tx, who, row, note)
	})
}

func (s *Service) suspend(ctx context.Context, tx *store.Tx, who audit.Actor, row db.Seal, note string) error {
	n, err := tx.SetSealState(ctx, db.SetSealStateParams{ID: row.ID, State: Suspended, OldState: Active, Now: clock.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("suspend seal: %w", err)
	}
	if n == 0 {
		return ErrState
	}
	if err := s.closeWindows(ctx, tx, who.AccountID, row.ID); err != nil {
		return err
	}
	if err := s.record(ctx, tx, who, "seal.suspend", "seal", row.ID, map[string]string{"serial": row.Serial}); err != nil {
		return err
	}
	return s.tellKeepers(ctx, tx, row, Notice{What: NewsSuspended, Text: note})
}

// DismissKeeper ends that somebody keeps a seal; one administrator is enough. The
// windows of the seal close. It fails with ErrNotFound and ErrKeeper.
func (s *Service) DismissKeeper(ctx context.Context, who audit.Actor, sealID, employeeID string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := lock(ctx, tx, sealID)
		if err != nil {
			return err
		}
		n, err := tx.EndSealKeeper(ctx, db.EndSealKeeperParams{SealID: row.ID, EmployeeID: employeeID, Now: clock.Micros(s.now()), EndedBy: who.AccountID})
		if err != nil {
			return fmt.Errorf("end keeper: %w", err)
		}
		if n == 0 {
			return ErrKeeper
		}
		if err := s.closeWindows(ctx, tx, who.AccountID, row.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, who, "seal.dismiss_keeper", "seal", row.ID, map[string]string{"employee": employeeID, "rows": strconv.FormatInt(n, 10)})
	})
}
