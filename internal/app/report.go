package app

import (
	"context"

	"absah/internal/portal/i18n"
	"absah/internal/staff"
)

// ReportText puts the report of an import into the words of the pages.
func ReportText(lang string) staff.Text {
	l, ok := i18n.ParseLang(lang)
	if !ok {
		l = i18n.Indonesian
	}
	ctx := i18n.With(context.Background(), l, i18n.WIB)
	return func(key string, params map[string]string) string { return i18n.T(ctx, key, params) }
}
