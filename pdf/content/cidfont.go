package content

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"absah/pdf"
)

// baseLetter is the only letter of a text, without its accents.
func baseLetter(t string) rune {
	for _, r := range norm.NFD.String(t) {
		return r
	}
	return 0
}

// loadComposite reads a Type 0 font (ISO 32000-2 9.7).
func (f *font) loadComposite(d *pdf.Document, dict pdf.Dict) {
	f.loadCodes(d, dict)
	f.widths = widths{of: map[uint32]float64{}, other: 1}
	list, _ := d.ResolveArray(dict.Get("DescendantFonts"))
	if len(list) == 0 {
		return
	}
	descendant, _ := d.ResolveDict(list[0])
	descriptor, _ := d.ResolveDict(descendant.Get("FontDescriptor"))
	f.loadMetrics(d, descriptor)
	if w, err := d.ResolveNumber(descendant.Get("DW")); err == nil && descendant.Get("DW") != nil {
		f.widths.other = w / 1000
	}
	w, _ := d.ResolveArray(descendant.Get("W"))
	f.loadCIDWidths(d, w)
}

// loadCodes finds out how strings are split into codes.
func (f *font) loadCodes(d *pdf.Document, dict pdf.Dict) {
	twoBytes := &cmap{spaces: []codespace{{2, 0, 0xFFFF}}}
	o, _ := d.Resolve(dict.Get("Encoding"))
	switch e := o.(type) {
	case *pdf.Stream:
		f.composite = twoBytes
		if data, err := d.StreamData(e); err == nil {
			f.composite = parseCMap(data)
		}
		if len(f.composite.spaces) == 0 {
			f.composite.spaces = twoBytes.spaces
		}
		f.vertical = f.composite.vertical
		if mode, err := d.ResolveInt(e.Dict.Get("WMode")); err == nil && mode == 1 {
			f.vertical = true
		}
	case pdf.Name:
		name := string(e)
		f.vertical = strings.HasSuffix(name, "-V") || name == "V"
		switch {
		case strings.HasPrefix(name, "Identity"):
			f.composite = twoBytes
		case strings.Contains(name, "UCS2") || strings.Contains(name, "UTF16"):
			f.composite, f.direct = twoBytes, true
		default:
			f.mixed = true
		}
	default:
		f.composite = twoBytes
	}
}

// loadCIDWidths reads the array W (9.7.4.3).
func (f *font) loadCIDWidths(d *pdf.Document, w pdf.Array) {
	for i := 0; i < len(w) && len(f.widths.of) < maxWidths; {
		first, err := d.ResolveInt(w[i])
		if err != nil || first < 0 || first > 0xFFFFFF || i+1 >= len(w) {
			return
		}
		o, _ := d.Resolve(w[i+1])
		if list, ok := o.(pdf.Array); ok {
			for j, o := range list {
				if v, err := d.ResolveNumber(o); err == nil && len(f.widths.of) < maxWidths {
					f.widths.of[uint32(first)+uint32(j)] = v / 1000
				}
			}
			i += 2
			continue
		}
		if i+2 >= len(w) {
			return
		}
		last, err1 := d.ResolveInt(o)
		v, err2 := d.ResolveNumber(w[i+2])
		if err1 != nil || err2 != nil {
			return
		}
		i += 3
		switch {
		case last < first || last > 0xFFFFFF:
		case last-first < 256:
			for c := first; c <= last; c++ {
				f.widths.of[uint32(c)] = v / 1000
			}
		case len(f.widths.ranges) < maxWidthRanges:
			f.widths.ranges = append(f.widths.ranges, widthRange{uint32(first), uint32(last), v / 1000})
		}
	}
}
