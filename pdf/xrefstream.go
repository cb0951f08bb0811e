package pdf

// readXrefStream reads the cross-reference stream whose object stands at offset
// (7.5.8). Its rows stay as they are decoded.
func (d *Document) readXrefStream(offset int64) (*section, error) {
	l, err := d.loadAt(offset, nil)
	if err != nil {
		return nil, err
	}
	st, ok := l.object.(*Stream)
	if !ok {
		return nil, &TypeError{"a cross-reference stream", l.object}
	}
	if t, ok := st.Dict.Get("Type").(Name); !ok || t != "XRef" {
		return nil, &TypeError{"a cross-reference stream", st}
	}
	s := &section{offset: offset, end: l.end, kind: XrefStream, trailer: st.Dict, self: l.ref.Number}
	if err := s.widths(st.Dict); err != nil {
		return nil, err
	}
	st.plain = true
	if s.rows, err = d.decode(st, int64(d.limits.Objects)*int64(s.width())); err != nil {
		return nil, err
	}
	if err := d.layOut(s, st.Dict); err != nil {
		return nil, err
	}
	return s, d.finish(s)
}

func (s *section) width() int { return s.w[0] + s.w[1] + s.w[2] }

func (s *section) widths(dict Dict) error {
	w, ok := dict.Get("W").(Array)
	if !ok || len(w) < 3 {
		return &TypeError{"an array of three widths", dict.Get("W")}
	}
	for i := range s.w {
		v, ok := w[i].(Integer)
		if !ok || v < 0 || v > 8 {
			return &TypeError{"a width of at most 8 bytes", w[i]}
		}
		s.w[i] = int(v)
	}
	if s.w[1] == 0 || len(w) > 3 {
		return &TypeError{"an array of three widths", w}
	}
	return nil
}

// layOut lays the subsections of Index over the rows.
func (d *Document) layOut(s *section, dict Dict) error {
	size, ok := dict.Get("Size").(Integer)
	if !ok || size < 0 {
		return &TypeError{"a Size", dict.Get("Size")}
	}
	index := Array{Integer(0), size}
	switch v := dict.Get("Index").(type) {
	case nil:
	case Array:
		index = v
	default:
		return &TypeError{"an array of subsections", v}
	}
	if len(index)%2 != 0 {
		d.note(XrefRows, s.offset, "Index has an odd number of elements")
	}
	rows, at := int64(len(s.rows)/s.width()), int64(0)
	if len(s.rows)%s.width() != 0 {
		d.note(XrefRows, s.offset, "the data is no whole number of rows")
	}
	for i := 0; i+1 < len(index); i += 2 {
		first, ok1 := index[i].(Integer)
		count, ok2 := index[i+1].(Integer)
		if !ok1 || !ok2 || first < 0 || count < 0 {
			return &TypeError{"an array of subsections", index}
		}
		if int64(count) > rows-at {
			d.note(XrefRows, s.offset, "fewer rows than Index says")
			count = Integer(rows - at)
		}
		if first > maxObjectNumber || first+count > maxObjectNumber+1 {
			return &LimitError{"objects", int64(d.limits.Objects)}
		}
		if count > 0 {
			s.subs = append(s.subs, subsection{uint32(first), uint32(count), at})
			at += int64(count)
		}
	}
	if at < rows {
		d.note(XrefRows, s.offset, "more rows than Index says")
	}
	return nil
}
