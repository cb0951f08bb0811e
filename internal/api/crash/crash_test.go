package crash

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

var errOwn = errors.New("own")

// TestCaught: what a panic carries is not told, where it was is.
func TestCaught(t *testing.T) {
	if err := Caught(func() error { return errOwn }); !errors.Is(err, errOwn) {
		t.Errorf("%v", err)
	}
	for what, f := range map[string]func() error{
		"string":                 func() error { panic("kuda lompat pagar") },
		"*errors.errorString":    func() error { panic(errors.New("kuda lompat pagar")) },
		"index out of range [3]": func() error { var list []int; i := 3; return []error{errOwn}[list[i]] },
	} {
		err := Caught(f)
		var got *Error
		if !errors.As(err, &got) || !strings.Contains(got.What, what) || strings.Contains(err.Error(), "kuda") || !strings.Contains(err.Error(), "TestCaught") {
			t.Errorf("%s: %v", what, err)
		}
	}
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("%v", err)
		}
	}()
	_ = Caught(func() error { panic(http.ErrAbortHandler) })
}
