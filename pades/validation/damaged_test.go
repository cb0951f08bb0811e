package validation

import (
	"bytes"
	"testing"

	"absah/pades"
	"absah/pdf/pdftest"
)

// TestSignedDamagedFilesAreIntact: a file with faults that was signed all the same
// is not called changed by the signature that was just made.
func TestSignedDamagedFilesAreIntact(t *testing.T) {
	t.Parallel()
	h := home()
	v := h.validator(t, h.crl, h.rootCRL)
	s := must(pades.NewSigner(pades.SignerConfig{Key: h.signer.Key, Certificate: h.signer.Cert}))
	signed := 0
	for _, c := range pdftest.Damaged() {
		var out bytes.Buffer
		if _, err := pades.Sign(t.Context(), bytes.NewReader(c.Data), int64(len(c.Data)), &out, s, pades.Options{}); err != nil {
			continue // refused with a reason
		}
		signed++
		if r := judge(t, v, out.Bytes()); r.Verdict == Invalid || len(r.Signatures) != 1 || !r.Signatures[0].Intact {
			t.Errorf("%s: %s, %+v", c.Name, r.Verdict, r.Signatures)
		}
	}
	if signed < 20 {
		t.Errorf("only %d files were signed", signed)
	}
}
