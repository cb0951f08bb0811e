package ui

import (
	"context"
	"strconv"
	"strings"

	"absah/internal/portal/i18n"
)

type csrfKey struct{}

// WithCSRF returns a context in which every form of this package carries token
// in the hidden field "csrf".
func WithCSRF(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, csrfKey{}, token)
}

func csrfToken(ctx context.Context) string {
	token, _ := ctx.Value(csrfKey{}).(string)
	return token
}

func documentTitle(ctx context.Context, p Page) string {
	parts := []string{p.Title, p.Identity.Product}
	title := strings.Join(parts, " · ")
	if p.HasErrors {
		return i18n.T(ctx, "ui.error.title", "title", title)
	}
	return title
}

func nextTheme(t Theme) Theme {
	if t == ThemeDark {
		return ThemeLight
	}
	return ThemeDark
}

func boolText(b bool) string { return strconv.FormatBool(b) }
