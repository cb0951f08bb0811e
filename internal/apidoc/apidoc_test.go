package apidoc

import (
	"slices"
	"strings"
	"testing"
)

func load(t testing.TB) *Document {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDocumentIsComplete: every operation says in both languages what it is, has a
// group, an example and an answer for errors, and every reference leads somewhere.
func TestDocumentIsComplete(t *testing.T) {
	d := load(t)
	if len(d.Operations) < 20 || d.Title.ID == "" || d.Title.EN == "" || d.Intro.ID == "" {
		t.Fatalf("%d operations, %+v", len(d.Operations), d.Title)
	}
	ids := map[string]bool{}
	for _, o := range d.Operations {
		for what, text := range map[string]string{
			"id": o.ID, "summary": o.Summary.EN, "Indonesian summary": o.Summary.ID, "description": o.Description.EN,
			"Indonesian description": o.Description.ID, "example": o.Example.Script(),
		} {
			if text == "" {
				t.Errorf("%s %s: no %s", o.Method, o.Path, what)
			}
		}
		if ids[o.ID] {
			t.Errorf("%s is there twice", o.ID)
		}
		ids[o.ID] = true
		if d.rank(o.Tag) < 0 {
			t.Errorf("%s: no group %q", o.ID, o.Tag)
		}
		if !slices.ContainsFunc(o.Responses, func(r Response) bool { return r.Status == "default" && r.Type == "application/problem+json" }) {
			t.Errorf("%s: no answer for errors", o.ID)
		}
		for _, p := range o.Parameters {
			if p.Name == "" || p.Schema == nil {
				t.Errorf("%s: a parameter leads nowhere", o.ID)
			}
			if p.In == "path" && !strings.Contains(o.Path, "{"+p.Name+"}") {
				t.Errorf("%s: %s is not in the path", o.ID, p.Name)
			}
		}
	}
	for _, t2 := range d.Tags {
		if t2.TitleEN == "" || t2.TitleID == "" || t2.Description == "" || t2.Indonesian == "" {
			t.Errorf("group %s lacks a text", t2.Name)
		}
	}
	refs := 0
	var walk func(v Value)
	walk = func(v Value) {
		if r, ok := v.Get("$ref"); ok && r.Kind == String {
			refs++
			if _, ok := must(Parse(d.JSON)).At(strings.TrimPrefix(r.Text(), "#")); !ok {
				t.Errorf("%s leads nowhere", r.Text())
			}
		}
		for _, m := range v.Members {
			walk(m)
		}
	}
	walk(must(Parse(d.JSON)))
	if refs < 50 {
		t.Errorf("only %d references", refs)
	}
}

func must(v Value, err error) Value {
	if err != nil {
		panic(err)
	}
	return v
}

// TestProblemsAreComplete: codes are there once, in both languages.
func TestProblemsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Problems() {
		if seen[p.Code] || p.Status < 400 || p.Title.ID == "" || p.Title.EN == "" || p.Detail.ID == "" || p.Detail.EN == "" {
			t.Errorf("%+v", p)
		}
		seen[p.Code] = true
		if got, ok := ProblemOf(p.Code); !ok || got != p {
			t.Errorf("%s is not found", p.Code)
		}
	}
	if _, ok := ProblemOf("nothing"); ok {
		t.Error("a problem that there is not is found")
	}
}

// TestCheck: every rule of a schema bites, at the right place.
func TestCheck(t *testing.T) {
	d := load(t)
	for _, c := range []struct{ schema, value, want string }{
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":"x","documents":[{"id":"a"}]}`, ""},
		{"SigningOrder", `{"signer":{"nip":"1"},"documents":[{"id":"a"}]}`, ""},
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":"x"}`, "/documents required"},
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":7,"documents":[{"id":"a"}]}`, "/passphrase wrong_type string"},
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":"","documents":[{"id":"a"}]}`, "/passphrase too_short 1"},
		{"SigningOrder", `{"signer":{"nip":"1","nik":"3171011201800777"},"passphrase":"x","documents":[{"id":"a"}]}`, "/signer too_many 1"},
		{"SigningOrder", `{"signer":{},"passphrase":"x","documents":[{"id":"a"}]}`, "/signer too_few 1"},
		{"SigningOrder", `{"signer":{"nik":"12"},"passphrase":"x","documents":[{"id":"a"}]}`, "/signer/nik wrong_form ^[0-9]{16}$"},
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":"x","documents":[]}`, "/documents too_few 1"},
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":"x","documents":[{"id":"a","pasword":"b"}]}`, "/documents/0/pasword unknown_field"},
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":"x","passphrase":"y","documents":[{"id":"a"}]}`, "/passphrase twice"},
		{"SigningOrder", `{"signer":{"nip":"1"},"passphrase":"x","documents":[{"id":"a"}],"level":"B-X"}`, "/level not_in_list B-T, B-LT, B-LTA"},
		{"Place", `{"page":"last"}`, ""},
		{"Place", `{"page":3}`, ""},
		{"Place", `{"page":0}`, "/page too_small 1"},
		{"Place", `{"page":1.5}`, "/page wrong_type integer"},
		{"Place", `{"page":"first"}`, "/page not_in_list last"},
		{"Place", `{"width":5001}`, "/width too_large 5000"},
		{"Place", `{"x":"1"}`, "/x wrong_type number"},
		{"Place", `{"a/b~":1}`, "/a~1b~0 unknown_field"},
		{"State", `{"code":"issued","text":"x","since":"2026-11-28T03:00:00Z"}`, ""},
		{"State", `{"code":"issued","text":"x","since":null}`, ""},
		{"State", `{"code":"issued","text":"x","since":"yesterday"}`, "/since wrong_form RFC 3339"},
		{"Kind", `"nota_dinas"`, ""},
	} {
		v, err := Parse([]byte(c.value))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range d.Check(&Schema{Ref: "#/components/schemas/" + c.schema}, v) {
			got = append(got, strings.TrimSpace(f.Pointer+" "+f.Code+" "+f.Want))
			if text := f.FaultText(); text.ID == "" || text.EN == "" || text.EN == "does not fit" {
				t.Errorf("%s has no text", f.Code)
			}
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s %s: %q, want %q", c.schema, c.value, s, c.want)
		}
	}
	long := must(Parse([]byte(`{"nip":"` + strings.Repeat("9", 41) + `"}`)))
	if f := d.Check(d.Schema("PersonReference"), long); len(f) != 1 || f[0].Code != FaultLong {
		t.Errorf("a long one: %v", f)
	}
	limit := &Schema{Type: words{"integer"}}
	if f := d.CheckText(limit, "x", "?limit"); len(f) != 1 || f[0].Pointer != "?limit" {
		t.Errorf("text for a number: %v", f)
	}
	if f := d.CheckText(limit, "7", "?limit"); len(f) != 0 {
		t.Errorf("a number: %v", f)
	}
}

// FuzzParse: what encoding/json takes as valid is split without a panic into parts
// that are valid themselves.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x\"\\",null,true,{"b":{}}]}`, ` [ ] `, `"\u00e9"`, `{"a":1,"a":2}`, strings.Repeat("[", 40) + strings.Repeat("]", 40), `{`, ``} {
		f.Add([]byte(s))
	}
	d := load(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Parse(b)
		if err != nil {
			return
		}
		for _, m := range v.Members {
			if _, err := Parse(m.Raw); err != nil {
				t.Errorf("part %q of %q", m.Raw, b)
			}
		}
		d.Check(d.Schema("SigningOrder"), v)
	})
}
