package enrolment

import (
	"context"
	"fmt"

	"absah/internal/audit"
	"absah/internal/store"
)

// FollowCertificates ends the registrations whose certificate is revoked while
// they stand as issued: so it is after an older database was put back and the
// revocations since were made again. It returns how many it ended.
func (s *Service) FollowCertificates(ctx context.Context) (int, error) {
	rows, err := s.Store.Read().RegistrationsToFollow(ctx)
	if err != nil {
		return 0, fmt.Errorf("look for registrations of revoked certificates: %w", err)
	}
	n := 0
	for _, row := range rows {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			r, err := lock(ctx, tx, row.ID)
			if err != nil || Status(r.Status) != Issue {
				return err
			}
			r, err = s.advance(ctx, tx, r, step{
				action: ActionRevoke, role: Administrator, who: audit.System("restore"), reason: Reason{Code: reasonOf(row.RevocationReason)},
				detail: map[string]string{"serial": row.Serial, "reason": fmt.Sprint(row.RevocationReason)},
			})
			if err != nil {
				return err
			}
			tx.After(func() { n++ })
			return s.eraseKey(ctx, tx, r.ID, "revoked")
		})
		if err != nil {
			return n, fmt.Errorf("end registration %s: %w", row.ID, err)
		}
	}
	return n, nil
}

// reasonOf is the reason by which people know a code of RFC 5280 5.3.1.
func reasonOf(code int64) string {
	for reason, c := range RevokeReasons {
		if int64(c) == code {
			return reason
		}
	}
	return "cessation"
}
