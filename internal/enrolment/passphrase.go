package enrolment

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Owner is what is known about a subscriber and therefore makes a weak
// passphrase. nik may be empty.
func (s *Service) owner(ctx context.Context, q *db.Queries, e db.Employee) (passphrase.Owner, error) {
	o := passphrase.Owner{Name: e.Name, NIP: e.Nip, Email: e.Email}
	if e.BirthDate != "" {
		if d, err := time.Parse(time.DateOnly, e.BirthDate); err == nil {
			o.BirthDate = d
		}
	}
	u, err := q.GetUnit(ctx, e.UnitID)
	if err != nil {
		return o, fmt.Errorf("read unit: %w", err)
	}
	o.Unit = u.Name
	if len(e.NikSealed) > 0 {
		nik, err := s.Vault.Open(ctx, keys.Data, e.NikSealed, []byte("employee/"+e.ID+"/nik"))
		if err != nil {
			return o, fmt.Errorf("open NIK: %w", err)
		}
		o.NIK = string(nik)
	}
	return o, nil
}

// Strength scores a passphrase for a subscriber. It does not say whether the
// policy takes it; SetPassphrase does.
func (s *Service) Strength(ctx context.Context, e db.Employee, secret *passphrase.Secret) (passphrase.Strength, error) {
	o, err := s.owner(ctx, s.Store.Read(), e)
	if err != nil {
		return passphrase.Strength{}, err
	}
	return s.Estimator.Estimate(ctx, secret, o.Words())
}

// SetPassphrase uses the link up: it makes the subscriber's key, seals it with
// the passphrase and signs the certificate request now, because nobody but the
// subscriber can do so later. It returns the token of the session that leads
// to the agreement.
//
// Errors: *LinkError, *passphrase.WeakError, credential.ErrBusy.
func (s *Service) SetPassphrase(ctx context.Context, who audit.Actor, token string, secret *passphrase.Secret) (session string, err error) {
	link, err := s.LookAtLink(ctx, token)
	if err != nil {
		return "", err
	}
	if link.State != LinkLive {
		return "", &LinkError{State: link.State, At: link.At}
	}
	r, e := link.Registration, link.Employee
	strength, err := s.Strength(ctx, e, secret)
	if err != nil {
		return "", fmt.Errorf("judge passphrase: %w", err)
	}
	if err := s.Estimator.Policy().Check(strength); err != nil {
		return "", err
	}
	// The key is made before the transaction because it takes a good part of
	// a second; of several that race only one is stored.
	kid := ident.At(s.Clock(), s.Random)
	sealed, err := s.Sealer.Create(ctx, kid, e.ID, requestTemplate(e), s.Algorithm, secret)
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	session = ident.Token()
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := lock(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		now := s.now()
		n, err := tx.UseEnrolLink(ctx, db.UseEnrolLinkParams{TokenHash: tokenHash(token), Now: clock.Micros(now)})
		if err != nil {
			return fmt.Errorf("use link: %w", err)
		}
		if n != 1 {
			link, err := s.lookAtLink(ctx, tx.Queries, token)
			if err != nil {
				return err
			}
			return &LinkError{State: link.State, At: link.At}
		}
		spki := sha256.Sum256(sealed.SPKI)
		r, err = s.advance(ctx, tx, r, step{
			action: ActionSetPassphrase, role: LinkHolder, who: who, evidence: spki[:],
			detail: map[string]string{"credential": kid, "link": link.ID()},
		})
		if err != nil {
			return err
		}
		if err := s.insertCredential(ctx, tx, r, sealed, now); err != nil {
			return err
		}
		return s.openSession(ctx, tx, r.ID, session)
	})
	return session, err
}

// requestTemplate is what the subscriber's own request says about him. The
// authority takes the key and the proof of possession from it and the names
// from the checked data.
func requestTemplate(e db.Employee) *x509.CertificateRequest {
	return &x509.CertificateRequest{Subject: pkix.Name{CommonName: e.Name, SerialNumber: e.Nip}}
}

// ID names the link in the history without telling its token.
func (l Link) ID() string { return l.Registration.Reference }

func (s *Service) openSession(ctx context.Context, tx *store.Tx, registrationID, token string) error {
	now := s.now()
	err := tx.InsertEnrolSession(ctx, db.InsertEnrolSessionParams{
		TokenHash: tokenHash(token), RegistrationID: registrationID,
		CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(now.Add(s.Policy.SessionValidity)),
	})
	if err != nil {
		return fmt.Errorf("open enrolment session: %w", err)
	}
	return nil
}

func (s *Service) insertCredential(ctx context.Context, tx *store.Tx, r db.Registration, k credential.Sealed, now time.Time) error {
	attempts, err := s.Ledger.Encode(ctx, k.KeyID, credential.Attempts{})
	if err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	err = tx.InsertCredential(ctx, db.InsertCredentialParams{
		ID: k.KeyID, EmployeeID: r.EmployeeID, RegistrationID: r.ID, Generation: k.Generation,
		Algorithm: string(k.Alg), Salt: k.Salt, ParamsVersion: int64(k.ParamsVersion),
		PepperVersion: int64(k.PepperVersion), Spki: k.SPKI, Csr: k.CSR, Box: k.Box, RowMac: k.RowMAC,
		Attempts: attempts, CreatedAt: clock.Micros(now),
	})
	if store.IsUnique(err) {
		return ErrAlreadySet
	}
	if err != nil {
		return fmt.Errorf("store key: %w", err)
	}
	return nil
}

// Session returns the registration of an enrolment session, or ErrNotFound.
func (s *Service) Session(ctx context.Context, token string) (db.Registration, error) {
	es, err := s.Store.Read().GetEnrolSession(ctx, db.GetEnrolSessionParams{TokenHash: tokenHash(token), ExpiresAt: clock.Micros(s.now())})
	if store.IsNotFound(err) {
		return db.Registration{}, ErrNotFound
	}
	if err != nil {
		return db.Registration{}, fmt.Errorf("read enrolment session: %w", err)
	}
	r, err := s.Store.Read().GetRegistration(ctx, es.RegistrationID)
	if err != nil {
		return r, fmt.Errorf("read registration: %w", err)
	}
	return r, nil
}

// Text is one version of a text that subscribers accept.
type Text struct {
	Kind    string // agreement, privacy
	Version string
	Locale  string
	Body    string
	Hash    []byte // SHA-256 of the body
}

// Texts gives the texts in force (package agreement).
type Texts interface {
	Current(kind, locale string) (Text, error)
}

// Consent is what the subscriber ticked on the agreement page: the hashes of
// the very texts that the page showed.
type Consent struct {
	Locale    string
	Agreement []byte
	Privacy   []byte
}

// Accept records the agreement and the consent, each word for word, and hands
// the registration to the second check. The role is LinkHolder with a session
// of SetPassphrase, or Applicant logged in.
//
// Errors: ErrNoPassphrase, ErrConsent.
func (s *Service) Accept(ctx context.Context, who audit.Actor, role Role, registrationID string, c Consent) error {
	var texts []Text
	for _, shown := range []struct {
		kind string
		hash []byte
	}{{"agreement", c.Agreement}, {"privacy", c.Privacy}} {
		t, err := s.Texts.Current(shown.kind, c.Locale)
		if err != nil {
			return fmt.Errorf("read text of the %s: %w", shown.kind, err)
		}
		if string(t.Hash) != string(shown.hash) {
			return ErrConsent
		}
		texts = append(texts, t)
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := lock(ctx, tx, registrationID)
		if err != nil {
			return err
		}
		if role == Applicant && r.EmployeeID != who.EmployeeID {
			return ErrNotFound
		}
		if _, err := tx.LiveCredential(ctx, r.ID); store.IsNotFound(err) {
			return ErrNoPassphrase
		} else if err != nil {
			return fmt.Errorf("look for the key: %w", err)
		}
		r, err = s.advance(ctx, tx, r, step{
			action: ActionAccept, role: role, who: who, evidence: c.Agreement,
			detail: map[string]string{"privacy": fmt.Sprintf("%x", c.Privacy)},
		})
		if err != nil {
			return err
		}
		now := clock.Micros(s.now()) // one act, one time
		for _, t := range texts {
			if err := s.accept(ctx, tx, who, r, t, now); err != nil {
				return err
			}
		}
		if err := tx.DeleteEnrolSessions(ctx, r.ID); err != nil {
			return fmt.Errorf("end enrolment session: %w", err)
		}
		return s.Courier.AgreementCopy(ctx, tx, r)
	})
}

func (s *Service) accept(ctx context.Context, tx *store.Tx, who audit.Actor, r db.Registration, t Text, now int64) error {
	err := tx.InsertAgreementText(ctx, db.InsertAgreementTextParams{
		Hash: t.Hash, Kind: t.Kind, Version: t.Version, Locale: t.Locale, Body: t.Body, CreatedAt: now,
	})
	if err != nil {
		return fmt.Errorf("store text of the %s: %w", t.Kind, err)
	}
	err = tx.InsertAcceptance(ctx, db.InsertAcceptanceParams{
		ID: ident.At(s.Clock(), s.Random), RegistrationID: r.ID, EmployeeID: r.EmployeeID, Kind: t.Kind, TextHash: t.Hash,
		AcceptedAt: now, Address: who.Address, UserAgent: who.UserAgent,
	})
	if err != nil {
		return fmt.Errorf("store acceptance of the %s: %w", t.Kind, err)
	}
	return nil
}

// sealedOf is the inverse of insertCredential.
func sealedOf(c db.Credential) credential.Sealed {
	return credential.Sealed{
		KeyID: c.ID, Owner: c.EmployeeID, Generation: c.Generation, Alg: keys.Algorithm(c.Algorithm),
		Salt: c.Salt, ParamsVersion: int(c.ParamsVersion), PepperVersion: int(c.PepperVersion),
		SPKI: c.Spki, CSR: c.Csr, Box: c.Box, RowMAC: c.RowMac,
	}
}

// ChangePassphrase seals the same key with another passphrase (Change PIN).
// A wrong old one counts as an attempt.
//
// Errors: *PassphraseError around credential.ErrWrongPassphrase,
// *credential.LockedError, *credential.BusyError or credential.ErrBusy;
// *passphrase.WeakError; ErrNotFound without a certificate.
func (s *Service) ChangePassphrase(ctx context.Context, who audit.Actor, old, fresh *passphrase.Secret) error {
	r, c, e, err := s.live(ctx, who.EmployeeID)
	if err != nil {
		return err
	}
	strength, err := s.Strength(ctx, e, fresh)
	if err != nil {
		return fmt.Errorf("judge passphrase: %w", err)
	}
	if err := s.Estimator.Policy().Check(strength); err != nil {
		return err
	}
	var next credential.Sealed
	after, err := s.Guard.Unlock(ctx, c.ID, func(ctx context.Context) error {
		next, err = s.Sealer.Rewrap(ctx, sealedOf(c), old, fresh)
		return err
	})
	if err != nil {
		return s.didNotOpen(ctx, c.ID, after, err)
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := lock(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		n, err := tx.RewrapCredential(ctx, db.RewrapCredentialParams{
			ID: c.ID, Generation: next.Generation, OldGeneration: c.Generation, Salt: next.Salt,
			ParamsVersion: int64(next.ParamsVersion), PepperVersion: int64(next.PepperVersion), Box: next.Box,
			RowMac: next.RowMAC, Now: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("store key: %w", err)
		}
		if n != 1 {
			return ErrStale
		}
		r, err = s.advance(ctx, tx, r, step{
			action: ActionChange, role: Applicant, who: who,
			detail: map[string]string{"generation": fmt.Sprint(next.Generation)},
		})
		if err != nil {
			return err
		}
		return s.Courier.PassphraseChanged(ctx, tx, r)
	})
}

// live returns the issued registration of an employee and its key.
func (s *Service) live(ctx context.Context, employeeID string) (db.Registration, db.Credential, db.Employee, error) {
	q := s.Store.Read()
	r, err := q.IssuedRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return r, db.Credential{}, db.Employee{}, ErrNotFound
	}
	if err != nil {
		return r, db.Credential{}, db.Employee{}, fmt.Errorf("look for the certificate: %w", err)
	}
	c, err := q.LiveCredential(ctx, r.ID)
	if err != nil {
		return r, c, db.Employee{}, fmt.Errorf("look for the key: %w", err)
	}
	e, err := q.GetEmployee(ctx, employeeID)
	if err != nil {
		return r, c, e, fmt.Errorf("read employee: %w", err)
	}
	return r, c, e, nil
}

// AttemptsOf returns the counter of wrong passphrases of a subscriber's key.
// It fails with ErrNotFound when there is no certificate.
func (s *Service) AttemptsOf(ctx context.Context, employeeID string) (credential.Attempts, error) {
	_, c, _, err := s.live(ctx, employeeID)
	if err != nil {
		return credential.Attempts{}, err
	}
	return s.Ledger.Decode(ctx, c.ID, c.Attempts)
}
