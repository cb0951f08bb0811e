package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"slices"

	"absah/internal/apiclient"
	"absah/internal/apidoc"
	"absah/internal/audit"
)

// call is a request that was let in, read and checked against the document.
type call struct {
	door      *door
	route     route
	request   *http.Request
	lang      string // id or en
	reference string // of this call in the log
	client    *apiclient.Client
	actor     audit.Actor

	raw    []byte       // of a JSON body
	body   apidoc.Value // the same, parsed
	form   map[string]string
	file   []byte // of a form
	called string // name of the file

	// id is the identifier of what the call creates. again says that an earlier
	// attempt with the same Idempotency-Key was cut off: what has this id may be
	// there already.
	id    string
	again bool
}

// wipe forgets what was sent: passphrases are in it.
func (c *call) wipe() {
	clear(c.raw)
	clear(c.form)
}

// query is a parameter of the query, checked; empty when it is absent.
func (c *call) query(name string) string { return c.request.URL.Query().Get(name) }

// path is a part of the path.
func (c *call) path(name string) string { return c.request.PathValue(name) }

// decode reads the JSON body into v. The document was checked already, so that it
// fails only where v and the document disagree.
func (c *call) decode(v any) error {
	if len(c.raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.raw, v); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	return nil
}

// read reads the request and checks it against its operation.
func (c *call) read() error {
	var faults []apidoc.Fault
	doc, op := c.door.doc, c.route.operation
	known := []string{}
	for _, p := range op.Parameters {
		switch p.In {
		case "path":
			faults = append(faults, doc.CheckText(p.Schema, c.path(p.Name), "/"+p.Name)...)
		case "query":
			known = append(known, p.Name)
			if values, ok := c.request.URL.Query()[p.Name]; ok {
				faults = append(faults, doc.CheckText(p.Schema, values[0], "?"+p.Name)...)
				if len(values) > 1 {
					faults = append(faults, apidoc.Fault{Pointer: "?" + p.Name, Code: apidoc.FaultTwice})
				}
			}
		case "header":
			if v := c.request.Header.Get(p.Name); v != "" {
				faults = append(faults, doc.CheckText(p.Schema, v, p.Name)...)
			}
		}
	}
	for name := range c.request.URL.Query() {
		if !slices.Contains(known, name) {
			faults = append(faults, apidoc.Fault{Pointer: "?" + name, Code: apidoc.FaultUnknown})
		}
	}
	if len(faults) > 0 {
		return invalid(faults...)
	}
	if op.Body == nil {
		return c.nothing()
	}
	kind, parameters, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if kind != op.Body.Type {
		if err == nil || op.Body.Required || c.request.ContentLength != 0 {
			return problem("unsupported_media_type").say("Kirim "+op.Body.Type, "Send "+op.Body.Type)
		}
		return nil
	}
	if op.Body.Type == "application/json" {
		return c.json(op.Body)
	}
	return c.multipart(op.Body, parameters["boundary"])
}

// nothing drains a body that the call does not take.
func (c *call) nothing() error {
	n, err := io.Copy(io.Discard, c.request.Body)
	if err != nil {
		return unreadable(err)
	}
	if n > 0 {
		return problem("unsupported_media_type").say("Panggilan ini tidak menerima isi", "This call takes no body")
	}
	return nil
}

func unreadable(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return problem("too_large").say(fmt.Sprintf("Paling besar %d bita", big.Limit), fmt.Sprintf("At most %d bytes", big.Limit))
	}
	return problem("unreadable")
}

func (c *call) json(b *apidoc.Body) (err error) {
	if c.raw, err = io.ReadAll(c.request.Body); err != nil {
		return unreadable(err)
	}
	if len(bytes.TrimSpace(c.raw)) == 0 && !b.Required {
		c.raw = nil
		return nil
	}
	if c.body, err = apidoc.Parse(c.raw); err != nil {
		return problem("unreadable")
	}
	if faults := c.door.doc.Check(b.Schema, c.body); len(faults) > 0 {
		return invalid(faults...)
	}
	return nil
}

// maxField bounds a text field of a form.
const maxField = 64 << 10

// multipart reads a form: text fields, and the one called file.
func (c *call) multipart(b *apidoc.Body, _ string) error {
	parts, err := c.request.MultipartReader()
	if err != nil {
		return problem("unreadable")
	}
	schema := c.door.doc.Resolve(b.Schema)
	c.form = map[string]string{}
	var faults []apidoc.Fault
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return unreadable(err)
		}
		name := part.FormName()
		var field *apidoc.Schema
		for _, p := range schema.Properties {
			if p.Name == name {
				field = p.Schema
			}
		}
		_, twice := c.form[name]
		switch {
		case field == nil:
			return invalid(apidoc.Fault{Pointer: "/" + name, Code: apidoc.FaultUnknown})
		case twice:
			return invalid(apidoc.Fault{Pointer: "/" + name, Code: apidoc.FaultTwice})
		}
		var text string
		if field.ContentMediaType != "" {
			c.file, err = io.ReadAll(part)
			c.called = part.FileName()
		} else {
			var value []byte
			value, err = io.ReadAll(io.LimitReader(part, maxField))
			text = string(value)
			faults = append(faults, c.door.doc.CheckText(field, text, "/"+name)...)
		}
		if err != nil {
			return unreadable(err)
		}
		c.form[name] = text
	}
	for _, name := range schema.Required {
		if _, ok := c.form[name]; !ok {
			faults = append(faults, apidoc.Fault{Pointer: "/" + name, Code: apidoc.FaultRequired})
		}
	}
	if len(faults) > 0 {
		return invalid(faults...)
	}
	return nil
}

// digest is what makes two requests the same one, however a client writes the
// parts of a form down.
func (c *call) digest() [sha256.Size]byte {
	h := sha256.New()
	field(h, c.request.Method)
	field(h, c.request.URL.Path)
	field(h, string(c.raw))
	names := make([]string, 0, len(c.form))
	for n := range c.form {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		field(h, n)
		field(h, c.form[n])
	}
	field(h, c.called)
	h.Write(c.file)
	var out [sha256.Size]byte
	h.Sum(out[:0])
	return out
}

// field writes a text with its length before it, so that no two lists of texts
// are the same bytes.
func field(h hash.Hash, s string) {
	_, _ = fmt.Fprintf(h, "%d:%s,", len(s), s) // a hash takes everything
}
