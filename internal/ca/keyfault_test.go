package ca

import (
	"context"
	"crypto"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"absah/internal/store/storetest"
)

// failing is a key whose device fails at every other call, before or after it
// has signed (F8).
type failing struct {
	crypto.Signer
	after bool

	mu    sync.Mutex
	calls int
}

var errDevice = errors.New("the device is gone")

func (f *failing) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls%2 == 0 {
		return f.Signer.Sign(r, digest, o)
	}
	if f.after {
		if _, err := f.Signer.Sign(r, digest, o); err != nil {
			return nil, err
		}
	}
	return nil, errDevice
}

func TestListsOutliveAFailingKey(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		o := newOffice(t, storetest.Open(t, storetest.SQLite(t)))
		r := o.registered(ListPolicy{})
		ctx := t.Context()
		o.must(o.revoke(r, o.certify(), Superseded))
		signer := o.a.crls["ca-issuing"]
		signer.key = &failing{Signer: signer.key, after: after}
		var last int64
		for i := range 10 {
			err := o.a.PublishCRL(ctx, "ca-issuing")
			if (i%2 == 0) != errors.Is(err, errDevice) {
				t.Fatalf("call %d: %v", i, err)
			}
			if err != nil {
				continue
			}
			_, list := o.entriesOf("ca-issuing")
			if n := list.Number.Int64(); n <= last || len(list.RevokedCertificateEntries) != 1 {
				t.Errorf("number %d after %d with %d entries", n, last, len(list.RevokedCertificateEntries))
			}
			last = list.Number.Int64()
		}
		if last != 10 {
			t.Errorf("number %d: one that was reserved for what was not signed was given again", last)
		}
	}
}

// A list whose file cannot be written is not published, and its number is not
// given again.
func TestListsWithoutTheirFile(t *testing.T) {
	t.Parallel()
	o := newOffice(t, storetest.Open(t, storetest.SQLite(t)))
	o.registered(ListPolicy{})
	ctx := t.Context()
	o.must(o.a.PublishCRL(ctx, "ca-issuing"))
	path := filepath.Join(o.w.h.Dir, "ca-issuing.crl")
	o.must(os.Rename(path, path+".aside"))
	o.must(os.Mkdir(path, 0o700)) // what is in the way cannot be read or replaced
	if err := o.a.PublishCRL(ctx, "ca-issuing"); err == nil {
		t.Error("published without its file")
	}
	o.must(os.Remove(path))
	o.must(os.Rename(path+".aside", path))
	o.must(o.a.PublishCRL(ctx, "ca-issuing"))
	if _, list := o.entriesOf("ca-issuing"); list.Number.Int64() < 2 {
		t.Errorf("number %v", list.Number)
	}
}

func TestOCSPOutlivesAFailingKey(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		w := newWorld(t)
		r, source := w.responder(t)
		cert := w.issue(t, w.issuer(t))
		source.rows[SerialText(cert.SerialNumber)] = CertStatus{State: StateGood}
		own, err := r.issuers[0].signer(w.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		own.key = &failing{Signer: own.key, after: after}
		der := withExtensions(t, request(t, cert, w.h.Issuing, crypto.SHA1), oidOCSPNonce, false, nonceOf(make([]byte, 16)))
		for i := range 6 {
			a, err := r.Respond(context.Background(), der)
			if (i%2 == 0) != errors.Is(err, errDevice) || (err != nil && string(a.DER) != string(ocspError(ocspInternalError))) {
				t.Errorf("call %d: %x, %v", i, a.DER, err)
			}
		}
	}
}
