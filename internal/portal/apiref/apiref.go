// Package apiref shows the reference of the native interface for programs: the
// OpenAPI document of package apidoc as a page, with an example for every call.
package apiref

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"absah/internal/apidoc"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Path is the address of the page.
const Path = apidoc.ReferencePage

// Pages is the page of this package.
type Pages struct {
	load func() (*apidoc.Document, error)
}

// New makes the page.
func New() *Pages { return &Pages{sync.OnceValues(apidoc.Load)} }

// Routes lists the page.
func (p *Pages) Routes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: Path, Access: web.Public, Handler: p.show}}
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := ui.Page{Title: i18n.T(ctx, "apiref.title"), Lede: i18n.T(ctx, "apiref.lede"), Wide: true}
	doc, err := p.load()
	if err != nil {
		return err
	}
	body := reference(reader{doc}.view(ctx))
	if web.ViewerOf(ctx) != nil {
		return web.Page(w, r, http.StatusOK, page, body)
	}
	return web.PublicPage(w, r, http.StatusOK, page, body)
}

// reader reads a document for the page.
type reader struct{ doc *apidoc.Document }

// view is the document in one language.
type view struct {
	intro    string
	base     string
	start    string // commands before the examples
	groups   []group
	problems []problem
}

type group struct {
	id, title, text string
	calls           []call
}

type call struct {
	id, method, path, summary, text, scope string
	parameters, body, answer               []field
	bodyType, answerStatus, answerType     string
	example                                string
}

// field is one line of a list of fields.
type field struct{ name, kind, text string }

type problem struct{ anchor, code, status, title, text string }

func (p reader) view(ctx context.Context) view {
	lang := string(i18n.LangOf(ctx))
	base := web.RequestOf(ctx).Site.BaseURL + apidoc.Base
	v := view{intro: p.doc.Intro.In(lang), base: base, start: "ABSAH=" + base + "\nCLIENT=persuratan\nSECRET='...'"}
	for _, t := range p.doc.Tags {
		g := group{id: t.Name, title: t.Title().In(lang), text: t.Text().In(lang)}
		for _, o := range p.doc.Operations {
			if o.Tag == t.Name {
				g.calls = append(g.calls, p.call(ctx, o, lang))
			}
		}
		v.groups = append(v.groups, g)
	}
	for _, one := range apidoc.Problems() {
		v.problems = append(v.problems, problem{one.Anchor(), one.Code, strconv.Itoa(one.Status), one.Title.In(lang), one.Detail.In(lang)})
	}
	return v
}

func (p reader) call(ctx context.Context, o *apidoc.Operation, lang string) call {
	c := call{
		id: o.ID, method: o.Method, path: apidoc.Base + o.Path, summary: o.Summary.In(lang), text: o.Description.In(lang), scope: o.Scope, example: o.Example.Script(),
	}
	for _, a := range o.Parameters {
		kind := p.kind(ctx, a.Schema)
		if a.Required {
			kind += ", " + i18n.T(ctx, "apiref.required")
		}
		c.parameters = append(c.parameters, field{a.Name, i18n.T(ctx, "apiref.in_"+a.In) + ", " + kind, a.Description})
	}
	if o.Body != nil {
		c.bodyType, c.body = o.Body.Type, p.fields(ctx, "", o.Body.Schema, 0)
	}
	for _, r := range o.Responses {
		if strings.HasPrefix(r.Status, "2") {
			c.answerStatus, c.answerType = r.Status, r.Type
			if r.Schema != nil {
				c.answer = p.fields(ctx, "", r.Schema, 0)
			}
		}
	}
	return c
}

// maxDepth is how deep fields of fields are told.
const maxDepth = 3

// fields lists the fields of a schema, those of fields behind a dot.
func (p reader) fields(ctx context.Context, prefix string, s *apidoc.Schema, depth int) []field {
	s = p.plain(s)
	if s.Items != nil {
		return p.fields(ctx, strings.TrimSuffix(prefix, ".")+"[].", s.Items, depth)
	}
	var out []field
	for _, one := range s.Properties {
		kind := p.kind(ctx, one.Schema)
		if slices.Contains(s.Required, one.Name) {
			kind += ", " + i18n.T(ctx, "apiref.required")
		}
		below := p.doc.Resolve(one.Schema)
		text := one.Schema.Description
		if text == "" {
			text = below.Description
		}
		out = append(out, field{prefix + one.Name, kind, text})
		if depth < maxDepth {
			out = append(out, p.fields(ctx, prefix+one.Name+".", one.Schema, depth+1)...)
		}
	}
	return out
}

// plain is a schema without reference, and what is there instead of null.
func (p reader) plain(s *apidoc.Schema) *apidoc.Schema {
	s = p.doc.Resolve(s)
	for _, one := range s.AnyOf {
		if one = p.doc.Resolve(one); len(one.Properties) > 0 {
			return one
		}
	}
	return s
}

// kind says what a value is: its type, form and bounds.
func (p reader) kind(ctx context.Context, s *apidoc.Schema) string {
	s = p.doc.Resolve(s)
	var parts []string
	types := slices.Clone([]string(s.Type))
	for _, one := range s.AnyOf {
		one = p.doc.Resolve(one)
		types = append(types, one.Type...)
		if one.Const != "" {
			parts = append(parts, `"`+one.Const+`"`)
		}
	}
	kind := strings.Join(types, i18n.T(ctx, "apiref.or"))
	if items := s.Items; items != nil {
		kind = i18n.T(ctx, "apiref.list_of", "kind", strings.Join(p.doc.Resolve(items).Type, ""))
	}
	switch {
	case s.Format == "date-time":
		kind = i18n.T(ctx, "apiref.time")
	case s.ContentEncoding != "":
		kind = s.ContentEncoding
	case s.ContentMediaType != "":
		kind = s.ContentMediaType
	case len(s.Enum) > 0:
		kind = strings.Join(s.Enum, " | ")
	}
	parts = append([]string{kind}, parts...)
	bound := func(low, high string) {
		switch {
		case low != "" && high != "":
			parts = append(parts, low+"–"+high)
		case high != "":
			parts = append(parts, "≤ "+high)
		}
	}
	bound(number(s.Minimum), number(s.Maximum))
	bound(whole(s.MinLength), whole(s.MaxLength))
	bound(whole(s.MinItems), whole(s.MaxItems))
	if len(s.Default) > 0 {
		parts = append(parts, i18n.T(ctx, "apiref.otherwise", "value", strings.Trim(string(s.Default), `"`)))
	}
	return strings.Join(parts, ", ")
}

func number(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}

func whole(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}
