package validation

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var kept struct {
	sync.Mutex
	n int
}

// keep leaves a judged file and its verdict in the folder ABSAH_CASES, for other
// programs to judge (scripts/interop). What they judge by are the root and the
// CRLs of home.
func keep(t testing.TB, file []byte, r *Report) {
	t.Helper()
	dir := os.Getenv("ABSAH_CASES")
	if dir == "" {
		return
	}
	kept.Lock()
	defer kept.Unlock()
	h := home()
	put := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	kept.n++
	line := must(json.Marshal(map[string]any{
		"file": put(fmt.Sprintf("case-%04d.pdf", kept.n), file), "name": t.Name(), "ours": r.Verdict, "want": "", "level": "", "at": now.Format(time.RFC3339),
		"trust": put("case-root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.root.Cert.Raw})),
		"crls":  []string{put("case-ca.crl", h.crl.Raw), put("case-root.crl", h.rootCRL.Raw)},
	}))
	f, err := os.OpenFile(filepath.Join(dir, "cases"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "%s\n", line); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
