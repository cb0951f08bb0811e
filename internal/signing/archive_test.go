package signing_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pdf"
)

// TestArchivalFiles: a tagged file that claims PDF/A keeps its metadata and its
// structure, in which the signature stands, and its text is in embedded fonts.
func TestArchivalFiles(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	before := signingtest.Tagged()
	d, err := w.Upload(t.Context(), w.who, signing.Upload{Name: "a.pdf", Body: bytes.NewReader(before)})
	must(t, err)
	must(t, w.signAll(item(d, signing.Request{Level: pades.BT, Places: []signing.Place{at(1)}}))[0].Err)
	b, err := w.Content(t.Context(), d.ID, 0)
	must(t, err)
	if !bytes.HasPrefix(b, before) {
		t.Error("bytes that were there have changed")
	}
	w.valid(b, 1)
	doc, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	must(t, err)
	_, root, err := doc.Root()
	must(t, err)
	mark, err := doc.ResolveDict(root.Get("MarkInfo"))
	must(t, err)
	if mark.Get("Marked") != pdf.Bool(true) || root.Get("Metadata") != (pdf.Ref{Number: 8}) || !root.Has("Lang") {
		t.Errorf("the catalog is now %v", root)
	}
	tree, err := doc.ResolveDict(root.Get("StructTreeRoot"))
	must(t, err)
	if n, err := doc.ResolveInt(tree.Get("ParentTreeNextKey")); n != 2 || err != nil {
		t.Errorf("the next key of the parent tree is %d, %v: the signature is not in the structure", n, err)
	}
	page, err := doc.Page(0)
	must(t, err)
	notes, err := doc.ResolveArray(page.Dict.Get("Annots"))
	must(t, err)
	widget, err := doc.ResolveDict(notes[0])
	must(t, err)
	if n, err := doc.ResolveInt(widget.Get("StructParent")); n != 1 || err != nil || !widget.Has("TU") && !widget.Has("Contents") {
		t.Errorf("the widget is %v", widget)
	}
	path := filepath.Join(t.TempDir(), "a.pdf")
	must(t, os.WriteFile(path, b, 0o600))
	oracles(t, path, 1)
	fonts, err := exec.CommandContext(t.Context(), "pdffonts", path).Output()
	must(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(fonts)), "\n")[2:] {
		if !strings.Contains(line, "yes yes yes") {
			t.Errorf("a font is not embedded, subset and with a map to Unicode: %s", line)
		}
	}
}
