package pades

import (
	"bytes"
	"fmt"
	"strings"

	"absah/pdf"
)

// maxTreeNodes bounds the walk through a number tree.
const maxTreeNodes = 100_000

// caption is what is said of a field to those who do not see it.
type caption struct {
	kind int
	name string
}

// The kinds of captions.
const (
	ofSignature = iota // of somebody
	ofPlace            // for a later signature, by its name
)

// captions are in English, and in Indonesian where the document is.
var captions = map[bool][2]string{
	false: {"Electronic signature of %s", "Place for the signature %s"},
	true:  {"Tanda tangan elektronik %s", "Tempat tanda tangan %s"},
}

// say writes a caption in the language of the document (ISO 14289-1 7.18.4).
func (s *site) say(c caption) string {
	lang, _ := stringOf(s.update, s.root.Get("Lang"))
	lang = pdf.String(strings.ToLower(pdf.DecodeText(lang)))
	return fmt.Sprintf(captions[lang == "id" || strings.HasPrefix(string(lang), "id-")][c.kind], c.name)
}

// tag enters a field into the structure tree of a tagged document (ISO 32000-2
// 14.7.5.3, 14.8.4.8.3), so that it stays one whose every visible thing is tagged.
// Once somebody has signed, the tree stays as it was signed, because validators call
// another one a change of the document: later signatures are made in fields that the
// first one prepared. Of an untagged document nothing changes.
func (s *site) tag(widget *pdf.Dict, field pdf.Ref, page pdf.Page, words caption) error {
	mark, err := dictOf(s.update, s.root.Get("MarkInfo"))
	if err != nil || mark.Get("Marked") != pdf.Object(pdf.Bool(true)) {
		return nil //nolint:nilerr // a document whose claim cannot be read is not tagged
	}
	treeRef, ok := s.root.Get("StructTreeRoot").(pdf.Ref)
	if !ok {
		return nil
	}
	widget.Set("TU", pdf.EncodeText(s.say(words)))
	if s.form.signed() {
		return nil
	}
	treeRef = s.last(treeRef)
	tree, err := dictOf(s.update, treeRef)
	if err != nil || tree == nil {
		return nil //nolint:nilerr // see above
	}
	parentsRef, ok := tree.Get("ParentTree").(pdf.Ref)
	parents, err := dictOf(s.update, tree.Get("ParentTree"))
	if err != nil {
		return fmt.Errorf("read the parent tree: %w", err)
	}
	key, ok2 := intOf(s.update, tree.Get("ParentTreeNextKey"))
	if highest := s.highestKey(parents); !ok2 || key <= highest {
		key = highest + 1
	}
	element := s.update.Reserve()
	tree = tree.Clone()
	parent := s.adopt(&tree, treeRef, element)
	s.update.Set(element, pdf.Dict{
		{Key: "Type", Value: pdf.Name("StructElem")}, {Key: "S", Value: pdf.Name("Form")}, {Key: "P", Value: parent}, {Key: "Pg", Value: page.Ref},
		{Key: "K", Value: pdf.Dict{{Key: "Type", Value: pdf.Name("OBJR")}, {Key: "Obj", Value: field}, {Key: "Pg", Value: page.Ref}}},
	})
	parents = parents.Clone()
	entry := pdf.Array{pdf.Integer(key), element}
	if kids, err := arrayOf(s.update, parents.Get("Kids")); err == nil && kids != nil {
		leaf := s.update.Add(pdf.Dict{{Key: "Limits", Value: pdf.Array{pdf.Integer(key), pdf.Integer(key)}}, {Key: "Nums", Value: entry}})
		parents.Set("Kids", appended(kids, leaf))
	} else {
		nums, err := arrayOf(s.update, parents.Get("Nums"))
		if err != nil {
			return fmt.Errorf("read the parent tree: %w", err)
		}
		parents.Set("Nums", append(nums[:len(nums):len(nums)], entry...))
	}
	if ok {
		s.update.Set(s.last(parentsRef), parents)
	} else {
		tree.Set("ParentTree", parents)
	}
	tree.Set("ParentTreeNextKey", pdf.Integer(key+1))
	s.update.Set(treeRef, tree)
	widget.Set("StructParent", pdf.Integer(key))
	return s.order(page)
}

// hide places what nobody sees beside the page where the document claims PDF/UA:
// there it needs no tag (ISO 14289-1 7.18.1). The other exemption, annotations that
// are hidden, is none for PDF/A.
func (s *site) hide(widget *pdf.Dict, page pdf.Page) {
	if !bytes.Contains(s.metadata(), []byte("pdfuaid:part")) {
		return
	}
	x, y := number(page.CropBox[0]-1), number(page.CropBox[1]-1)
	widget.Set("Rect", pdf.Array{x, y, x, y})
}

// order makes those who go from one annotation of the page to the next follow the
// structure (ISO 14289-1 7.18.3), where the page does not say how.
func (s *site) order(page pdf.Page) error {
	d, err := dictOf(s.update, page.Ref)
	if err != nil {
		return fmt.Errorf("read page %d: %w", page.Number+1, err)
	}
	if d.Get("Tabs") == nil {
		d = d.Clone()
		d.Set("Tabs", pdf.Name("S"))
		s.update.Set(page.Ref, d)
	}
	return nil
}

// adopt adds the element to the kids of the one top element (Document, as a
// rule), or else to those of the root, which the caller writes. It returns the
// parent.
func (s *site) adopt(tree *pdf.Dict, treeRef, element pdf.Ref) pdf.Ref {
	top, ok := tree.Get("K").(pdf.Ref)
	kids, err := arrayOf(s.update, tree.Get("K"))
	if err == nil && len(kids) == 1 {
		top, ok = kids[0].(pdf.Ref)
	}
	if ok {
		top = s.last(top)
		if d, err := dictOf(s.update, top); err == nil && nameOf(s.update, d.Get("S")) != "" {
			d = d.Clone()
			d.Set("K", s.withKid(d.Get("K"), element))
			s.update.Set(top, d)
			return top
		}
	}
	tree.Set("K", s.withKid(tree.Get("K"), element))
	return treeRef
}

// withKid is the value of K with one more element. An indirect array is copied,
// because others may use it.
func (s *site) withKid(k pdf.Object, element pdf.Ref) pdf.Object {
	if kids, err := arrayOf(s.update, k); err == nil && kids != nil {
		return appended(kids, element)
	}
	if k == nil {
		return pdf.Array{element}
	}
	return pdf.Array{k, element}
}

// highestKey is the highest key of a number tree, -1 in an empty one.
func (s *site) highestKey(root pdf.Dict) int64 {
	highest := int64(-1)
	seen := 0
	var visit func(d pdf.Dict, depth int)
	visit = func(d pdf.Dict, depth int) {
		if seen++; seen > maxTreeNodes || depth > maxFieldDepth {
			return
		}
		if nums, err := arrayOf(s.update, d.Get("Nums")); err == nil {
			for i := 0; i+1 < len(nums); i += 2 {
				if n, ok := intOf(s.update, nums[i]); ok {
					highest = max(highest, n)
				}
			}
		}
		kids, err := arrayOf(s.update, d.Get("Kids"))
		if err != nil {
			return
		}
		for _, kid := range kids {
			if k, err := dictOf(s.update, kid); err == nil {
				visit(k, depth+1)
			}
		}
	}
	visit(root, 0)
	return highest
}
