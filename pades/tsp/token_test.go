package tsp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"absah/pades/cms"
)

// craft signs any content as a token of s.
func craft(t testing.TB, s subject, content []byte) []byte {
	t.Helper()
	b, err := cms.NewBuilder(cms.Config{Certificate: s.cert, ContentType: cms.OIDTSTInfo})
	if err != nil {
		t.Fatal(err)
	}
	return must(sign(b, s.key, content))
}

func info(digest []byte, change func(*Info)) []byte {
	i := &Info{Policy: policy, Hash: crypto.SHA256, Digest: digest, Serial: big.NewInt(1), Time: instant.Truncate(time.Second)}
	if change != nil {
		change(i)
	}
	return must(i.Marshal())
}

// TestVerify gives every reason why a token proves nothing, one at a time.
func TestVerify(t *testing.T) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tsa := issue(key, 20, timeStamping(true))
	digest, other := sum(crypto.SHA256, []byte("isi")), sum(crypto.SHA256, []byte("lain"))
	critical := bytes.Clone(info(digest, nil))
	ext := []byte{0xa1, 13, 0x30, 11, 6, 3, 0x2a, 3, 4, 1, 1, 0xff, 4, 1, 0}
	critical = append(critical, ext...)
	critical[1] += byte(len(ext))
	for _, c := range []struct {
		name    string
		token   []byte
		options VerifyOptions
		want    Kind // 0: valid
	}{
		{"good", craft(t, tsa, info(digest, func(i *Info) { i.Nonce = big.NewInt(7) })), VerifyOptions{Nonce: big.NewInt(7), Policy: policy}, 0},
		{"nothing asked", craft(t, tsa, info(digest, nil)), VerifyOptions{}, 0},
		{"other data", craft(t, tsa, info(other, nil)), VerifyOptions{}, ImprintMismatch},
		{"no nonce", craft(t, tsa, info(digest, nil)), VerifyOptions{Nonce: big.NewInt(7)}, NonceMismatch},
		{"other nonce", craft(t, tsa, info(digest, func(i *Info) { i.Nonce = big.NewInt(8) })), VerifyOptions{Nonce: big.NewInt(7)}, NonceMismatch},
		{"other policy", craft(t, tsa, info(digest, func(i *Info) { i.Policy = cms.OIDData })), VerifyOptions{Policy: policy}, PolicyMismatch},
		{"no usage", craft(t, issue(key, 21), info(digest, nil)), VerifyOptions{}, CertificateUsage},
		{"usage not critical", craft(t, issue(key, 22, timeStamping(false)), info(digest, nil)), VerifyOptions{}, CertificateUsage},
		{"usage not alone", craft(t, issue(key, 23, timeStamping(true, []int{0x2b, 6, 1, 5, 5, 7, 3, 4})), info(digest, nil)), VerifyOptions{}, CertificateUsage},
		{"another usage", craft(t, issue(key, 24, pkix.Extension{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4}}), info(digest, nil)), VerifyOptions{}, CertificateUsage},
		{"critical extension", craft(t, tsa, critical), VerifyOptions{}, CriticalExtension},
		{"unknown digest", craft(t, tsa, info(digest, func(i *Info) { i.HashOID = cms.OIDMGF1 })), VerifyOptions{}, UnknownDigest},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := ParseToken(c.token)
			if err != nil {
				t.Fatal(err)
			}
			c.options.Digest = digest
			v := token.Verify(c.options)
			if v.Valid() != (c.want == 0) || len(v.Failures) > 1 || c.want != 0 && (!v.Has(c.want) || v.Err() == nil) {
				t.Errorf("%v, want kind %d", v.Err(), c.want)
			}
		})
	}
	damaged := craft(t, tsa, info(digest, nil))
	damaged[len(damaged)-1] ^= 1
	token := must(ParseToken(damaged))
	v := token.Verify(VerifyOptions{Digest: digest})
	var f *cms.Failure
	if !v.Has(SignatureFailure) || !errors.As(v.Err(), &f) || f.Kind != cms.SignatureWrong {
		t.Errorf("damaged: %v", v.Err())
	}
	if v := must(ParseToken(craft(t, tsa, info(digest, nil)))).Verify(VerifyOptions{}); !v.Has(ImprintMismatch) {
		t.Error("a token is valid for no data at all")
	}
	if _, err := ParseToken(must(plain(t, tsa))); err == nil {
		t.Error("a signature over data is taken for a token")
	}
}

// plain is a signature over id-data with the content of a TSTInfo.
func plain(t *testing.T, s subject) ([]byte, error) {
	b, err := cms.NewBuilder(cms.Config{Certificate: s.cert})
	if err != nil {
		t.Fatal(err)
	}
	return sign(b, s.key, info(sum(crypto.SHA256, nil), nil))
}

func TestInfoRoundTrip(t *testing.T) {
	for _, i := range []Info{
		{Policy: policy, Hash: crypto.SHA256, Digest: make([]byte, 32), Serial: big.NewInt(0), Time: instant.Truncate(time.Second)},
		{Policy: policy, Hash: crypto.SHA512, Digest: make([]byte, 64), Serial: new(big.Int).Lsh(big.NewInt(1), 159), Time: instant.Truncate(time.Millisecond),
			Accuracy: 3*time.Second + 4*time.Millisecond + 5*time.Microsecond, Ordering: true, Nonce: big.NewInt(-1), TSA: []byte{0xa4, 2, 0x30, 0}},
		{Policy: policy, Hash: crypto.SHA3_256, Digest: make([]byte, 32), Serial: big.NewInt(128), Time: time.Date(2026, 1, 1, 0, 0, 0, 100e6, time.UTC), Accuracy: time.Microsecond},
	} {
		der := must(i.Marshal())
		got, err := ParseInfo(der)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Time.Equal(i.Time) || got.Accuracy != i.Accuracy || got.Ordering != i.Ordering || got.Serial.Cmp(i.Serial) != 0 || got.Hash != i.Hash ||
			(got.Nonce == nil) != (i.Nonce == nil) || !bytes.Equal(got.TSA, i.TSA) || !bytes.Equal(must(got.Marshal()), der) {
			t.Errorf("%+v came back as %+v", i, got)
		}
		if got.Latest().Sub(got.Earliest()) != 2*i.Accuracy {
			t.Errorf("from %v to %v", got.Earliest(), got.Latest())
		}
	}
}

func TestGenTime(t *testing.T) {
	for text, want := range map[string]string{
		"20261102083000Z": "2026-11-02T08:30:00Z", "20261102083000.5Z": "2026-11-02T08:30:00.5Z", "20261102083000.123456789Z": "2026-11-02T08:30:00.123456789Z",
		"20261102083000": "", "202611020830Z": "", "20261102083000+0700": "", "20261102083000,5Z": "", "20261302083000Z": "", "20261102083000.Z": "", "20261102083060Z": "",
	} {
		s := infoWithTime(t, text)
		got, err := ParseInfo(s)
		if want == "" {
			if err == nil {
				t.Errorf("%s is read as %v", text, got.Time)
			}
			continue
		}
		if err != nil || got.Time.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
}

// infoWithTime puts a text in the place of the genTime.
func infoWithTime(t *testing.T, text string) []byte {
	t.Helper()
	der := info(make([]byte, 32), nil)
	at := bytes.Index(der, []byte{0x18, 15})
	out := append(bytes.Clone(der[:at]), 0x18, byte(len(text)))
	out = append(append(out, text...), der[at+17:]...)
	out[1] += byte(len(text) - 15)
	return out
}

func TestResponses(t *testing.T) {
	for _, r := range []Response{
		{Status: Granted, Token: []byte{0x30, 0}}, {Status: GrantedWithMods, Token: []byte{0x30, 0}, Text: []string{"a", "é"}},
		{Status: Rejection, Failure: BadAlg}, {Status: Rejection, Failure: SystemFailure | BadRequest, Text: []string{"tidak bisa"}},
		{Status: Waiting}, {Status: RevocationNotification, Failure: TimeNotAvailable},
	} {
		der := must(r.Marshal())
		got, err := ParseResponse(der)
		if err != nil || got.Status != r.Status || got.Failure != r.Failure || strings.Join(got.Text, "|") != strings.Join(r.Text, "|") || !bytes.Equal(got.Token, r.Token) {
			t.Errorf("%+v came back as %+v, %v", r, got, err)
			continue
		}
		var e *StatusError
		if granted := r.Token != nil; granted != (got.Err() == nil) || !granted && (!errors.As(got.Err(), &e) || e.Failure != r.Failure || !strings.Contains(e.Error(), r.Status.String())) {
			t.Errorf("%v: %v", r.Status, got.Err())
		}
	}
	for _, bad := range []Response{{Status: Granted}, {Status: Rejection, Token: []byte{0x30, 0}}} {
		if _, err := ParseResponse(must(bad.Marshal())); err == nil {
			t.Errorf("%v with a token of %d octets is read", bad.Status, len(bad.Token))
		}
	}
}

// TestAuthorityRefuses: every refusal names its reason, in the response and in the
// error for the log.
func TestAuthorityRefuses(t *testing.T) {
	broken := errors.New("broken")
	digest := sum(crypto.SHA256, []byte("isi"))
	ask := func(r Request) []byte { return must(r.Marshal()) }
	sha1 := ask(Request{Hash: crypto.SHA1, Digest: make([]byte, 20)})
	good := ask(Request{Hash: crypto.SHA256, Digest: digest})
	extended := append(bytes.Clone(good), 0xa0, 11, 0x30, 9, 6, 3, 0x2a, 3, 4, 1, 1, 0xff, 4, 0)
	extended[len(good)+1] = byte(len(extended) - len(good) - 2)
	extended[len(good)+3] = byte(len(extended) - len(good) - 4)
	extended[1] += byte(len(extended) - len(good))
	for name, c := range map[string]struct {
		request []byte
		change  func(*AuthorityConfig)
		want    FailureInfo
		cause   error
	}{
		"not a request":      {[]byte{1, 2, 3}, nil, BadDataFormat, nil},
		"trailing":           {append(bytes.Clone(good), 0), nil, BadDataFormat, nil},
		"SHA-1":              {sha1, nil, BadAlg, nil},
		"policy":             {ask(Request{Hash: crypto.SHA256, Digest: digest, Policy: cms.OIDData}), nil, UnacceptedPolicy, nil},
		"critical extension": {extended, nil, UnacceptedExtension, nil},
		"clock":              {good, func(c *AuthorityConfig) { c.Clock = func() (time.Time, error) { return time.Time{}, broken } }, TimeNotAvailable, broken},
		"serial":             {good, func(c *AuthorityConfig) { c.Serial = func(context.Context) (*big.Int, error) { return nil, broken } }, SystemFailure, broken},
		"key":                {good, func(c *AuthorityConfig) { c.Key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }, SystemFailure, cms.ErrKey},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := newAuthority(t, c.change).Respond(t.Context(), c.request)
			r, parse := ParseResponse(answer)
			if parse != nil || err == nil || r.Status != Rejection || r.Failure != c.want || len(r.Text) == 0 || c.cause != nil && !errors.Is(err, c.cause) {
				t.Errorf("%+v, %v, %v", r, err, parse)
			}
			if c.cause != nil && strings.Contains(strings.Join(r.Text, ""), "broken") {
				t.Error("the cause is told to strangers")
			}
		})
	}
}

func TestAuthority(t *testing.T) {
	second := cms.OIDData
	a := newAuthority(t, func(c *AuthorityConfig) { c.Policies, c.Accuracy, c.Ordering = []cms.OID{second}, 2*time.Second, true })
	digest := sum(crypto.SHA384, []byte("isi"))
	serials := map[string]bool{}
	for range 3 {
		token := must(ParseToken(must(a.Timestamp(t.Context(), crypto.SHA384, digest))))
		if v := token.Verify(VerifyOptions{Digest: digest, Policy: policy}); !v.Valid() || len(v.CMS.Notes)+len(v.Notes) > 0 {
			t.Error(v.Err(), v.CMS.Notes, v.Notes)
		}
		if !token.Time.Equal(instant.Truncate(time.Second)) || token.Accuracy != 2*time.Second || !token.Ordering || len(token.SignedData.Certificates) != 2 {
			t.Errorf("%+v", token.Info)
		}
		serials[token.Serial.String()] = true
	}
	if len(serials) != 3 {
		t.Error("serial numbers repeat")
	}
	nonce := must(NewNonce(rand.Reader))
	r := must(ParseResponse(must(a.Respond(t.Context(), must((&Request{Hash: crypto.SHA384, Digest: digest, Policy: second, Nonce: nonce}).Marshal())))))
	token := must(ParseToken(r.Token))
	signer := must(cms.ParseCertificate(a.c.Certificate.Raw))
	if v := token.Verify(VerifyOptions{Digest: digest, Policy: second, Nonce: nonce, Certificates: []*cms.Certificate{signer}}); !v.Valid() || len(token.SignedData.Certificates) != 0 {
		t.Errorf("%v, %d certificates without certReq", v.Err(), len(token.SignedData.Certificates))
	}
	if _, err := a.Timestamp(t.Context(), crypto.SHA256, digest); err == nil {
		t.Error("a digest of the wrong length is stamped")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Timestamp(ctx, crypto.SHA384, digest); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, change := range map[string]func(*AuthorityConfig){
		"certificate": func(c *AuthorityConfig) { c.Certificate = issue(c.Key, 30).cert }, "clock": func(c *AuthorityConfig) { c.Clock = nil },
		"policy": func(c *AuthorityConfig) { c.Policy = "" }, "SHA-1": func(c *AuthorityConfig) { c.Hash = crypto.SHA1 },
		"usage not critical": func(c *AuthorityConfig) { c.Certificate = issue(c.Key, 31, timeStamping(false)).cert },
	} {
		c := config(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
		change(&c)
		if _, err := NewAuthority(c); err == nil {
			t.Errorf("%s: an authority", name)
		}
	}
}

func FuzzToken(f *testing.F) {
	tsa := issue(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), 40, timeStamping(true))
	digest := sum(crypto.SHA256, []byte("isi"))
	f.Add(craft(f, tsa, info(digest, nil)))
	f.Add(craft(f, tsa, info(digest, func(i *Info) { i.Nonce, i.Accuracy, i.TSA = big.NewInt(7), time.Second, []byte{0xa4, 2, 0x30, 0} })))
	f.Fuzz(func(_ *testing.T, b []byte) {
		token, err := ParseToken(b)
		if err != nil {
			return
		}
		v := token.Verify(VerifyOptions{Digest: digest, Nonce: big.NewInt(7), Policy: policy})
		_ = v.Err()
	})
}

// FuzzInfo: what is read and written again is read as the same.
func FuzzInfo(f *testing.F) {
	f.Add(info(make([]byte, 32), nil))
	f.Add(info(make([]byte, 32), func(i *Info) {
		i.Nonce, i.Accuracy, i.Ordering, i.TSA, i.Time = big.NewInt(-7), 1001*time.Millisecond, true, []byte{0xa4, 2, 0x30, 0}, instant
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := ParseInfo(b)
		if err != nil || i.Time.Year() > 9999 {
			return
		}
		der, err := i.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseInfo(der)
		if err != nil || again.Serial.Cmp(i.Serial) != 0 || again.Accuracy != i.Accuracy || again.Time.Sub(i.Time).Abs() >= time.Millisecond {
			t.Errorf("%+v came back as %+v, %v", i, again, err)
		}
	})
}

// FuzzMessages reads requests and responses from anywhere.
func FuzzMessages(f *testing.F) {
	a := newAuthority(f, nil)
	q := must((&Request{Hash: crypto.SHA256, Digest: make([]byte, 32), Policy: policy, Nonce: big.NewInt(5), CertReq: true}).Marshal())
	f.Add(q)
	f.Add(must(a.Respond(f.Context(), q)))
	f.Add(must((&Response{Status: Rejection, Failure: BadAlg | SystemFailure, Text: []string{"x"}}).Marshal()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseResponse(b); err == nil {
			_ = r.Err()
		}
		if r, err := ParseRequest(b); err == nil && r.Hash != 0 {
			der, err := r.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := ParseRequest(der); err != nil || again.CertReq != r.CertReq || again.Policy != r.Policy || !bytes.Equal(again.Digest, r.Digest) {
				t.Errorf("%+v came back as %+v, %v", r, again, err)
			}
		}
		if answer, err := a.Respond(t.Context(), b); err != nil {
			if _, parse := ParseResponse(answer); parse != nil {
				t.Error(parse)
			}
		}
	})
}

func BenchmarkTimestamp(b *testing.B) {
	a := newAuthority(b, nil)
	digest := sum(crypto.SHA256, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Timestamp(b.Context(), crypto.SHA256, digest); err != nil {
			b.Fatal(err)
		}
	}
}
