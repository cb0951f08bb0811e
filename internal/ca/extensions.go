package ca

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSubjectAltName   = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidCRLNumber        = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReasonCode       = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidCRLDP            = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies         = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidAIA              = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidADOCSP           = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	oidADIssuers        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 2}
	oidCPSQualifier     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidAnyPolicy        = asn1.ObjectIdentifier{2, 5, 29, 32, 0}
	oidOCSPNoCheck      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

	oidEKUTimeStamping    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	oidEKUOCSPSigning     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
	oidEKUDocumentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36} // RFC 9336
	oidEKUAdobe           = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 5} // Adobe Authentic Documents Trust
)

// Bits of KeyUsage as their position from the left (RFC 5280 4.2.1.3).
const (
	kuDigitalSignature = 0
	kuNonRepudiation   = 1 // X.509 calls it contentCommitment today
	kuCertSign         = 5
	kuCRLSign          = 6
)

// extension encodes the value of an extension.
func extension(oid asn1.ObjectIdentifier, critical bool, value func(*cryptobyte.Builder)) (pkix.Extension, error) {
	var b cryptobyte.Builder
	value(&b)
	der, err := b.Bytes()
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encode extension %s: %w", oid, err)
	}
	return pkix.Extension{Id: oid, Critical: critical, Value: der}, nil
}

// extensionList collects extensions and the first error.
type extensionList struct {
	list []pkix.Extension
	err  error
}

func (l *extensionList) add(oid asn1.ObjectIdentifier, critical bool, value func(*cryptobyte.Builder)) {
	if l.err != nil {
		return
	}
	e, err := extension(oid, critical, value)
	if err != nil {
		l.err = err
		return
	}
	l.list = append(l.list, e)
}

func (l *extensionList) authorityKeyID(id []byte) {
	l.add(oidAuthorityKeyID, false, func(b *cryptobyte.Builder) { addAuthorityKeyID(b, id) })
}

func addAuthorityKeyID(b *cryptobyte.Builder, id []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(id) })
	})
}

func (l *extensionList) subjectKeyID(id []byte) {
	l.add(oidSubjectKeyID, false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(id) })
}

// keyUsage is critical and has the bits given, in DER without trailing zeros.
func (l *extensionList) keyUsage(bits ...int) {
	l.add(oidKeyUsage, true, func(b *cryptobyte.Builder) {
		var octet byte
		last := 0
		for _, bit := range bits {
			octet |= 0x80 >> bit
			last = max(last, bit)
		}
		b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(uint8(7 - last))
			b.AddUint8(octet)
		})
	})
}

func (l *extensionList) extKeyUsage(oids ...asn1.ObjectIdentifier) { l.purposes(false, oids) }

func (l *extensionList) criticalExtKeyUsage(oids ...asn1.ObjectIdentifier) { l.purposes(true, oids) }

func (l *extensionList) purposes(critical bool, oids []asn1.ObjectIdentifier) {
	l.add(oidExtKeyUsage, critical, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, oid := range oids {
				b.AddASN1ObjectIdentifier(oid)
			}
		})
	})
}

// basicConstraints: pathLen below 0 leaves the constraint out.
func (l *extensionList) basicConstraints(isCA bool, pathLen int) {
	l.add(oidBasicConstraints, true, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if isCA {
				b.AddASN1Boolean(true)
			}
			if isCA && pathLen >= 0 {
				b.AddASN1Int64(int64(pathLen))
			}
		})
	})
}

// policy names one certificate policy, with a CPS pointer unless cps is empty
// (RFC 5280 4.2.1.4).
func (l *extensionList) policy(oid asn1.ObjectIdentifier, cps string) {
	l.add(oidPolicies, false, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid)
				if cps == "" {
					return
				}
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidCPSQualifier)
						b.AddASN1(cbasn1.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(cps)) })
					})
				})
			})
		})
	})
}

// Tags of GeneralName (RFC 5280 4.2.1.6).
const (
	tagRFC822Name = cbasn1.Tag(1 | 0x80)
	tagURI        = cbasn1.Tag(6 | 0x80)
)

func (l *extensionList) emailAltName(address string) {
	l.add(oidSubjectAltName, false, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tagRFC822Name, func(b *cryptobyte.Builder) { b.AddBytes([]byte(address)) })
		})
	})
}

// crlDistribution points to the full CRL of the issuer.
func (l *extensionList) crlDistribution(url string) {
	l.add(oidCRLDP, false, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // CRLDistributionPoints
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // DistributionPoint
				b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { // distributionPoint
					b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { // fullName
						b.AddASN1(tagURI, func(b *cryptobyte.Builder) { b.AddBytes([]byte(url)) })
					})
				})
			})
		})
	})
}

// authorityInfo says where OCSP answers (unless empty) and where the issuer's
// certificate lies.
func (l *extensionList) authorityInfo(ocspURL, issuerURL string) {
	l.add(oidAIA, false, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			access := func(method asn1.ObjectIdentifier, url string) {
				if url == "" {
					return
				}
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(method)
					b.AddASN1(tagURI, func(b *cryptobyte.Builder) { b.AddBytes([]byte(url)) })
				})
			}
			access(oidADOCSP, ocspURL)
			access(oidADIssuers, issuerURL)
		})
	})
}

// ocspNoCheck tells clients not to ask for the status of the responder's own
// certificate (RFC 6960 4.2.2.2.1).
func (l *extensionList) ocspNoCheck() {
	l.add(oidOCSPNoCheck, false, func(b *cryptobyte.Builder) { b.AddASN1NULL() })
}
