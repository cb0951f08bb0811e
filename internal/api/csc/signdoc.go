package csc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"absah/internal/signing"
	"absah/pades"
	"absah/pdf"
)

// signDoc is signatures/signDoc (v2 11.10): documents, which come back signed, or
// digests of documents, whose signatures come back for the client to embed. What was
// authorised is the hash of the whole document, or the digest.
func (d *door) signDoc(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx := r.Context()
	if q, given := c.body.text("signatureQualifier"); given && q != "" {
		return invalid("Invalid parameter signatureQualifier") // there is one credential a person
	}
	h, err := d.find(ctx, c)
	if err != nil {
		return err
	}
	act, err := d.activation(ctx, c, h)
	if err != nil {
		return err
	}
	if err := c.synchronous(); err != nil {
		return err
	}
	documents, err := parts(c.body, "documents")
	if err != nil {
		return err
	}
	digests, err := parts(c.body, "documentDigests")
	if err != nil {
		return err
	}
	switch {
	case len(documents) > 0 && len(digests) > 0:
		return invalid("Use either documents or documentDigests")
	case len(documents)+len(digests) == 0:
		return invalid("Missing (or invalid type) array parameter documents")
	}
	body := map[string]any{}
	if len(documents) > 0 {
		body["DocumentWithSignature"], err = d.signDocuments(ctx, c, h, act, documents)
	} else {
		body["SignatureObject"], err = d.signDigests(ctx, c, h, act, digests)
	}
	if err != nil {
		return h.named(err)
	}
	if c.flag("returnValidationInformation") {
		if body["validationInfo"], err = validation(ctx, act); err != nil {
			return err
		}
	}
	d.answer(w, http.StatusOK, body)
	return nil
}

// parts reads an array of objects.
func parts(f fields, name string) ([]fields, error) {
	raw, there := f[name]
	if !there || string(raw) == "null" {
		return nil, nil
	}
	var list []fields
	if json.Unmarshal(raw, &list) != nil {
		return nil, invalid("Missing (or invalid type) array parameter " + name)
	}
	return list, nil
}

// level reads what kind of signature a part asks for: format P, whose envelope is a
// revision, at one of the four levels.
func level(f fields) (pades.Level, error) {
	format, err := f.need("signature_format")
	if err != nil {
		return 0, err
	}
	if format != "P" {
		return 0, invalid("Invalid parameter signature_format")
	}
	if raw, there := f["signed_envelope_property"]; there && string(raw) != "null" {
		if s, _ := f.text("signed_envelope_property"); s != "Revision" {
			return 0, invalid("Invalid parameter signed_envelope_property")
		}
	}
	name, given := f.text("conformance_level")
	if !given {
		return pades.BB, nil
	}
	switch strings.ToUpper(name) {
	case "ADES-B-B", "ADES-B":
		return pades.BB, nil
	case "ADES-B-T", "ADES-T":
		return pades.BT, nil
	case "ADES-B-LT", "ADES-LT":
		return pades.BLT, nil
	case "ADES-B-LTA", "ADES-LTA":
		return pades.BLTA, nil
	}
	return 0, invalid("Invalid parameter conformance_level")
}

// property reads signed_props: what a signature dictionary has of them.
func property(f fields, r *signing.Request) error {
	raw, there := f["signed_props"]
	if !there || string(raw) == "null" {
		return nil
	}
	var list []struct {
		Name  string `json:"attribute_name"`
		Value string `json:"attribute_value"`
	}
	wrong := invalid("Invalid parameter signed_props")
	if json.Unmarshal(raw, &list) != nil {
		return wrong
	}
	for _, p := range list {
		if len(p.Value) > 500 {
			return wrong
		}
		switch strings.ToLower(p.Name) {
		case "reason":
			r.Reason = p.Value
		case "location":
			r.Location = p.Value
		case "contactinfo":
			r.Contact = p.Value
		default:
			return wrong
		}
	}
	return nil
}

// brought is a document that was read.
type brought struct {
	bytes   []byte
	digest  []byte
	request signing.Request
}

func (d *door) signDocuments(ctx context.Context, c *call, h holder, act *signing.Activation, list []fields) ([]string, error) {
	var read []brought
	for _, f := range list {
		b, err := c.document(f, h)
		if err != nil {
			return nil, err
		}
		if !act.For(b.digest) {
			return nil, signing.ErrNotAuthorised
		}
		read = append(read, b)
	}
	var out []string
	for _, b := range read {
		var signed bytes.Buffer
		_, err := act.SignBrought(ctx, b.digest, bytes.NewReader(b.bytes), int64(len(b.bytes)), "", b.request, &signed)
		if err != nil {
			return nil, unreadable(err)
		}
		out = append(out, base64.StdEncoding.EncodeToString(signed.Bytes()))
	}
	return out, nil
}

// document reads one of documents. What is signed is hashed as the key's strength
// asks; hashAlgorithmOID says by what the document was authorised, SHA-256 unless it
// does.
func (c *call) document(f fields, h holder) (b brought, err error) {
	text, err := f.need("document")
	if err != nil {
		return b, err
	}
	if b.bytes, err = base64.StdEncoding.DecodeString(text); err != nil {
		return b, invalid("Invalid Base64 document string parameter")
	}
	if b.request.Level, err = level(f); err != nil {
		return b, err
	}
	if err := property(f, &b.request); err != nil {
		return b, err
	}
	alg := hashes[oidSHA256]
	if oid, given := f.text("hashAlgorithmOID"); given && oid != "" {
		var known bool
		if alg, known = hashes[oid]; !known {
			return b, invalid("Invalid parameter hashAlgorithmOID")
		}
	}
	sum := alg.New()
	sum.Write(b.bytes)
	b.digest = sum.Sum(nil)
	// signAlgo has to be one of the key's; which hash is signed is decided by it.
	oid, err := f.need("signAlgo")
	if err != nil {
		return b, err
	}
	if a, known := algorithms[oid]; !known || a.ec != h.ec() || a.pss || a.hash != 0 && a.hash != hashes[oidSHA256] {
		return b, invalid("Invalid parameter signAlgo")
	}
	return b, nil
}

// unreadable says that a document is no PDF that can be signed.
func unreadable(err error) error {
	var damaged *signing.DamagedError
	var refused *pades.Refusal
	var syntax *pdf.SyntaxError
	var wrongType *pdf.TypeError
	var hard *pdf.LimitError
	switch {
	case errors.Is(err, signing.ErrTooBig), errors.Is(err, signing.ErrEmpty), errors.Is(err, pdf.ErrNotPDF), errors.Is(err, pdf.ErrPassword), errors.Is(err, pdf.ErrEncryption),
		errors.As(err, &damaged), errors.As(err, &refused), errors.As(err, &syntax), errors.As(err, &wrongType), errors.As(err, &hard):
		return invalid("Invalid parameter document")
	case errors.Is(err, signing.ErrNoTimestamp):
		return invalid("Invalid parameter conformance_level")
	}
	return err
}

func (d *door) signDigests(ctx context.Context, c *call, h holder, act *signing.Activation, list []fields) ([]string, error) {
	type wanted struct {
		hashes [][]byte
		level  pades.Level
		pss    bool
	}
	var read []wanted
	for _, f := range list {
		l, err := level(f)
		if err != nil {
			return nil, err
		}
		if l > pades.BLT { // a document timestamp is over a document
			return nil, invalid("Invalid parameter conformance_level")
		}
		digests, err := hashList(f, "hashes")
		if err != nil {
			return nil, err
		}
		alg, _, err := c.signAlgo(f, h, digests)
		if err != nil {
			return nil, err
		}
		for _, x := range digests {
			if !act.For(x) {
				return nil, signing.ErrNotAuthorised
			}
		}
		read = append(read, wanted{digests, min(l, pades.BT), alg.pss})
	}
	var out []string
	for _, one := range read {
		signed, err := act.SignDigest(ctx, one.hashes, one.level, one.pss)
		if errors.Is(err, signing.ErrNoTimestamp) {
			return nil, invalid("Invalid parameter conformance_level")
		}
		if err != nil {
			return nil, err
		}
		for _, s := range signed {
			out = append(out, base64.StdEncoding.EncodeToString(s.CMS))
		}
	}
	return out, nil
}

// validation is what a client needs to bring a signature to B-LT.
func validation(ctx context.Context, act *signing.Activation) (map[string]any, error) {
	e, err := act.Evidence(ctx)
	if errors.Is(err, signing.ErrNoTimestamp) {
		return nil, invalid("Invalid parameter returnValidationInformation")
	}
	if err != nil {
		return nil, err
	}
	text := func(list [][]byte) []string {
		out := []string{}
		for _, b := range list {
			out = append(out, base64.StdEncoding.EncodeToString(b))
		}
		return out
	}
	return map[string]any{"ocsp": text(e.OCSPs), "crl": text(e.CRLs), "certificates": text(e.Certificates)}, nil
}
