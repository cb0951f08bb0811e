package tsp

import (
	"crypto"
	"math/big"
	"time"

	"absah/pades/cms"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Info is TSTInfo (RFC 3161 2.4.2).
type Info struct {
	Policy    cms.OID
	Hash      crypto.Hash // 0 when the algorithm is not known here
	HashOID   cms.OID
	Digest    []byte // hashedMessage
	Serial    *big.Int
	Time      time.Time     // genTime, UTC
	Accuracy  time.Duration // 0: not stated
	Ordering  bool
	Nonce     *big.Int // nil: none
	TSA       []byte   // DER of the GeneralName, nil when left out
	Extension bool     // it has extensions, of which none is known here
	Critical  bool     // one of them is critical
}

// Earliest and Latest bound the true time by the accuracy.
func (i *Info) Earliest() time.Time { return i.Time.Add(-i.Accuracy) }

// Latest is the end of that interval.
func (i *Info) Latest() time.Time { return i.Time.Add(i.Accuracy) }

// ParseInfo reads a TSTInfo.
func ParseInfo(der []byte) (*Info, error) {
	in := cryptobyte.String(der)
	var s, part cryptobyte.String
	var version int
	var ok, present bool
	i := &Info{}
	if !in.ReadASN1(&s, casn1.SEQUENCE) || !in.Empty() || !s.ReadASN1Integer(&version) || version != 1 {
		return nil, syntax("not a TSTInfo of version 1")
	}
	if i.Policy, ok = cms.ReadOID(&s); !ok {
		return nil, syntax("TSTInfo without a policy")
	}
	m, err := readImprint(&s)
	if err != nil {
		return nil, err
	}
	i.HashOID, i.Digest = m.algorithm.OID, m.digest
	if h, err := m.algorithm.Hash(); err == nil {
		i.Hash = h
		if len(i.Digest) != h.Size() {
			return nil, syntax("hashedMessage of %d octets, %v has %d", len(i.Digest), h, h.Size())
		}
	}
	if i.Serial, ok = readInteger(&s); !ok {
		return nil, syntax("TSTInfo without a serial number")
	}
	if i.Time, ok = readGenTime(&s); !ok {
		return nil, syntax("malformed genTime")
	}
	if s.PeekASN1Tag(casn1.SEQUENCE) {
		if !s.ReadASN1(&part, casn1.SEQUENCE) || !i.readAccuracy(part) {
			return nil, syntax("malformed accuracy")
		}
	}
	if s.PeekASN1Tag(casn1.BOOLEAN) && !s.ReadASN1Boolean(&i.Ordering) {
		return nil, syntax("malformed ordering")
	}
	if s.PeekASN1Tag(casn1.INTEGER) {
		if i.Nonce, ok = readInteger(&s); !ok {
			return nil, syntax("malformed nonce")
		}
	}
	if !s.ReadOptionalASN1(&part, &present, casn1.Tag(0).Constructed().ContextSpecific()) {
		return nil, syntax("malformed tsa")
	}
	if present {
		i.TSA = part
	}
	if !s.ReadOptionalASN1(&part, &i.Extension, casn1.Tag(1).Constructed().ContextSpecific()) || !s.Empty() {
		return nil, syntax("something behind the end of the TSTInfo")
	}
	if i.Extension {
		if i.Critical, ok = readExtensions(part); !ok {
			return nil, syntax("malformed extensions")
		}
	}
	return i, nil
}

// readAccuracy reads Accuracy: seconds, [0] millis and [1] micros from 1 to 999.
func (i *Info) readAccuracy(s cryptobyte.String) bool {
	var n int64
	if s.PeekASN1Tag(casn1.INTEGER) {
		if !s.ReadASN1Integer(&n) || n < 0 || n > 1<<32 {
			return false
		}
		i.Accuracy = time.Duration(n) * time.Second
	}
	for tag, unit := range []time.Duration{time.Millisecond, time.Microsecond} {
		t := casn1.Tag(tag).ContextSpecific()
		if !s.PeekASN1Tag(t) {
			continue
		}
		if !s.ReadASN1Int64WithTag(&n, t) || n < 0 || n > 999 {
			return false
		}
		i.Accuracy += time.Duration(n) * unit
	}
	return s.Empty()
}

// readExtensions reads the content of Extensions and tells whether one is
// critical.
func readExtensions(s cryptobyte.String) (critical, ok bool) {
	for !s.Empty() {
		var e cryptobyte.String
		var one bool
		if !s.ReadASN1(&e, casn1.SEQUENCE) {
			return false, false
		}
		if _, ok := cms.ReadOID(&e); !ok {
			return false, false
		}
		if e.PeekASN1Tag(casn1.BOOLEAN) && !e.ReadASN1Boolean(&one) || !e.SkipASN1(casn1.OCTET_STRING) || !e.Empty() {
			return false, false
		}
		critical = critical || one
	}
	return critical, true
}

// Marshal gives the DER of i, without extensions.
func (i *Info) Marshal() ([]byte, error) {
	o := i.HashOID
	if o == "" {
		o = cms.DigestOID(i.Hash)
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addOID(b, i.Policy)
		addImprint(b, o, i.Digest)
		b.AddASN1BigInt(i.Serial)
		b.AddASN1(casn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes(genTime(i.Time)) })
		if i.Accuracy > 0 {
			addAccuracy(b, i.Accuracy)
		}
		if i.Ordering { // DEFAULT FALSE
			b.AddASN1Boolean(true)
		}
		if i.Nonce != nil {
			b.AddASN1BigInt(i.Nonce)
		}
		if i.TSA != nil {
			b.AddASN1(casn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(i.TSA) })
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, syntax("TSTInfo: %v", err)
	}
	return der, nil
}

func addAccuracy(b *cryptobyte.Builder, d time.Duration) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if s := int64(d / time.Second); s > 0 {
			b.AddASN1Int64(s)
		}
		if ms := int64(d / time.Millisecond % 1000); ms > 0 {
			b.AddASN1Int64WithTag(ms, casn1.Tag(0).ContextSpecific())
		}
		if us := int64(d / time.Microsecond % 1000); us > 0 {
			b.AddASN1Int64WithTag(us, casn1.Tag(1).ContextSpecific())
		}
	})
}
