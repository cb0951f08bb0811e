package csc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"absah/internal/oauth"
)

// Algorithms, RFC 5758 3.2, RFC 8017 A.2, RFC 8017 A.2.3 and RFC 5754 2.
const (
	oidECDSASHA256 = "1.2.840.10045.4.3.2"
	oidECDSASHA384 = "1.2.840.10045.4.3.3"
	oidECDSASHA512 = "1.2.840.10045.4.3.4"
	oidRSA         = "1.2.840.113549.1.1.1"
	oidRSASHA256   = "1.2.840.113549.1.1.11"
	oidRSASHA384   = "1.2.840.113549.1.1.12"
	oidRSASHA512   = "1.2.840.113549.1.1.13"
	oidPSS         = "1.2.840.113549.1.1.10"
)

var hashes = oauth.Algorithms()

// algorithm is what a signature algorithm means: its hash, and whether the padding
// is that of PSS. A hash of 0 is named beside it.
type algorithm struct {
	ec, pss bool
	hash    crypto.Hash
}

var algorithms = map[string]algorithm{
	oidECDSASHA256: {ec: true, hash: crypto.SHA256}, oidECDSASHA384: {ec: true, hash: crypto.SHA384}, oidECDSASHA512: {ec: true, hash: crypto.SHA512},
	oidRSASHA256: {hash: crypto.SHA256}, oidRSASHA384: {hash: crypto.SHA384}, oidRSASHA512: {hash: crypto.SHA512}, oidRSA: {}, oidPSS: {pss: true},
}

// oidMGF1 is the mask generation function of RSASSA-PSS (RFC 8017 A.2.1).
const oidMGF1 = "1.2.840.113549.1.1.8"

// oidSHA256 is that of RFC 5754 2.2.
const oidSHA256 = "2.16.840.1.101.3.4.2.1"

func (h holder) ec() bool {
	_, ok := h.parsed.PublicKey.(*ecdsa.PublicKey)
	return ok
}

// pssParams is RSASSA-PSS-params of RFC 8017 A.2.3 with nothing left out: the
// defaults are SHA-1, which signs nothing here.
type pssParams struct {
	Hash    pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
	MGF     pkix.AlgorithmIdentifier `asn1:"explicit,tag:1"`
	Salt    int                      `asn1:"explicit,tag:2"`
	Trailer int                      `asn1:"optional,explicit,tag:3,default:1"`
}

// signAlgo reads signAlgo, signAlgoParams and the hash algorithm of what is signed,
// and holds them against each other and the key.
func (c *call) signAlgo(f fields, h holder, list [][]byte) (algorithm, crypto.Hash, error) {
	oid, err := f.need("signAlgo")
	if err != nil {
		return algorithm{}, 0, err
	}
	alg, known := algorithms[oid]
	if !known || alg.ec != h.ec() {
		return algorithm{}, 0, invalid("Invalid parameter signAlgo")
	}
	name := c.hashAlgorithmName()
	named, ok := f.text(name)
	if oid == oidRSA && (!ok || named == "") {
		return algorithm{}, 0, invalid("Missing (or invalid type) string parameter " + name)
	}
	hash, err := hashAlgorithm(f, name, list)
	if err != nil {
		return algorithm{}, 0, err
	}
	if alg.pss {
		text, err := f.need("signAlgoParams")
		if err != nil {
			return algorithm{}, 0, err
		}
		if !pssFits(text, hash) {
			return algorithm{}, 0, invalid("Invalid parameter signAlgoParams")
		}
	}
	if alg.hash != 0 && alg.hash != hash {
		if ok && named != "" {
			return algorithm{}, 0, invalid("Invalid parameter " + name)
		}
		return algorithm{}, 0, invalid("Invalid digest value length")
	}
	return alg, hash, nil
}

// pssFits tells whether parameters are those that are used here: one hash for both,
// a salt as long as it.
func pssFits(text string, h crypto.Hash) bool {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	var p pssParams
	var inner pkix.AlgorithmIdentifier
	if rest, err := asn1.Unmarshal(der, &p); err != nil || len(rest) > 0 {
		return false
	}
	if rest, err := asn1.Unmarshal(p.MGF.Parameters.FullBytes, &inner); err != nil || len(rest) > 0 {
		return false
	}
	return hashes[p.Hash.Algorithm.String()] == h && p.MGF.Algorithm.String() == oidMGF1 && hashes[inner.Algorithm.String()] == h && p.Salt == h.Size() && p.Trailer == 1
}

// names of fields that differ between the versions.
func (c *call) hashesName() string {
	if c.version == v1 {
		return "hash"
	}
	return "hashes"
}

func (c *call) hashAlgorithmName() string {
	if c.version == v1 {
		return "hashAlgo"
	}
	return "hashAlgorithmOID"
}

// hashList reads hashes, base64 also when a client has URL-encoded them.
func hashList(f fields, name string) ([][]byte, error) {
	raw, there := f[name]
	var list []string
	if !there || json.Unmarshal(raw, &list) != nil || string(raw) == "null" {
		return nil, invalid("Missing (or invalid type) array parameter " + name)
	}
	if len(list) == 0 {
		return nil, invalid("Empty hash array")
	}
	var out [][]byte
	for _, s := range list {
		if strings.Contains(s, "%") {
			if plain, err := url.QueryUnescape(s); err == nil {
				s = plain
			}
		}
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, invalid("Invalid Base64 hash string parameter")
		}
		out = append(out, b)
	}
	return out, nil
}

// hashAlgorithm is the one that is named, or that the length of the hashes tells.
func hashAlgorithm(f fields, name string, list [][]byte) (crypto.Hash, error) {
	if oid, ok := f.text(name); ok && oid != "" {
		h, known := hashes[oid]
		if !known {
			return 0, invalid("Invalid parameter " + name)
		}
		return h, checkLengths(h, list)
	}
	for _, h := range hashes {
		if len(list[0]) == h.Size() {
			return h, checkLengths(h, list)
		}
	}
	return 0, invalid("Invalid digest value length")
}

func checkLengths(h crypto.Hash, list [][]byte) error {
	for _, b := range list {
		if len(b) != h.Size() {
			return invalid("Invalid digest value length")
		}
	}
	return nil
}
