package verify

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"absah/internal/portal/i18n"
	"absah/internal/verification"
	"absah/pades/changes"
	"absah/pades/validation"
)

// pageChanges are the changes of one page, or those that belong to none.
type pageChanges struct {
	title   string
	short   string // within a sentence
	changes []changeView
}

// changeView is a change in words.
type changeView struct {
	text    string
	note    string // why it may mislead
	allowed bool
}

// byPage puts changes under their pages, in the order of the pages; those of the
// whole document come last.
func byPage(ctx context.Context, list []validation.Change) []pageChanges {
	list = slices.Clone(list)
	key := func(c validation.Change) int {
		if c.Page == 0 {
			return int(^uint(0) >> 1)
		}
		return c.Page
	}
	slices.SortStableFunc(list, func(a, b validation.Change) int { return cmp.Compare(key(a), key(b)) })
	var out []pageChanges
	for i, c := range list {
		if i == 0 || list[i-1].Page != c.Page {
			p := pageChanges{title: i18n.T(ctx, "verify.no_page"), short: strings.ToLower(i18n.T(ctx, "verify.no_page"))}
			if c.Page > 0 {
				p.title = i18n.T(ctx, "verify.page_number", "page", strconv.Itoa(c.Page))
				p.short = i18n.T(ctx, "verify.on_page", "page", strconv.Itoa(c.Page))
			}
			out = append(out, p)
		}
		last := &out[len(out)-1]
		last.changes = append(last.changes, changeOf(ctx, c))
	}
	return out
}

func changeOf(ctx context.Context, c validation.Change) changeView {
	v := changeView{text: kindOf(ctx, string(c.Kind)), allowed: c.Allowed}
	if c.Field != "" {
		v.text = i18n.T(ctx, "verify.in_field", "change", v.text, "field", c.Field)
	}
	if c.Doubt != "" {
		v.note = i18n.T(ctx, "verify.doubt."+string(c.Doubt))
	}
	return v
}

func kindOf(ctx context.Context, kind string) string { return i18n.T(ctx, "verify.kind."+kind) }

// unseen are changes that no page shows.
var unseen = map[changes.Kind]bool{
	changes.Timestamp: true, changes.ValidationData: true, changes.Metadata: true, changes.Tagging: true, changes.Unused: true, changes.Encryption: true,
}

// sideBySide tells whether there is something to look at next to each other.
func (v signatureView) sideBySide() bool {
	return v.SignedSize > 0 && v.SignedSize < v.size && slices.ContainsFunc(v.ChangesAfter, func(c validation.Change) bool { return !unseen[c.Kind] })
}

// harmless tells that the signer permitted all that came later.
func (v signatureView) harmless() bool {
	return !slices.ContainsFunc(v.ChangesAfter, func(c validation.Change) bool { return !c.Allowed })
}

// id is that of an element of this signature.
func (v signatureView) id(name string) string { return name + "-" + strconv.Itoa(v.number) }

// changedPages lists the pages to look at, apart by blanks. It is empty where all
// are: a change that belongs to no page may show on each.
func (v signatureView) changedPages() string {
	var pages []string
	for _, c := range v.ChangesAfter {
		switch n := strconv.Itoa(c.Page); {
		case unseen[c.Kind]:
		case c.Page == 0:
			return ""
		case !slices.Contains(pages, n):
			pages = append(pages, n)
		}
	}
	slices.SortFunc(pages, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return strings.Join(pages, " ")
}

// sentence is one of the findings; lang is its language where that is not the page's.
type sentence struct{ text, lang string }

func (v view) findings(ctx context.Context) []sentence {
	return sentences(ctx, v.Findings, slices.Concat(v.Errors, v.Notes))
}

func (v signatureView) findings(ctx context.Context) []sentence {
	return sentences(ctx, v.Signature.Findings, slices.Concat(v.Errors, v.Notes))
}

// sentences says findings in the language of the page. plain are the same in
// English, for an answer that was kept by a program that knew no codes.
func sentences(ctx context.Context, list []validation.Finding, plain []string) []sentence {
	var out []sentence
	if len(list) == 0 {
		for _, s := range plain {
			out = append(out, sentence{s, "en"})
		}
		return out
	}
	for _, f := range list {
		out = append(out, sentenceOf(ctx, f))
	}
	return out
}

func sentenceOf(ctx context.Context, f validation.Finding) sentence {
	if f.Code == "changed" {
		what := kindOf(ctx, f.Args["kind"])
		if page := f.Args["page"]; page != "" {
			what += ", " + i18n.T(ctx, "verify.on_page", "page", page)
		}
		if doubt := f.Args["doubt"]; doubt != "" {
			what += "; " + i18n.T(ctx, "verify.doubt."+doubt)
		}
		return sentence{text: i18n.T(ctx, "verify.changed_in", "revision", f.Args["revision"], "change", what)}
	}
	key := "verify.finding." + f.Code
	if !i18n.Has(ctx, key) {
		return sentence{f.Text, "en"}
	}
	args := make(map[string]any, len(f.Args))
	for name, value := range f.Args {
		args[name] = value
	}
	return sentence{text: i18n.T(ctx, key, args)}
}

// findingLines are findings as lines of a report.
func findingLines(ctx context.Context, list []sentence) []verification.Line {
	var out []verification.Line
	for _, s := range list {
		out = append(out, verification.Line{Label: i18n.T(ctx, "verify.finding_label"), Value: s.text})
	}
	return out
}
