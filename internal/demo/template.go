package demo

import (
	"context"
	"fmt"

	"absah/internal/signing"
)

// makeTemplate keeps a template of the first who has a certificate, so that the
// unit has one to use.
func (t *teller) makeTemplate(ctx context.Context) error {
	for i, p := range t.people {
		if p.story != storyIssued {
			continue
		}
		look := func(s signing.Spot) *signing.Look {
			s.Width, s.Height = 75, 32
			return &signing.Look{Level: "B-T", Content: []string{"qr", "surat", "kaki"}, Spots: []signing.Spot{s}}
		}
		_, err := t.Signing.SaveTemplate(ctx, t.actors[i], "Surat tugas perjalanan dinas", true, signing.Arrangement{
			Kind: "surat_tugas", Ordered: true, DueDays: 5, Note: "Mohon ditandatangani sebelum keberangkatan.",
			Steps: []signing.TemplateStep{
				{Who: signing.WhoMaker, Role: signing.Paraf, Look: &signing.Look{Level: "B-T"}},
				{Who: signing.WhoRow, Name: "Atasan", Role: signing.SignRole, Look: look(signing.Spot{Method: signing.ByPosition, Page: signing.LastPage, Position: "kanan_bawah"})},
			},
		})
		if err != nil {
			return fmt.Errorf("keep a template: %w", err)
		}
		return nil
	}
	return nil
}
