package esign

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/verification"
	"absah/pades/validation/validationtest"
)

// perClass is how many files of a class of attack are sent; the page that verifies
// is asked about all of them.
const perClass = 5

// TestAttacks: no class of attack on signatures is called valid by either version
// of the interface, and what is honest is.
func TestAttacks(t *testing.T) {
	t.Parallel()
	o := open(t, nil, false)
	h := validationtest.Home()
	o.config.Verifier.Clock = func() time.Time { return validationtest.Now }
	o.config.Verifier.Trust = func(context.Context) (verification.Trust, error) {
		return verification.Trust{Anchors: []verification.TrustAnchor{{DER: h.Root.Cert.Raw}}, CRLs: [][]byte{h.CRL.Raw, h.RootCRL.Raw}}, nil
	}
	byClass := map[string][]validationtest.Case{}
	for _, c := range h.Cases(t) {
		byClass[c.Class] = append(byClass[c.Class], c)
	}
	if len(byClass) < 10 {
		t.Errorf("files of %d classes", len(byClass))
	}
	for class, all := range byClass {
		step := max(1, len(all)/perClass)
		for i := 0; i < len(all); i += step {
			c := all[i]
			t.Run(class+"/"+c.Name, func(t *testing.T) {
				o := o.as(t)
				with := map[string]string{"signed": string(c.File), "signed64": base64.StdEncoding.EncodeToString(c.File)}
				summary, says := o.verdict("09-verify", with, "summary", "notes")
				conclusion, says2 := o.verdict("19-v2-verify", with, "conclusion", "description")
				if summary != "" && summary != conclusion || !c.Allows(strings.ToLower(strings.Replace(conclusion, "NO_SIGNATURE", "unsigned", 1))) {
					t.Errorf("v1 says %q (%s), v2 %q (%s), want %v", summary, says, conclusion, says2, c.Want)
				}
				if valid := slices.Contains(c.Want, "valid"); (summary == "VALID" || strings.HasPrefix(says, "Dokumen valid") || strings.HasPrefix(says, "Dokumen asli dan valid")) != valid {
					t.Errorf("v1 says %q, %q", summary, says)
				}
			})
		}
	}
}

// verdict sends a document and reads two fields of the answer. One that cannot be
// read as a PDF is refused, which is indeterminate.
func (o *office) verdict(request string, with map[string]string, verdict, sentence string) (string, string) {
	o.t.Helper()
	answer := o.send(request, with)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(b, &body); err != nil {
		o.t.Fatalf("status %d: %s", answer.StatusCode, b)
	}
	if answer.StatusCode == http.StatusBadRequest && strings.Contains(string(b), "tidak dapat dibaca") {
		return "INDETERMINATE", ""
	}
	if answer.StatusCode != http.StatusOK {
		o.t.Fatalf("status %d: %s", answer.StatusCode, b)
	}
	word, _ := body[verdict].(string)
	text, _ := body[sentence].(string)
	return word, text
}
