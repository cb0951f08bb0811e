package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Options bound what a Client does. The zero value is right for addresses out of
// certificates that nobody vouches for.
type Options struct {
	Timeout time.Duration // of one request with its answer; 0: 5 s
	MaxSize int64         // octets of an answer; 0: 1 MiB
	// Unrestricted: any address and port may be gone to, as in a closed network
	// where the authorities have private addresses.
	Unrestricted bool
	// Allow is asked before each request, for instance whether the address is one
	// of the trusted list; nil: all that the rules let pass.
	Allow func(*url.URL) error
	// Proxy through which everything goes; it has to keep the rules about
	// addresses then, since only it resolves names.
	Proxy    *url.URL
	Resolver *net.Resolver // nil: the system's
	// Nonce is where the nonces of OCSP requests come from; nil: none are sent,
	// which lets responders answer from store.
	Nonce io.Reader
	// OCSPGet asks responders by GET first, which caches on the way understand.
	OCSPGet bool
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.MaxSize == 0 {
		o.MaxSize = 1 << 20
	}
	return o
}

// Error says what was asked for and why it was not had.
type Error struct {
	What string // "OCSP response", "CRL", "certificate", "timestamp"
	URL  string // without user, query and fragment
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("fetch %s from %s: %v", e.What, e.URL, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// HTTPError is an answer with a status other than 200. Redirects are among them.
type HTTPError struct {
	Code int
	Text string // the start of a text answer, for people
}

func (e *HTTPError) Error() string {
	text := fmt.Sprintf("HTTP status %d %s", e.Code, http.StatusText(e.Code))
	if e.Text != "" {
		text += fmt.Sprintf(": %q", e.Text)
	}
	return text
}

// ErrSize means that an answer is larger than allowed.
var ErrSize = errors.New("answer is too large")

// exchange sends one request and reads the answer within the limits.
type exchange struct {
	http    *http.Client
	timeout time.Duration
	maxSize int64
}

func newExchange(rt http.RoundTripper, timeout time.Duration, maxSize int64) exchange {
	return exchange{
		http: &http.Client{
			Transport:     rt,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		timeout: timeout, maxSize: maxSize,
	}
}

// request is what exchange.do sends; a nil body makes it a GET.
type request struct {
	url            string
	body           []byte
	kind           string // media type of the body
	accept         string
	user, password string
}

func (x exchange) do(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if r.body != nil {
		method, body = http.MethodPost, bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url, body)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	if r.body != nil {
		req.Header.Set("Content-Type", r.kind)
	}
	req.Header.Set("Accept", r.accept)
	req.Header.Set("User-Agent", "absah")
	if r.user != "" {
		req.SetBasicAuth(r.user, r.password)
	}
	resp, err := x.http.Do(req)
	if err != nil {
		// url.Error repeats the whole URL, in which there may be a key.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &HTTPError{resp.StatusCode, statusText(resp)}
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, x.maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if int64(len(answer)) > x.maxSize {
		return nil, fmt.Errorf("%w: more than %d octets", ErrSize, x.maxSize)
	}
	return answer, nil
}

// statusText gives the first line of a plain text answer, which tells an operator
// more than its number.
func statusText(resp *http.Response) string {
	if kind := resp.Header.Get("Content-Type"); len(kind) < 10 || kind[:10] != "text/plain" {
		return ""
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 200))
	if err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	return string(bytes.ToValidUTF8(bytes.TrimSpace(line), []byte("?")))
}

// plain gives a URL without what may be secret in it.
func plain(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that is no URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
