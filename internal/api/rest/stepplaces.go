package rest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"absah/internal/apidoc"
	"absah/internal/signing"
	"absah/pades"
	"absah/pades/appearance"
)

// lookOf says how somebody is to sign whose step names places; nil where it names none.
func (d *door) lookOf(ctx context.Context, doc signing.Document, signer string, order stepOrder, pointer string) (*signing.Look, error) {
	if len(order.Places) == 0 {
		return nil, nil
	}
	if order.Anchor != "" {
		return nil, problem("invalid_fields").at(pointer+"/anchor", apidoc.FaultUnknown)
	}
	sheets, err := d.Signing.Sheets(ctx, doc.ID, nil)
	if err != nil {
		return nil, err
	}
	look := &signing.Look{Level: pades.BT.String()}
	for i := range order.Places {
		at := fmt.Sprintf("%s/places/%d", pointer, i)
		place, err := order.Places[i].place(doc.Pages, at)
		if err != nil {
			return nil, err
		}
		content := contentOf(place.Face)
		if i > 0 && !slices.Equal(content, look.Content) {
			return nil, problem("placement").say("Semua tempat satu langkah harus berisi hal yang sama", "All places of a step show the same").at(at, "placement")
		}
		look.Content = content
		spot, err := sheets.Spot(place)
		var refusal *pades.Refusal
		if errors.As(err, &refusal) {
			return nil, problem("placement").say(refusal.Error(), refusal.Error()).at(at, "placement")
		}
		if err != nil {
			return nil, problem("placement").at(at, "placement")
		}
		look.Spots = append(look.Spots, spot)
	}
	err = d.Signing.Fits(ctx, signer, *look)
	var fit *appearance.FitError
	var glyph *appearance.GlyphError
	if errors.As(err, &fit) || errors.As(err, &glyph) {
		return nil, problem("placement").say("Isi tanda tangan tidak muat di kotaknya", "What the signature shows does not fit into its box").at(pointer+"/places", "placement")
	}
	return look, err
}

// contentOf names what a face shows, in the order of signing.Contents.
func contentOf(f signing.Face) []string {
	var out []string
	for i, shown := range []bool{f.QR, f.Specimen, f.Letter, f.Footer} {
		if shown {
			out = append(out, signing.Contents()[i])
		}
	}
	return out
}

// stepPlace is a place of a step, in points from the upper left corner.
type stepPlace struct {
	Page     any      `json:"page"` // number, "last" or null
	X        *float64 `json:"x"`
	Y        *float64 `json:"y"`
	Width    float64  `json:"width"`
	Height   float64  `json:"height"`
	Anchor   *string  `json:"anchor"`
	Position *string  `json:"position"`
}

func placesOf(look *signing.Look) []stepPlace {
	out := []stepPlace{}
	if look == nil {
		return out
	}
	for _, spot := range look.Spots {
		box := spot.Points()
		one := stepPlace{Width: hundredths(box.Width), Height: hundredths(box.Height)}
		switch spot.Page {
		case signing.FirstPage:
			one.Page = 1
		case signing.LastPage:
			one.Page = "last"
		default:
			one.Page = spot.Number
		}
		switch spot.Method {
		case signing.ByPosition:
			one.Position = &spot.Position
		case signing.ByPoint:
			x, y := hundredths(box.X), hundredths(box.Y)
			one.X, one.Y = &x, &y
		case signing.ByAnchor:
			one.Page, one.Anchor = nil, &spot.Anchor
		}
		out = append(out, one)
	}
	return out
}

// hundredths rounds what came through millimetres.
func hundredths(v float64) float64 { return math.Round(v*100) / 100 }

// planned are the places that the step of a signer whose turn it is says for a document.
// Signing by a call goes there when the call names no places.
func (d *door) planned(ctx context.Context, doc signing.Document, signer string, password []byte) ([]signing.Place, error) {
	w, err := d.Signing.Workflow(ctx, doc.ID)
	if errors.Is(err, signing.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, step := range w.Steps {
		if step.EmployeeID != signer || !step.Turn || step.Look == nil || len(step.Look.Spots) == 0 {
			continue
		}
		sheets, err := d.Signing.Sheets(ctx, doc.ID, password)
		if err != nil {
			return nil, err
		}
		r, err := step.Look.Request(sheets)
		return r.Places, err
	}
	return nil, nil
}
