package rest

import (
	"context"
	"errors"
	"strings"
	"time"

	"absah/internal/apiclient"
	"absah/internal/apidoc"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/signing"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/verification"
	"absah/pades"
)

// unauthorized is the answer to whom no credential lets in.
func unauthorized() *problemError {
	return problem("unauthorized").header("WWW-Authenticate", `Basic realm="Absah", charset="UTF-8"`)
}

// errNobody says that a reference names not exactly one employee.
var errNobody = errors.New("no such person")

// waitBusy is when to try again what was refused for want of a place.
const waitBusy = 5 * time.Second

// problemOf says an error in the words of the interface.
func problemOf(err error) *problemError {
	var p *problemError
	if errors.As(err, &p) {
		return p
	}
	if errors.Is(err, apiclient.ErrDisabled) {
		return unauthorized()
	}
	if store.IsText(err) {
		return problem("unreadable")
	}
	for _, f := range []func(error) *problemError{keyProblem, personProblem, workflowProblem, verifyProblem, webhookProblem} {
		if p := f(err); p != nil {
			return p
		}
	}
	return documentProblem(err)
}

// keyProblem is about the passphrase. Such an answer is given again to who asks
// again with the same key: the attempt was counted.
func keyProblem(err error) *problemError {
	var phrase *signing.PassphraseError
	var locked *credential.LockedError
	var busy *credential.BusyError
	switch {
	case errors.As(err, &busy), errors.Is(err, credential.ErrBusy):
		return problem("busy").after(waitBusy)
	case errors.Is(err, signing.ErrElsewhere):
		return problem("window_elsewhere").after(time.Second)
	case errors.Is(err, signing.ErrWindow):
		return problem("no_window")
	case errors.As(err, &locked):
		return &problemError{code: "passphrase_locked", until: locked.Until}
	case errors.As(err, &phrase) && errors.Is(err, credential.ErrWrongPassphrase):
		p := problem("wrong_passphrase")
		if phrase.End != "" {
			p = problem("key_destroyed")
		}
		left := max(phrase.Left, 0)
		p.left, p.standing = &left, true
		return p
	}
	return nil
}

// personProblem is about people and their registrations.
func personProblem(err error) *problemError {
	var refused *enrolment.NotAllowedError
	var fields *staff.InvalidError
	var picture *scan.Error
	switch {
	case errors.Is(err, errNobody):
		return problem("person_unknown")
	case errors.Is(err, staff.ErrInactive), errors.Is(err, signing.ErrInactive):
		return problem("person_inactive")
	case errors.Is(err, enrolment.ErrNotFound):
		return problem("no_certificate")
	case errors.Is(err, enrolment.ErrIncomplete):
		return problem("prerequisites")
	case errors.As(err, &refused):
		return problem("registration_running")
	case errors.Is(err, staff.ErrNothing):
		return problem("nothing_new")
	case errors.As(err, &fields):
		out := problem("invalid_fields")
		for f := range fields.Problems {
			out.errors = append(out.errors, fieldError{"/" + string(f), "invalid_value", apidoc.Text{ID: "nilainya tidak sesuai", EN: "the value does not fit"}})
		}
		return out
	case errors.As(err, &picture):
		return problem("scan_refused").say("Pindaian tidak dapat diterima: "+string(picture.Code), "The scan cannot be accepted: "+string(picture.Code))
	}
	return nil
}

func workflowProblem(err error) *problemError {
	switch {
	case errors.Is(err, signing.ErrWorkflow):
		return problem("workflow_exists")
	case errors.Is(err, signing.ErrSteps):
		return problem("steps")
	case errors.Is(err, signing.ErrReminded):
		return problem("reminded")
	}
	return nil
}

func verifyProblem(err error) *problemError {
	switch {
	case errors.Is(err, verification.ErrBusy):
		return problem("busy").after(waitBusy)
	case errors.Is(err, verification.ErrTooBig):
		return problem("document_too_large")
	case errors.Is(err, verification.ErrTooHard):
		return problem("document_too_hard")
	case errors.Is(err, verification.ErrEmpty), errors.Is(err, signing.ErrEmpty):
		return problem("document_empty")
	}
	return nil
}

// documentProblem is about the file and how it is signed.
func documentProblem(err error) *problemError {
	var refusal *pades.Refusal
	switch {
	case errors.As(err, &refusal):
		code := "signing_refused"
		if refusal.Reason == pades.ReasonPlacement {
			code = "placement"
		}
		return problem(code).say(refusal.Error(), refusal.Error())
	case errors.Is(err, signing.ErrKind), errors.Is(err, signing.ErrPlaces), errors.Is(err, signing.ErrBatch), errors.Is(err, signing.ErrDigest):
		return problem("invalid_fields")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problem("interrupted").after(waitBusy)
	}
	p := problem(codeOf(signing.Problem(err)))
	if p.code == "busy" || p.code == "interrupted" || p.code == "clock" {
		p.wait = waitBusy
	}
	return p
}

// codeOf says a short word of signing.Problem as a code of the interface.
func codeOf(word string) string {
	if code, ok := codes[word]; ok {
		return code
	}
	switch {
	case word == "refused_"+string(pades.ReasonPlacement):
		return "placement"
	case strings.HasPrefix(word, "refused_"):
		return "signing_refused"
	case strings.HasPrefix(word, "authority_"):
		return "authority"
	}
	return "internal"
}

var codes = map[string]string{
	"changed": "document_changed", "in_progress": "signing_in_progress", "interrupted": "interrupted", "not_your_turn": "not_your_turn",
	"expired_activation": "interrupted", "lost": "interrupted", "password": "document_password", "not_pdf": "not_pdf", "too_big": "document_too_large",
	"quota": "storage_full", "suspended": "certificate_suspended", "revoked": "certificate_revoked", "expired": "certificate_expired",
	"no_certificate": "no_certificate", "inactive": "person_inactive", "clock": "clock", "no_timestamp": "level", "no_specimen": "no_specimen",
	"fit": "placement", "fixed_place": "placement", "glyph": "placement", "image": "placement", "qr": "placement", "damaged": "document_damaged", "too_hard": "document_too_hard",
	"too_slow": "interrupted", "not_found": "not_found", "read_only": "signing_refused", "busy": "busy", "reading": "busy", "application": "unauthorized",
}
