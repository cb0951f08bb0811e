// Package printouttest judges the PDF files that package printout makes, also after
// they were signed: by the rules of PDF/A-2a and PDF/UA-1 that can be seen in their
// structure.
package printouttest

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"absah/pdf"
)

// Check returns what is wrong with a file.
func Check(b []byte) []string {
	doc, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		return []string{"cannot be opened: " + err.Error()}
	}
	_, root, err := doc.Root()
	if err != nil {
		return []string{"no catalog: " + err.Error()}
	}
	c := &checker{doc: doc, root: root, content: map[pdf.Ref]map[int64]pdf.Ref{}, objects: map[pdf.Ref]pdf.Ref{}, parents: map[int64]pdf.Object{}}
	c.catalog()
	c.structure()
	c.pages()
	return c.wrong
}

type checker struct {
	doc   *pdf.Document
	root  pdf.Dict
	wrong []string
	// What the structure tree holds: the element of marked content, by page and
	// number, and of annotations.
	content map[pdf.Ref]map[int64]pdf.Ref
	objects map[pdf.Ref]pdf.Ref
	parents map[int64]pdf.Object
	heading int
}

func (c *checker) fault(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *checker) dict(o pdf.Object) pdf.Dict {
	d, err := c.doc.ResolveDict(o)
	if err != nil {
		c.fault("no dictionary: %v", err)
	}
	return d
}

func (c *checker) array(o pdf.Object) pdf.Array {
	a, err := c.doc.ResolveArray(o)
	if err != nil {
		c.fault("no array: %v", err)
	}
	return a
}

// stream is the data of a stream.
func (c *checker) stream(o pdf.Object) []byte {
	o, err := c.doc.Resolve(o)
	s, ok := o.(*pdf.Stream)
	if err != nil || !ok {
		c.fault("no stream: %v", err)
		return nil
	}
	data, err := c.doc.StreamData(s)
	if err != nil {
		c.fault("read stream: %v", err)
	}
	return data
}

// catalog judges what the file says of itself.
func (c *checker) catalog() {
	if c.dict(c.root.Get("MarkInfo")).Get("Marked") != pdf.Object(pdf.Bool(true)) {
		c.fault("it does not say that it is tagged")
	}
	if c.dict(c.root.Get("ViewerPreferences")).Get("DisplayDocTitle") != pdf.Object(pdf.Bool(true)) {
		c.fault("readers show its name instead of its title")
	}
	if lang, _ := c.root.Get("Lang").(pdf.String); lang == "" {
		c.fault("it has no language")
	}
	info := c.dict(c.doc.Trailer().Get("Info"))
	xmp := string(c.stream(c.root.Get("Metadata")))
	for _, want := range []string{"<pdfaid:part>2<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<"} {
		if !strings.Contains(xmp, want) {
			c.fault("its metadata lack %s", want)
		}
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;")
	for _, key := range []pdf.Name{"Title", "Author", "Subject", "Creator", "Producer"} {
		if text, _ := info.Get(key).(pdf.String); text != "" && !strings.Contains(xmp, ">"+escape.Replace(pdf.DecodeText(text))+"<") {
			c.fault("its metadata have another %s than its information", key)
		}
	}
	if text, _ := info.Get("Title").(pdf.String); text == "" {
		c.fault("it has no title")
	}
	for _, o := range c.array(c.root.Get("OutputIntents")) {
		if profile := c.stream(c.dict(o).Get("DestOutputProfile")); len(profile) < 128 || string(profile[36:40]) != "acsp" {
			c.fault("its colour profile is none")
		}
	}
	if c.root.Get("OutputIntents") == nil || c.root.Get("PageLabels") == nil {
		c.fault("it lacks an output intent or page labels")
	}
}

// structure walks the tree and the way back.
func (c *checker) structure() {
	tree := c.dict(c.root.Get("StructTreeRoot"))
	nums := c.array(c.dict(tree.Get("ParentTree")).Get("Nums"))
	next, _ := tree.Get("ParentTreeNextKey").(pdf.Integer)
	for i := 0; i+1 < len(nums); i += 2 {
		key, _ := nums[i].(pdf.Integer)
		c.parents[int64(key)] = nums[i+1]
		if key >= next {
			c.fault("the tree of parents has the key %d, and the next one is to be %d", key, next)
		}
	}
	root, _ := c.root.Get("StructTreeRoot").(pdf.Ref)
	for _, kid := range c.array(tree.Get("K")) {
		c.element(kid, root)
	}
}

// element judges a structure element and those in it; it returns its role.
func (c *checker) element(o pdf.Object, parent pdf.Ref) pdf.Name {
	ref, _ := o.(pdf.Ref)
	d := c.dict(o)
	role, _ := d.Get("S").(pdf.Name)
	if d.Get("P") != pdf.Object(parent) {
		c.fault("a %s names another parent", role)
	}
	kids, several := d.Get("K").(pdf.Array)
	if k := d.Get("K"); !several && k != nil {
		kids = pdf.Array{k}
	}
	if alt, _ := d.Get("Alt").(pdf.String); role == "Figure" && alt == "" {
		c.fault("a figure without words")
	}
	if len(kids) == 0 && role != "TD" {
		c.fault("an empty %s", role)
	}
	if len(role) == 2 && role[0] == 'H' && role[1] >= '1' && role[1] <= '6' {
		if level := int(role[1] - '0'); level > c.heading+1 {
			c.fault("H%d follows H%d", level, c.heading)
		}
		c.heading = int(role[1] - '0')
	}
	if role == "TH" && c.dict(d.Get("A")).Get("Scope") == nil {
		c.fault("a header cell of neither row nor column")
	}
	var roles []string
	for _, kid := range kids {
		roles = append(roles, string(c.kid(kid, ref, d)))
	}
	want, known := map[pdf.Name]string{
		"L": "^(LI )+$", "LI": "^Lbl LBody $", "Table": "^(TR )+$", "TR": "^(TH )*(TD )*$", "TOC": "^(TOCI )+$", "Link": "^(content )+annotation |^(content annotation )+$", "Form": "^annotation $",
	}[role]
	if is := strings.Join(roles, " ") + " "; known && !regexp.MustCompile(want).MatchString(is) {
		c.fault("a %s with %s", role, is)
	}
	return role
}

// kid judges what an element holds and returns what it is.
func (c *checker) kid(o pdf.Object, element pdf.Ref, d pdf.Dict) pdf.Name {
	page, _ := d.Get("Pg").(pdf.Ref)
	number, ok := o.(pdf.Integer)
	if !ok {
		k := c.dict(o)
		if own, ok := k.Get("Pg").(pdf.Ref); ok {
			page = own
		}
		switch k.Get("Type") {
		case pdf.Object(pdf.Name("OBJR")):
			object, _ := k.Get("Obj").(pdf.Ref)
			c.objects[object] = element
			return "annotation"
		case pdf.Object(pdf.Name("MCR")):
			number, _ = k.Get("MCID").(pdf.Integer)
		default:
			return c.element(o, element)
		}
	}
	if c.content[page] == nil {
		c.content[page] = map[int64]pdf.Ref{}
	}
	if _, twice := c.content[page][int64(number)]; twice {
		c.fault("marked content %d is in two elements", number)
	}
	c.content[page][int64(number)] = element
	return "content"
}

func (c *checker) pages() {
	for p, err := range c.doc.Pages() {
		if err != nil {
			c.fault("page: %v", err)
			return
		}
		if p.Dict.Get("Tabs") != pdf.Object(pdf.Name("S")) {
			c.fault("page %d: the order of its annotations is not that of the structure", p.Number+1)
		}
		key, _ := p.Dict.Get("StructParents").(pdf.Integer)
		owners := c.array(c.parents[int64(key)])
		seen := c.painted(p)
		if len(seen) != len(owners) || len(seen) != len(c.content[p.Ref]) {
			c.fault("page %d has %d marked contents, %d in the tree of parents, %d in the structure", p.Number+1, len(seen), len(owners), len(c.content[p.Ref]))
			continue
		}
		for n, owner := range owners {
			if !seen[int64(n)] || owner != pdf.Object(c.content[p.Ref][int64(n)]) {
				c.fault("page %d: marked content %d and its element do not know one another", p.Number+1, n)
			}
		}
		for _, a := range c.array(p.Dict.Get("Annots")) {
			c.annotation(a, p)
		}
	}
}

func (c *checker) annotation(o pdf.Object, p pdf.Page) {
	ref, _ := o.(pdf.Ref)
	d, page := c.dict(o), p.Number+1
	if c.beside(d, p) {
		return // nobody sees it, and it needs no tag (ISO 14289-1 7.18.1)
	}
	key, ok := d.Get("StructParent").(pdf.Integer)
	element, known := c.objects[ref]
	if !ok || !known || c.parents[int64(key)] != pdf.Object(element) {
		c.fault("page %d: an annotation and its element do not know one another", page)
		return
	}
	role, words := pdf.Name("Link"), pdf.Name("Contents")
	if d.Get("Subtype") == pdf.Object(pdf.Name("Widget")) {
		role, words = "Form", "TU"
	}
	if text, _ := d.Get(words).(pdf.String); text == "" || c.dict(element).Get("S") != pdf.Object(role) {
		c.fault("page %d: a %s annotation without words or in another element", page, role)
	}
	if flags, _ := d.Get("F").(pdf.Integer); flags&(1<<2) == 0 {
		c.fault("page %d: an annotation that is not printed", page)
	}
}

var actual = regexp.MustCompile(`/ActualText\s*\((?:[^\\)]|\\.)*\)`)

// beside tells whether an annotation is left of the page or below it.
func (c *checker) beside(d pdf.Dict, p pdf.Page) bool {
	box := c.array(d.Get("Rect"))
	if len(box) != 4 {
		return false
	}
	right, err := c.doc.ResolveNumber(box[2])
	top, err2 := c.doc.ResolveNumber(box[3])
	return err == nil && err2 == nil && (right < p.CropBox[0] || top < p.CropBox[1])
}

// painted returns the numbers of the marked contents of a page. Whatever is painted
// must be in one, or in an artifact.
func (c *checker) painted(p pdf.Page) map[int64]bool {
	seen := map[int64]bool{}
	fields := strings.Fields(actual.ReplaceAllString(string(c.stream(p.Dict.Get("Contents"))), ""))
	var open []string
	for i, f := range fields {
		switch f {
		case "BDC", "BMC":
			tag, id := "", int64(-1)
			for j := i - 1; j >= 0 && tag == ""; j-- {
				if fields[j] == "/MCID" || fields[j] == "<</MCID" {
					n, err := strconv.ParseInt(strings.TrimSuffix(fields[j+1], ">>"), 10, 64)
					if err != nil {
						c.fault("page %d: marked content without a number", p.Number+1)
					}
					id = n
				}
				if strings.HasPrefix(fields[j], "/") && (fields[j+1] == "BMC" || strings.HasPrefix(fields[j+1], "<<")) {
					tag = fields[j]
				}
			}
			if len(open) > 0 && (tag == "/Artifact" || id >= 0) {
				c.fault("page %d: %s within %s", p.Number+1, tag, open[0])
			}
			if id >= 0 {
				if seen[id] {
					c.fault("page %d: marked content %d twice", p.Number+1, id)
				}
				seen[id] = true
			} else if tag != "/Artifact" && tag != "/Span" {
				c.fault("page %d: %s belongs to nothing", p.Number+1, tag)
			}
			open = append(open, tag)
		case "EMC":
			if len(open) == 0 {
				c.fault("page %d: marked content ends that did not begin", p.Number+1)
				return seen
			}
			open = open[:len(open)-1]
		case "f", "S", "B", "Do", "TJ", "Tj", "sh", "f*":
			if len(open) == 0 {
				c.fault("page %d: %s outside of marked content", p.Number+1, f)
			}
		}
	}
	if len(open) > 0 {
		c.fault("page %d: marked content does not end", p.Number+1)
	}
	return seen
}
