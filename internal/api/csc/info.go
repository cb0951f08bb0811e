package csc

import (
	"fmt"
	"net/http"
)

// info says what the service is and no more than it does (v1 11.1, v2 11.1).
func (d *door) info(w http.ResponseWriter, r *http.Request, v version) error {
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return &fault{status: http.StatusMethodNotAllowed, code: "invalid_request", description: "Use POST"}
	}
	names := []string{"oauth2/authorize", "oauth2/token", "oauth2/revoke", "oauth2/pushed_authorize"}
	for _, m := range methods() {
		if m.from <= v && v <= m.to {
			names = append(names, m.name)
		}
	}
	body := map[string]any{
		"specs": "1.0.4.0", "name": d.Name, "logo": d.BaseURL + "/assets/favicon.svg", "region": d.Region, "lang": "id",
		"description": "Tanda tangan elektronik jarak jauh", "authType": []string{"oauth2code", "oauth2client"}, "oauth2": fmt.Sprintf("%s/csc/v%d", d.BaseURL, v),
	}
	if v == v1 {
		body["authType"] = []string{"basic", "oauth2code", "oauth2client"}
		names = append(names, "auth/login")
	} else {
		body["specs"] = "2.0.0.2"
		body["supportsRar"] = true
		// signHash takes hashes of data to be signed, signDoc documents and their digests.
		body["supportedHashTypes"] = []string{"dtbsr", "sodr", "sdr"}
		body["asynchronousOperationMode"] = false
		body["validationInfo"] = true
		body["signAlgorithms"] = map[string]any{"algos": []string{oidECDSASHA256, oidECDSASHA384, oidECDSASHA512, oidRSASHA256, oidRSASHA384, oidRSASHA512, oidRSA, oidPSS}}
		body["signature_formats"] = map[string]any{"formats": []string{"P"}, "envelope_properties": [][]string{{"Revision"}}}
		body["conformance_levels"] = []string{"AdES-B-B", "AdES-B-T", "AdES-B-LT", "AdES-B-LTA"}
		body["documentTypes"] = []string{"application/pdf"}
	}
	body["methods"] = names
	d.answer(w, http.StatusOK, body)
	return nil
}
