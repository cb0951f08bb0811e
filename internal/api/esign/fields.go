package esign

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"absah/internal/passphrase"
)

// fields is what a request holds, wherever it stood: in the query, in a form, in
// parts of a multipart body in any order, or in JSON. Names count in any case.
type fields struct {
	text  map[string]string
	files map[string][]file
	body  map[string]json.RawMessage // of JSON
}

// file is an uploaded one.
type file struct {
	name  string
	bytes []byte
}

// fieldError says which field is wrong and what to do. The code is that of the
// interface where it has one.
type fieldError struct {
	field, text string
	code        int
}

func (e *fieldError) Error() string { return "field " + e.field }

func wrongField(field, text string, args ...any) error {
	return &fieldError{field: field, text: fmt.Sprintf(text, args...), code: codeData}
}

var errUnreadable = errors.New("the body cannot be read")

// readFields reads all of a request, also the body of a GET, so that the
// connection can be used again.
func readFields(r *http.Request) (*fields, error) {
	f := &fields{text: map[string]string{}, files: map[string][]file{}, body: map[string]json.RawMessage{}}
	for k, v := range r.URL.Query() {
		f.text[strings.ToLower(k)] = v[0]
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	body := bufio.NewReader(r.Body)
	if kind == "multipart/form-data" {
		boundary := params["boundary"]
		if boundary == "" { // some clients write the header by hand and leave it out
			boundary = firstBoundary(body)
		}
		if boundary != "" {
			return f, f.multipart(multipart.NewReader(body, boundary))
		}
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return f, bodyError(err)
	}
	// Clients that say nothing of their JSON send it as a form: that is what cURL calls
	// any body.
	if kind == "application/x-www-form-urlencoded" && !isObject(b) {
		return f, f.form(b)
	}
	return f, f.json(b)
}

// firstBoundary is the boundary with which a multipart body begins (RFC 2046 5.1.1),
// or nothing.
func firstBoundary(body *bufio.Reader) string {
	const most = 70 // characters of a boundary
	head, err := body.Peek(len("--") + most + len("\r\n"))
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	line, _, ends := strings.Cut(string(head), "\r\n")
	boundary, begins := strings.CutPrefix(line, "--")
	if !begins || !ends {
		return ""
	}
	return boundary
}

func bodyError(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return &fieldError{field: "file", text: fmt.Sprintf("Permintaan terlalu besar, paling besar %d MB", MaxBody>>20), code: codeTooBig}
	}
	return fmt.Errorf("%w: %w", errUnreadable, err)
}

func (f *fields) multipart(parts *multipart.Reader) error {
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return bodyError(err)
		}
		if n > 4*MaxFiles {
			return wrongField("file", "Terlalu banyak bagian dalam permintaan")
		}
		name := strings.TrimSuffix(strings.ToLower(part.FormName()), "[]")
		b, err := io.ReadAll(part)
		if err != nil {
			return bodyError(err)
		}
		// What libraries send without a file name is a file all the same.
		if part.FileName() != "" || isFile(b) {
			f.files[name] = append(f.files[name], file{cmp.Or(part.FileName(), name), b})
			continue
		}
		if len(b) > maxField {
			return wrongField(name, "Kolom '%s' terlalu panjang", name)
		}
		f.text[name] = string(b)
		clear(b)
	}
}

// isFile tells PDF, PNG and JPEG by their beginnings.
func isFile(b []byte) bool {
	for _, magic := range []string{"%PDF-", "\x89PNG\r\n\x1a\n", "\xff\xd8\xff"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return false
}

func isObject(b []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) }

// json takes an object; what is no object, like the "[]" that some clients send
// with a GET, holds no fields.
func (f *fields) json(b []byte) error {
	if !isObject(b) {
		return nil
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(b, &body); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	for k, raw := range body {
		k = strings.ToLower(k)
		f.body[k] = raw
		if s, ok := scalar(raw); ok {
			f.text[k] = s
		}
	}
	return nil
}

// scalar is a JSON string, number, boolean or null as text. The string "null",
// which some clients send, is none.
func scalar(raw json.RawMessage) (string, bool) {
	var v any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return "", false
	}
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		if v == "null" {
			v = ""
		}
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// get is the first of the names that has a value, without blanks around it.
func (f *fields) get(names ...string) string {
	for _, n := range names {
		if v := strings.TrimSpace(f.text[strings.ToLower(n)]); v != "" && v != "null" {
			return v
		}
	}
	return ""
}

// code is a code of six digits. Clients that made a number of it lost the zeros before
// it.
func (f *fields) code() string {
	for _, name := range []string{"totp", "otp"} {
		v := f.get(name)
		if n := 6 - len(v); n > 0 && v != "" && string(f.body[name]) == v {
			v = strings.Repeat("0", n) + v
		}
		if v != "" {
			return v
		}
	}
	return ""
}

// secret takes a passphrase out of the fields: nothing else may see it. nil means
// that there is none.
func (f *fields) secret(names ...string) (*passphrase.Secret, error) {
	for _, n := range names {
		v := f.text[n]
		delete(f.text, n)
		delete(f.body, n)
		if v == "" {
			continue
		}
		s, err := passphrase.Read([]byte(v))
		if err != nil {
			return nil, wrongField(n, "Kolom '%s' bukan passphrase", n)
		}
		return s, nil
	}
	return nil, nil
}

// wipe forgets what was read.
func (f *fields) wipe() {
	if f == nil {
		return
	}
	clear(f.text)
	clear(f.body)
}

// truth reads booleans as clients write them: true, 1, yes; all else is false.
func truth(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1", "yes", "ya", "on":
		return true
	}
	return false
}

// number reads a coordinate or size in points; a comma may be the decimal point.
func (f *fields) number(names ...string) (v float64, given bool, err error) {
	s := f.get(names...)
	if s == "" {
		return 0, false, nil
	}
	v, err = strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	if err != nil || v != v || v < -20_000 || v > 20_000 {
		return 0, true, wrongField(names[0], "Kolom '%s' harus berupa angka", names[0])
	}
	return v, true, nil
}

// decode64 reads base64 as clients write it: with line breaks, with a data URL
// before it, with or without padding.
func decode64(s string) ([]byte, error) {
	if i := strings.Index(s, ";base64,"); i >= 0 && i < 100 && strings.HasPrefix(s, "data:") {
		s = s[i+len(";base64,"):]
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', ' ', '\t', '=':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, s)
	return base64.RawStdEncoding.DecodeString(s)
}
