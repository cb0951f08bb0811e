package killtest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// sink is the mail server of the test. It outlives every kill, counts what it
// accepted by Message-ID, and puts the links that it finds where the driver's
// people look for them.
type sink struct {
	dir  string
	port int
	mu   sync.Mutex
	got  map[string]int // by Message-ID
}

func openSink(t *testing.T, dir string) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{dir: dir, port: l.Addr().(*net.TCPAddr).Port, got: map[string]int{}}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{sink: s}, nil }))
	srv.Domain = "localhost"
	srv.ErrorLog = log.New(io.Discard, "", 0) // every kill breaks connections
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close(); <-served })
	return s
}

type delivery struct {
	sink *sink
	to   string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error      { d.to = ""; return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error { d.to = to; return nil }
func (d *delivery) Reset()                                    { d.to = "" }
func (d *delivery) Logout() error                             { return nil }

func (d *delivery) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // the sender was killed; nothing was accepted
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("not a message: %w", err)
	}
	text, err := plain(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	if err != nil {
		return err
	}
	d.sink.mu.Lock()
	defer d.sink.mu.Unlock()
	d.sink.got[m.Header.Get("Message-Id")]++
	if found := linkInMail.FindStringSubmatch(text); found != nil {
		return d.sink.deliver(d.to, found[1])
	}
	return nil
}

var linkInMail = regexp.MustCompile(`/email/user/enroll/([0-9a-f]{32})`)

func (s *sink) deliver(to, token string) error {
	f, err := os.OpenFile(mailboxPath(s.dir, to), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, token)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func mailboxPath(dir, to string) string { return filepath.Join(dir, "mail-"+strings.ToLower(to)) }

// linksIn are the links that somebody has received, the newest first.
func linksIn(dir, to string) []string {
	b, err := os.ReadFile(mailboxPath(dir, to))
	if err != nil {
		return nil // no mail yet
	}
	lines := strings.Fields(string(b))
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return lines[:min(len(lines), 4)]
}

// plain collects the readable text of a message, part by part.
func plain(contentType, encoding string, body io.Reader) (string, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", fmt.Errorf("content type: %w", err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		var all strings.Builder
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return all.String(), nil
			}
			if err != nil {
				return "", fmt.Errorf("part: %w", err)
			}
			text, err := plain(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
			if err != nil {
				return "", err
			}
			all.WriteString(text)
		}
	}
	if !strings.HasPrefix(kind, "text/") {
		return "", nil
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, err := io.ReadAll(body)
	return string(b), err
}
