package pades

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"

	"absah/pdf"
)

// remote is a signer without its key.
func remote(t testing.TB, e *entity, pss bool) *Signer {
	t.Helper()
	s, err := NewSigner(SignerConfig{Certificate: e.cert, Chain: []*x509.Certificate{sub().cert, root().cert}, PSS: pss})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDeferredBatch(t *testing.T) {
	for _, k := range keys {
		for _, l := range []Level{BB, BT, BLTA} {
			e := certify("Budi Contoh", k.key(), sub(), nil)
			if l == BLTA {
				e = leaf()
			}
			s := remote(t, e, k.pss && l != BLTA)
			o := archival(t, l)
			// All are prepared, then all are signed, then all are embedded.
			var files [][]byte
			var prepared []*Prepared
			for range 3 {
				b := basic(true).bytes()
				p, err := Prepare(ctx, pdf.Bytes(b), int64(len(b)), s, o)
				if err != nil {
					t.Fatalf("%s %v: prepare: %v", k.name, l, err)
				}
				files, prepared = append(files, b), append(prepared, p)
			}
			var values [][]byte
			for _, p := range prepared {
				tbs, opts := p.ToBeSigned()
				values = append(values, must(e.key.Sign(rand.Reader, tbs, opts)))
			}
			for i, p := range prepared {
				var out bytes.Buffer
				r, err := p.Embed(ctx, &out, values[i])
				if err != nil {
					t.Fatalf("%s %v: embed: %v", k.name, l, err)
				}
				if !bytes.HasPrefix(out.Bytes(), files[i]) || r.Size != int64(out.Len()) {
					t.Errorf("%s %v: the input was not kept", k.name, l)
				}
				if i == 0 {
					ed := k.name == "Ed25519" && l != BLTA
					judge{signatures: 1, level: l, skipPdfsig: ed, skipMutool: ed || k.pss, skipOpenssl: ed}.check(t, out.Bytes())
				}
			}
		}
	}
}

func TestEmbedRefuses(t *testing.T) {
	b := basic(true).bytes()
	p, err := Prepare(ctx, pdf.Bytes(b), int64(len(b)), remote(t, leaf(), false), Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	tbs, opts := p.ToBeSigned()
	var out bytes.Buffer
	if _, err := p.Embed(ctx, &out, must(newP256().Sign(rand.Reader, tbs, opts))); err == nil || out.Len() > 0 {
		t.Errorf("the signature of another key gives %v and %d bytes", err, out.Len())
	}
	b[20]++
	if _, err := p.Embed(ctx, &out, must(leaf().key.Sign(rand.Reader, tbs, opts))); !errors.Is(err, ErrInputChanged) {
		t.Errorf("a changed input gives %v", err)
	}
}

func TestReserveTooSmall(t *testing.T) {
	b := basic(true).bytes()
	o := archival(t, BT)
	o.Reserve = 10
	p, err := Prepare(ctx, pdf.Bytes(b), int64(len(b)), remote(t, leaf(), false), o)
	if err != nil {
		t.Fatal(err)
	}
	tbs, opts := p.ToBeSigned()
	var out bytes.Buffer
	var space *SpaceError
	if _, err := p.Embed(ctx, &out, must(leaf().key.Sign(rand.Reader, tbs, opts))); !errors.As(err, &space) || out.Len() > 0 {
		t.Errorf("a token without its place gives %v and %d bytes", err, out.Len())
	}
}

func TestSignerRefuses(t *testing.T) {
	for name, c := range map[string]SignerConfig{
		"no certificate": {Key: leaf().key},
		"other key":      {Key: newP256(), Certificate: leaf().cert},
	} {
		var r *Refusal
		if _, err := NewSigner(c); !errors.As(err, &r) || r.Reason != ReasonCertificate {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := basic(false).bytes()
	var out bytes.Buffer
	var r *Refusal
	if _, err := Sign(ctx, pdf.Bytes(b), int64(len(b)), &out, remote(t, leaf(), false), Options{}); !errors.As(err, &r) || r.Reason != ReasonCertificate {
		t.Errorf("signing without a key gives %v", err)
	}
}
