package ca

import (
	"context"
	"crypto/sha256"
	"fmt"

	"absah/internal/store"
	"absah/internal/store/db"
)

// Subjects tells what certificates say about employees (package staff).
type Subjects interface {
	// CertificateSubject returns what a certificate would say about an employee
	// now, and the hash of everything that officers judge about him now.
	CertificateSubject(ctx context.Context, q *db.Queries, employeeID string) (Subject, [sha256.Size]byte, error)
}

// People tells the same of several employees at once.
type People interface {
	Subjects
	// CertificateSubjects returns what CertificateSubject does for each of them. One whom the
	// database does not know is not in the answer.
	CertificateSubjects(ctx context.Context, tx *store.Tx, employeeIDs []string) (map[string]Applicant, error)
}

// Applicant is what CertificateSubject returns.
type Applicant struct {
	Subject Subject
	Hash    [sha256.Size]byte
}

// order is what the database says about a registration that waits for us.
type order struct {
	waiting      bool // the registration waits for the authority
	request      Request
	credentialID string
	certificate  string // state of the intent recorded before or of its outcome; empty: there is none
	fault        error  // why the request cannot be made: one that refusal knows
}

// orders gathers what the database says about registrations, by as many
// questions as one would need. It reads the approvals from where the officers'
// checks stand and takes nobody's word for them. A registration that is not
// there does not wait.
func (a *Authority) orders(ctx context.Context, tx *store.Tx, ids []string) (map[string]order, error) {
	rows, err := store.Of(tx, ids).IssuanceOrders(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	var people []string
	var keys [][]byte
	for _, r := range rows {
		if r.Status == statusIssuing && r.CredentialID != "" {
			hash := KeyHash(r.Spki)
			people, keys = append(people, r.EmployeeID), append(keys, hash[:])
		}
	}
	var applicants map[string]Applicant
	blocked := map[[sha256.Size]byte]bool{}
	if len(people) > 0 {
		if applicants, err = a.cfg.People.CertificateSubjects(ctx, tx, people); err != nil {
			return nil, fmt.Errorf("read subscribers: %w", err)
		}
		hashes, err := store.Of(tx, keys).BlockedKeys(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("look up blocked keys: %w", err)
		}
		for _, h := range hashes {
			blocked[[sha256.Size]byte(h)] = true
		}
	}
	out := make(map[string]order, len(rows))
	for _, r := range rows {
		o, err := a.order(ctx, tx.Queries, r, applicants, blocked)
		if refusal(err) == "" && err != nil {
			return nil, err
		}
		o.fault = err
		out[r.ID] = o
	}
	return out, nil
}

// order makes an order of a row. An error that refusal knows is a fault of this
// order; any other is none of the order's.
func (a *Authority) order(ctx context.Context, q *db.Queries, r db.IssuanceOrdersRow, applicants map[string]Applicant,
	blocked map[[sha256.Size]byte]bool) (order, error) {
	o := order{waiting: r.Status == statusIssuing, certificate: r.CertificateState, credentialID: r.CredentialID}
	if !o.waiting {
		return o, nil
	}
	if r.CredentialID == "" {
		return o, fmt.Errorf("%w: no key", ErrCSR)
	}
	applicant, ok := applicants[r.EmployeeID]
	if !ok || string(applicant.Hash[:]) != string(r.SnapshotHash) {
		return o, fmt.Errorf("%w: the data changed since the registration", ErrApproval)
	}
	isBlocked := blocked[KeyHash(r.Spki)]
	o.request = Request{
		RegistrationID: r.ID, ApplicantID: r.EmployeeID, SnapshotHash: r.SnapshotHash,
		FirstOfficer: r.FirstOfficer, FirstHash: r.FirstHash, SecondOfficer: r.SecondOfficer, SecondHash: r.SecondHash,
		CSR: r.Csr, ExpectedSPKI: r.Spki, Subject: applicant.Subject, blocked: &isBlocked,
	}
	var err error
	if r.Kind == kindRenewal {
		if o.request.Renewed, err = a.checkRenewal(ctx, q, o.request); err != nil {
			return o, err
		}
	}
	o.request.signatures, err = a.signatures(ctx, q, o.request)
	return o, err
}
