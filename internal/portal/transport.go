package portal

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// contentPolicy lets a page use its own site only: no inline scripts or
// styles, no frames around it, nothing from elsewhere.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; font-src 'self'; form-action 'self'; frame-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers of every answer. Handlers may replace one where
// theirs is stricter or a file may be kept.
func (p *portal) secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if p.site.Secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

func (p *portal) address(r *http.Request) string { return ClientAddress(r, p.TrustedProxies) }

// ClientAddress is the network address of the client: the connection's, or, when
// that is a trusted proxy, the last one in X-Forwarded-For that is none.
// Everything to the left of it is what the client claims.
func ClientAddress(r *http.Request, proxies []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	client, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	client = client.Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && within(client, proxies); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = next.Unmap().WithZone("")
	}
	return client.String()
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, prefix := range networks {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// recorder remembers what was answered, for the log and for error pages.
type recorder struct {
	http.ResponseWriter
	pattern   string
	reference string
	code      int
	written   int64
	wrote     bool
}

func (r *recorder) WriteHeader(code int) {
	if !r.wrote && code >= http.StatusOK {
		r.code, r.wrote = code, true
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if !r.wrote {
		r.code, r.wrote = http.StatusOK, true
	}
	n, err := r.ResponseWriter.Write(b)
	r.written += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach flushing and deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}
