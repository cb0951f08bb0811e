package apidoc

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Schema is as much of JSON Schema 2020-12 as the document uses.
type Schema struct {
	Ref                  string            `json:"$ref"`
	Type                 words             `json:"type"`
	Description          string            `json:"description"`
	Properties           properties        `json:"properties"`
	Required             []string          `json:"required"`
	AdditionalProperties *bool             `json:"additionalProperties"`
	Items                *Schema           `json:"items"`
	AnyOf                []*Schema         `json:"anyOf"`
	Enum                 []string          `json:"enum"`
	Const                string            `json:"const"`
	Format               string            `json:"format"`
	Pattern              string            `json:"pattern"`
	Default              json.RawMessage   `json:"default"`
	Examples             []json.RawMessage `json:"examples"`
	WriteOnly            bool              `json:"writeOnly"`
	ContentEncoding      string            `json:"contentEncoding"`
	ContentMediaType     string            `json:"contentMediaType"`
	MinLength            *int              `json:"minLength"`
	MaxLength            *int              `json:"maxLength"`
	MinItems             *int              `json:"minItems"`
	MaxItems             *int              `json:"maxItems"`
	MinProperties        *int              `json:"minProperties"`
	MaxProperties        *int              `json:"maxProperties"`
	Minimum              *float64          `json:"minimum"`
	Maximum              *float64          `json:"maximum"`

	pattern *regexp.Regexp
}

// Property is a member of an object, with its name.
type Property struct {
	Name   string
	Schema *Schema
}

// properties keep the order of the document.
type properties []Property

// UnmarshalJSON implements json.Unmarshaler.
func (p *properties) UnmarshalJSON(b []byte) error {
	v, err := Parse(b)
	if err != nil {
		return err
	}
	for i, m := range v.Members {
		s := &Schema{}
		if err := json.Unmarshal(m.Raw, s); err != nil {
			return fmt.Errorf("property %s: %w", v.Names[i], err)
		}
		*p = append(*p, Property{v.Names[i], s})
	}
	return nil
}

func (p properties) find(name string) *Schema {
	for _, one := range p {
		if one.Name == name {
			return one.Schema
		}
	}
	return nil
}

// words are one word or several.
type words []string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*w = words{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*w = list
	return nil
}

// The codes of faults.
const (
	FaultUnknown  = "unknown_field"
	FaultRequired = "required"
	FaultType     = "wrong_type"
	FaultEnum     = "not_in_list"
	FaultForm     = "wrong_form" // pattern or format
	FaultShort    = "too_short"
	FaultLong     = "too_long"
	FaultSmall    = "too_small"
	FaultLarge    = "too_large"
	FaultFew      = "too_few"
	FaultMany     = "too_many"
	FaultTwice    = "twice" // a member stands twice
)

// Fault is where a value is not what its schema says.
type Fault struct {
	Pointer string // RFC 6901
	Code    string
	Want    string // the bound, the list or the type; may be empty
}

// maxFaults is how many faults of one value are told.
const maxFaults = 20

// Check says where a value departs from a schema.
func (d *Document) Check(s *Schema, v Value) []Fault {
	c := checker{document: d}
	c.check(s, v, "")
	return c.faults
}

type checker struct {
	document *Document
	faults   []Fault
}

func (c *checker) fault(at, code, want string) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, Fault{at, code, want})
	}
}

func (c *checker) check(s *Schema, v Value, at string) {
	s = c.document.Resolve(s)
	if len(s.AnyOf) > 0 {
		c.any(s, v, at)
		return
	}
	if len(s.Type) > 0 && !slices.ContainsFunc(s.Type, func(t string) bool { return v.is(t) }) {
		c.fault(at, FaultType, strings.Join(s.Type, ", "))
		return
	}
	switch v.Kind {
	case Object:
		c.object(s, v, at)
	case Array:
		c.bounds(at, len(v.Members), s.MinItems, s.MaxItems, FaultFew, FaultMany)
		if s.Items != nil {
			for i, m := range v.Members {
				c.check(s.Items, m, at+"/"+strconv.Itoa(i))
			}
		}
	case String:
		c.text(s, v, at)
	case Number:
		c.number(s, v, at)
	}
}

// any wants one of several schemas to fit; told is what the last lacks whose type
// fits.
func (c *checker) any(s *Schema, v Value, at string) {
	var told []Fault
	for _, one := range s.AnyOf {
		try := checker{document: c.document}
		try.check(one, v, at)
		if len(try.faults) == 0 {
			return
		}
		if told == nil || try.faults[0].Code != FaultType || try.faults[0].Pointer != at {
			told = try.faults
		}
	}
	for _, f := range told {
		c.fault(f.Pointer, f.Code, f.Want)
	}
}

func (v Value) is(t string) bool {
	if t == "integer" {
		_, err := strconv.ParseInt(string(v.Raw), 10, 64)
		return v.Kind == Number && err == nil
	}
	return string(v.Kind) == t
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func (c *checker) object(s *Schema, v Value, at string) {
	for _, name := range s.Required {
		if _, ok := v.Get(name); !ok {
			c.fault(at+"/"+escape.Replace(name), FaultRequired, "")
		}
	}
	c.bounds(at, len(v.Names), s.MinProperties, s.MaxProperties, FaultFew, FaultMany)
	for i, name := range v.Names {
		place := at + "/" + escape.Replace(name)
		if slices.Contains(v.Names[:i], name) {
			c.fault(place, FaultTwice, "")
		}
		switch p := s.Properties.find(name); {
		case p != nil:
			c.check(p, v.Members[i], place)
		case s.AdditionalProperties != nil && !*s.AdditionalProperties:
			c.fault(place, FaultUnknown, "")
		}
	}
}

func (c *checker) bounds(at string, n int, low, high *int, few, many string) {
	switch {
	case low != nil && n < *low:
		c.fault(at, few, strconv.Itoa(*low))
	case high != nil && n > *high:
		c.fault(at, many, strconv.Itoa(*high))
	}
}

func (c *checker) text(s *Schema, v Value, at string) {
	if s.MaxLength != nil && len(v.Raw) > 12*(*s.MaxLength)+2 { // two \uXXXX are the longest way to write one
		c.fault(at, FaultLong, strconv.Itoa(*s.MaxLength))
		return
	}
	if s.Format == "password" || s.ContentEncoding == "base64" {
		// Not copied: a secret, or megabytes that are checked where they are read.
		c.bounds(at, len(v.Raw)-2, s.MinLength, nil, FaultShort, FaultLong)
		return
	}
	text := v.Text()
	c.bounds(at, utf8.RuneCountInString(text), s.MinLength, s.MaxLength, FaultShort, FaultLong)
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		c.fault(at, FaultEnum, strings.Join(s.Enum, ", "))
	}
	if s.Const != "" && s.Const != text {
		c.fault(at, FaultEnum, s.Const)
	}
	if s.pattern != nil && !s.pattern.MatchString(text) {
		c.fault(at, FaultForm, s.Pattern)
	}
	if s.Format == "date-time" {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			c.fault(at, FaultForm, "RFC 3339")
		}
	}
}

func (c *checker) number(s *Schema, v Value, at string) {
	f, err := strconv.ParseFloat(string(v.Raw), 64)
	switch {
	case err != nil:
		c.fault(at, FaultType, "number")
	case s.Minimum != nil && f < *s.Minimum:
		c.fault(at, FaultSmall, strconv.FormatFloat(*s.Minimum, 'f', -1, 64))
	case s.Maximum != nil && f > *s.Maximum:
		c.fault(at, FaultLarge, strconv.FormatFloat(*s.Maximum, 'f', -1, 64))
	}
}

// CheckText checks what stands in a query, a path or a form, where everything is
// text.
func (d *Document) CheckText(s *Schema, text, pointer string) []Fault {
	s = d.Resolve(s)
	v := Value{Kind: String, Raw: quote(text)}
	if slices.Contains(s.Type, "integer") || slices.Contains(s.Type, "number") {
		if parsed, err := Parse([]byte(text)); err == nil {
			v = parsed
		}
	} else if slices.Contains(s.Type, "boolean") && (text == "true" || text == "false") {
		v = Value{Kind: Boolean, Raw: []byte(text)}
	}
	c := checker{document: d}
	c.check(s, v, pointer)
	return c.faults
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // of no string
		return []byte(`""`)
	}
	return b
}
