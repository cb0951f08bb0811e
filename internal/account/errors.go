package account

import "errors"

// Session states.
const (
	Half = "half" // the second factor is still to come
	Full = "full"
)

var (
	// ErrNotFresh says that the viewer proved who he is too long ago for what
	// he wants to do now.
	ErrNotFresh = errors.New("the sign-in is not fresh enough")
)
