package direct

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"absah/pades"
	"absah/pades/appearance"
)

// The box at an anchor where nobody says its size, in points.
const (
	anchorWidth  = 160
	anchorHeight = 60
)

// box reads --visible.
func (c *signCmd) box(v *pades.Visible) error {
	if c.Visible != "" {
		return c.readBox("--visible", c.Visible, v)
	}
	v.Box.Width, v.Box.Height = anchorWidth, anchorHeight
	if c.Anchor == "" {
		// An existing field gives the place; a new one is refused without.
		v.Box.Width, v.Box.Height = 0, 0
		v.Page = 1
	}
	return nil
}

// readBox reads PAGE,X,Y,W,H into v, or W,H where v has an anchor.
func (c *signCmd) readBox(flag, text string, v *pades.Visible) error {
	parts := strings.Split(text, ",")
	var n []float64
	for _, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			return fmt.Errorf("%s: %q is no number", flag, p)
		}
		n = append(n, f)
	}
	switch {
	case len(n) == 2 && v.Anchor != "":
		v.Box.Width, v.Box.Height = n[0], n[1]
		return nil
	case len(n) != 5:
		return fmt.Errorf("%s wants PAGE,X,Y,W,H", flag)
	case n[0] != float64(int(n[0])) || n[0] < 0 || n[0] == 0 && v.Anchor == "":
		return fmt.Errorf("%s: there is no page %q", flag, parts[0])
	}
	v.Page = int(n[0])
	v.Box = appearance.Box{X: n[1], Y: n[2], Width: n[3], Height: n[4]}
	// At an anchor, X and Y move the box away from the text, always upwards.
	if c.Origin == "top-left" && v.Anchor == "" {
		v.Box.Origin = appearance.TopLeft
	}
	return nil
}

const anchorPrefix = "anchor:"

var errAddField = errors.New("--add-field wants NAME=PAGE,X,Y,W,H or NAME=anchor:TEXT")

// newFields reads --add-field.
func (c *signCmd) newFields() ([]pades.NewField, error) {
	var list []pades.NewField
	for _, text := range c.AddField {
		name, place, found := strings.Cut(text, "=")
		if !found || name == "" || place == "" {
			return nil, errAddField
		}
		f := pades.NewField{Name: name}
		if anchor, at := strings.CutPrefix(place, anchorPrefix); at {
			if anchor == "" {
				return nil, errAddField
			}
			f.Place.Anchor = anchor
			f.Place.Box.Width, f.Place.Box.Height = anchorWidth, anchorHeight
		} else if err := c.readBox("--add-field "+name, place, &f.Place); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}
