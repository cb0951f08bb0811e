package smtp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"absah/internal/mail"
)

// Client sends messages to one server. It keeps a few connections open for
// the messages that follow. It is safe for concurrent use.
type Client struct {
	cfg   Config
	slots chan struct{} // one for each connection that may be open at a time

	mu     sync.Mutex
	idle   []*session
	closed bool
	// A failure that would meet every message, and until when it is not tried
	// whether it has passed.
	failure     *mail.SendError
	pausedUntil time.Time
}

var _ mail.Transport = (*Client)(nil)

// ErrClosed says that the client was closed.
var ErrClosed = errors.New("mail client is closed")

// New returns a client of the server that cfg names. It does not connect. The
// errors wrap ErrConfig.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, slots: make(chan struct{}, cfg.Connections)}, nil
}

// Send implements mail.Transport.
func (c *Client) Send(ctx context.Context, from, to string, raw []byte) (mail.Reply, error) {
	if err := checkMessage(from, to, raw); err != nil {
		return mail.Reply{}, &mail.SendError{Outcome: mail.Permanent, Stage: mail.StageMessage, Err: err}
	}
	release, err := c.acquire(ctx)
	if err != nil {
		return mail.Reply{}, err
	}
	defer release()

	s, err := c.take(ctx)
	if err != nil {
		return mail.Reply{}, err
	}
	reply, err := s.deliver(ctx, from, to, raw)
	c.give(s)
	c.note(err)
	return reply, err
}

// Probe connects, starts TLS and logs in as Send does, and sends nothing. It
// ignores a pause. The text says what the connection is like, for example
// "TLS 1.3, logged in".
func (c *Client) Probe(ctx context.Context) (string, error) {
	s, err := c.open(ctx)
	if err != nil {
		return "", err
	}
	defer s.quit()
	text := "not encrypted"
	if state, ok := s.smtp.TLSConnectionState(); ok {
		text = tlsName(state.Version)
	}
	if c.cfg.Username != "" {
		text += ", logged in"
	}
	return text, nil
}

// Close ends the idle connections. Messages under way are finished.
func (c *Client) Close() error {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, s := range idle {
		s.quit()
	}
	return nil
}

// acquire waits for a free slot, and fails at once during a pause.
func (c *Client) acquire(ctx context.Context) (release func(), err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a mail connection: %w", context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		err = &mail.SendError{Outcome: mail.Temporary, Stage: mail.StageConnect, Err: ErrClosed}
	case c.failure != nil && c.cfg.Now().Before(c.pausedUntil):
		again := *c.failure
		err = &again
	default:
		return func() { <-c.slots }, nil
	}
	<-c.slots
	return nil, err
}

// take returns a connection that is ready for a message: one that is open and
// still answers, or a new one.
func (c *Client) take(ctx context.Context) (*session, error) {
	for {
		c.mu.Lock()
		var s *session
		if n := len(c.idle); n > 0 {
			s, c.idle = c.idle[n-1], c.idle[:n-1]
		}
		c.mu.Unlock()
		if s == nil {
			break
		}
		if c.cfg.Now().Sub(s.idleSince) < c.cfg.Idle && s.reset(ctx) == nil {
			return s, nil
		}
		s.conn.Close()
	}
	s, err := c.open(ctx)
	c.note(err)
	return s, err
}

// give takes a connection back for the next message.
func (c *Client) give(s *session) {
	s.sent++
	s.idleSince = c.cfg.Now()
	c.mu.Lock()
	keep := !s.broken && !c.closed && s.sent < c.cfg.PerConnection
	if keep {
		c.idle = append(c.idle, s)
	}
	c.mu.Unlock()
	switch {
	case keep:
	case s.broken:
		s.conn.Close()
	default:
		s.quit()
	}
}

// note starts a pause after a failure that every message would meet, and ends
// it after anything else.
func (c *Client) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var se *mail.SendError
	if errors.As(err, &se) && se.Service() && c.cfg.Pause > 0 && !errors.Is(err, context.Canceled) {
		c.failure, c.pausedUntil = se, c.cfg.Now().Add(c.cfg.Pause)
		return
	}
	c.failure = nil
}

// Reasons why a message cannot be offered to any server.
var (
	ErrAddress = errors.New("not an address that SMTP can carry")
	ErrMessage = errors.New("not a message with CRLF lines")
)

// checkMessage refuses what could be taken for SMTP commands or end the
// message early.
func checkMessage(from, to string, raw []byte) error {
	for _, a := range []string{from, to} {
		if !printable(a) || strings.ContainsAny(a, "<>") || !strings.Contains(a, "@") || len(a) > 254 {
			return ErrAddress
		}
	}
	if len(raw) == 0 {
		return ErrMessage
	}
	for i, b := range raw {
		cr := i > 0 && raw[i-1] == '\r'
		if (b == '\n') != cr || b == 0 {
			return ErrMessage
		}
	}
	if raw[len(raw)-1] == '\r' {
		return ErrMessage
	}
	return nil
}
