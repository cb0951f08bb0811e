package hook

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/webhook"
	"absah/pades/fetch/fetchtest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sender(t *testing.T, o Options) *Sender {
	t.Helper()
	s, err := New(o)
	must(t, err)
	return s
}

// counted is a server that counts the connections that reach it.
func counted(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
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

func cause(t *testing.T, err error) string {
	t.Helper()
	var f *webhook.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v is no failure", err)
	}
	return f.Cause
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// TestNothingReachesPrivateAddresses is threat V1: no address that an application
// gives makes the product connect to its own network.
func TestNothingReachesPrivateAddresses(t *testing.T) {
	t.Parallel()
	s, seen := counted(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	must(t, err)
	closed := sender(t, Options{Timeout: 2 * time.Second, Resolver: fetchtest.Names(t, "127.0.0.1", "10.0.0.1", "169.254.169.254")})
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "[::]", "localhost", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "127.1",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "rebinding.example", "10.0.0.1", "172.16.0.1",
		"192.168.1.1", "169.254.169.254", "100.64.0.1", "[fe80::1%25lo]", "[fc00::1]", "[fd00::1]", "[ff02::1]", "224.0.0.1", "255.255.255.255",
		"198.18.0.1", "192.0.2.1", "[2001:db8::1]", "127.0.0.1.", "①②⑦.0.0.1",
	} {
		for _, u := range []string{"http://" + host + ":" + port + "/x", "http://" + host + "/x", "https://" + host + "/x"} {
			if a, err := closed.Send(t.Context(), webhook.Message{URL: u}); err == nil {
				t.Errorf("%s answers %d", u, a.Status)
			}
		}
	}
	for _, u := range []string{"ldap://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1/x", "http:///x", "//127.0.0.1/x", "", "http://93.184.216.34:8080/x"} {
		if a, err := closed.Send(t.Context(), webhook.Message{URL: u}); err == nil {
			t.Errorf("%s answers %d", u, a.Status)
		}
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("%d connections reached the loopback interface", n)
	}
	// The counter works: where the operator allows it, the sender goes there.
	if _, err := sender(t, Options{Networks: loopback}).Send(t.Context(), webhook.Message{URL: s.URL}); err != nil || seen.Load() == 0 {
		t.Errorf("allowed: %v, %d connections", err, seen.Load())
	}
}

// TestRebinding: a name that meant an allowed address means another one at the next
// connection, which is refused.
func TestRebinding(t *testing.T) {
	t.Parallel()
	s, seen := counted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusOK)
	})
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	must(t, err)
	only := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	x := sender(t, Options{Networks: only, Resolver: fetchtest.Names(t, "127.0.0.1", "127.0.0.2"), Timeout: 2 * time.Second})
	m := webhook.Message{URL: "http://rebinding.example:" + port + "/x"}
	if a, err := x.Send(t.Context(), m); err != nil || a.Status != 200 {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := x.Send(t.Context(), m); cause(t, err) != webhook.CauseAddress || seen.Load() != 1 {
		t.Errorf("%v, %d connections", err, seen.Load())
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	networks := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}
	for address, fine := range map[string]bool{
		"93.184.216.34:80": true, "93.184.216.34:443": true, "93.184.216.34:8443": false, "10.1.2.3:9000": true, "[::ffff:10.1.2.3]:1": true, "10.2.0.1:443": false,
		"[fd00:1::5]:8080": true, "[fd00:2::5]:443": false, "127.0.0.1:443": false, "[2606:2800:220:1::1]:443": true, "x": false,
	} {
		if err := check(address, networks); (err == nil) != fine || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v, want allowed %v", address, err, fine)
		}
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	s, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Retry-After", " 30 ")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("sebentar"))
	})
	a, err := sender(t, Options{Networks: loopback}).Send(t.Context(), webhook.Message{URL: s.URL + "/a?b=c", ID: "id", Timestamp: 17, Signature: "v1,x", Body: []byte(`{"a":1}`)})
	if err != nil || a.Status != 503 || a.Text != "sebentar" || a.RetryAfter != 30*time.Second {
		t.Errorf("%+v, %v", a, err)
	}
	h := got.Header
	if got.Method != "POST" || got.RequestURI != "/a?b=c" || string(body) != `{"a":1}` || h.Get("webhook-id") != "id" || h.Get("webhook-timestamp") != "17" ||
		h.Get("webhook-signature") != "v1,x" || h.Get("Content-Type") != "application/json" || h.Get("Cookie") != "" || h.Get("Authorization") != "" {
		t.Errorf("%s %s %v %s", got.Method, got.RequestURI, h, body)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	inner, seen := counted(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	outer, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inner.URL, http.StatusTemporaryRedirect)
	})
	a, err := sender(t, Options{Networks: loopback}).Send(t.Context(), webhook.Message{URL: outer.URL})
	if err != nil || a.Status != 307 || seen.Load() != 0 {
		t.Errorf("%+v, %v, %d connections to the target", a, err, seen.Load())
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		if r.URL.Path == "/slow" {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = w.Write([]byte(strings.Repeat("x", 1<<20)))
	})
	if a, err := sender(t, Options{Networks: loopback}).Send(t.Context(), webhook.Message{URL: s.URL + "/large"}); err != nil || len(a.Text) != maxRead {
		t.Errorf("%d bytes, %v", len(a.Text), err)
	}
	// Two seconds are for the head; the body never comes.
	if a, err := sender(t, Options{Networks: loopback, Timeout: 2 * time.Second}).Send(t.Context(), webhook.Message{URL: s.URL + "/slow"}); err != nil || a.Status != 200 {
		t.Errorf("a body that does not come: %+v, %v", a, err)
	}
}

// TestCauses: each is told apart, and no error repeats an address with its key.
func TestCauses(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	t.Cleanup(secure.Close)
	plain, _ := counted(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	dead := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no server") }}
	x := sender(t, Options{Networks: loopback, Timeout: 5 * time.Minute, Resolver: dead})
	if _, err := sender(t, Options{Networks: loopback, Timeout: 200 * time.Millisecond}).Send(t.Context(), webhook.Message{URL: "http://" + silent.Addr().String()}); cause(t, err) != webhook.CauseTimeout {
		t.Errorf("silence: %v", err)
	}
	const key = "/x?kunci=rahasia"
	for u, want := range map[string]string{
		secure.URL + key: webhook.CauseTLS,
		"https" + strings.TrimPrefix(plain.URL, "http") + key: webhook.CauseTLS, plain.URL + key: webhook.CauseConnect, "http://127.0.0.1:1" + key: webhook.CauseConnect,
		"http://tidak-ada.example" + key: webhook.CauseName, "http://10.0.0.1" + key: webhook.CauseAddress, "http://a b" + key: webhook.CauseOther,
	} {
		_, err := x.Send(t.Context(), webhook.Message{URL: u})
		if got := cause(t, err); got != want {
			t.Errorf("%s: %s (%v), want %s", u, got, err, want)
		}
		if strings.Contains(err.Error(), "rahasia") {
			t.Errorf("the address is in %v", err)
		}
		if want == webhook.CauseName && strings.Contains(err.Error(), ":53") {
			t.Errorf("the name server of ours is in %v", err)
		}
	}
	// An authority of the operator's is believed.
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	if a, err := sender(t, Options{Networks: loopback, CAFile: file}).Send(t.Context(), webhook.Message{URL: secure.URL}); err != nil || a.Status != 200 {
		t.Errorf("%+v, %v", a, err)
	}
	for name, content := range map[string]string{"none.pem": "", "absent.pem": "-"} {
		name = filepath.Join(t.TempDir(), name)
		if content == "" {
			must(t, os.WriteFile(name, nil, 0o600))
		}
		if _, err := New(Options{CAFile: name}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
