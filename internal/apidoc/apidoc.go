// Package apidoc is the contract of the native interface for programs: its
// OpenAPI 3.1 document, the check of values against it, and the catalogue of
// problems. The door (package rest) checks requests with it, the portal shows it.
//
// The document is kept in parts, one a topic; Load puts them together in the
// order of their names.
package apidoc

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed spec/*.json
var parts embed.FS

// Base is the path below which everything lies.
const Base = "/api/v1"

// ReferencePage is the path of the page that shows the document.
const ReferencePage = "/pengembang"

// Document is the contract.
type Document struct {
	JSON       []byte // as it is served
	Title      Text
	Intro      Text
	Tags       []Tag
	Operations []*Operation // in the order of the document
	schemas    map[string]*Schema
}

// Text is in both languages.
type Text struct{ ID, EN string }

// In gives the text in a language.
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ID
}

// Tag is a group of operations.
type Tag struct {
	Name        string `json:"name"`
	TitleID     string `json:"x-title-id"`
	TitleEN     string `json:"x-title-en"`
	Description string `json:"description"`
	Indonesian  string `json:"x-description-id"`
}

// Title is what people call the group.
func (t Tag) Title() Text { return Text{t.TitleID, t.TitleEN} }

// Text describes the group.
func (t Tag) Text() Text { return Text{t.Indonesian, t.Description} }

// Operation is one call.
type Operation struct {
	Method, Path string // the path below Base
	ID           string
	Tag          string
	Scope        string // that the application needs; empty: none
	Summary      Text
	Description  Text
	Parameters   []Parameter
	Body         *Body
	Responses    []Response
	Example      Example
}

// Parameter is one of the path, the query or a header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Required    bool    `json:"required"`
	Description string  `json:"description"`
	Schema      *Schema `json:"schema"`
	Ref         string  `json:"$ref"`
}

// Body is what a request holds.
type Body struct {
	Type     string // media type
	Schema   *Schema
	Required bool
}

// Response is an answer.
type Response struct {
	Status      string
	Description string
	Type        string  // media type; empty: no body
	Schema      *Schema // nil for what is no JSON
}

// Example is a call with curl, as a shell runs it.
type Example struct {
	Curl []string `json:"curl"` // lines
	// Keep gives shell variables their values out of the answer, for the examples
	// that come later: name -> JSON pointer.
	Keep map[string]string `json:"keep"`
}

// Script is the example as one text.
func (e Example) Script() string { return strings.Join(e.Curl, "\n") }

// Load puts the document together. It fails when a part is none, which a test
// rules out.
func Load() (*Document, error) {
	files, err := parts.ReadDir("spec")
	if err != nil {
		return nil, fmt.Errorf("read the parts of the document: %w", err)
	}
	m := merger{components: map[string]*ordered{}}
	for _, f := range files {
		b, err := parts.ReadFile("spec/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("read the parts of the document: %w", err)
		}
		if err := m.add(b); err != nil {
			return nil, fmt.Errorf("part %s of the document: %w", f.Name(), err)
		}
	}
	d := &Document{JSON: m.document(), schemas: map[string]*Schema{}}
	if err := d.read(); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	return d, nil
}

// ordered is an object that is being put together.
type ordered struct {
	names  []string
	values []string
}

func (o *ordered) add(name string, v Value) error {
	if slices.Contains(o.names, name) {
		return fmt.Errorf("%q is there twice", name)
	}
	o.names, o.values = append(o.names, name), append(o.values, string(v.Raw))
	return nil
}

func (o *ordered) text() string {
	var list []string
	for i, n := range o.names {
		list = append(list, string(quote(n))+":"+o.values[i])
	}
	return "{" + strings.Join(list, ",") + "}"
}

type merger struct {
	head       ordered
	tags       []string
	paths      ordered
	kinds      []string
	components map[string]*ordered
}

func (m *merger) add(b []byte) error {
	v, err := Parse(b)
	if err != nil || v.Kind != Object {
		return ErrSyntax
	}
	for i, name := range v.Names {
		part := v.Members[i]
		switch name {
		case "tags":
			for _, t := range part.Members {
				m.tags = append(m.tags, string(t.Raw))
			}
		case "paths":
			for j, p := range part.Names {
				if err := m.paths.add(p, part.Members[j]); err != nil {
					return err
				}
			}
		case "components":
			if err := m.component(part); err != nil {
				return err
			}
		default:
			if err := m.head.add(name, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *merger) component(v Value) error {
	for i, kind := range v.Names {
		o := m.components[kind]
		if o == nil {
			o = &ordered{}
			m.components[kind], m.kinds = o, append(m.kinds, kind)
		}
		for j, name := range v.Members[i].Names {
			if err := o.add(name, v.Members[i].Members[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *merger) document() []byte {
	all, components := m.head, ordered{}
	for _, kind := range m.kinds {
		components.names, components.values = append(components.names, kind), append(components.values, m.components[kind].text())
	}
	all.names = append(slices.Clone(all.names), "tags", "paths", "components")
	all.values = append(slices.Clone(all.values), "["+strings.Join(m.tags, ",")+"]", m.paths.text(), components.text())
	var out bytes.Buffer
	if json.Indent(&out, []byte(all.text()), "", "  ") != nil { // of parts that were parsed
		return nil
	}
	return append(out.Bytes(), '\n')
}

// Resolve follows the reference of a schema.
func (d *Document) Resolve(s *Schema) *Schema {
	for range maxDepth {
		if s.Ref == "" {
			return s
		}
		next := d.schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		if next == nil {
			return &Schema{}
		}
		s = next
	}
	return &Schema{}
}

// Schema is one of the components, by its name; nil when there is none.
func (d *Document) Schema(name string) *Schema { return d.schemas[name] }

// Name is what a schema is called: the name of the component to which it refers,
// or nothing.
func (s *Schema) Name() string { return strings.TrimPrefix(s.Ref, "#/components/schemas/") }

// Find gives the operation of a method and a path, or nil.
func (d *Document) Find(method, path string) *Operation {
	for _, o := range d.Operations {
		if o.Method == method && o.Path == path {
			return o
		}
	}
	return nil
}

// compile prepares the patterns of a schema and all below it.
func compile(s *Schema) (err error) {
	if s == nil {
		return nil
	}
	if s.Pattern != "" {
		if s.pattern, err = regexp.Compile(s.Pattern); err != nil {
			return err
		}
	}
	below := append([]*Schema{s.Items}, s.AnyOf...)
	for _, p := range s.Properties {
		below = append(below, p.Schema)
	}
	for _, b := range below {
		if err := compile(b); err != nil {
			return err
		}
	}
	return nil
}
