package pades

import (
	"bytes"
	"crypto"
	"encoding"
	"hash"
	"testing"
)

// uncloned is a digest as the FIPS 140-3 module v1.0.0 gives it: without Clone.
type uncloned struct{ hash.Hash }

func (u uncloned) MarshalBinary() ([]byte, error) {
	return u.Hash.(encoding.BinaryMarshaler).MarshalBinary()
}

// bare is a digest that gives nothing of its state.
type bare struct{ hash.Hash }

func TestCloneHash(t *testing.T) {
	for _, kind := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_512} {
		for _, h := range []hash.Hash{kind.New(), uncloned{kind.New()}} {
			h.Write([]byte("Surat "))
			c, err := cloneHash(h, kind)
			if err != nil {
				t.Errorf("%v of %T: %v", kind, h, err)
				continue
			}
			c.Write([]byte("tugas"))
			whole, begun := kind.New(), kind.New()
			whole.Write([]byte("Surat tugas"))
			begun.Write([]byte("Surat "))
			if !bytes.Equal(c.Sum(nil), whole.Sum(nil)) || !bytes.Equal(h.Sum(nil), begun.Sum(nil)) {
				t.Errorf("%v of %T: copy or original is another digest", kind, h)
			}
		}
		if _, err := cloneHash(bare{kind.New()}, kind); err == nil {
			t.Errorf("%v: copied without its state", kind)
		}
	}
}
