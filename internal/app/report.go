package app

import (
	"context"

	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/staff"
)

// ReportText puts the report of an import into the words of the pages.
func ReportText(lang string) staff.Text {
	l, ok := i18n.ParseLang(lang)
	if !ok {
		l = i18n.Indonesian
	}
	return staffview.Text(i18n.With(context.Background(), l, i18n.WIB))
}
