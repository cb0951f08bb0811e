package pdf

import "errors"

var errNothingFound = errors.New("the file holds no object")

type inventory struct{}

func (d *Document) rebuild(password []byte) error { return errNothingFound }

func (d *Document) absent(ref Ref, known bool) (Object, error) { return nil, nil }

func (d *Document) mislaid(e XrefEntry, cause error) (loaded, error) {
	return loaded{}, cause
}
