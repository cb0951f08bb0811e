package hidden

import (
	"bytes"
	"crypto/rand"
	"sync"
	"testing"
)

func TestPages(t *testing.T) {
	t.Parallel()
	var p Pages
	var kept []*Bytes
	var want [][]byte
	for _, n := range []int{32, 32, 0, 1, 4000, chunk, chunk + 1, 32} {
		b := make([]byte, n)
		rand.Read(b)
		want = append(want, bytes.Clone(b))
		h, err := p.Put(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, make([]byte, n)) {
			t.Error("Put leaves the secret where it was")
		}
		if n >= 32 && bytes.Contains(h.masked, want[len(want)-1]) {
			t.Error("the secret is kept as it is")
		}
		kept = append(kept, h)
	}
	for i, h := range kept {
		var leaked []byte
		h.Use(func(b []byte) {
			if !bytes.Equal(b, want[i]) || h.Len() != len(want[i]) {
				t.Errorf("secret %d came back as something else", i)
			}
			leaked = b
		})
		if !bytes.Equal(leaked, make([]byte, len(leaked))) {
			t.Errorf("secret %d stays after its use", i)
		}
	}
}

func TestPagesByMany(t *testing.T) {
	t.Parallel()
	var p Pages
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			h, err := p.Put(bytes.Repeat([]byte{byte(i)}, 1000))
			if err != nil {
				t.Error(err)
				return
			}
			for range 10 {
				h.Use(func(b []byte) {
					if !bytes.Equal(b, bytes.Repeat([]byte{byte(i)}, 1000)) {
						t.Error("two secrets share a place")
					}
				})
			}
		})
	}
	wg.Wait()
}

func TestForget(t *testing.T) {
	t.Parallel()
	var p Pages
	h, err := p.Put(bytes.Repeat([]byte{1}, 138))
	if err != nil {
		t.Fatal(err)
	}
	masked, mask := h.masked, h.mask
	h.Forget()
	if !bytes.Equal(masked, make([]byte, 138)) || !bytes.Equal(mask, make([]byte, 138)) {
		t.Error("a forgotten secret is still there")
	}
	small, err := p.Put([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Put(bytes.Repeat([]byte{2}, 200))
	if err != nil {
		t.Fatal(err)
	}
	if &again.masked[0] != &masked[0] || &small.masked[0] == &masked[0] {
		t.Error("room is not used again by its own class")
	}
	again.Use(func(b []byte) {
		if !bytes.Equal(b, bytes.Repeat([]byte{2}, 200)) {
			t.Error("the secret in used room is another")
		}
	})
}
