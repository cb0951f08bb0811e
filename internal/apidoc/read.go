package apidoc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// operation is an operation as the document writes it.
type operation struct {
	ID          string      `json:"operationId"`
	Tags        []string    `json:"tags"`
	Scope       string      `json:"x-scope"`
	Summary     string      `json:"summary"`
	SummaryID   string      `json:"x-summary-id"`
	Description string      `json:"description"`
	Indonesian  string      `json:"x-description-id"`
	Parameters  []Parameter `json:"parameters"`
	Body        *struct {
		Required bool    `json:"required"`
		Content  content `json:"content"`
	} `json:"requestBody"`
	Example Example `json:"x-example"`
}

// content is by media type; there is one each.
type content map[string]struct {
	Schema *Schema `json:"schema"`
}

func (c content) one() (kind string, s *Schema) {
	for k, v := range c {
		kind, s = k, v.Schema
	}
	return kind, s
}

type response struct {
	Ref         string  `json:"$ref"`
	Description string  `json:"description"`
	Content     content `json:"content"`
}

// read fills the document out of its JSON.
func (d *Document) read() error {
	root, err := Parse(d.JSON)
	if err != nil {
		return err
	}
	var head struct {
		Info struct {
			Title       string `json:"title"`
			TitleID     string `json:"x-title-id"`
			Description string `json:"description"`
			Indonesian  string `json:"x-description-id"`
		} `json:"info"`
		Tags       []Tag `json:"tags"`
		Components struct {
			Schemas    map[string]*Schema   `json:"schemas"`
			Parameters map[string]Parameter `json:"parameters"`
			Responses  map[string]response  `json:"responses"`
		} `json:"components"`
	}
	if err := json.Unmarshal(d.JSON, &head); err != nil {
		return err
	}
	d.Title, d.Intro = Text{head.Info.TitleID, head.Info.Title}, Text{head.Info.Indonesian, head.Info.Description}
	d.Tags, d.schemas = head.Tags, head.Components.Schemas
	for name, s := range d.schemas {
		if err := compile(s); err != nil {
			return fmt.Errorf("schema %s: %w", name, err)
		}
	}
	paths, _ := root.Get("paths")
	for i, path := range paths.Names {
		item := paths.Members[i]
		for j, method := range item.Names {
			var o operation
			if err := json.Unmarshal(item.Members[j].Raw, &o); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
			answers, _ := item.Members[j].Get("responses")
			op := o.complete(strings.ToUpper(method), path)
			for k, p := range op.Parameters {
				if p.Ref != "" {
					op.Parameters[k] = head.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
				}
			}
			if err := op.responses(answers, head.Components.Responses); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
			if err := op.compile(); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
			d.Operations = append(d.Operations, op)
		}
	}
	slices.SortStableFunc(d.Operations, func(a, b *Operation) int { return d.rank(a.Tag) - d.rank(b.Tag) })
	return nil
}

func (d *Document) rank(tag string) int {
	return slices.IndexFunc(d.Tags, func(t Tag) bool { return t.Name == tag })
}

func (o operation) complete(method, path string) *Operation {
	op := &Operation{
		Method: method, Path: path, ID: o.ID, Scope: o.Scope, Summary: Text{o.SummaryID, o.Summary}, Description: Text{o.Indonesian, o.Description},
		Parameters: o.Parameters, Example: o.Example,
	}
	if len(o.Tags) > 0 {
		op.Tag = o.Tags[0]
	}
	if o.Body != nil {
		op.Body = &Body{Required: o.Body.Required}
		op.Body.Type, op.Body.Schema = o.Body.Content.one()
	}
	return op
}

func (o *Operation) responses(list Value, named map[string]response) error {
	for i, status := range list.Names {
		var r response
		if err := json.Unmarshal(list.Members[i].Raw, &r); err != nil {
			return err
		}
		if r.Ref != "" {
			r = named[strings.TrimPrefix(r.Ref, "#/components/responses/")]
		}
		out := Response{Status: status, Description: r.Description}
		out.Type, out.Schema = r.Content.one()
		o.Responses = append(o.Responses, out)
	}
	return nil
}

func (o *Operation) compile() error {
	if o.Body != nil {
		if err := compile(o.Body.Schema); err != nil {
			return err
		}
	}
	for _, p := range o.Parameters {
		if err := compile(p.Schema); err != nil {
			return err
		}
	}
	for _, r := range o.Responses {
		if err := compile(r.Schema); err != nil {
			return err
		}
	}
	return nil
}
