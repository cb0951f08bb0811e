package passform

import (
	"context"
	"encoding/json"
	"errors"

	"absah/internal/passphrase"
	"absah/internal/portal/i18n"
	"absah/internal/portal/web"
)

// Names of the fields of a form that sets a passphrase, as the guide's form
// has them.
const (
	Field   = "passphrase"
	Confirm = "konfirmasi"
)

// Props describes the fields of a new passphrase.
type Props struct {
	Another bool // it replaces one: the labels say "new"
	Policy  passphrase.Policy
	Own     []string // passphrase.Owner.PublicWords
	Year    int      // the server's year: the browser judges by the same
	Errors  web.FieldErrors
	// Strength is the server's judgement of what was sent before, for those
	// whose browser shows no meter; nil for none.
	Strength *passphrase.Strength
}

func (p Props) label(ctx context.Context) string {
	if p.Another {
		return i18n.T(ctx, "passphrase.labelNew")
	}
	return i18n.T(ctx, "passphrase.label")
}

func (p Props) confirm(ctx context.Context) string {
	if p.Another {
		return i18n.T(ctx, "passphrase.confirmNew")
	}
	return i18n.T(ctx, "passphrase.confirm")
}

// words are the texts of the meter's module, as its head describes them.
func words(ctx context.Context) string {
	scores := make([]string, 5)
	for i := range scores {
		scores[i] = i18n.T(ctx, "passphrase.score."+string(rune('0'+i)))
	}
	b, err := json.Marshal(map[string]any{
		"scores": scores, "score": i18n.T(ctx, "passphrase.meter.score"), "crack": i18n.T(ctx, "passphrase.meter.crack"),
		"instant": i18n.T(ctx, "passphrase.crack.instant"), "centuries": i18n.T(ctx, "passphrase.crack.centuries"),
		"show": i18n.T(ctx, "passphrase.show"), "hide": i18n.T(ctx, "passphrase.hide"), "capsLock": i18n.T(ctx, "passphrase.capslock"),
		"met": i18n.T(ctx, "passphrase.met"), "unmet": i18n.T(ctx, "passphrase.unmet"),
		"progress": i18n.T(ctx, "passphrase.progress"), "busy": i18n.T(ctx, "passphrase.busy"),
	})
	if err != nil {
		panic("passform: texts do not marshal") // cannot happen
	}
	return string(b)
}

func list(own []string) string {
	if own == nil {
		own = []string{}
	}
	b, err := json.Marshal(own)
	if err != nil {
		panic("passform: words do not marshal") // cannot happen
	}
	return string(b)
}

// crack says a Span in words.
func crack(ctx context.Context, s passphrase.Span) string {
	if s.Unit == "instant" || s.Unit == "centuries" {
		return i18n.T(ctx, "passphrase.crack."+s.Unit)
	}
	return i18n.N(ctx, "date."+s.Unit+"s", s.N)
}

// Judged says a Strength in words: "Lemah (skor 1 dari 4)…".
func Judged(ctx context.Context, s passphrase.Strength) string {
	return i18n.T(ctx, "passphrase.judged", "word", i18n.T(ctx, "passphrase.score."+string(rune('0'+s.Score))),
		"score", s.Score, "time", crack(ctx, s.Crack))
}

// Explain notes in errs why a new passphrase is not taken, and reports whether
// err is about that at all: an *passphrase.Error or *passphrase.WeakError.
func Explain(errs web.FieldErrors, field string, p passphrase.Policy, err error) bool {
	var malformed *passphrase.Error
	var weak *passphrase.WeakError
	switch {
	case errors.As(err, &malformed):
		errs.Add(field, "passphrase.error."+malformed.Code, "max", passphrase.MaxBytes)
	case errors.As(err, &weak):
		errs.Add(field, "passphrase.weak."+weak.Broken[0], "min", p.MinLength)
	default:
		return false
	}
	return true
}

// Pair reads the new passphrase of f and holds the repetition against it, if
// there is one. It returns nil and notes in errs what is wrong.
func Pair(f *Form, errs web.FieldErrors, p passphrase.Policy) *passphrase.Secret {
	secret, err := f.Secret(Field)
	if err != nil {
		Explain(errs, Field, p, err)
		return nil
	}
	again, err := f.Secret(Confirm)
	if !errors.Is(err, passphrase.ErrEmpty) && (err != nil || !again.Equal(secret)) {
		errs.Add(Confirm, "passphrase.differ")
		return nil
	}
	return secret
}
