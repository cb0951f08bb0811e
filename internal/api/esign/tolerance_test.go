package esign

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"absah/internal/signing"
	"absah/pades/appearance"
)

// TestFaces: what a visible signature of version 1 shows, as clients really ask for it.
func TestFaces(t *testing.T) {
	picture := map[string][]file{"imagettd": {{"ttd.png", []byte("gambar")}}}
	const tag, text = "tag_koordinat", "https://surat.contoh.example/1"
	for _, c := range []struct {
		name  string
		text  map[string]string
		files map[string][]file
		want  signing.Face
		wrong string // field
	}{
		{"a picture", map[string]string{"image": "true"}, picture, signing.Face{Image: []byte("gambar")}, ""},
		{"a picture, as PHP says true", map[string]string{"image": "1"}, picture, signing.Face{Image: []byte("gambar")}, ""},
		{"a picture, in capitals", map[string]string{"image": "TRUE", "linkqr": text}, picture, signing.Face{Image: []byte("gambar")}, ""},
		{"a code, though a picture came along", map[string]string{"image": "false", "linkqr": text}, picture, signing.Face{QRText: text}, ""},
		{"a code, as PHP says false", map[string]string{"image": "", "linkqr": text}, nil, signing.Face{QRText: text}, ""},
		{"a code, by 0", map[string]string{"image": "0", "linkqr": "Ditandatangani oleh dr. Contoh"}, nil, signing.Face{QRText: "Ditandatangani oleh dr. Contoh"}, ""},
		{"a code, by nothing", map[string]string{"linkqr": text, "text": "satu\ndua"}, nil, signing.Face{QRText: text, Lines: []string{"satu", "dua"}}, ""},
		{"a tag alone", map[string]string{tag: "#"}, nil, signing.Face{QRText: verifyPage}, ""},
		{"a tag by its other name alone", map[string]string{"tag": "$"}, nil, signing.Face{QRText: verifyPage}, ""},
		{"a tag and a picture", map[string]string{tag: "#"}, picture, signing.Face{Image: []byte("gambar")}, ""},
		{"no code and no tag", map[string]string{"linkqr": "null"}, nil, signing.Face{}, "linkQR"},
		{"a picture that did not come", map[string]string{"image": "true"}, nil, signing.Face{}, "imageTTD"},
		{"a picture by its path", map[string]string{"image": "true", "imagettd": "C:/ttd.png"}, nil, signing.Face{}, "imageTTD"},
	} {
		f := &fields{text: c.text, files: c.files}
		c.text["tampilan"], c.text["page"] = "Visible", "1"
		r, err := f.requestV1(false, verifyPage)
		if c.wrong != "" {
			var wrong *fieldError
			if !errors.As(err, &wrong) || wrong.field != c.wrong {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || len(r.Places) != 1 {
			t.Errorf("%s: %+v, %v", c.name, r, err)
			continue
		}
		got, err := json.Marshal(r.Places[0].Face)
		want, _ := json.Marshal(c.want)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: %s, want %s", c.name, got, want)
		}
	}
}

// TestEntries: an entry of signatureProperties, with what clients leave out and how
// they say nothing.
func TestEntries(t *testing.T) {
	top := func(x, y, w, h float64) appearance.Box {
		return appearance.Box{X: x, Y: y, Width: w, Height: h, Origin: appearance.TopLeft}
	}
	for _, c := range []struct {
		name, entry string
		visible     bool
		box         appearance.Box
		anchor      string
		page        int
	}{
		{"invisible", `{"tampilan":"INVISIBLE","location":null,"reason":""}`, false, appearance.Box{}, "", 0},
		{"invisible in small letters", `{"tampilan":"invisible","reason":"null"}`, false, appearance.Box{}, "", 0},
		{"nothing", `{}`, false, appearance.Box{}, "", 0},
		{"numbers", `{"tampilan":"VISIBLE","page":2,"originX":10.5,"originY":20,"width":100,"height":50}`, true, top(10.5, 20, 100, 50), "", 2},
		{"numbers in strings", `{"tampilan":"visible","page":"2","originX":"10,5","originY":"20","width":"100","height":"50"}`, true, top(10.5, 20, 100, 50), "", 2},
		{"a page as a float", `{"tampilan":"VISIBLE","page":"2.0","originX":1,"originY":1}`, true, top(1, 1, defaultSize, defaultSize), "", 2},
		{"names in other case", `{"TAMPILAN":"VISIBLE","Page":1,"originx":1,"ORIGINY":2,"Width":30,"height":40}`, true, top(1, 2, 30, 40), "", 1},
		{"a tag", `{"tampilan":"VISIBLE","tag":"#","width":60,"height":60}`, true, appearance.Box{Width: 60, Height: 60}, "#", 0},
		{"a tag by its longer name", `{"tampilan":"VISIBLE","tag_koordinat":"${ttd_pengirim1}","tag":null}`, true, appearance.Box{Width: defaultSize, Height: defaultSize}, "${ttd_pengirim1}", 0},
		{"no tag in three ways", `{"tampilan":"VISIBLE","tag":"","tag_koordinat":"null","originX":null,"originY":"","width":null,"height":"null"}`, true, top(0, 0, defaultSize, defaultSize), "", 1},
	} {
		f := &fields{text: map[string]string{}, body: map[string]json.RawMessage{}}
		if err := f.json([]byte(c.entry)); err != nil {
			t.Fatal(err)
		}
		r, _, err := f.requestV2()
		if err != nil || (len(r.Places) == 1) != c.visible || r.Reason != "" || r.Location != "" {
			t.Errorf("%s: %+v, %v", c.name, r, err)
			continue
		}
		if !c.visible {
			continue
		}
		if p := r.Places[0]; p.Box != c.box || p.Anchor != c.anchor || p.Page != c.page || p.AnchorOrigin != (c.anchor != "") {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

// TestWhereFieldsStand: in the query, the form, parts in any order or JSON, the body
// before the query, names in any case; a body that is none holds nothing.
func TestWhereFieldsStand(t *testing.T) {
	for _, c := range []struct{ name, method, path, kind, body, want string }{
		{"query", "POST", "/x?NIK=1", "", "", "1"},
		{"query and form", "POST", "/x?nik=1", "application/x-www-form-urlencoded", "Nik=2", "2"},
		{"JSON", "POST", "/x?nik=1", "application/json", `{"NIK":3}`, "3"},
		{"JSON without its type", "POST", "/x", "", `{"nik":"3"}`, "3"},
		{"null keeps nothing", "POST", "/x", "application/json", `{"nik":"null"}`, ""},
		{"GET with an array", "GET", "/x?nik=4", "application/json", `[]`, "4"},
		{"parts", "POST", "/x", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"nik\"\r\nContent-Length: 1\r\n\r\n5\r\n--b--\r\n", "5"},
		{"part called as an array", "POST", "/x", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"nik[]\"\r\n\r\n6\r\n--b--\r\n", "6"},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		f, err := readFields(r)
		if err != nil || f.get("nik") != c.want {
			t.Errorf("%s: %q, %v", c.name, f.get("nik"), err)
		}
	}
	r := httptest.NewRequest("POST", "/x", strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\nisi\r\n--b--\r\n"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	if f, err := readFields(r); err != nil || len(f.files["file"]) != 1 || string(f.files["file"][0].bytes) != "isi" {
		t.Errorf("a file called file: %+v, %v", f, err)
	}
}

// TestHeadersAreInSmallLetters: as clients that read them by hand expect.
func TestHeadersAreInSmallLetters(t *testing.T) {
	o := open(t, nil, true)
	var body strings.Builder
	w := multipart.NewWriter(&body)
	for name, value := range map[string]string{"nik": nik, "passphrase": "x", "tampilan": "invisible"} {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "surat.pdf")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(letter(t))
	_ = w.Close()
	r := httptest.NewRequest("POST", "/api/sign/pdf", strings.NewReader(body.String()))
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.SetBasicAuth("persuratan", o.secret)
	r.RemoteAddr = "127.0.0.1:1"
	rec := httptest.NewRecorder()
	o.server.Config.Handler.ServeHTTP(rec, r)
	var got []string
	for name := range rec.Header() {
		if strings.EqualFold(name, "id_dokumen") || strings.EqualFold(name, "signing_time") {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if rec.Code != 200 || !slices.Equal(got, []string{"id_dokumen", "signing_time"}) {
		t.Errorf("status %d, %v", rec.Code, got)
	}
}

// TestBodies: what clients call their bodies is not always what they are.
func TestBodies(t *testing.T) {
	const pdf = "%PDF-1.7 x"
	part := func(head, body string) string {
		return "--batas\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + body + "\r\n"
	}
	whole := part(`name="nik"`, nik) + part(`name="file"; filename="file"`, pdf) + "--batas--\r\n"
	for name, c := range map[string]struct{ kind, body, want string }{
		"a boundary that was left out":      {"multipart/form-data", whole, `{"nik":"` + nik + `"} file:file=10`},
		"a file without a name":             {"multipart/form-data; boundary=batas", part(`name="file"`, pdf) + part(`name="nik"`, nik) + "--batas--\r\n", `{"nik":"` + nik + `"} file:file=10`},
		"a picture without a name":          {"multipart/form-data; boundary=batas", part(`name="imageTTD"`, "\x89PNG\r\n\x1a\n.") + "--batas--\r\n", `{} imagettd:imagettd=9`},
		"a path that is no file":            {"multipart/form-data; boundary=batas", part(`name="imageTTD"`, "C:/ttd.png") + "--batas--\r\n", `{"imagettd":"C:/ttd.png"}`},
		"JSON that cURL calls a form":       {"application/x-www-form-urlencoded", ` {"nik":"` + nik + `","file":["JVBERg=="]}`, `{"nik":"` + nik + `"} body:file=["JVBERg=="] body:nik="` + nik + `"`},
		"JSON that nobody named":            {"", `{"nik":3171011201800777}`, `{"nik":"` + nik + `"} body:nik=3171011201800777`},
		"lists and fields as PHP writes":    {"application/x-www-form-urlencoded", "nik=" + nik + "&file%5B1%5D=B&file%5B0%5D=A&signatureProperties%5B0%5D%5Btampilan%5D=INVISIBLE", `{"nik":"` + nik + `"} body:file=["A","B"] body:signatureproperties=[{"tampilan":"INVISIBLE"}]`},
		"a list without numbers":            {"application/x-www-form-urlencoded", "file[]=A&file[]=B", `{} body:file=["A","B"]`},
		"a form whose values are cut":       {"application/x-www-form-urlencoded", "nik=%zz", "unreadable"},
		"names that are nested too deep":    {"application/x-www-form-urlencoded", "file[0][a][b]=1", "field file"},
		"multipart that is none":            {"multipart/form-data", "apa saja", `{}`},
		"multipart with half a first line":  {"multipart/form-data", "--batas", `{}`},
		"text that begins with a hyphen":    {"multipart/form-data", "--" + strings.Repeat("x", 100) + "\r\n", `{}`},
		"an array with a GET, as one sends": {"application/json", "[]", `{}`},
	} {
		r := httptest.NewRequest("POST", "/api/sign/pdf", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		f, err := readFields(r)
		var wrong *fieldError
		got := ""
		switch {
		case errors.Is(err, errUnreadable):
			got = "unreadable"
		case errors.As(err, &wrong):
			got = wrong.Error()
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		default:
			text, err := json.Marshal(f.text)
			if err != nil {
				t.Fatal(err)
			}
			got = string(text)
			for _, k := range slices.Sorted(maps.Keys(f.files)) {
				got += fmt.Sprintf(" %s:%s=%d", k, f.files[k][0].name, len(f.files[k][0].bytes))
			}
			for _, k := range slices.Sorted(maps.Keys(f.body)) {
				got += fmt.Sprintf(" body:%s=%s", k, f.body[k])
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestNumbersLoseZeros: a code that a client made a number of is the same code.
func TestNumbersLoseZeros(t *testing.T) {
	for given, want := range map[string]string{`{"otp":42}`: "000042", `{"totp":"042137"}`: "042137", `{"totp":"42"}`: "42", `{"totp":"0421379"}`: "0421379", `{"totp":"ab"}`: "ab", `{"totp":null}`: ""} {
		f := &fields{text: map[string]string{}, body: map[string]json.RawMessage{}}
		if err := f.json([]byte(given)); err != nil {
			t.Fatal(err)
		}
		if got := f.code(); got != want {
			t.Errorf("%s: %q", given, got)
		}
	}
}

// TestSlashes: a base URL that ends in a slash, and paths that do, lead to the call and
// to no redirect.
func TestSlashes(t *testing.T) {
	o := open(t, nil, false)
	for _, path := range []string{"//api/user/status/" + stranger, "/api//user/status/" + stranger + "/"} {
		if !Serves(path) {
			t.Errorf("%s is not served", path)
		}
		r := httptest.NewRequest("GET", "http://absah.contoh.example"+path, nil)
		r.SetBasicAuth("persuratan", o.secret)
		w := httptest.NewRecorder()
		New(o.config).ServeHTTP(w, r)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"status_code":1110`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
