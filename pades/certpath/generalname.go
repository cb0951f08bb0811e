package certpath

import (
	"bytes"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A NameKind is the alternative of a GeneralName, by its tag.
type NameKind uint8

// The kinds of GeneralName, RFC 5280 4.2.1.6.
const (
	NameOther NameKind = iota
	NameEmail
	NameDNS
	NameX400
	NameDirectory
	NameEDIParty
	NameURI
	NameIP
	NameRegisteredID
)

// A GeneralName is one name of RFC 5280 4.2.1.6.
type GeneralName struct {
	Kind      NameKind
	Text      string // of NameEmail, NameDNS, NameURI
	Directory Name   // of NameDirectory
	Raw       []byte // contents octets (of NameIP: address, in constraints with mask)
}

func (n GeneralName) equal(o GeneralName) bool {
	if n.Kind != o.Kind {
		return false
	}
	if n.Kind == NameDirectory {
		return n.Directory.Equal(o.Directory)
	}
	return bytes.Equal(n.Raw, o.Raw)
}

// anyEqual reports whether the two lists have a name in common.
func anyEqual(a, b []GeneralName) bool {
	for _, x := range a {
		for _, y := range b {
			if x.equal(y) {
				return true
			}
		}
	}
	return false
}

// hasDirectory reports whether the list has the distinguished name.
func hasDirectory(list []GeneralName, n Name) bool {
	for _, x := range list {
		if x.Kind == NameDirectory && x.Directory.Equal(n) {
			return true
		}
	}
	return false
}

func readGeneralNames(s cryptobyte.String) ([]GeneralName, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() {
		return nil, malformed("general names")
	}
	return readGeneralNameList(seq)
}

func readGeneralNameList(seq cryptobyte.String) ([]GeneralName, error) {
	var out []GeneralName
	for !seq.Empty() {
		n, err := readGeneralName(&seq)
		if err != nil {
			return nil, err
		}
		if len(out) == maxList {
			return nil, malformed("number of general names")
		}
		out = append(out, n)
	}
	if len(out) == 0 {
		return nil, malformed("general names without a name")
	}
	return out, nil
}

func readGeneralName(s *cryptobyte.String) (GeneralName, error) {
	var c cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadAnyASN1(&c, &tag) || tag&0xc0 != 0x80 || tag&0x1f > 8 {
		return GeneralName{}, malformed("general name")
	}
	n := GeneralName{Kind: NameKind(tag & 0x1f), Raw: c}
	constructed := tag&0x20 != 0
	switch n.Kind {
	case NameOther, NameX400, NameDirectory, NameEDIParty:
		if !constructed {
			return n, malformed("general name")
		}
	default:
		if constructed {
			return n, malformed("general name")
		}
	}
	switch n.Kind {
	case NameEmail, NameDNS, NameURI:
		if n.Text = string(c); !isASCII(n.Text) || strings.ContainsRune(n.Text, 0) {
			return n, malformed("general name that is not of ASCII characters")
		}
	case NameDirectory:
		var err error
		if n.Directory, err = ParseName(c); err != nil {
			return n, err
		}
	case NameIP:
		if len(c) != 4 && len(c) != 8 && len(c) != 16 && len(c) != 32 {
			return n, malformed("iPAddress")
		}
	}
	return n, nil
}

// NameConstraints is the extension of RFC 5280 4.2.1.10.
type NameConstraints struct {
	Permitted []GeneralName
	Excluded  []GeneralName
}

func parseNameConstraints(s cryptobyte.String) (*NameConstraints, error) {
	var seq, c cryptobyte.String
	var present bool
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, malformed("nameConstraints")
	}
	n := &NameConstraints{}
	var err error
	for i, into := range []*[]GeneralName{&n.Permitted, &n.Excluded} {
		if !seq.ReadOptionalASN1(&c, &present, explicit(uint8(i))) {
			return nil, malformed("nameConstraints")
		}
		if !present {
			continue
		}
		if *into, err = readSubtrees(c); err != nil {
			return nil, err
		}
	}
	if !seq.Empty() {
		return nil, malformed("nameConstraints")
	}
	return n, nil
}

// readSubtrees reads GeneralSubtrees; minimum has to be 0 and maximum absent,
// RFC 5280 4.2.1.10.
func readSubtrees(seq cryptobyte.String) ([]GeneralName, error) {
	var out []GeneralName
	for !seq.Empty() {
		var one cryptobyte.String
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || len(out) == maxList {
			return nil, malformed("subtree of nameConstraints")
		}
		n, err := readGeneralName(&one)
		if err != nil {
			return nil, err
		}
		if n.Kind == NameIP && len(n.Raw) != 8 && len(n.Raw) != 32 {
			return nil, malformed("iPAddress of nameConstraints")
		}
		minimum, ok := readCount(&one, implicit(0))
		if !ok || minimum > 0 || one.PeekASN1Tag(implicit(1)) || !one.Empty() {
			return nil, malformed("minimum or maximum of nameConstraints")
		}
		out = append(out, n)
	}
	if len(out) == 0 {
		return nil, malformed("nameConstraints without a subtree")
	}
	return out, nil
}
