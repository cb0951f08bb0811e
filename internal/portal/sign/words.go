package sign

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/signing"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func itoa(n int) string { return strconv.Itoa(n) }

// summary says how the list is signed.
func (v confirmView) summary(ctx context.Context) []ui.Term {
	terms := []ui.Term{{Label: i18n.T(ctx, "sign.authority.label"), Value: v.office}, {Label: i18n.T(ctx, "sign.prepare.level"), Value: i18n.T(ctx, "sign.level."+v.Level)}}
	if v.free() {
		if v.Mode == invisible {
			terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.prepare.mode"), Value: i18n.T(ctx, "sign.prepare.invisible")})
		} else {
			terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.prepare.content"), Value: contentWords(ctx, v.Content)})
			for _, s := range v.Spots {
				terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.place.title", "number", s.Number), Value: s.words(ctx)})
			}
		}
	}
	for _, f := range v.files {
		if l := v.fixed[f.ID]; l != nil {
			terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.fixed.of", "name", f.Name), Value: lookWords(ctx, l)})
		}
	}
	return terms
}

func contentWords(ctx context.Context, content []string) string {
	var shows []string
	for _, c := range content {
		if slices.Contains(contents(), c) {
			shows = append(shows, i18n.T(ctx, "sign.content."+c))
		}
	}
	return strings.Join(shows, ", ")
}

// lookWords say where the sender of a document put a signature.
func lookWords(ctx context.Context, l *signing.Look) string {
	if len(l.Spots) == 0 {
		return i18n.T(ctx, "sign.prepare.invisible")
	}
	out := make([]string, len(l.Spots))
	for i, s := range l.Spots {
		out[i] = spotOf(i+1, s).words(ctx)
	}
	return strings.Join(out, "; ")
}

// words say where a spot is.
func (s spot) words(ctx context.Context) string {
	page := s.Page
	if page == firstPage || page == lastPage {
		page = i18n.T(ctx, "sign.place.page_"+page)
	} else {
		page = i18n.T(ctx, "sign.place.page_number", "number", page)
	}
	switch s.Method {
	case byAnchor:
		return i18n.T(ctx, "sign.place.at_anchor", "anchor", s.Anchor)
	case byPoint:
		return i18n.T(ctx, "sign.place.at_point", "page", page, "x", s.X, "y", s.Y)
	}
	return i18n.T(ctx, "sign.place.at_position", "page", page, "position", i18n.T(ctx, "sign.position."+s.Position))
}

// hidden are the fields that the confirmation carries along.
func (v confirmView) hidden() [][2]string {
	values := v.values()
	var out [][2]string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			out = append(out, [2]string{name, value})
		}
	}
	return out
}
