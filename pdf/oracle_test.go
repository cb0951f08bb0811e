package pdf_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// TestQpdfSeesTheSameObjects compares every object and every decoded stream with
// what qpdf reads from the same bytes.
func TestQpdfSeesTheSameObjects(t *testing.T) {
	cases := pdftest.Sound()
	for _, c := range pdftest.Damaged() {
		switch c.Name {
		case "length too long", "length too short", "no length", "offsets too high by one", "startxref 0", "header junk, offsets from the header", "Prev loop", "entries of 19 bytes":
			cases = append(cases, c)
		}
	}
	if len(cases) < 20 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "in.pdf")
			if err := os.WriteFile(path, c.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			if c.Anomalies == nil && !strings.HasPrefix(c.Name, "linearized") { // those have no hint tables
				if out, err := exec.Command("qpdf", "--check", path).CombinedOutput(); err != nil || bytes.Contains(out, []byte("WARNING")) {
					t.Errorf("qpdf --check: %v\n%s", err, out)
				}
			}
			cmd := exec.Command("qpdf", "--warning-exit-0", "--json=2", "--json-stream-data=inline", "--decode-level=specialized", path)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("qpdf --json: %v", err)
			}
			compareWithQpdf(t, open(t, c.Data), out)
		})
	}
}

type qpdfObject struct {
	Value  any `json:"value"`
	Stream *struct {
		Data string `json:"data"`
		Dict any    `json:"dict"`
	} `json:"stream"`
}

func compareWithQpdf(t *testing.T, d *pdf.Document, out []byte) {
	t.Helper()
	var doc struct {
		Qpdf []json.RawMessage `json:"qpdf"`
	}
	if err := json.Unmarshal(out, &doc); err != nil || len(doc.Qpdf) != 2 {
		t.Fatalf("qpdf's JSON: %v", err)
	}
	var objects map[string]qpdfObject
	if err := json.Unmarshal(doc.Qpdf[1], &objects); err != nil {
		t.Fatal(err)
	}
	if len(objects) < 5 {
		t.Fatalf("qpdf sees only %d objects", len(objects))
	}
	for key, want := range objects {
		if key == "trailer" {
			continue
		}
		var ref pdf.Ref
		if _, err := fmt.Sscanf(key, "obj:%d %d R", &ref.Number, &ref.Generation); err != nil {
			t.Fatalf("key %q: %v", key, err)
		}
		o, err := d.Object(ref)
		if err != nil {
			t.Errorf("%v: %v", ref, err)
			continue
		}
		if want.Stream == nil {
			if why := differs(o, want.Value); why != "" {
				t.Errorf("%v: %s", ref, why)
			}
			continue
		}
		s, ok := o.(*pdf.Stream)
		if !ok {
			t.Errorf("%v is %T, want a stream", ref, o)
			continue
		}
		dict := s.Dict.Clone()
		for _, k := range []pdf.Name{"Length", "Filter", "DecodeParms"} {
			dict.Delete(k)
		}
		if why := differs(dict, want.Stream.Dict); why != "" {
			t.Errorf("%v: %s", ref, why)
		}
		data, err := d.StreamData(s)
		wantData, _ := base64.StdEncoding.DecodeString(want.Stream.Data)
		// Where Length is wrong, qpdf keeps the end of line before endstream.
		if err != nil || !bytes.Equal(data, wantData) && !bytes.Equal(append(data[:len(data):len(data)], '\n'), wantData) {
			t.Errorf("%v: data %q, %v, want %q", ref, data, err, wantData)
		}
	}
}

// differs tells where an object is not what qpdf's JSON says.
func differs(o pdf.Object, want any) string {
	no := func() string { return fmt.Sprintf("%#v, want %#v", o, want) }
	switch v := o.(type) {
	case nil, pdf.Null:
		if want != nil {
			return no()
		}
	case pdf.Bool:
		if want != bool(v) {
			return no()
		}
	case pdf.Integer:
		if want != float64(v) {
			return no()
		}
	case pdf.Real:
		if f, ok := want.(float64); !ok || math.Abs(f-float64(v)) > 1e-9 {
			return no()
		}
	case pdf.Ref:
		if want != v.String() {
			return no()
		}
	case pdf.Name:
		if want != "/"+string(v) {
			return no()
		}
	case pdf.String:
		s, _ := want.(string)
		if b, binary := strings.CutPrefix(s, "b:"); binary {
			if b != hex.EncodeToString([]byte(v)) {
				return no()
			}
		} else if s != "u:"+pdf.DecodeText(v) {
			return no()
		}
	case pdf.Array:
		list, ok := want.([]any)
		if !ok || len(list) != len(v) {
			return no()
		}
		for i := range v {
			if why := differs(v[i], list[i]); why != "" {
				return fmt.Sprintf("[%d]: %s", i, why)
			}
		}
	case pdf.Dict:
		m, ok := want.(map[string]any)
		if !ok {
			return no()
		}
		for _, e := range v {
			if _, null := e.Value.(pdf.Null); null {
				continue
			}
			if why := differs(e.Value, m["/"+string(e.Key)]); why != "" {
				return fmt.Sprintf("/%s: %s", e.Key, why)
			}
		}
		for k, w := range m {
			if w != nil && !v.Has(pdf.Name(strings.TrimPrefix(k, "/"))) {
				return "lacks " + k
			}
		}
	default:
		return no()
	}
	return ""
}
