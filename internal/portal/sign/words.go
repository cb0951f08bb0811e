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
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func itoa(n int) string { return strconv.Itoa(n) }

// sorted are the pages on which something would be covered.
func (c covering) sorted() []int { return slices.Sorted(maps.Keys(c.pages)) }

func (c covering) words(ctx context.Context, page int) string {
	if c.pages[page] == "" {
		return i18n.T(ctx, "sign.cover.picture", "name", c.name, "page", page)
	}
	return i18n.T(ctx, "sign.cover.text", "name", c.name, "page", page, "text", c.pages[page])
}

// summary says how the list is signed.
func (v confirmView) summary(ctx context.Context) []ui.Term {
	terms := []ui.Term{{Label: i18n.T(ctx, "sign.authority.label"), Value: v.office}, {Label: i18n.T(ctx, "sign.prepare.level"), Value: i18n.T(ctx, "sign.level."+v.Level)}}
	if v.Mode == invisible {
		return append(terms, ui.Term{Label: i18n.T(ctx, "sign.prepare.mode"), Value: i18n.T(ctx, "sign.prepare.invisible")})
	}
	var shows []string
	for _, c := range v.Content {
		if slices.Contains(contents(), c) {
			shows = append(shows, i18n.T(ctx, "sign.content."+c))
		}
	}
	terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.prepare.content"), Value: strings.Join(shows, ", ")})
	for _, s := range v.Spots {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "sign.place.title", "number", s.Number), Value: s.words(ctx)})
	}
	return terms
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
