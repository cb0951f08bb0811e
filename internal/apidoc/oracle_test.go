package apidoc

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// oracle is another validator of JSON Schema with the same document.
func oracle(t *testing.T, d *Document) *jsonschema.Compiler {
	t.Helper()
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.JSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("absah.json", whole); err != nil {
		t.Fatal(err)
	}
	return c
}

// sample makes a value that a schema allows.
func (d *Document) sample(s *Schema) any {
	s = d.Resolve(s)
	switch {
	case len(s.AnyOf) > 0:
		return d.sample(s.AnyOf[0])
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Const != "":
		return s.Const
	case s.Format == "date-time":
		return "2026-11-28T03:00:00Z"
	case s.Pattern != "":
		for _, text := range []string{"3171011201800777", strings.Repeat("0a", 32), "00"} {
			if s.pattern.MatchString(text) {
				return text
			}
		}
	}
	switch slices.Concat(s.Type, words{"object"})[0] {
	case "string":
		least := 1
		if s.MinLength != nil {
			least = *s.MinLength
		}
		return strings.Repeat("a", least)
	case "integer", "number":
		if s.Minimum != nil {
			return max(*s.Minimum, 1)
		}
		return 1.0
	case "boolean":
		return true
	case "array":
		if s.Items == nil {
			return []any{}
		}
		return []any{d.sample(s.Items)}
	}
	out := map[string]any{}
	for _, p := range s.Properties {
		if s.MaxProperties == nil || len(out) < *s.MaxProperties {
			out[p.Name] = d.sample(p.Schema)
		}
	}
	return out
}

// variants are a value with one thing in it changed, at every place.
func variants(v any, yield func(any)) {
	for _, other := range []any{nil, true, "", "x", strings.Repeat("y", 5000), -1.0, 0.0, 2.5, 1e6, []any{}, []any{nil}, map[string]any{}, "last", "2026-11-28"} {
		yield(other)
	}
	switch v := v.(type) {
	case map[string]any:
		more := maps.Clone(v)
		more["tidak_dikenal"] = 1.0
		yield(more)
		for name, member := range v {
			less := maps.Clone(v)
			delete(less, name)
			yield(less)
			variants(member, func(m any) {
				changed := maps.Clone(v)
				changed[name] = m
				yield(changed)
			})
		}
	case []any:
		yield(slices.Repeat(v, 101))
		for _, member := range v {
			variants(member, func(m any) { yield([]any{m}) })
		}
	}
}

// TestAnotherValidatorAgrees: on every schema of the document, with values that
// fit and thousands that miss in one place, this check and a validator that is not
// ours give the same verdict.
func TestAnotherValidatorAgrees(t *testing.T) {
	d := load(t)
	c := oracle(t, d)
	tried, refused := 0, 0
	for name, s := range d.schemas {
		compiled, err := c.Compile("absah.json#/components/schemas/" + name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		compare := func(v any) {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			ours, other := d.Check(s, parsed), compiled.Validate(theirs)
			tried++
			if other != nil {
				refused++
			}
			if (len(ours) == 0) != (other == nil) {
				t.Errorf("%s: %.300s: %v, the other says %v", name, b, ours, other)
			}
		}
		good := d.sample(s)
		compare(good)
		if b, err := json.Marshal(good); err != nil || len(d.Check(s, must(Parse(b)))) > 0 {
			t.Errorf("%s: the sample is none: %s", name, b)
		}
		variants(good, compare)
	}
	if tried < 1000 || refused < tried/4 {
		t.Errorf("%d values, %d refused: this shows little", tried, refused)
	}
}
