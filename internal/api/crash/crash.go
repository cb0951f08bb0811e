// Package crash keeps a handler that panics from ending its connection, and what the
// panic carries out of the log, the same way at every door for programs.
package crash

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// Error is a panic of a handler. What it carried may be a secret, so only faults of the
// run time say what they are; of others the type is told.
type Error struct {
	What  string
	Stack string
}

// Error implements error, with the stack: for the log and for nobody else.
func (e *Error) Error() string { return "panic: " + e.What + "\n" + e.Stack }

// Caught calls f and returns its error, or an *Error when it panicked.
// http.ErrAbortHandler goes on to the server.
func Caught(f func() error) (err error) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		cause, isError := fault.(error)
		if isError && errors.Is(cause, http.ErrAbortHandler) {
			panic(fault)
		}
		what := fmt.Sprintf("%T", fault)
		var rt interface{ RuntimeError() }
		if isError && errors.As(cause, &rt) {
			what = cause.Error()
		}
		err = &Error{What: what, Stack: string(debug.Stack())}
	}()
	return f()
}
