package appearance

import "math"

const (
	defaultPadding = 2
	defaultSize    = 10
	defaultMinimum = 5
	// comfortable is the size of text for which image and QR code make room.
	comfortable = 7
	gap         = 4 // points between an image and text
	// smallestModule is the side of a QR code's module, in points, below which
	// telephones do not read it from paper any more.
	smallestModule = 0.5
)

func (d *drawing) sizes() (smallest, largest float64) {
	smallest, largest = d.spec.MinFontSize, d.spec.FontSize
	if smallest <= 0 {
		smallest = defaultMinimum
	}
	if largest <= 0 {
		largest = max(defaultSize, smallest)
	}
	return min(smallest, largest), largest
}

// arrange gives everything its place.
func (d *drawing) arrange() error {
	full := area{0, 0, d.spec.Width, d.spec.Height}.inset(d.spec.Border)
	padding := d.spec.Padding
	switch {
	case padding == 0:
		padding = defaultPadding
	case padding < 0:
		padding = 0
	}
	inner := full.inset(padding)
	if !(inner.w > 0) || !(inner.h > 0) {
		return ErrBox
	}
	image := d.image
	if d.spec.Arrangement == Background && image != nil {
		d.background = &placed{picture: image, area: inner}
		image = nil
	}
	var graphics []placed
	if d.code != nil {
		graphics = append(graphics, placed{code: d.code})
	}
	if image != nil {
		graphics = append(graphics, placed{picture: image})
	}
	if err := d.fill(inner, full, graphics); err != nil {
		return err
	}
	for i, p := range d.placed {
		if p.code == nil {
			continue
		}
		side := min(p.area.w, p.area.h)
		if side/float64(p.code.size+2*quietZone) < smallestModule {
			return &QRError{"the box is too small for a code of this length to be read"}
		}
		d.placed[i].area = area{p.area.x + (p.area.w-side)/2, p.area.y + (p.area.h-side)/2, side, side}
	}
	return nil
}

func (d *drawing) fill(inner, full area, graphics []placed) error {
	if len(d.paragraphs) == 0 {
		// A QR code brings its own margin, which may lie in the padding.
		if len(graphics) == 1 && graphics[0].code != nil {
			inner = full
		}
		d.row(inner, graphics)
		return nil
	}
	if len(graphics) == 0 {
		return d.text(inner, AlignLeft)
	}
	side := d.spec.Arrangement == Side || d.spec.Arrangement != Stacked && d.spec.Width >= 1.5*d.spec.Height
	if !side {
		return d.stack(inner, graphics)
	}
	return d.side(inner, full, graphics)
}

func (d *drawing) align(otherwise Align) Align {
	if d.spec.Align == AlignAuto {
		return otherwise
	}
	return d.spec.Align
}

// text fills an area with the text alone.
func (d *drawing) text(a area, align Align) error {
	smallest, largest := d.sizes()
	blocks, err := fit([][]paragraph{d.paragraphs}, a.w, a.h, smallest, largest)
	if err != nil {
		return err
	}
	d.centre(blocks[0], a, align)
	return nil
}

// centre places a block in the middle of an area's height. What the eye takes
// for its lower edge is the last baseline; descenders may use the room below it.
func (d *drawing) centre(b block, a area, align Align) {
	y := a.y + (a.h-(b.height-b.descent))/2 - b.descent
	y = max(a.y, min(y, a.y+a.h-b.height))
	d.texts = append(d.texts, placedText{b, area{a.x, y, a.w, b.height}, d.align(align)})
}

// aspect is width by height of an item.
func (p placed) aspect() float64 {
	if p.code != nil {
		return 1
	}
	return p.picture.aspect()
}

// row places items side by side with one height, as large as the area allows, in
// its middle.
func (d *drawing) row(a area, items []placed) {
	total := 0.0
	for _, p := range items {
		total += p.aspect()
	}
	gaps := gap * float64(max(0, len(items)-1))
	h := math.Min(a.h, (a.w-gaps)/total)
	x := a.x + (a.w-h*total-gaps)/2
	for _, p := range items {
		p.area = area{x, a.y + (a.h-h)/2, h * p.aspect(), h}
		x += p.area.w + gap
		d.placed = append(d.placed, p)
	}
}

// shares are the parts of the box that graphics get, tried from the largest.
var shares = [...]float64{0.62, 0.56, 0.5, 0.44, 0.38, 0.32, 0.26, 0.2}

// side sets text right of the first item. A second one, an image beside a QR
// code, stands in the text's column, where a hand would have signed.
func (d *drawing) side(inner, full area, graphics []placed) error {
	first, rest := graphics[0], graphics[1:]
	smallest, largest := d.sizes()
	left, between := inner, float64(gap)
	if first.code != nil {
		left, between = full, 0 // the margin of the code is gap and padding
	}
	column := func(share float64) (graphic, text area) {
		w := math.Min(left.h*first.aspect(), left.w*share)
		graphic = area{left.x, left.y, w, left.h}
		x := left.x + w + between
		return graphic, area{x, inner.y, inner.x + inner.w - x, inner.h}
	}
	if len(rest) > 0 {
		graphic, text := column(0.45)
		first.area = graphic
		d.placed = append(d.placed, first)
		return d.stack(text, rest)
	}
	var best []block
	var graphic, text area
	var failed error
	for _, share := range shares {
		g, t := column(share)
		blocks, err := fit([][]paragraph{d.paragraphs}, t.w, t.h, smallest, largest)
		if err != nil {
			failed = err
			continue
		}
		if best == nil || blocks[0].size > best[0].size+sizeStep/2 {
			best, graphic, text = blocks, g, t
		}
		if best[0].size >= math.Min(comfortable, largest)-sizeStep/2 {
			break
		}
	}
	if best == nil {
		return failed
	}
	first.area = graphic
	d.placed = append(d.placed, first)
	d.centre(best[0], text, AlignLeft)
	return nil
}

// stack sets labels and office above the items, the rest below them.
func (d *drawing) stack(a area, items []placed) error {
	split := 0
	for i, p := range d.paragraphs {
		if p.role == Label || p.role == Office {
			split = i + 1
		}
	}
	var groups [][]paragraph
	for _, g := range [][]paragraph{d.paragraphs[:split], d.paragraphs[split:]} {
		if len(g) > 0 {
			groups = append(groups, g)
		}
	}
	between := 2.0
	if items[0].code == nil {
		between = gap
	}
	smallest, largest := d.sizes()
	var best []block
	var failed error
	for _, share := range shares {
		blocks, err := fit(groups, a.w, a.h*(1-share)-between*float64(len(groups)), smallest, largest)
		if err != nil {
			failed = err
			continue
		}
		if best == nil || blocks[0].size > best[0].size+sizeStep/2 {
			best = blocks
		}
		if best[0].size >= math.Min(comfortable, largest)-sizeStep/2 {
			break
		}
	}
	if best == nil {
		return failed
	}
	top, bottom := a.y+a.h, a.y
	if split > 0 {
		b := best[0]
		d.texts = append(d.texts, placedText{b, area{a.x, top - b.height, a.w, b.height}, d.align(AlignCentre)})
		top -= b.height + between
		best = best[1:]
	}
	if len(best) > 0 {
		b := best[0]
		d.texts = append(d.texts, placedText{b, area{a.x, bottom, a.w, b.height}, d.align(AlignCentre)})
		bottom += b.height + between
	}
	d.row(area{a.x, bottom, a.w, top - bottom}, items)
	return nil
}
