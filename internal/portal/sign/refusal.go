package sign

import (
	"context"
	"errors"

	"absah/internal/credential"
	"absah/internal/passphrase"
	"absah/internal/portal/i18n"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// StandingText says why somebody cannot sign.
func StandingText(ctx context.Context, s signing.Standing) string {
	var locked *credential.LockedError
	var busy *credential.BusyError
	switch {
	case errors.As(s.Err, &locked) && locked.ForGood:
		return ProblemText(ctx, "lost_key")
	case errors.As(s.Err, &locked):
		return ProblemText(ctx, "locked_key")
	case errors.As(s.Err, &busy):
		return ProblemText(ctx, "busy_key")
	}
	return ProblemText(ctx, signing.Problem(s.Err))
}

// Refusal notes at the passphrase why it opened nothing. gone tells that it was
// the last one; an error is one that nobody can help.
func Refusal(ctx context.Context, errs web.FieldErrors, err error) (gone bool, _ error) {
	var wrong *signing.PassphraseError
	var locked *credential.LockedError
	var busy *credential.BusyError
	switch {
	case errors.As(err, &wrong) && wrong.End != credential.NoEnd:
		return true, nil
	case errors.As(err, &locked) && locked.ForGood:
		errs.Add(fieldSecret, "sign.refused.lost")
	case errors.As(err, &locked):
		errs.Add(fieldSecret, "sign.refused.locked", "until", i18n.DateTime(ctx, locked.Until))
	case errors.As(err, &busy):
		errs.AddBusy(fieldSecret, "sign.refused.inflight")
	case errors.Is(err, credential.ErrBusy), errors.Is(err, passphrase.ErrBusy):
		errs.AddBusy(fieldSecret, "sign.refused.busy")
	case errors.Is(err, credential.ErrStale):
		errs.Add(fieldSecret, "sign.refused.stale")
	case errors.Is(err, credential.ErrWrongPassphrase) && wrong != nil && wrong.Left > 0:
		errs.Add(fieldSecret, "sign.refused.wrong", "left", wrong.Left)
	case errors.Is(err, credential.ErrWrongPassphrase):
		errs.Add(fieldSecret, "sign.refused.wrong_last")
	default:
		word := signing.Problem(err)
		if word == "internal" {
			return false, err
		}
		errs.Add(fieldSecret, problemKey(ctx, word))
	}
	return false, nil
}
