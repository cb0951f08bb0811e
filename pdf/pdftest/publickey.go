package pdftest

import (
	"bytes"
	"fmt"
	"slices"
)

// PublicKey makes files that are encrypted for the holder of a certificate (ISO
// 32000-2 7.6.5), one for each version of that.
func PublicKey() []Case {
	recipient := fmt.Sprintf("[<%X>]", envelopedData())
	filter := func(method string, bytes int) string {
		return fmt.Sprintf("/CF << /DefaultCryptFilter << /Type /CryptFilter /CFM /%s /Length %d /Recipients %s /EncryptMetadata true >> >> "+
			"/StmF /DefaultCryptFilter /StrF /DefaultCryptFilter", method, bytes, recipient)
	}
	var cases []Case
	for _, c := range []struct{ name, encrypt string }{
		{"RC4, 40 bits", "/SubFilter /adbe.pkcs7.s3 /V 1 /Recipients " + recipient},
		{"RC4, 128 bits", "/SubFilter /adbe.pkcs7.s4 /V 2 /Length 128 /Recipients " + recipient},
		{"AES-128", "/SubFilter /adbe.pkcs7.s5 /V 4 /Length 128 " + filter("AESV2", 16)},
		{"AES-256", "/SubFilter /adbe.pkcs7.s5 /V 5 /Length 256 " + filter("AESV3", 32)},
	} {
		f := New("2.0")
		f.Body()
		f.Object(9, "<< /Filter /Adobe.PubSec "+c.encrypt+" >>")
		f.Table(Trailer + " /Encrypt 9 0 R")
		cases = append(cases, Case{Name: "for a certificate, " + c.name, Data: slices.Clone(f.Bytes()), Pages: -1})
	}
	return cases
}

// envelopedData is the EnvelopedData (RFC 5652 6) of a recipient that nobody has the
// key of.
func envelopedData() []byte {
	tlv := func(tag byte, parts ...[]byte) []byte {
		content := bytes.Join(parts, nil)
		head := []byte{tag, byte(len(content))}
		if len(content) > 127 {
			head = []byte{tag, 0x82, byte(len(content) >> 8), byte(len(content))}
		}
		return append(head, content...)
	}
	const sequence, set, integer, octets, oid = 0x30, 0x31, 0x02, 0x04, 0x06
	number := func(n byte) []byte { return tlv(integer, []byte{n}) }
	commonName := tlv(sequence, tlv(set, tlv(sequence, tlv(oid, []byte("\x55\x04\x03")), tlv(0x0c, []byte("Penerbit Contoh")))))
	recipient := tlv(sequence, number(0), tlv(sequence, commonName, number(7)),
		tlv(sequence, tlv(oid, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")), []byte{5, 0}), // rsaEncryption
		tlv(octets, bytes.Repeat([]byte{0xa5}, 256)))
	content := tlv(sequence, tlv(oid, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")), // id-data
		tlv(sequence, tlv(oid, []byte("\x60\x86\x48\x01\x65\x03\x04\x01\x2a")), tlv(octets, make([]byte, 16))), // aes256-CBC
		tlv(0x80, bytes.Repeat([]byte{0x5a}, 32)))
	return tlv(sequence, tlv(oid, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03")), // id-envelopedData
		tlv(0xa0, tlv(sequence, number(0), tlv(set, recipient), content)))
}
