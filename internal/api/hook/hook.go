// Package hook sends webhooks: the one door that opens connections to where
// applications say. An application may say anything, so an address is looked at when
// it is connected to and not before: after its name was resolved, on every
// connection, so that no name can stand for one address when it is looked at and for
// another when it is used (security V1).
package hook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"absah/internal/webhook"
	"absah/pades/fetch"
)

// Options are what the operator decides.
type Options struct {
	// Networks that are not of the public Internet and may be gone to all the same,
	// on any port. Public addresses may be gone to on the ports 80 and 443.
	Networks []netip.Prefix
	// CAFile is a PEM file with authorities that are believed beside those that the
	// system knows.
	CAFile   string
	Timeout  time.Duration // of one request with its answer; 0: webhook.DefaultTimeout
	Resolver *net.Resolver // nil: the system's
}

// ErrAddress says that an address may not be gone to.
var ErrAddress = errors.New("the address is not one that may be gone to")

// Sender implements webhook.Sender. It is safe for concurrent use.
type Sender struct {
	http    *http.Client
	timeout time.Duration
}

// maxRead is how much of an answer is read at most, so that the connection can be
// used again.
const maxRead = 16 << 10

// New makes a sender. It fails when the CAFile cannot be read.
func New(o Options) (*Sender, error) {
	if o.Timeout <= 0 {
		o.Timeout = webhook.DefaultTimeout
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read authorities of webhooks: %w", err)
		}
		if conf.RootCAs, err = x509.SystemCertPool(); err != nil {
			conf.RootCAs = x509.NewCertPool()
		}
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read authorities of webhooks: no certificate in %s", o.CAFile)
		}
	}
	dialer := &net.Dialer{Timeout: o.Timeout, Resolver: o.Resolver, Control: func(_, address string, _ syscall.RawConn) error {
		return check(address, o.Networks)
	}}
	return &Sender{timeout: o.Timeout, http: &http.Client{
		// Nothing is taken from the environment: a proxy would resolve names itself.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: conf, TLSHandshakeTimeout: o.Timeout, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// check fails with ErrAddress.
func check(address string, networks []netip.Prefix) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrAddress
	}
	a := ap.Addr().Unmap()
	if slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	if !fetch.Public(a) {
		return fmt.Errorf("%w: %s is not of the public Internet", ErrAddress, a)
	}
	if ap.Port() != 80 && ap.Port() != 443 {
		return fmt.Errorf("%w: port %d", ErrAddress, ap.Port())
	}
	return nil
}

// Send implements webhook.Sender.
func (s *Sender) Send(ctx context.Context, m webhook.Message) (webhook.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return webhook.Answer{}, &webhook.Failure{Cause: webhook.CauseOther, Err: errors.New("not an address")}
	}
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "*/*")
	h.Set("User-Agent", "absah-webhook")
	h.Set("webhook-id", m.ID)
	h.Set("webhook-timestamp", strconv.FormatInt(m.Timestamp, 10))
	h.Set("webhook-signature", m.Signature)
	resp, err := s.http.Do(req)
	if err != nil {
		return webhook.Answer{}, failure(err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing more is wanted of it
	a := webhook.Answer{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	// The answer counts with its head; a body that does not come changes nothing.
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRead))
	a.Text = string(text)
	return a, nil
}

// retryAfter reads the header in seconds; a date is as good as none.
func retryAfter(value string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 7*24*3600)) * time.Second
}

// failure says why there was no answer, without the address that was gone to.
func failure(err error) *webhook.Failure {
	var named *net.DNSError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var wrong net.Error
	f := &webhook.Failure{Cause: webhook.CauseOther, Err: err}
	switch {
	case errors.Is(err, ErrAddress):
		f.Cause = webhook.CauseAddress
	case errors.As(err, &named):
		f.Cause = webhook.CauseName
	case errors.As(err, &verification), errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		f.Cause = webhook.CauseTLS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &wrong) && wrong.Timeout():
		f.Cause = webhook.CauseTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, io.EOF):
		f.Cause = webhook.CauseConnect
	}
	var u interface{ Unwrap() error }
	switch {
	case named != nil: // without the name server of ours that was asked
		f.Err = fmt.Errorf("%s: %s", named.Name, named.Err)
	case errors.As(err, &u): // url.Error repeats the whole address, in which there may be a key
		f.Err = u.Unwrap()
	}
	return f
}
