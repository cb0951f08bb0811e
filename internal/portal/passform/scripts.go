package passform

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"

	"absah/internal/passphrase"
	"absah/internal/portal/web"
)

//go:embed meter.css
var style []byte

// prefix is where the scripts are served.
const prefix = "/passphrase/"

// asset is a file under a name that holds its hash.
type asset struct {
	path        string
	contentType string
	plain       []byte
	gzipped     []byte
}

// assets are the estimator, the module that shows what it says, and the style.
var assets = sync.OnceValue(func() map[string]asset {
	return map[string]asset{
		"zxcvbn.js": newAsset("zxcvbn", "js", "text/javascript; charset=utf-8", passphrase.Bundle()),
		"meter.js":  newAsset("meter", "js", "text/javascript; charset=utf-8", passphrase.MeterJS()),
		"meter.css": newAsset("meter", "css", "text/css; charset=utf-8", style),
	}
})

func newAsset(name, ext, contentType string, data []byte) asset {
	sum := sha256.Sum256(data)
	a := asset{path: prefix + name + "." + hex.EncodeToString(sum[:8]) + "." + ext, contentType: contentType, plain: data}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err == nil && z.Close() == nil {
		a.gzipped = b.Bytes()
	}
	return a
}

func path(name string) string { return assets()[name].path }

// Routes serves the files that the meter needs. They never change under their
// names, so browsers keep them.
func Routes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: prefix + "{file}", Access: web.Public, Handler: serve}}
}

func serve(w http.ResponseWriter, r *http.Request) error {
	for _, a := range assets() {
		if a.path != prefix+r.PathValue("file") {
			continue
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Vary", "Accept-Encoding")
		data := a.plain
		if a.gzipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			data = a.gzipped
		}
		_, _ = w.Write(data) // the browser is gone when this fails
		return nil
	}
	return web.ErrNotFound
}
