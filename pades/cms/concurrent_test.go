package cms

import (
	"crypto"
	"crypto/elliptic"
	"fmt"
	"sync"
	"testing"
)

// TestManyAtOnce: one Builder and one parsed SignedData serve many goroutines.
func TestManyAtOnce(t *testing.T) {
	s := issue(curveKey(elliptic.P256())(), 990, nil)
	b := must(NewBuilder(Config{Certificate: s.cert, Profile: PKCS7}))
	shared := parse(t, honest(t, s, Config{}).der(t))
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			digest := sum(crypto.SHA256, fmt.Append(nil, i))
			attributes, err := b.SignedAttributes(digest, SigningTime(instant))
			if i%2 == 0 {
				attributes, err = b.SignedAttributes(digest)
			}
			if err != nil {
				t.Error(err)
				return
			}
			der, err := b.SignedData(attributes, must(b.Sign(s.key, attributes)), nil)
			if err != nil {
				t.Error(err)
				return
			}
			sd, err := Parse(der)
			if err != nil {
				t.Error(err)
				return
			}
			if v := sd.Verify(VerifyOptions{Profile: PKCS7, Digest: digest}); !v.Valid() {
				t.Errorf("%d: %v", i, v.Err())
			}
			if v := shared.Verify(VerifyOptions{Digest: sum(crypto.SHA256, content)}); !v.Valid() {
				t.Errorf("%d: %v", i, v.Err())
			}
		})
	}
	all.Wait()
}
