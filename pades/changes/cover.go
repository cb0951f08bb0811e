package changes

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"absah/pdf"
	"absah/pdf/content"
)

// manyPaths is from how many drawn paths on a box is more than the lines and
// frames that forms draw around the place of a signature: it is a drawing, or
// text as outlines.
const manyPaths = 8

// isAnchor tells text that stands on a page only to mark the place of a
// signature, which then lies over it (#, ${name}, {{name}}): letters for several
// signers are made that way.
func isAnchor(s string) bool {
	if len(s) == 1 && strings.Contains("#$^*~@", s) {
		return true
	}
	for _, b := range [...][2]string{{"${", "}"}, {"{{", "}}"}} {
		name, opened := strings.CutPrefix(s, b[0])
		name, closed := strings.CutSuffix(name, b[1])
		if opened && closed && name != "" && utf8.RuneCountInString(name) <= 64 && !strings.ContainsAny(name, "{} \t\n\f\r") {
			return true
		}
	}
	return false
}

// coversContent reports whether text, an image or a drawing of the page lies
// within box (default user space: left, bottom, right, top).
func coversContent(ctx context.Context, view *pdf.Document, page pdf.Page, box [4]float64) (bool, error) {
	text, err := content.Read(ctx, view, page, content.Options{Annotations: true, Marks: true})
	if err != nil {
		return false, fmt.Errorf("read what the page shows: %w", err)
	}
	var covered strings.Builder
	for _, m := range text.Covers(box) {
		covered.WriteString(m.Text)
	}
	if covered.Len() > 0 && !isAnchor(covered.String()) {
		return true, nil
	}
	paths := 0
	for _, m := range text.Marks(box) {
		if m.Kind == content.Path {
			paths++
			continue
		}
		return true, nil
	}
	if paths >= manyPaths {
		return true, nil
	}
	if len(text.Damaged) > 0 {
		return false, fmt.Errorf("read what the page shows: %w", text.Damaged[0])
	}
	return false, nil
}
