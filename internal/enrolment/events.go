package enrolment

import (
	"context"

	"absah/internal/store"
	"absah/internal/store/db"
)

// Stepped is a step that a registration took.
type Stepped struct {
	Action   Action
	From, To Status // the same where the certificate changed and not the registration
	Serial   string // of the certificate that the step is about; empty for none
	Reason   string // of its revocation, RFC 5280 5.3.1 as a number
}

// Events learns in the transaction what becomes of registrations and certificates,
// for programs that asked to be told (package webhook).
type Events interface {
	// Stepped tells of a step of a registration, which is as it is after it.
	Stepped(ctx context.Context, tx *store.Tx, r db.Registration, s Stepped) error
	// Expiring tells that a certificate ends within days.
	Expiring(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate, days int) error
}
