package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"absah/internal/keys"
	"absah/internal/mail"
)

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

var errNoLink = errors.New("no mail with a link waits")

// linkFromMail opens the newest mail with a link for a registration. The
// demo's people have no mailbox of their own while their past is made.
func (t *teller) linkFromMail(ctx context.Context, registrationID string) (string, error) {
	mails, err := t.Store.Read().MailsOfRegistration(ctx, null(registrationID))
	if err != nil {
		return "", fmt.Errorf("read mails: %w", err)
	}
	for _, row := range mails {
		if mail.Kind(row.Kind) != mail.KindEnrolLink || len(row.ParamsSealed) == 0 {
			continue
		}
		plain, err := t.Vault.Open(ctx, keys.Data, row.ParamsSealed, []byte("mail/"+row.ID))
		if err != nil {
			return "", fmt.Errorf("open mail: %w", err)
		}
		var m mail.Message
		if err := json.Unmarshal(plain, &m); err != nil {
			return "", fmt.Errorf("open mail: %w", err)
		}
		if p, ok := m.Params.(mail.EnrolLink); ok {
			return p.Token, nil
		}
	}
	return "", errNoLink
}
