// Package mailbox is the mail server of the demonstration: it takes all mail
// that the program sends and keeps it in files, so that a fresh installation
// shows its outgoing mail without anybody's mail system. It listens on the
// loopback address only, because what it keeps opens accounts.
package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"absah/internal/clock"
	"absah/internal/durable"
	"absah/internal/ident"
)

// Keep is the number of messages that are kept; older ones are deleted.
const Keep = 500

// MaxBytes is the size of the largest message that is taken.
const MaxBytes = 16 << 20

// maxRecipients bounds the recipients of one message.
const maxRecipients = 16

const suffix = ".eml"

var (
	// ErrNotLoopback says that the address is not one of this machine only.
	ErrNotLoopback = errors.New("the demo mailbox listens on a loopback address only")
	// ErrNotFound says that there is no such message (any more).
	ErrNotFound = errors.New("no such message in the mailbox")
)

// Server takes mail by SMTP. It is safe for concurrent use.
type Server struct {
	dir      string
	now      clock.Clock
	listener net.Listener
	smtp     *gosmtp.Server
	done     chan struct{}

	mu   sync.Mutex // orders deliveries
	last int64      // time in the newest name, microseconds
}

// Open makes dir if it is missing and listens on addr, for example
// "127.0.0.1:0". It returns when the server takes mail.
func Open(dir, addr string, now clock.Clock) (*Server, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("open mailbox at %s: %w", addr, ErrNotLoopback)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	s := &Server{dir: dir, now: now, done: make(chan struct{})}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	if s.listener, err = net.Listen("tcp", addr); err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	s.smtp = gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) {
		return &session{server: s}, nil
	}))
	s.smtp.Domain = "localhost"
	s.smtp.MaxMessageBytes = MaxBytes
	s.smtp.MaxRecipients = maxRecipients
	s.smtp.ReadTimeout = time.Minute
	s.smtp.WriteTimeout = time.Minute
	s.smtp.ErrorLog = log.New(io.Discard, "", 0) // it would hold addresses
	go func() {
		defer close(s.done)
		_ = s.smtp.Serve(s.listener) // ends when Close closes the listener
	}()
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() *net.TCPAddr { return s.listener.Addr().(*net.TCPAddr) }

// Close stops the server. The messages stay.
func (s *Server) Close() error {
	_ = s.smtp.Close() // reports the listener closed below as an error, or the reverse
	_ = s.listener.Close()
	<-s.done
	return nil
}

// session is one SMTP connection.
type session struct {
	server *Server
	from   string
	to     []string
}

// Mail implements smtp.Session.
func (c *session) Mail(from string, _ *gosmtp.MailOptions) error {
	c.from, c.to = from, nil
	return nil
}

// Rcpt implements smtp.Session.
func (c *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	c.to = append(c.to, to)
	return nil
}

// Data implements smtp.Session. It returns, and the client reads 250, when the
// message is on the disk.
func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // of the connection or its limits; go-smtp knows the code
	}
	if err := c.server.deliver(c.from, c.to, raw); err != nil {
		return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "cannot store the message"}
	}
	return nil
}

// Reset implements smtp.Session.
func (c *session) Reset() { c.from, c.to = "", nil }

// Logout implements smtp.Session.
func (c *session) Logout() error { return nil }

// deliver stores one message durably and makes room.
func (s *Server) deliver(from string, to []string, raw []byte) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\n", oneLine(from))
	for _, a := range to {
		fmt.Fprintf(&b, "Delivered-To: %s\r\n", oneLine(a))
	}
	b.Write(raw)

	s.mu.Lock()
	defer s.mu.Unlock()
	// Names sort by time; two messages of one microsecond keep their order.
	s.last = max(s.last+1, clock.Micros(s.now()))
	name := fmt.Sprintf("%017d-%s", s.last, ident.New())
	if err := s.write(name, b.Bytes()); err != nil {
		return err
	}
	return s.prune()
}

// write makes the file name.eml with data, whole or not at all, on the disk.
func (s *Server) write(name string, data []byte) error {
	if err := durable.Create(filepath.Join(s.dir, name+suffix), data, 0o600); err != nil {
		return fmt.Errorf("store message: %w", err)
	}
	return nil
}

// names are the messages, newest first.
func (s *Server) names() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list mailbox: %w", err)
	}
	var names []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), suffix); ok && validID(id) {
			names = append(names, id)
		}
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names, nil
}

// prune deletes all but the newest messages.
func (s *Server) prune() error {
	names, err := s.names()
	if err != nil {
		return err
	}
	for _, n := range names[min(len(names), Keep):] {
		if err := os.Remove(filepath.Join(s.dir, n+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("prune mailbox: %w", err)
		}
	}
	return nil
}

// sweep removes what a crash left half written, and finds the newest name.
func (s *Server) sweep() error {
	left, err := filepath.Glob(filepath.Join(s.dir, ".new-*"))
	if err != nil {
		return err
	}
	for _, f := range left {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	names, err := s.names()
	if err != nil {
		return err
	}
	if len(names) > 0 {
		s.last, err = strconv.ParseInt(names[0][:timeDigits], 10, 64)
	}
	return err
}

// timeDigits is the length of the time in a name.
const timeDigits = 17

// validID reports whether id has the form of a message's name. Nothing else
// reaches the file system.
func validID(id string) bool {
	return len(id) == timeDigits+1+ident.Len && id[timeDigits] == '-' &&
		strings.Trim(id[:timeDigits], "0123456789") == "" && ident.Valid(id[timeDigits+1:])
}

// oneLine keeps an address from starting another header line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
