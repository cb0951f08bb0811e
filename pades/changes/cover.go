package changes

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"absah/pdf"
	"absah/pdf/content"
)

// manyPaths is from how many drawn paths on a box is more than the lines and
// frames that forms draw around the place of a signature: it is a drawing, or
// text as outlines.
const manyPaths = 8

// anchor is text that stands on a page only to mark the place of a signature,
// which then lies over it: letters for several signers are made that way.
var anchor = regexp.MustCompile(`^(?:[#$^*~@]|\$\{[^{}\s]{1,64}\}|\{\{[^{}\s]{1,64}\}\})$`)

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
	if covered.Len() > 0 && !anchor.MatchString(covered.String()) {
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
