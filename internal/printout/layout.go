package printout

// rows are the rows of blocks in a column.
func (d *Document) rows(blocks []block, x, width float64) []row {
	var rows []row
	for _, b := range blocks {
		own := b.rows(d, x, width)
		if h, ok := b.(*heading); ok && len(own) > 0 {
			own[0].heading = h
		}
		rows = append(rows, own...)
	}
	return rows
}

// placed is a row with its place.
type placed struct {
	row
	page int
	y    float64
}

// place puts rows on pages.
func place(rows []row) []placed {
	var out []placed
	n, y := -1, 0.0
	turn := func(repeat []row) {
		n++
		y = top
		for _, r := range repeat {
			out = append(out, placed{row{height: r.height, draw: aside(r.draw), part: nil}, n, y})
			y += r.height
		}
	}
	for len(rows) > 0 {
		end, height := 1, rows[0].above+rows[0].height
		for end < len(rows) && rows[end-1].keep {
			height += rows[end].above + rows[end].height
			end++
		}
		if n < 0 || rows[0].part != nil || y+height > top+room && (height <= room || y > top+room*.8) {
			turn(rows[0].repeat)
		}
		for _, r := range rows[:end] {
			switch {
			case y+r.above+r.height > top+room:
				turn(r.repeat)
			case y > top:
				y += r.above
			}
			out = append(out, placed{r, n, y})
			y += r.height
		}
		rows = rows[end:]
	}
	return out
}

// aside draws what is on an earlier page once more: nobody needs to hear it again.
func aside(draw func(p *page, y float64)) func(p *page, y float64) {
	return func(p *page, y float64) {
		p.aside = true
		draw(p, y)
		p.aside = false
	}
}

// pages draws the document.
func (d *Document) pages() []*page {
	rows := place(d.rows(d.blocks, left, textWidth))
	if len(rows) == 0 {
		return nil
	}
	pages := make([]*page, rows[len(rows)-1].page+1)
	for i := range pages {
		pages[i] = &page{number: i + 1}
	}
	// The table of contents wants to know where headings will be.
	for _, r := range rows {
		if r.heading != nil {
			r.heading.page, r.heading.y = pages[r.page], r.y
		}
	}
	running := &part{}
	for i, r := range rows {
		p := pages[r.page]
		if r.part != nil {
			running = r.part
		}
		if p.part == nil {
			p.part = running
			p.furnish(d)
		}
		if r.ground != nil && (i == 0 || rows[i-1].ground != r.ground || rows[i-1].page != r.page) {
			last := i
			for last+1 < len(rows) && rows[last+1].ground == r.ground && rows[last+1].page == r.page {
				last++
			}
			height := rows[last].y + rows[last].height - r.y
			p.artifact("")
			p.box(left, r.y, textWidth, height, r.ground.tint())
			p.box(left, r.y, 3, height, r.ground.tone)
		}
		r.draw(p, r.y)
	}
	key := len(pages)
	for _, p := range pages {
		p.finish(d, len(pages))
		for _, l := range p.links {
			l.key = key
			key++
		}
	}
	return pages
}
