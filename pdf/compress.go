package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"sync"
)

// deflaters hold the tables of compression, which cost more to make than most of
// what is compressed here.
var deflaters = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(nil, zlib.BestCompression)
	if err != nil {
		return nil // cannot be: the level is one
	}
	return w
}}

// Deflate makes a stream of data with the filter FlateDecode (ISO 32000-2
// 7.4.4); d are its other entries. The same data give the same bytes.
func Deflate(d Dict, data []byte) (*Stream, error) {
	var b bytes.Buffer
	w, _ := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	d = d.Clone()
	d.Set("Filter", Name("FlateDecode"))
	d.Set("Length", Integer(b.Len()))
	return &Stream{Dict: d, Data: b.Bytes()}, nil
}
