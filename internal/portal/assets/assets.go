// Package assets serves the style, scripts, icons and font of the pages.
//
// The files in dist are built by web/ and committed, so that the program builds
// with Go alone. Every file is served under a name that holds its hash,
// app.css as app.3f2a91c0d4e5b6a7.css, and may be kept for ever; pages get that
// name from Path.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is where Handler expects to be mounted.
const Prefix = "/assets/"

//go:embed all:dist
var dist embed.FS

// file is one asset as it is sent.
type file struct {
	name        string // as built: "fonts/jakarta.woff2"
	hashed      string // as served: "fonts/jakarta.0123456789abcdef.woff2"
	contentType string
	etag        string
	plain       []byte
	gzipped     []byte // nil when compression gains nothing
}

type set struct {
	byName   map[string]*file
	byHashed map[string]*file
}

var files = sync.OnceValue(func() set {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	s, err := read(root)
	if err != nil {
		panic(err) // an embedded file system does not fail
	}
	return s
})

func read(root fs.FS) (set, error) {
	s := set{byName: map[string]*file{}, byHashed: map[string]*file{}}
	styles := map[string][]byte{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if path.Ext(name) == ".css" {
			styles[name] = data
			return nil
		}
		return s.add(name, data)
	})
	if err != nil {
		return set{}, err
	}
	// Styles name fonts and images, so they come last and get their hashed names.
	for name, data := range styles {
		for _, f := range s.byHashed {
			data = bytes.ReplaceAll(data, []byte("./"+f.name), []byte("./"+f.hashed))
		}
		if err := s.add(name, data); err != nil {
			return set{}, err
		}
	}
	return s, nil
}

func (s set) add(name string, data []byte) error {
	f, err := newFile(name, data)
	if err != nil {
		return fmt.Errorf("prepare asset %s: %w", name, err)
	}
	s.byName[f.name], s.byHashed[f.hashed] = f, f
	return nil
}

func newFile(name string, data []byte) (*file, error) {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:8])
	ext := path.Ext(name)
	f := &file{
		name:        name,
		hashed:      strings.TrimSuffix(name, ext) + "." + hash + ext,
		contentType: contentType(ext),
		etag:        `"` + hash + `"`,
		plain:       data,
	}
	if ext == ".woff2" || ext == ".png" {
		return f, nil // compressed already
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	if b.Len() < len(data)*9/10 {
		f.gzipped = b.Bytes()
	}
	return f, nil
}

// contentType does not ask the machine's own tables first: a missing
// /etc/mime.types must not keep a browser from running a module.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".json":
		return "application/json"
	case ".wasm":
		return "application/wasm"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// Path is the address of an asset, with its hash: Path("app.css"). An asset
// that does not exist keeps its plain name, which Handler answers with 404; the
// tests of the pages look for that.
func Path(name string) string {
	if f, ok := files().byName[name]; ok {
		return Prefix + f.hashed
	}
	return Prefix + name
}

// Open returns the bytes of an asset under its built name, for readers other
// than browsers, such as the passphrase score on the server.
func Open(name string) ([]byte, bool) {
	f, ok := files().byName[name]
	if !ok {
		return nil, false
	}
	return bytes.Clone(f.plain), true
}

// Handler serves the assets below Prefix. Names with their hash are immutable;
// plain names are served too, to be asked again each time, for modules that
// import one another and for workers.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, Prefix)
		f, hashed := files().byHashed[name]
		if !hashed {
			var ok bool
			if f, ok = files().byName[name]; !ok {
				http.NotFound(w, r)
				return
			}
		}
		f.serve(w, r, hashed)
	})
}

func (f *file) serve(w http.ResponseWriter, r *http.Request, immutable bool) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", f.etag)
	if immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if match := r.Header.Get("If-None-Match"); match == "*" || strings.Contains(match, f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	data := f.plain
	if f.gzipped != nil && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		data = f.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(data) // the browser is gone when this fails
}

func acceptsGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(coding, "gzip") {
			return strings.ReplaceAll(params, " ", "") != "q=0"
		}
	}
	return false
}
