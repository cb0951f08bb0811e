package csc

import (
	"errors"
	"net/http"
	"time"

	"absah/internal/apiclient"
	"absah/internal/credential"
	"absah/internal/signing"
	"absah/internal/store"
)

// faultOf says an error in the words of the interface.
func faultOf(err error) *fault {
	bad := func(description string) *fault {
		return &fault{status: http.StatusBadRequest, code: "invalid_request", description: description}
	}
	var f *fault
	var locked *credential.LockedError
	var busy *credential.BusyError
	var expired *signing.ExpiredError
	var revoked *signing.RevokedError
	var suspended *signing.SuspendedError
	var ended *signing.EndedError
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, apiclient.ErrDisabled):
		return disabled()
	case store.IsText(err):
		return bad("A parameter is no text")
	case errors.As(err, &busy), errors.Is(err, credential.ErrBusy), errors.Is(err, signing.ErrClock), errors.Is(err, signing.ErrNoTimestamp), errors.Is(err, signing.ErrInProgress):
		return &fault{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", description: "Try again", after: 5 * time.Second}
	case errors.As(err, &locked):
		return bad("PIN locked")
	case errors.Is(err, credential.ErrWrongPassphrase):
		var phrase *signing.PassphraseError
		if errors.As(err, &phrase) && phrase.End != "" {
			return bad("PIN locked")
		}
		return bad("The PIN is invalid")
	case errors.Is(err, signing.ErrElsewhere):
		return &fault{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", description: "Another process has the activation window, try again", after: time.Second}
	case errors.Is(err, signing.ErrActivationElsewhere):
		return &fault{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", description: "Another process has what was authorised, try again", after: time.Second}
	case errors.Is(err, signing.ErrWindow):
		return bad("The PIN is invalid") // there is none, and no window either
	case errors.Is(err, signing.ErrNotAuthorised):
		return bad("Hash is not authorized by the SAD")
	case errors.As(err, &ended):
		return bad("SAD expired")
	case errors.Is(err, signing.ErrActivation):
		return bad("Invalid parameter SAD")
	case errors.Is(err, signing.ErrDigest):
		return bad("Invalid digest value length")
	case errors.Is(err, signing.ErrBatch):
		return bad("Numbers of signatures is too high")
	case errors.As(err, &expired):
		return bad("Signing certificate is expired")
	case errors.As(err, &revoked), errors.As(err, &suspended), errors.Is(err, signing.ErrNoCertificate), errors.Is(err, signing.ErrInactive), errors.Is(err, signing.ErrNotFound):
		return bad("Invalid parameter credentialID")
	}
	switch signing.Problem(err) {
	case "interrupted", "too_slow": // also by a change of the passphrase at the same moment
		return &fault{status: http.StatusServiceUnavailable, code: "temporarily_unavailable", description: "Try again", after: time.Second}
	case "lost":
		return bad("The hash was signed once and its signature is lost")
	}
	return &fault{status: http.StatusInternalServerError, code: "server_error", description: "An error of the service"}
}
