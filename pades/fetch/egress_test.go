package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"absah/pades/fetch/fetchtest"
)

// loopback is a server that counts what reaches it.
func loopback(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var seen atomic.Int64
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			seen.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, &seen
}

// TestNothingReachesPrivateAddresses is threat V1: no address in a certificate
// makes the product connect to its own network.
func TestNothingReachesPrivateAddresses(t *testing.T) {
	s, seen := loopback(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(Options{Timeout: 2 * time.Second, Resolver: fetchtest.Names(t, "127.0.0.1", "10.0.0.1", "169.254.169.254")})
	// With the port of the server, and with none: the first tests the ports, the
	// second the addresses.
	var urls []string
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "[::]", "localhost", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "127.1",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "rebinding.example", "10.0.0.1", "172.16.0.1",
		"192.168.1.1", "169.254.169.254", "100.64.0.1", "[fe80::1%25lo]", "[fc00::1]", "[fd00::1]", "[ff02::1]", "224.0.0.1", "255.255.255.255",
		"198.18.0.1", "192.0.2.1", "[2001:db8::1]", "127.0.0.1.", "①②⑦.0.0.1",
	} {
		urls = append(urls, "http://"+host+":"+port+"/x", "http://"+host+"/x", "https://"+host+"/x")
	}
	urls = append(urls, "ldap://127.0.0.1:"+port+"/cn=x", "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:"+port+"/x",
		"http:///x", "http:127.0.0.1", "//127.0.0.1/x", "", "http://user@127.0.0.1/x", "http://example.com@127.0.0.1/x", "http://127.0.0.1:"+port+"#@example.com",
		"http://example.com:8080/x", "http://"+strings.Repeat("a", 4096)+"/")
	for _, u := range urls {
		got, err := c.get(t.Context(), u, "*/*")
		if err == nil {
			t.Errorf("%s gives %q", u, got)
		}
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("%d connections reached the loopback interface", n)
	}
	// The counter works: told to, the client does go there.
	open := NewClient(Options{Unrestricted: true})
	if _, err := open.get(t.Context(), s.URL, "*/*"); err != nil || seen.Load() == 0 {
		t.Errorf("unrestricted: %v, %d connections", err, seen.Load())
	}
}

func TestControl(t *testing.T) {
	for address, fine := range map[string]bool{
		"93.184.216.34:80": true, "93.184.216.34:443": true, "[2606:2800:220:1::1]:443": true, "93.184.216.34:8080": false, "93.184.216.34:22": false,
		"127.0.0.1:80": false, "[::1]:443": false, "[::ffff:10.0.0.1]:80": false, "192.0.0.8:80": false, "[2002:7f00:1::]:80": false,
		"[64:ff9b::a00:1]:443": false, "240.0.0.1:80": false, "0.1.2.3:80": false, "[fec0::1]:80": false, "[2606:2800::1%eth0]:80": false, "x": false,
	} {
		err := control("tcp", address, nil)
		if (err == nil) != fine || err != nil && !errors.Is(err, ErrEgress) {
			t.Errorf("%s: %v, want allowed %v", address, err, fine)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	inner, seen := loopback(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	outer, _ := loopback(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner.URL, http.StatusFound) })
	_, err := NewClient(Options{Unrestricted: true}).get(t.Context(), outer.URL, "*/*")
	var status *HTTPError
	if !errors.As(err, &status) || status.Code != http.StatusFound || seen.Load() != 0 {
		t.Errorf("%v, %d connections to the target", err, seen.Load())
	}
}

// TestProxy: with a proxy, only the proxy is connected to, and it gets the name.
func TestProxy(t *testing.T) {
	var asked string
	s, _ := loopback(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		_, _ = w.Write([]byte("answer"))
	})
	c := NewClient(Options{Proxy: must(url.Parse(s.URL))})
	if b, err := c.get(t.Context(), "http://crl.contoh.example/a.crl", "*/*"); err != nil || string(b) != "answer" || asked != "http://crl.contoh.example/a.crl" {
		t.Errorf("%q, %v; the proxy was asked for %q", b, err, asked)
	}
	if _, err := c.get(t.Context(), "http://crl.contoh.example:8080/a.crl", "*/*"); !errors.Is(err, ErrEgress) {
		t.Errorf("another port: %v", err)
	}
}

func TestLimits(t *testing.T) {
	s, _ := loopback(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write(make([]byte, 1<<20+1))
		case "/slow":
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/text":
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("closed today\nsecond line"))
		}
	})
	c := NewClient(Options{Unrestricted: true, Timeout: 200 * time.Millisecond})
	if _, err := c.get(t.Context(), s.URL+"/large", "*/*"); !errors.Is(err, ErrSize) {
		t.Errorf("large: %v", err)
	}
	if _, err := c.get(t.Context(), s.URL+"/slow", "*/*"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: %v", err)
	}
	_, err := c.get(t.Context(), s.URL+"/text", "*/*")
	if err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "closed today") || strings.Contains(err.Error(), "second") {
		t.Errorf("text: %v", err)
	}
	allow := NewClient(Options{Unrestricted: true, Allow: func(u *url.URL) error { return errors.New("not on the list: " + u.Host) }})
	if _, err := allow.get(t.Context(), s.URL+"/text", "*/*"); !errors.Is(err, ErrEgress) || !strings.Contains(err.Error(), "not on the list") {
		t.Errorf("allow: %v", err)
	}
}

func TestErrorsHoldNoSecret(t *testing.T) {
	c := NewClient(Options{Unrestricted: true, Timeout: time.Second})
	_, err := first(t.Context(), "CRL", []string{"http://127.0.0.1:1/x?key=rahasia#rahasia", "http://u:rahasia@127.0.0.1:1/x"},
		func(a string) ([]byte, error) { return c.get(t.Context(), a, "*/*") })
	if err == nil || strings.Contains(err.Error(), "rahasia") || !strings.Contains(err.Error(), "http://127.0.0.1:1/x") {
		t.Error(err)
	}
}
