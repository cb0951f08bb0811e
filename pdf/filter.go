package pdf

import (
	"bytes"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"sync"
)

// budget is what reading has cost so far.
type budget struct {
	parsed  int64          // bytes of big objects, and of searches for the end of a stream
	decoded int64          // first decodings
	again   int64          // decodings of streams that were decoded before
	seen    map[int64]bool // places of those that were decoded
}

// StreamData returns the bytes of s, decrypted and with its filters undone. Those
// of images (DCTDecode, JPXDecode, CCITTFaxDecode, JBIG2Decode) give ErrFilter.
// Data that can be decoded in part only gives that part, and an anomaly.
func (d *Document) StreamData(s *Stream) ([]byte, error) {
	return d.decode(s, d.limits.StreamBytes)
}

// StreamRaw returns the bytes of s, decrypted, with its filters not undone.
func (d *Document) StreamRaw(s *Stream) ([]byte, error) {
	if s.Data != nil {
		return s.Data, nil
	}
	raw, err := d.bytes(s.offset, s.length)
	if err != nil {
		return nil, err
	}
	if d.enc == nil || s.plain {
		return raw, nil
	}
	if t, ok := s.Dict.Get("Type").(Name); ok && t == "XRef" {
		return raw, nil
	}
	data, err := d.enc.decryptStream(s.ref, s.Dict, bytes.Clone(raw))
	if err != nil {
		return nil, fmt.Errorf("decrypt stream %v: %w", s.ref, err)
	}
	return data, nil
}

// decode undoes the filters of s; the result has at most limit bytes.
func (d *Document) decode(s *Stream, limit int64) ([]byte, error) {
	if err := d.charge(s.offset, 0); err != nil {
		return nil, err
	}
	if s.length > d.limits.FileBytes {
		return nil, &LimitError{"bytes of a stream", d.limits.FileBytes}
	}
	data, err := d.StreamRaw(s)
	if err != nil {
		return nil, err
	}
	filters, parms, err := d.filters(s.Dict)
	if err != nil {
		return nil, err
	}
	encoded := int64(len(data))
	for i, name := range filters {
		w := &bounded{limit: min(limit, d.limits.StreamBytes), ratio: max(ratioFloor, encoded*d.limits.Ratio), perRatio: d.limits.Ratio}
		var parm Dict
		if i < len(parms) {
			parm = parms[i]
		}
		irregular, err := d.undo(w, name, parm, data)
		if err != nil {
			// What was decoded in vain has been paid for.
			return nil, cmp.Or(d.charge(s.offset, int64(len(w.b))), err)
		}
		if irregular != "" {
			d.note(StreamData, s.offset, irregular)
		}
		data = w.b
	}
	if len(filters) > 0 {
		return data, d.charge(s.offset, int64(len(data)))
	}
	return data, nil
}

// bigObject is the size from which on reading an object counts as work: objects
// that overlap could make a small file cost as much as a big one many times over.
const bigObject = 4 << 10

// work counts n bytes that were parsed or searched.
func (f *file) work(n int64) error {
	if n >= bigObject {
		f.spent.parsed += n
	}
	if most := 8*f.size + f.limits.FileBytes/4; f.spent.parsed > most {
		return &LimitError{"bytes read in objects", most}
	}
	return nil
}

// charge counts decoded bytes against the limit of the file.
func (f *file) charge(offset, n int64) error {
	b := &f.spent
	if b.decoded > f.limits.FileBytes || b.again > 4*f.limits.FileBytes {
		return &LimitError{"decoded bytes of a file", f.limits.FileBytes}
	}
	if n == 0 {
		return nil
	}
	if b.seen[offset] {
		if b.again += n; b.again > 4*f.limits.FileBytes {
			return &LimitError{"decoded bytes of a file", f.limits.FileBytes}
		}
		return nil
	}
	if b.seen == nil {
		b.seen = make(map[int64]bool)
	}
	b.seen[offset] = true
	if b.decoded += n; b.decoded > f.limits.FileBytes {
		return &LimitError{"decoded bytes of a file", f.limits.FileBytes}
	}
	return nil
}

// filters returns the names in Filter and the dictionaries in DecodeParms.
func (d *Document) filters(dict Dict) (names []Name, parms []Dict, err error) {
	filter := dict.Get("Filter")
	if filter == nil {
		return nil, nil, nil
	}
	if filter, err = d.Resolve(filter); err != nil {
		return nil, nil, err
	}
	switch v := filter.(type) {
	case nil:
		return nil, nil, nil
	case Name:
		names = []Name{v}
	case Array:
		if len(v) > d.limits.Filters {
			return nil, nil, &LimitError{"filters of a stream", int64(d.limits.Filters)}
		}
		for _, o := range v {
			n, err := d.ResolveName(o)
			if err != nil {
				return nil, nil, err
			}
			names = append(names, n)
		}
	default:
		return nil, nil, &TypeError{"a filter", v}
	}
	parm := dict.Get("DecodeParms")
	if parm == nil {
		parm = dict.Get("DP")
	}
	if parm, err = d.Resolve(parm); err != nil {
		return nil, nil, err
	}
	switch v := parm.(type) {
	case Dict:
		parms = []Dict{v}
	case Array:
		for _, o := range v[:min(len(v), len(names))] {
			p, err := d.ResolveDict(o)
			if err != nil {
				p = nil
			}
			parms = append(parms, p)
		}
	}
	return names, parms, nil
}

// undo decodes data by one filter into w. irregular says what was wrong with data
// that could be decoded all the same, or in part.
func (d *Document) undo(w *bounded, name Name, parm Dict, data []byte) (irregular string, err error) {
	switch name {
	case "FlateDecode", "Fl":
		irregular, err = inflate(w, data)
	case "LZWDecode", "LZW":
		early, e := d.parm(parm, "EarlyChange", 1)
		if e != nil {
			return "", e
		}
		irregular, err = lzwDecode(w, data, early != 0)
	case "ASCIIHexDecode", "AHx":
		return asciiHexDecode(w, data)
	case "ASCII85Decode", "A85":
		return ascii85Decode(w, data)
	case "RunLengthDecode", "RL":
		return runLengthDecode(w, data)
	case "Crypt":
		// Undone together with the encryption.
		w.b = data
		return "", nil
	default:
		return "", fmt.Errorf("%w: %s", ErrFilter, printable(name))
	}
	if err != nil || parm == nil {
		return irregular, err
	}
	more, err := d.unpredict(w, parm)
	if irregular == "" {
		irregular = more
	}
	return irregular, err
}

func (d *Document) parm(parm Dict, key Name, standard int) (int, error) {
	o := parm.Get(key)
	if o == nil {
		return standard, nil
	}
	o, err := d.Resolve(o)
	if err != nil {
		return 0, err
	}
	switch v := o.(type) {
	case nil:
		return standard, nil
	case Integer:
		if v < 0 || v > 1<<30 {
			return 0, &LimitError{"a parameter of a filter", 1 << 30}
		}
		return int(v), nil
	case Real:
		if v >= 0 && v < 1<<30 {
			return int(v), nil
		}
	}
	return 0, &TypeError{"an integer", o}
}

// bounded collects decoded bytes up to a limit.
type bounded struct {
	b        []byte
	limit    int64
	ratio    int64 // size that the ratio allows
	perRatio int64
}

// room makes room for n more bytes, or tells which limit they would exceed.
func (w *bounded) room(n int) error {
	size := int64(len(w.b)) + int64(n)
	if size > w.limit {
		return &LimitError{"decoded bytes of a stream", w.limit}
	}
	if size > w.ratio {
		return &LimitError{"decoded to encoded bytes", w.perRatio}
	}
	return nil
}

func (w *bounded) put(c byte) error {
	if len(w.b) == cap(w.b) {
		if err := w.room(1); err != nil {
			return err
		}
	}
	w.b = append(w.b, c)
	return nil
}

func (w *bounded) write(b []byte) error {
	if err := w.room(len(b)); err != nil {
		return err
	}
	w.b = append(w.b, b...)
	return nil
}

// inflaters saves the 40 KB that each new one takes. Their state is reset before
// every use.
var inflaters = sync.Pool{New: func() any { return &inflater{r: flate.NewReader(nil)} }}

type inflater struct {
	r   io.ReadCloser
	src bytes.Reader
}

// inflate undoes FlateDecode: RFC 1950 around RFC 1951. A header or checksum that
// is wrong, and data that end too early, do not keep it from what there is.
func inflate(w *bounded, data []byte) (irregular string, err error) {
	body := data
	for len(body) > 0 && isWhite(body[0]) && !zlibHeader(body) {
		body = body[1:] // an end of line that belongs to "stream"
		irregular = "white space before compressed data"
	}
	if zlibHeader(body) {
		body = body[2:]
	} else if len(body) > 0 {
		irregular = "no zlib header"
		if len(body) >= 2 && body[0]&0x0f == 8 {
			body = body[2:] // a header with wrong check bits
		}
	}
	z := inflaters.Get().(*inflater)
	defer func() {
		z.src.Reset(nil) // the pool must not hold the file
		inflaters.Put(z)
	}()
	z.src.Reset(body)
	if err := z.r.(flate.Resetter).Reset(&z.src, nil); err != nil {
		return "", fmt.Errorf("reset an inflater: %w", err)
	}
	w.b = make([]byte, 0, min(w.limit, int64(len(body))*4+512))
	for {
		if len(w.b) == cap(w.b) {
			if err := w.room(1); err != nil {
				return "", err
			}
			next := make([]byte, len(w.b), min(int64(cap(w.b))*2, w.limit, w.ratio))
			copy(next, w.b)
			w.b = next
		}
		n, err := z.r.Read(w.b[len(w.b):cap(w.b)])
		w.b = w.b[:len(w.b)+n]
		if errors.Is(err, io.EOF) {
			return irregularEnd(irregular, z.src.Len(), body, w.b), nil
		}
		if err != nil {
			return "compressed data is damaged or ends early", nil
		}
	}
}

// irregularEnd judges what follows the last block: the checksum and nothing else
// but white space.
func irregularEnd(irregular string, left int, body, data []byte) string {
	tail := body[len(body)-left:]
	switch {
	case irregular != "":
	case len(tail) < 4:
		return "compressed data without checksum"
	case uint32(tail[0])<<24|uint32(tail[1])<<16|uint32(tail[2])<<8|uint32(tail[3]) != adler32.Checksum(data):
		return "wrong checksum of compressed data"
	case len(bytes.TrimRight(tail[4:], "\r\n \x00\t\f")) > 0:
		return "bytes behind compressed data"
	}
	return irregular
}

func zlibHeader(b []byte) bool {
	return len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && (int(b[0])<<8|int(b[1]))%31 == 0 && b[1]&0x20 == 0
}
