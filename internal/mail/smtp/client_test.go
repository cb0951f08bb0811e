package smtp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"absah/internal/clock"
	"absah/internal/mail"
)

const (
	sender    = "no-reply@absah.example"
	recipient = "citra@instansi.example"
)

func message(id string) []byte {
	return []byte("Message-ID: <" + id + "@absah.example>\r\nSubject: Halo\r\n\r\nIsi.\r\n.\r\n..dua titik\r\n")
}

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	if cfg.Host == "" {
		cfg.Host = "127.0.0.1"
	}
	if cfg.Pause == 0 {
		cfg.Pause = -1
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// wantFailure asserts outcome, stage and code, and returns the error.
func wantFailure(t *testing.T, err error, outcome mail.Outcome, stage mail.Stage, code int) *mail.SendError {
	t.Helper()
	var se *mail.SendError
	if !errors.As(err, &se) {
		t.Fatalf("error %v is no SendError", err)
	}
	if se.Outcome != outcome || se.Stage != stage || se.Reply.Code != code {
		t.Fatalf("got %s at %s with %d, want %s at %s with %d (%v)", se.Outcome, se.Stage, se.Reply.Code, outcome, stage, code, err)
	}
	return se
}

func TestSendOverOneConnection(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, options{})
	c := newClient(t, Config{Port: s.port, Security: None, PerConnection: 3})
	for i := range 5 {
		reply, err := c.Send(t.Context(), sender, recipient, message(fmt.Sprint("m", i)))
		if err != nil {
			t.Fatal(err)
		}
		if reply.Code != 250 || reply.Text == "" {
			t.Errorf("reply = %+v, want 250 with words", reply)
		}
	}
	got := s.messages()
	if len(got) != 5 || got[4] != string(message("m4")) {
		t.Errorf("server has %d messages, last %q", len(got), got[len(got)-1])
	}
	if n := s.connections(); n != 2 {
		t.Errorf("%d connections for 5 messages at 3 per connection, want 2", n)
	}
	if s.froms[0] != sender || s.tos[0] != recipient {
		t.Errorf("envelope %q -> %q", s.froms[0], s.tos[0])
	}
}

func TestSendAgainAfterServerClosedIdleConnection(t *testing.T) {
	t.Parallel()
	var conns []*gosmtp.Conn
	s := &server{onData: func(c *gosmtp.Conn, _ string) error { conns = append(conns, c); return nil }}
	serve(t, s, options{})
	c := newClient(t, Config{Port: s.port, Security: None})
	if _, err := c.Send(t.Context(), sender, recipient, message("one")); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	conns[0].Close()
	s.mu.Unlock()
	if _, err := c.Send(t.Context(), sender, recipient, message("two")); err != nil {
		t.Fatal(err)
	}
	if n := len(s.messages()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

func TestIdleConnectionGrowsOld(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, options{})
	now := clock.NewFake(time.Date(2027, 5, 3, 7, 0, 0, 0, time.UTC))
	c := newClient(t, Config{Port: s.port, Security: None, Idle: time.Minute, Now: now.Now})
	for range 2 {
		if _, err := c.Send(t.Context(), sender, recipient, message("x")); err != nil {
			t.Fatal(err)
		}
		now.Advance(time.Minute)
	}
	if n := s.connections(); n != 2 {
		t.Errorf("%d connections, want a new one after the idle time", n)
	}
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	pool, tlsConfig := authority(t)
	otherPool, _ := authority(t)
	tests := []struct {
		name     string
		security Security
		server   options
		cfg      Config
		stage    mail.Stage // empty: accepted
		wantTLS  bool
	}{
		{"STARTTLS with own CA", StartTLS, options{tls: tlsConfig}, Config{RootCAs: pool}, "", true},
		{"STARTTLS with a strange CA", StartTLS, options{tls: tlsConfig}, Config{RootCAs: otherPool}, mail.StageTLS, false},
		{"STARTTLS not offered", StartTLS, options{}, Config{RootCAs: pool}, mail.StageTLS, false},
		{"opportunistic, offered", Opportunistic, options{tls: tlsConfig}, Config{RootCAs: pool}, "", true},
		{"opportunistic, a strange CA", Opportunistic, options{tls: tlsConfig}, Config{RootCAs: otherPool}, mail.StageTLS, false},
		{"opportunistic, not offered", Opportunistic, options{}, Config{}, "", false},
		{"TLS from the first byte", TLS, options{tls: tlsConfig, implicit: true}, Config{RootCAs: pool}, "", true},
		{"TLS with a strange CA", TLS, options{tls: tlsConfig, implicit: true}, Config{RootCAs: otherPool}, mail.StageTLS, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &server{}, tt.server)
			cfg := tt.cfg
			cfg.Port, cfg.Security = s.port, tt.security
			c := newClient(t, cfg)
			_, err := c.Send(t.Context(), sender, recipient, message("tls"))
			if tt.stage != "" {
				wantFailure(t, err, mail.Temporary, tt.stage, 0)
				if len(s.messages()) != 0 || len(s.froms) != 0 {
					t.Error("the server learnt of the message")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.tlsSeen != tt.wantTLS {
				t.Errorf("TLS = %v, want %v", s.tlsSeen, tt.wantTLS)
			}
			text, err := c.Probe(t.Context())
			if err != nil || strings.HasPrefix(text, "TLS 1.") != tt.wantTLS {
				t.Errorf("Probe = %q, %v", text, err)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	pool, tlsConfig := authority(t)
	tests := []struct {
		name     string
		offered  []string
		method   Method
		password string
		login    string // empty: fails
		code     int
	}{
		{"first of all", []string{"CRAM-MD5", "LOGIN", "PLAIN"}, Auto, "rahasia", "PLAIN", 0},
		{"LOGIN only", []string{"LOGIN"}, Auto, "rahasia", "LOGIN", 0},
		{"CRAM-MD5 only", []string{"CRAM-MD5"}, Auto, "rahasia", "CRAM-MD5", 0},
		{"CRAM-MD5 chosen", []string{"PLAIN", "CRAM-MD5"}, CRAMMD5, "rahasia", "CRAM-MD5", 0},
		{"chosen, not offered", []string{"LOGIN"}, Plain, "rahasia", "", 0},
		{"wrong password", []string{"PLAIN"}, Auto, "salah", "", 535},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &server{auth: tt.offered, password: "rahasia"}, options{tls: tlsConfig})
			c := newClient(t, Config{Port: s.port, RootCAs: pool, Username: "absah", Password: tt.password, Method: tt.method})
			_, err := c.Send(t.Context(), sender, recipient, message("auth"))
			if tt.login == "" {
				// Not the message's fault: it must stay in the queue.
				se := wantFailure(t, err, mail.Temporary, mail.StageAuth, tt.code)
				if !se.Service() {
					t.Error("a failed log-in is about the service")
				}
				if strings.Contains(err.Error(), tt.password) {
					t.Error("the error holds the password")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.login != tt.login {
				t.Errorf("logged in by %s, want %s", s.login, tt.login)
			}
			if text, err := c.Probe(t.Context()); err != nil || !strings.HasSuffix(text, "logged in") {
				t.Errorf("Probe = %q, %v", text, err)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	say := func(code int, text string) error {
		return &gosmtp.SMTPError{Code: code, EnhancedCode: gosmtp.EnhancedCode{code / 100, 7, 1}, Message: text}
	}
	rcpt := func(err error) *server { return &server{onRcpt: func(string) error { return err }} }
	data := func(err error) *server { return &server{onData: func(*gosmtp.Conn, string) error { return err }} }
	from := func(err error) *server { return &server{onMail: func(string) error { return err }} }
	tests := []struct {
		name    string
		server  *server
		outcome mail.Outcome
		stage   mail.Stage
		code    int
	}{
		{"greylisted", rcpt(say(451, "coba lagi nanti")), mail.Temporary, mail.StageRecipient, 451},
		{"no such user", rcpt(say(550, "no such user")), mail.Permanent, mail.StageRecipient, 550},
		{"must log in", rcpt(say(530, "authentication required")), mail.Temporary, mail.StageRecipient, 530},
		{"content refused", data(say(554, "looks like spam")), mail.Permanent, mail.StageData, 554},
		{"disk full", data(say(452, "insufficient storage")), mail.Temporary, mail.StageData, 452},
		{"sender refused", from(say(553, "not yours")), mail.Temporary, mail.StageSender, 553},
		{"too large", from(say(552, "too large")), mail.Permanent, mail.StageData, 552},
		{"going down", data(say(421, "shutting down")), mail.Temporary, mail.StageData, 421},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.server, options{})
			c := newClient(t, Config{Port: s.port, Security: None})
			_, err := c.Send(t.Context(), sender, recipient, message("a"))
			se := wantFailure(t, err, tt.outcome, tt.stage, tt.code)
			if !strings.Contains(se.Reply.Text, " ") {
				t.Errorf("the server's words are lost: %q", se.Reply.Text)
			}
			// The connection serves the next message unless the server ends it.
			s.mu.Lock()
			s.onRcpt, s.onData, s.onMail = nil, nil, nil
			s.mu.Unlock()
			if _, err := c.Send(t.Context(), sender, recipient, message("b")); err != nil {
				t.Errorf("next message: %v", err)
			}
			want := 1
			if tt.code == 421 {
				want = 2
			}
			if n := s.connections(); n != want {
				t.Errorf("%d connections, want %d", n, want)
			}
		})
	}
}

func TestSizeLimitKnownBeforehand(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, options{maxBytes: 1000})
	c := newClient(t, Config{Port: s.port, Security: None})
	big := append(message("big"), strings.Repeat("x\r\n", 500)...)
	_, err := c.Send(t.Context(), sender, recipient, big)
	wantFailure(t, err, mail.Permanent, mail.StageData, 0)
}

// A connection that breaks after the final dot leaves the outcome open; the
// repetition bears the same Message-ID.
func TestLostAnswerIsUnknownAndRepeatsTheMessageID(t *testing.T) {
	t.Parallel()
	first := true
	s := &server{}
	s.onData = func(c *gosmtp.Conn, msg string) error {
		if first {
			first = false
			s.got = append(s.got, msg) // taken, but the answer never arrives
			c.Conn().Close()
			return errors.New("gone")
		}
		return nil
	}
	serve(t, s, options{})
	c := newClient(t, Config{Port: s.port, Security: None})
	raw := message("stable")
	_, err := c.Send(t.Context(), sender, recipient, raw)
	se := wantFailure(t, err, mail.Unknown, mail.StageData, 0)
	if wait, giveUp := mail.NextTry(1, 0, se); giveUp || wait <= 0 {
		t.Errorf("NextTry = %v, %v: must be repeated", wait, giveUp)
	}
	if _, err := c.Send(t.Context(), sender, recipient, raw); err != nil {
		t.Fatal(err)
	}
	got := s.messages()
	if len(got) != 2 || got[0] != got[1] || !strings.Contains(got[0], "<stable@absah.example>") {
		t.Errorf("the two copies differ or are not two: %q", got)
	}
}

func TestUnreachableServerPausesTheOthers(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	refuse, calls := true, 0
	port := speak(t, func(c net.Conn) {
		mu.Lock()
		calls++
		r := refuse
		mu.Unlock()
		if r {
			fmt.Fprint(c, "421 maintenance\r\n")
			return
		}
		in := bufio.NewReader(c)
		fmt.Fprint(c, "220 hi\r\n")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch {
			case strings.HasPrefix(line, "DATA"):
				fmt.Fprint(c, "354 go\r\n")
				for line != ".\r\n" {
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				fmt.Fprint(c, "250 taken\r\n")
			default:
				fmt.Fprint(c, "250 ok\r\n")
			}
		}
	})
	now := clock.NewFake(time.Date(2027, 5, 3, 7, 0, 0, 0, time.UTC))
	c := newClient(t, Config{Port: port, Security: None, Pause: 5 * time.Second, Now: now.Now})
	for range 10 {
		_, err := c.Send(t.Context(), sender, recipient, message("p"))
		wantFailure(t, err, mail.Temporary, mail.StageConnect, 421)
	}
	mu.Lock()
	if calls != 1 {
		t.Errorf("%d connections during the pause, want 1", calls)
	}
	refuse = false
	mu.Unlock()
	now.Advance(5 * time.Second)
	if reply, err := c.Send(t.Context(), sender, recipient, message("p")); err != nil || reply.Text != "taken" {
		t.Errorf("after the pause: %+v, %v", reply, err)
	}
}

func TestCancelledContext(t *testing.T) {
	t.Parallel()
	port := speak(t, func(c net.Conn) { c.Read(make([]byte, 1)) })
	c := newClient(t, Config{Port: port, Security: None, Connections: 1, Pause: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Send(ctx, sender, recipient, message("c")); mail.OutcomeOf(err) != mail.Temporary {
		t.Errorf("error = %v", err)
	}
	if _, err := c.Send(ctx, sender, recipient, message("c")); !errors.Is(err, context.DeadlineExceeded) && mail.OutcomeOf(err) != mail.Temporary {
		t.Errorf("error = %v", err)
	}
}

func TestManySendersShareFewConnections(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, options{})
	c := newClient(t, Config{Port: s.port, Security: None, Connections: 2})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if _, err := c.Send(t.Context(), sender, recipient, message(fmt.Sprint("n", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.connections(); n > 2 {
		t.Errorf("%d connections, want at most 2", n)
	}
	if n := len(s.messages()); n != 40 {
		t.Errorf("%d messages, want 40", n)
	}
}

func TestRefusesWhatCouldBecomeACommand(t *testing.T) {
	t.Parallel()
	c := newClient(t, Config{Port: 1, Security: None})
	good := message("g")
	tests := []struct {
		name, from, to string
		raw            []byte
		want           error
	}{
		{"line break in the recipient", sender, "a@b.example>\r\nRCPT TO:<c@d.example", good, ErrAddress},
		{"space in the recipient", sender, "a b@c.example", good, ErrAddress},
		{"angle bracket", sender, "a>@c.example", good, ErrAddress},
		{"not ASCII", sender, "é@c.example", good, ErrAddress},
		{"no domain", "absah", recipient, good, ErrAddress},
		{"too long", sender, strings.Repeat("a", 250) + "@c.example", good, ErrAddress},
		{"empty", sender, recipient, nil, ErrMessage},
		{"bare LF", sender, recipient, []byte("a: b\n\n"), ErrMessage},
		{"bare CR", sender, recipient, []byte("a: b\r\r\n"), ErrMessage},
		{"CR at the end", sender, recipient, []byte("a: b\r\n\r"), ErrMessage},
		{"NUL", sender, recipient, []byte("a: \x00\r\n\r\n"), ErrMessage},
		{"smuggled end", sender, recipient, []byte("a: b\r\n\r\nx\n.\nMAIL\r\n"), ErrMessage},
	}
	for _, tt := range tests {
		_, err := c.Send(t.Context(), tt.from, tt.to, tt.raw)
		wantFailure(t, err, mail.Permanent, mail.StageMessage, 0)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestClosedClient(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, options{})
	c := newClient(t, Config{Port: s.port, Security: None})
	c.Close()
	if _, err := c.Send(t.Context(), sender, recipient, message("z")); !errors.Is(err, ErrClosed) {
		t.Errorf("error = %v, want ErrClosed", err)
	}
}
