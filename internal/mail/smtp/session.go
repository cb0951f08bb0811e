package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"absah/internal/mail"
)

// maxReply bounds the bytes read from the server for one message, so that a
// reply without an end cannot fill the memory.
const maxReply = 256 << 10

// errTalkative is the failure of a server that sends more than maxReply.
var errTalkative = errors.New("the server's answer has no end")

// session is one connection after greeting, TLS and log-in.
type session struct {
	cfg       *Config
	conn      *boundedConn
	smtp      *gosmtp.Client
	sent      int
	idleSince time.Time
	broken    bool // the connection must not be used again
}

// open connects, starts TLS and logs in. A failure here is never a message's
// fault, whatever code the server uses: it is Temporary, so that a wrong
// password or a lapsed certificate holds the mail back but loses none.
func (c *Client) open(ctx context.Context) (*session, error) {
	dialCtx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	addr := net.JoinHostPort(c.cfg.Host, strconv.Itoa(c.cfg.Port))
	raw, err := (&net.Dialer{}).DialContext(dialCtx, "tcp", addr)
	if err != nil {
		return nil, failure(mail.Temporary, mail.StageConnect, err)
	}
	conn := &boundedConn{Conn: raw, left: maxReply}
	s := &session{cfg: &c.cfg, conn: conn}
	stop := s.begin(ctx)
	defer stop()
	if err := s.start(); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) start() error {
	cfg := s.cfg
	tlsConfig := &tls.Config{ServerName: cfg.Host, RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
	var conn net.Conn = s.conn
	if cfg.Security == TLS {
		tc := tls.Client(s.conn, tlsConfig)
		if err := tc.Handshake(); err != nil {
			return failure(mail.Temporary, mail.StageTLS, err)
		}
		conn = tc
	}
	var err error
	if s.smtp, err = gosmtp.NewClient(conn, cfg.Host); err != nil {
		return failure(mail.Temporary, mail.StageConnect, err)
	}
	s.smtp.SkipSMTPUTF8(true) // addresses are ASCII, so every server will do
	if err := s.smtp.Hello(cfg.HelloName); err != nil {
		return failure(mail.Temporary, mail.StageConnect, err)
	}
	if cfg.Security == StartTLS || cfg.Security == Opportunistic {
		offered, _ := s.smtp.Extension("STARTTLS")
		switch {
		case offered:
			if err := s.smtp.StartTLS(tlsConfig); err != nil {
				return failure(mail.Temporary, mail.StageTLS, err)
			}
		case cfg.Security == StartTLS:
			return failure(mail.Temporary, mail.StageTLS, errors.New("the server does not offer STARTTLS"))
		}
	}
	if cfg.Username == "" {
		return nil
	}
	auth, err := s.auth()
	if err == nil {
		err = s.smtp.Auth(auth)
	}
	if err != nil {
		return failure(mail.Temporary, mail.StageAuth, err)
	}
	return nil
}

// auth chooses how to log in. The password is never sent where it could be
// overheard, unless the configuration says so.
func (s *session) auth() (gosmtp.Auth, error) {
	cfg := s.cfg
	_, encrypted := s.smtp.TLSConnectionState()
	clear := encrypted || cfg.InsecureAuth || cfg.private()
	_, param := s.smtp.Extension("AUTH")
	offered := strings.Fields(strings.ToLower(param))
	for _, m := range []Method{Plain, Login, CRAMMD5} {
		if cfg.Method != Auto && cfg.Method != m {
			continue
		}
		if !slices.Contains(offered, string(m)) || (m != CRAMMD5 && !clear) {
			continue
		}
		switch m {
		case Plain:
			return gosmtp.PlainAuth("", cfg.Username, cfg.Password, cfg.Host, true), nil
		case Login:
			return gosmtp.LoginAuth(cfg.Username, cfg.Password, cfg.Host, true), nil
		default:
			return gosmtp.CRAMMD5Auth(cfg.Username, cfg.Password), nil
		}
	}
	if !clear {
		return nil, errors.New("the connection is not encrypted and the server offers no log-in that keeps the password secret")
	}
	return nil, fmt.Errorf("the server does not offer the log-in method %q", cfg.Method)
}

// begin sets the time limit of an attempt and ties the connection to ctx. The
// real clock is meant: the network knows no other.
func (s *session) begin(ctx context.Context) (stop func()) {
	s.conn.left = maxReply
	_ = s.conn.SetDeadline(time.Now().Add(s.cfg.Timeout)) // a dead connection fails at its next use
	cancel := context.AfterFunc(ctx, func() { s.conn.Close() })
	return func() {
		if !cancel() {
			s.broken = true // the context closed the connection
		}
	}
}

// reset makes the session ready for another message, and fails when the server
// has gone meanwhile.
func (s *session) reset(ctx context.Context) error {
	stop := s.begin(ctx)
	defer stop()
	return s.smtp.Reset()
}

// quit says good-bye and closes; nobody waits long for the answer.
func (s *session) quit() {
	s.conn.left = maxReply
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	_ = s.smtp.Quit() // the messages are safe; a rude end harms nothing
	s.conn.Close()
}

// deliver offers one message.
func (s *session) deliver(ctx context.Context, from, to string, raw []byte) (mail.Reply, error) {
	stop := s.begin(ctx)
	defer stop()

	if ok, param := s.smtp.Extension("SIZE"); ok {
		if limit, err := strconv.ParseInt(param, 10, 64); err == nil && limit > 0 && int64(len(raw)) > limit {
			return mail.Reply{}, failure(mail.Permanent, mail.StageData,
				fmt.Errorf("the message has %d bytes, the server takes %d", len(raw), limit))
		}
	}
	if err := s.smtp.Mail("<" + from + ">"); err != nil {
		return s.refused(mail.StageSender, err)
	}
	if err := s.smtp.Rcpt("<" + to + ">"); err != nil {
		return s.refused(mail.StageRecipient, err)
	}
	w, err := s.smtp.Data()
	if err != nil {
		return s.refused(mail.StageData, err)
	}
	// Until the final dot has left, the server cannot have accepted anything.
	if _, err := w.Write(raw); err != nil {
		return s.refused(mail.StageData, err)
	}
	if err := w.Close(); err != nil {
		return s.answered(err)
	}
	reply := mail.Reply{Code: 250}
	if d, ok := w.(*gosmtp.DataCloser); ok {
		reply.Text = mail.Words(d.ServerResponse())
	}
	return reply, nil
}

// refused is a failure before the message was complete.
func (s *session) refused(stage mail.Stage, err error) (mail.Reply, error) {
	var pe *textproto.Error
	if !errors.As(err, &pe) {
		s.broken = true
		return mail.Reply{}, failure(mail.Temporary, stage, err)
	}
	outcome := mail.Temporary
	switch {
	case pe.Code == 530: // authentication required (RFC 4954 6): ours to mend
	case pe.Code == 552: // too large, said at any stage (RFC 1870 6)
		outcome, stage = mail.Permanent, mail.StageData
	case stage == mail.StageSender:
		// The sender is the same for all mail. Its refusal is a fault of the
		// set-up, and must not throw away a whole queue.
	case pe.Code >= 500 && pe.Code < 600:
		outcome = mail.Permanent
	}
	s.broken = pe.Code == 421
	return mail.Reply{}, failure(outcome, stage, err)
}

// answered is a failure after the final dot: only an answer of the server
// tells that the message was not accepted.
func (s *session) answered(err error) (mail.Reply, error) {
	var pe *textproto.Error
	if !errors.As(err, &pe) {
		s.broken = true
		return mail.Reply{}, failure(mail.Unknown, mail.StageData, err)
	}
	s.broken = pe.Code == 421
	outcome := mail.Unknown
	switch {
	case pe.Code >= 200 && pe.Code < 300: // an unusual way to say yes
		return mail.Reply{Code: pe.Code, Text: mail.Words(pe.Msg)}, nil
	case pe.Code >= 400 && pe.Code < 500:
		outcome = mail.Temporary
	case pe.Code >= 500 && pe.Code < 600:
		outcome = mail.Permanent
	default:
		s.broken = true
	}
	return mail.Reply{}, failure(outcome, mail.StageData, err)
}

// failure makes a SendError and keeps the server's words, if err has any.
func failure(outcome mail.Outcome, stage mail.Stage, err error) *mail.SendError {
	se := &mail.SendError{Outcome: outcome, Stage: stage, Err: err}
	var pe *textproto.Error
	if errors.As(err, &pe) {
		se.Reply = mail.Reply{Code: pe.Code, Text: mail.Words(pe.Msg)}
		se.Err = nil // its text would repeat the words uncleaned
		return se
	}
	se.Reply.Text = mail.Words(err.Error())
	return se
}

// boundedConn ends a connection that sends more than it should.
type boundedConn struct {
	net.Conn
	left int
}

// Read implements net.Conn.
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTalkative
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// tlsName is "TLS 1.3" and so on.
func tlsName(version uint16) string { return tls.VersionName(version) }
