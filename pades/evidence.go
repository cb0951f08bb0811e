package pades

import (
	"context"
	"fmt"
	"time"

	"absah/pades/cms"
	"absah/pades/tsp"
	"absah/pdf"
)

// contentsOf is the value of /Contents of a signature dictionary, with its
// padding.
func contentsOf(src objects, signature pdf.Dict) []byte {
	s, _ := stringOf(src, signature.Get("Contents"))
	return []byte(s)
}

// isTimestamp tells document timestamps from signatures.
func isTimestamp(src objects, signature pdf.Dict) bool {
	return nameOf(src, signature.Get("SubFilter")) == "ETSI.RFC3161" || nameOf(src, signature.Get("Type")) == "DocTimeStamp"
}

// trustedTimes tells whether every signature has a timestamp: its own, or a
// document timestamp in a later field.
func (s *site) trustedTimes() (bool, error) {
	signatures, timed := 0, true
	for _, f := range s.form.signatures {
		if f.value == nil {
			continue
		}
		signatures++
		if isTimestamp(s.doc, f.value) {
			timed = true
			continue
		}
		sd, err := cms.Parse(contentsOf(s.doc, f.value))
		if err != nil {
			return false, fmt.Errorf("read the signature of the field %q: %w", f.name, err)
		}
		for _, si := range sd.Signers {
			if len(si.SignatureTimestamps()) == 0 {
				timed = false
			}
		}
	}
	if signatures == 0 {
		return false, refuse(ReasonNoSignature, "the document has no signature to extend")
	}
	return timed, nil
}

// collector finds what validating the signatures of a document needs, and puts
// it into the store.
type collector struct {
	options *Options
	store   *store
	now     time.Time
	at      time.Time            // for which certificates are looked at: of the trusted time, or now
	asked   map[string]*material // by certificate
}

// maxAbove bounds chains, and chains of those who sign statements on others.
const maxAbove = 12

// collect goes through all signatures and timestamps of the document.
func (c *collector) collect(ctx context.Context) error {
	c.now, c.asked = c.options.now(), map[string]*material{}
	s := c.store.site
	for _, f := range s.form.signatures {
		if f.value == nil {
			continue
		}
		contents := contentsOf(s.doc, f.value)
		m := &material{}
		if err := c.signature(ctx, contents, isTimestamp(s.doc, f.value), m); err != nil {
			return fmt.Errorf("collect validation data for the field %q: %w", f.name, err)
		}
		if err := c.store.record(contents, m); err != nil {
			return err
		}
	}
	return nil
}

// signature collects for a CMS object: its signer and its timestamps.
func (c *collector) signature(ctx context.Context, der []byte, token bool, m *material) error {
	sd, err := cms.Parse(der)
	if err != nil {
		return fmt.Errorf("read the signature: %w", err)
	}
	for _, si := range sd.Signers {
		signer := signerOfCMS(si, sd.Certificates)
		if signer == nil {
			return refuse(ReasonNoEvidence, "the certificate of a signer is not in the signature")
		}
		c.at = c.trusted(sd, si, token)
		if err := c.certificate(ctx, signer.Raw, rawOf(sd.Certificates), m, 0); err != nil {
			return err
		}
		for _, t := range si.SignatureTimestamps() {
			if err := c.signature(ctx, t, true, m); err != nil {
				return fmt.Errorf("timestamp of the signature: %w", err)
			}
		}
	}
	return nil
}

// trusted is the time at which a signature is proven to exist: of a token its
// own, of a signature that of its first timestamp, else now.
func (c *collector) trusted(sd *cms.SignedData, si *cms.SignerInfo, token bool) time.Time {
	if token {
		if info, err := tsp.ParseInfo(sd.Content); err == nil {
			return info.Time
		}
		return c.now
	}
	at := c.now
	for _, t := range si.SignatureTimestamps() {
		if parsed, err := tsp.ParseToken(t); err == nil && parsed.Time.Before(at) {
			at = parsed.Time
		}
	}
	return at
}
