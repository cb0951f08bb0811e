package enrol

import (
	"context"

	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
)

// version names a text's version and language below its title.
func version(ctx context.Context, t enrolment.Text) string {
	return i18n.T(ctx, "enrol.agreement.version", "version", t.Version, "language", i18n.Lang(t.Locale).Name())
}
