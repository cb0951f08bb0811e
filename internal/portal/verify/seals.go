package verify

import (
	"context"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/signing"
)

// sealFacts are which institution sealed a document and when.
func sealFacts(ctx context.Context, s signing.SealOn) []ui.Term {
	return []ui.Term{
		{Label: i18n.T(ctx, "seals.organisation"), Value: s.Organisation}, {Label: i18n.T(ctx, "seals.doc.at"), Value: i18n.DateTime(ctx, s.At)},
		{Label: i18n.T(ctx, "seals.serial"), Value: s.Serial, Code: true},
	}
}
