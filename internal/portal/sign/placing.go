package sign

import (
	"context"
	"net/url"

	"github.com/a-h/templ"

	"absah/internal/audit"
	"absah/internal/portal/i18n"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// Placing is the part of a form that says how documents are stamped and where:
// for pages of institutions' seals. It has one place.
type Placing struct {
	pages   *Pages
	d       *draft
	covered []covering
}

// sealContents are what a visible seal may show: it has no handwriting.
func sealContents() []string { return []string{"qr", "surat", "kaki"} }

// NewPlacing is the form before anybody filled it in.
func (p *Pages) NewPlacing(files []signing.Document) *Placing {
	return &Placing{pages: p, d: newDraft(files)}
}

// ReadPlacing takes the form as it was sent.
func (p *Pages) ReadPlacing(files []signing.Document, v url.Values) *Placing {
	return &Placing{pages: p, d: readDraft(files, v, 1)}
}

// Chosen are the documents that a form names.
func Chosen(v url.Values) []string { return v[fieldDocument] }

// Errors are what is wrong with the form; more may be added.
func (g *Placing) Errors() web.FieldErrors { return g.d.Errors }

// Items says what is asked of every document, with the digests of what was
// shown. It is nil when something is wrong with the form, or when a stamp would
// cover something and nobody agreed to it.
func (g *Placing) Items(ctx context.Context, who audit.Actor) ([]signing.Item, error) {
	items, covered, err := g.pages.items(ctx, who, g.d)
	if err != nil || len(g.d.Errors) > 0 {
		return nil, err
	}
	for i, f := range g.d.files {
		if !g.d.shown(f) {
			g.d.Errors.Add(fieldDocument, "sign.problem.changed")
			return nil, nil
		}
		items[i].Request.Authority = ""
	}
	if g.covered = covered; len(covered) > 0 && !g.d.Agreed {
		g.d.Errors.Add(fieldAgreed, "sign.error.agree")
		return nil, nil
	}
	return items, nil
}

// Fields are the cards of the form.
func (g *Placing) Fields() templ.Component {
	return placingFields(prepareView{draft: g.d, limits: g.pages.Signing.Limits, now: g.pages.Clock()}, g.covered)
}

// ProblemText says why a document was not signed or sealed, by the short word of
// signing.Problem.
func ProblemText(ctx context.Context, word string) string { return i18n.T(ctx, problemKey(ctx, word)) }
