package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) []byte {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestHashedNamesAreImmutable(t *testing.T) {
	t.Parallel()
	path := Path("app.css")
	if !regexp.MustCompile(`^/assets/app\.[0-9a-f]{16}\.css$`).MatchString(path) {
		t.Fatalf("Path = %s", path)
	}
	res := get(t, path)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	if !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("Cache-Control %q", res.Header.Get("Cache-Control"))
	}
	if plain := get(t, "/assets/app.css"); plain.StatusCode != http.StatusOK || plain.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the plain name: %d, Cache-Control %q", plain.StatusCode, plain.Header.Get("Cache-Control"))
	}
	for _, wrong := range []string{"/assets/", "/assets/app.0000000000000000.css", "/assets/../assets.go"} {
		if res := get(t, wrong); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", wrong, res.StatusCode)
		}
	}
}

func TestTheBrowsersCopyIsConfirmed(t *testing.T) {
	t.Parallel()
	tag := get(t, Path("app.js")).Header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	if res := get(t, Path("app.js"), "If-None-Match", tag); res.StatusCode != http.StatusNotModified || len(body(t, res)) != 0 {
		t.Errorf("answer %d", res.StatusCode)
	}
}

func TestCompressionKeepsTheBytes(t *testing.T) {
	t.Parallel()
	plain := body(t, get(t, Path("icons.svg"), "Accept-Encoding", "gzip;q=0"))
	res := get(t, Path("icons.svg"), "Accept-Encoding", "br, gzip")
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("not compressed: %v", res.Header)
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, unpacked) {
		t.Error("the compressed bytes differ")
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, Path("app.css"), nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", w.Code)
	}
}

func TestStylesNameTheirFilesWithHash(t *testing.T) {
	t.Parallel()
	s, err := read(fstest.MapFS{
		"a.css":     {Data: []byte(`src:url("./f/x.woff2")`)},
		"f/x.woff2": {Data: []byte("font")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `src:url("./` + s.byName["f/x.woff2"].hashed + `")`
	if got := string(s.byName["a.css"].plain); got != want {
		t.Errorf("style %q, want %q", got, want)
	}
	if css, _ := Open("app.css"); !bytes.Contains(css, []byte(Path("fonts/jakarta.woff2")[len(Prefix):])) {
		t.Error("app.css does not name the font with its hash")
	}
}

// A page on a slow line: everything that every page loads.
func TestPagesStayLight(t *testing.T) {
	t.Parallel()
	total := 0
	for _, name := range []string{"app.css", "app.js", "icons.svg", "favicon.svg", "fonts/jakarta.woff2"} {
		total += len(body(t, get(t, Path(name), "Accept-Encoding", "gzip")))
	}
	if total > 100_000 {
		t.Errorf("the frame of a page weighs %d bytes", total)
	}
	t.Logf("the frame of a page weighs %d bytes", total)
}
