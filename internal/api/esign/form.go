package esign

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxForm bounds the fields of a form.
const maxForm = 64 * MaxFiles

// form takes a body of application/x-www-form-urlencoded. PHP writes arrays into names,
// as in file[0] and signatureProperties[0][tampilan]: they become what they are in JSON.
func (f *fields) form(b []byte) error {
	values, err := url.ParseQuery(string(b))
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if len(values) > maxForm {
		return wrongField("file", "Terlalu banyak bagian dalam permintaan")
	}
	nested := map[string]*node{}
	for name, list := range values {
		top, rest, isNested := strings.Cut(strings.ToLower(name), "[")
		if !isNested {
			f.text[top] = list[0]
			continue
		}
		at := nested[top]
		if at == nil {
			at = &node{}
			nested[top] = at
		}
		keys := strings.Split(strings.TrimSuffix(rest, "]"), "][")
		if len(keys) > 2 { // deeper than anything of the interface
			return wrongField(top, "Kolom '%s' tidak dipahami", name)
		}
		for _, k := range keys {
			at = at.child(k)
		}
		at.values = list
	}
	for name, at := range nested {
		raw, err := json.Marshal(at.value())
		if err != nil { // of texts, maps and slices
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
		f.body[name] = raw
	}
	return nil
}

// node is what a nested name of a form holds: values, or fields.
type node struct {
	values []string
	fields map[string]*node
}

func (n *node) child(key string) *node {
	if n.fields == nil {
		n.fields = map[string]*node{}
	}
	if n.fields[key] == nil {
		n.fields[key] = &node{}
	}
	return n.fields[key]
}

// value is the JSON of a node: fields with numbers, and those without a name, are a list
// in the order of the numbers.
func (n *node) value() any {
	if n.fields == nil {
		if len(n.values) == 1 {
			return n.values[0]
		}
		return n.values
	}
	if unnamed, ok := n.fields[""]; ok && len(n.fields) == 1 {
		return unnamed.values
	}
	order, numbers := make([]int, 0, len(n.fields)), true
	out := map[string]any{}
	for k, one := range n.fields {
		i, err := strconv.Atoi(k)
		numbers = numbers && err == nil
		order = append(order, i)
		out[k] = one.value()
	}
	if !numbers {
		return out
	}
	slices.Sort(order)
	list := make([]any, len(order))
	for at, i := range order {
		list[at] = out[strconv.Itoa(i)]
	}
	return list
}
