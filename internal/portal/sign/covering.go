package sign

import (
	"context"
	"maps"
	"slices"
	"strings"

	"absah/internal/portal/i18n"
	"absah/internal/signing"
)

// owned is a place on a document, and whose it is in words.
type owned struct {
	whose string
	place signing.Place
}

// covering is what signatures on a document would lie over.
type covering struct {
	name      string
	pages     map[int]string // what of each page
	crossings []crossing
}

// crossing is two signatures that would lie over each other.
type crossing struct {
	page       int
	one, other string
}

// cover tells what the places of a document would lie over; nil: nothing. The
// first mine of them are those that are asked about, the others are planned
// already. It fails as Sheets.Survey does.
func cover(ctx context.Context, f signing.Document, sheets *signing.Sheets, list []owned, mine int) (*covering, error) {
	if mine == 0 {
		return nil, nil
	}
	places := make([]signing.Place, len(list))
	for i, o := range list {
		places[i] = o.place
	}
	seen, err := sheets.Survey(ctx, places)
	if err != nil {
		return nil, err
	}
	c := &covering{name: f.Name, pages: map[int]string{}}
	for _, o := range seen.Overlaps {
		if o.Place >= mine {
			continue
		}
		text := c.pages[o.Page] + " " + o.Text
		if r := []rune(text); len(r) > 120 {
			text = string(r[:120]) + "…"
		}
		c.pages[o.Page] = strings.TrimSpace(text)
	}
	for _, pair := range seen.Crossings {
		if pair[0] < mine {
			c.crossings = append(c.crossings, crossing{seen.Where[pair[0]].Page, list[pair[0]].whose, list[pair[1]].whose})
		}
	}
	if len(c.pages) == 0 && len(c.crossings) == 0 {
		return nil, nil
	}
	return c, nil
}

// lines say it.
func (c covering) lines(ctx context.Context) (out []string) {
	for _, page := range slices.Sorted(maps.Keys(c.pages)) {
		if text := c.pages[page]; text != "" {
			out = append(out, i18n.T(ctx, "sign.cover.text", "name", c.name, "page", page, "text", text))
		} else {
			out = append(out, i18n.T(ctx, "sign.cover.picture", "name", c.name, "page", page))
		}
	}
	for _, x := range c.crossings {
		out = append(out, i18n.T(ctx, "sign.cover.crossing", "name", c.name, "page", x.page, "one", x.one, "other", x.other))
	}
	return out
}
