package tsp

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Status is PKIStatus (RFC 3161 2.4.2).
type Status int

// The statuses; only the first two come with a token.
const (
	Granted Status = iota
	GrantedWithMods
	Rejection
	Waiting
	RevocationWarning
	RevocationNotification
)

func (s Status) String() string {
	names := [...]string{"granted", "grantedWithMods", "rejection", "waiting", "revocationWarning", "revocationNotification"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("status %d", int(s))
	}
	return names[s]
}

// FailureInfo is PKIFailureInfo: bit n of the standard is 1<<n.
type FailureInfo uint32

// The reasons of RFC 3161 2.4.2.
const (
	BadAlg               FailureInfo = 1 << 0
	BadRequest           FailureInfo = 1 << 2
	BadDataFormat        FailureInfo = 1 << 5
	TimeNotAvailable     FailureInfo = 1 << 14
	UnacceptedPolicy     FailureInfo = 1 << 15
	UnacceptedExtension  FailureInfo = 1 << 16
	AddInfoNotAvailable  FailureInfo = 1 << 17
	SystemFailure        FailureInfo = 1 << 25
	maxFailureBit                    = 31
	maxStatusTextsOctets             = 4096
)

func (f FailureInfo) String() string {
	var out []string
	for _, n := range []struct {
		bit  FailureInfo
		name string
	}{
		{BadAlg, "badAlg"}, {BadRequest, "badRequest"}, {BadDataFormat, "badDataFormat"}, {TimeNotAvailable, "timeNotAvailable"},
		{UnacceptedPolicy, "unacceptedPolicy"}, {UnacceptedExtension, "unacceptedExtension"},
		{AddInfoNotAvailable, "addInfoNotAvailable"}, {SystemFailure, "systemFailure"},
	} {
		if f&n.bit != 0 {
			out = append(out, n.name)
			f &^= n.bit
		}
	}
	if f != 0 {
		out = append(out, fmt.Sprintf("bits %#x", uint32(f)))
	}
	return strings.Join(out, ", ")
}

// Response is TimeStampResp.
type Response struct {
	Status  Status
	Text    []string // statusString
	Failure FailureInfo
	Token   []byte // ContentInfo, nil when the request was not granted
}

// StatusError says that an authority did not grant a token.
type StatusError struct {
	Status  Status
	Text    []string
	Failure FailureInfo
}

func (e *StatusError) Error() string {
	text := "tsp: the authority answers " + e.Status.String()
	if e.Failure != 0 {
		text += " (" + e.Failure.String() + ")"
	}
	if len(e.Text) > 0 {
		text += fmt.Sprintf(": %q", strings.Join(e.Text, "; "))
	}
	return text
}

// Err gives a *StatusError unless a token was granted.
func (r *Response) Err() error {
	if r.Status == Granted || r.Status == GrantedWithMods {
		return nil
	}
	return &StatusError{r.Status, r.Text, r.Failure}
}

// ParseResponse reads the TimeStampResp that der consists of. A token is there if
// and only if the status grants it.
func ParseResponse(der []byte) (*Response, error) {
	in := cryptobyte.String(der)
	var s, info, texts, bits cryptobyte.String
	var status int
	r := &Response{}
	if !in.ReadASN1(&s, casn1.SEQUENCE) || !in.Empty() || !s.ReadASN1(&info, casn1.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, syntax("not a TimeStampResp")
	}
	r.Status = Status(status)
	if info.PeekASN1Tag(casn1.SEQUENCE) {
		if !info.ReadASN1(&texts, casn1.SEQUENCE) || len(texts) > maxStatusTextsOctets {
			return nil, syntax("malformed statusString")
		}
		for !texts.Empty() {
			var t cryptobyte.String
			if !texts.ReadASN1(&t, casn1.UTF8String) {
				return nil, syntax("malformed statusString")
			}
			r.Text = append(r.Text, strings.ToValidUTF8(string(t), "?"))
		}
	}
	if info.PeekASN1Tag(casn1.BIT_STRING) {
		if !info.ReadASN1(&bits, casn1.BIT_STRING) || len(bits) == 0 || bits[0] > 7 {
			return nil, syntax("malformed failInfo")
		}
		for i, octet := range bits[1:] {
			for bit := range 8 {
				if n := i*8 + bit; octet&(0x80>>bit) != 0 && n <= maxFailureBit {
					r.Failure |= 1 << n
				}
			}
		}
	}
	if !info.Empty() {
		return nil, syntax("something behind the end of the PKIStatusInfo")
	}
	granted := r.Err() == nil
	if s.Empty() == granted {
		return nil, syntax("%v, and a token is missing or present against that", r.Status)
	}
	if granted {
		r.Token = s
	}
	return r, nil
}

// Marshal gives the DER of r.
func (r *Response) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(r.Status))
			if len(r.Text) > 0 {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, t := range r.Text {
						b.AddASN1(casn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(t)) })
					}
				})
			}
			if r.Failure != 0 {
				b.AddASN1(casn1.BIT_STRING, func(b *cryptobyte.Builder) { b.AddBytes(failureBits(r.Failure)) })
			}
		})
		b.AddBytes(r.Token)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, syntax("TimeStampResp: %v", err)
	}
	return der, nil
}

// failureBits gives the content of a named bit list without trailing zeros
// (X.690 11.2.2).
func failureBits(f FailureInfo) []byte {
	out := []byte{0}
	for n := range maxFailureBit + 1 {
		if f&(1<<n) == 0 {
			continue
		}
		for len(out) < 2+n/8 {
			out = append(out, 0)
		}
		out[1+n/8] |= 0x80 >> (n % 8)
		out[0] = byte(7 - n%8)
	}
	return out
}
