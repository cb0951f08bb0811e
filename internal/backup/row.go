package backup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A value of a row is a byte that says what it is, then the value: numbers as
// signed varints, texts and bytes after their length as unsigned varint.
const (
	isNull   = 'n'
	isNumber = 'i'
	isText   = 's'
	isBytes  = 'b'
	isTrue   = 't'
	isFalse  = 'f'
)

// maxValue bounds a value: the largest are imports that wait and blobs do not
// go this way.
const maxValue = 256 << 20

// appendRow writes the values of a row.
func appendRow(b []byte, values []any) ([]byte, error) {
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, isNull)
		case int64:
			b = binary.AppendVarint(append(b, isNumber), v)
		case string:
			b = append(binary.AppendUvarint(append(b, isText), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, isBytes), uint64(len(v))), v...)
		case bool:
			if v {
				b = append(b, isTrue)
			} else {
				b = append(b, isFalse)
			}
		default:
			return b, fmt.Errorf("a %T is no value of a row", v)
		}
	}
	return b, nil
}

// readRow reads a row of n values; io.EOF when there is none.
func readRow(r *bufio.Reader, n int) ([]any, error) {
	if _, err := r.Peek(1); err != nil {
		return nil, err
	}
	out := make([]any, n)
	for i := range out {
		v, err := readValue(r)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func readValue(r *bufio.Reader) (any, error) {
	what, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	switch what {
	case isNull:
		return nil, nil
	case isTrue:
		return true, nil
	case isFalse:
		return false, nil
	case isNumber:
		return binary.ReadVarint(r)
	case isText, isBytes:
		b, err := readBytes(r)
		if err != nil || what == isBytes {
			return b, err
		}
		return string(b), nil
	}
	return nil, fmt.Errorf("%w: a value of kind %#x", ErrDamaged, what)
}

// readBytes grows with what is there: a length that lies costs nothing.
func readBytes(r *bufio.Reader) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if n > maxValue {
		return nil, fmt.Errorf("%w: a value of %d bytes", ErrDamaged, n)
	}
	if n <= 64<<10 {
		b := make([]byte, n)
		_, err := io.ReadFull(r, b)
		return b, err
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && uint64(len(b)) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}
