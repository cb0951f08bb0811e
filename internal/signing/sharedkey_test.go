package signing

import (
	"crypto"
	"io"
	"testing"
)

type countedKey struct {
	crypto.Signer
	closed int
}

func (k *countedKey) Close() error { k.closed++; return nil }

// TestSharedKeyIsForgottenOnce: when the window and every activation are done, and
// not before; nobody gets a share afterwards.
func TestSharedKeyIsForgottenOnce(t *testing.T) {
	t.Parallel()
	inner := &countedKey{}
	k := &sharedKey{Signer: inner, uses: 1}
	one, two := k.share(), k.share()
	if err := k.release(); err != nil || inner.closed != 0 {
		t.Fatalf("the window ends: closed %d times, %v", inner.closed, err)
	}
	for range 2 { // a share that is closed twice counts once
		if err := one.(io.Closer).Close(); err != nil || inner.closed != 0 {
			t.Fatalf("one is done: closed %d times, %v", inner.closed, err)
		}
	}
	if err := two.(io.Closer).Close(); err != nil || inner.closed != 1 {
		t.Fatalf("both are done: closed %d times, %v", inner.closed, err)
	}
	if k.share() != nil {
		t.Error("a forgotten key is shared")
	}
}
