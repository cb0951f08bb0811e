package scan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"absah/internal/hint"
)

// The service and its worker speak over stdin and stdout. A message is a head
// of 4 bytes, the length of its JSON (4 bytes, big endian), the JSON, and the
// files one after the other, whose lengths the JSON tells. All is bounded.
const (
	requestHead  = "ABS1"
	responseHead = "ABR1"

	maxJSON     = 64 << 10
	maxStored   = 24 << 20 // a specimen of 1600 x 1600 as PNG has 10 MB at worst
	maxDerived  = 4 << 20
	maxResponse = 8 + maxJSON + maxStored + 2*maxDerived
)

type request struct {
	Kind   Kind  `json:"kind"`
	Rotate int   `json:"rotate"`
	Crop   *Rect `json:"crop,omitempty"`
	Size   int   `json:"size"`
}

type response struct {
	Refused *refusal `json:"refused,omitempty"`

	MediaType string      `json:"mediaType,omitempty"`
	Width     int         `json:"width,omitempty"`
	Height    int         `json:"height,omitempty"`
	Pages     int         `json:"pages,omitempty"`
	Quality   Quality     `json:"quality"`
	Hints     []hint.Hint `json:"hints,omitempty"`
	Sizes     [3]int      `json:"sizes"` // of Bytes, Preview and Thumb
}

type refusal struct {
	Code   Code              `json:"code"`
	Params map[string]string `json:"params,omitempty"`
}

func frame(head string, v any, files ...[]byte) ([]byte, error) {
	j, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b := append([]byte(head), binary.BigEndian.AppendUint32(nil, uint32(len(j)))...)
	b = append(b, j...)
	for _, f := range files {
		b = append(b, f...)
	}
	return b, nil
}

func readHead(r io.Reader, head string, v any) error {
	var h [8]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return fmt.Errorf("read head: %w", err)
	}
	n := binary.BigEndian.Uint32(h[4:])
	if string(h[:4]) != head || n > maxJSON {
		return errors.New("not a message of ours")
	}
	j := make([]byte, n)
	if _, err := io.ReadFull(r, j); err != nil {
		return fmt.Errorf("read head: %w", err)
	}
	if err := json.Unmarshal(j, v); err != nil {
		return errors.New("the head is not JSON of ours")
	}
	return nil
}

func encodeRequest(in Input) ([]byte, error) {
	return frame(requestHead, request{in.Kind, in.Rotate, in.Crop, len(in.Bytes)}, in.Bytes)
}

func decodeRequest(r io.Reader) (Input, error) {
	var q request
	if err := readHead(r, requestHead, &q); err != nil {
		return Input{}, err
	}
	if q.Size < 0 || q.Size > MaxBytes {
		return Input{}, errors.New("the file is larger than agreed")
	}
	b := make([]byte, q.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return Input{}, fmt.Errorf("read file: %w", err)
	}
	return Input{Kind: q.Kind, Bytes: b, Rotate: q.Rotate, Crop: q.Crop}, nil
}

func encodeResponse(res Result, refused *Error) ([]byte, error) {
	if refused != nil {
		return frame(responseHead, response{Refused: &refusal{refused.Code, refused.Params}})
	}
	return frame(responseHead, response{
		MediaType: res.MediaType, Width: res.Width, Height: res.Height, Pages: res.Pages,
		Quality: res.Quality, Hints: res.Hints, Sizes: [3]int{len(res.Bytes), len(res.Preview), len(res.Thumb)},
	}, res.Bytes, res.Preview, res.Thumb)
}

// decodeResponse trusts nothing: a worker that a file has taken over may
// answer what it likes. The hashes are left to the caller.
func decodeResponse(b []byte) (Result, error) {
	r := bytes.NewReader(b)
	var p response
	if err := readHead(r, responseHead, &p); err != nil {
		return Result{}, err
	}
	if p.Refused != nil {
		return Result{}, &Error{Code: p.Refused.Code, Params: p.Refused.Params}
	}
	var files [3][]byte
	for i, limit := range []int{maxStored, maxDerived, maxDerived} {
		if p.Sizes[i] < 0 || p.Sizes[i] > limit || p.Sizes[i] > r.Len() {
			return Result{}, errors.New("a file is larger than agreed")
		}
		if p.Sizes[i] > 0 {
			files[i] = make([]byte, p.Sizes[i])
			_, _ = io.ReadFull(r, files[i]) // r has that much
		}
	}
	res := Result{
		Bytes: files[0], Preview: files[1], Thumb: files[2],
		MediaType: p.MediaType, Width: p.Width, Height: p.Height, Pages: p.Pages, Quality: p.Quality, Hints: p.Hints,
	}
	isPDF := res.MediaType == PDF
	switch {
	case r.Len() != 0, sniff(res.Bytes) == "", sniff(res.Bytes) != res.MediaType,
		res.Pages < 1 || res.Pages > MaxPages,
		isPDF != (res.Preview == nil), isPDF != (res.Thumb == nil),
		!isPDF && (sniff(res.Preview) != JPEG || sniff(res.Thumb) != JPEG),
		min(res.Width, res.Height) < 0 || max(res.Width, res.Height) > MaxSide:
		return Result{}, errors.New("the answer contradicts itself")
	}
	return res, nil
}
