package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net"
	stdmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/mail/smtp"
	"absah/internal/outbox"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// post is an SMTP server whose answers the test decides.
type post struct {
	srv  *gosmtp.Server
	port int

	mu     sync.Mutex
	got    []string             // every message whose DATA was read to its end, accepted or not
	to     []string             // recipient of each
	answer func(n int) error    // to message number n, from 1
	before func(c *gosmtp.Conn) // runs before the answer
}

func (p *post) NewSession(c *gosmtp.Conn) (gosmtp.Session, error) { return &session{p: p, c: c}, nil }

type session struct {
	p  *post
	c  *gosmtp.Conn
	to string
}

func (*session) Reset()                                        {}
func (*session) Logout() error                                 { return nil }
func (*session) Mail(string, *gosmtp.MailOptions) error        { return nil }
func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error { s.to = to; return nil }

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.got, s.p.to = append(s.p.got, string(b)), append(s.p.to, s.to)
	if s.p.before != nil {
		s.p.before(s.c)
	}
	if s.p.answer != nil {
		return s.p.answer(len(s.p.got))
	}
	return nil
}

// messages parses what arrived.
func (p *post) messages(t *testing.T) []*stdmail.Message {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*stdmail.Message
	for _, raw := range p.got {
		m, err := stdmail.ReadMessage(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// rig is an outbox with a server at its end.
type rig struct {
	*outbox.Outbox
	t        *testing.T
	post     *post
	clock    *clock.Fake
	employee string
}

func newRig(t *testing.T, s *store.Store) *rig {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	must(t, err)
	renderer, err := mail.NewRenderer(mail.DemoIdentity("https://absah.example"), nil)
	must(t, err)
	x := &rig{t: t, clock: clock.NewFake(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)), post: &post{}}
	x.post.srv = gosmtp.NewServer(x.post)
	x.post.srv.ErrorLog = discard{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	x.post.port = l.Addr().(*net.TCPAddr).Port
	go func() { _ = x.post.srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = x.post.srv.Close() })
	client, err := smtp.New(smtp.Config{Host: "127.0.0.1", Port: x.post.port, Security: smtp.None})
	must(t, err)
	t.Cleanup(func() { _ = client.Close() }) // the server may be gone
	x.Outbox = &outbox.Outbox{
		Store: s, Vault: vault, Clock: x.clock.Now, Log: slog.New(slog.DiscardHandler), Renderer: renderer, Transport: client,
	}
	x.employee = ident.New()
	unit := ident.New()
	must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: unit, Code: "C", Name: "Unit Contoh", CreatedAt: 1}); err != nil {
			return err
		}
		return tx.InsertEmployee(t.Context(), db.InsertEmployeeParams{
			ID: x.employee, Nip: "199001012015011901", Name: "Andi Contoh", UnitID: unit, Email: "andi@contoh.example",
			TimeZone: "WIB", Locale: "id", Active: true, CreatedAt: 1,
		})
	}))
	return x
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const token = "8f14e45fceea167a5a36dedd4bea2543"

func (x *rig) link() mail.Params {
	return mail.EnrolLink{Token: token, Purpose: mail.PurposeFirst, Expires: x.clock.Now().Add(72 * time.Hour), AskedBy: "Dewi Petugas Contoh"}
}

func (x *rig) received() mail.Params {
	return mail.RegistrationReceived{Reference: "DS-2026-CONTOH", SubmittedAt: x.clock.Now(), Page: "/ds"}
}

// queue leaves a mail to the employee.
func (x *rig) queue(p mail.Params) string {
	x.t.Helper()
	var id string
	must(x.t, x.Store.InTx(x.t.Context(), func(tx *store.Tx) (err error) {
		to := mail.Recipient{Name: "Andi Contoh", Email: "andi@contoh.example", Lang: "id", Zone: "WIB"}
		id, err = x.Queue(x.t.Context(), tx, mail.Message{To: to, Params: p}, outbox.About{EmployeeID: x.employee})
		return err
	}))
	return id
}

func (x *rig) deliver(id string) {
	x.t.Helper()
	must(x.t, x.Deliver(x.t.Context(), id))
}

func (x *rig) row(id string) db.Mail {
	x.t.Helper()
	m, err := x.Store.Read().GetMail(x.t.Context(), id)
	must(x.t, err)
	return m
}

// is checks where a mail stands and the outcomes of its attempts in order; ""
// is an attempt of which nobody knows how it ended.
func (x *rig) is(id, state, reply string, outcomes ...string) db.Mail {
	x.t.Helper()
	m := x.row(id)
	attempts, err := x.Store.Read().MailAttempts(x.t.Context(), id)
	must(x.t, err)
	var got []string
	for i, a := range attempts {
		got = append(got, a.Outcome)
		if a.Number != int64(i+1) || a.StartedAt == 0 || (a.Outcome == "") != (a.FinishedAt == 0) {
			x.t.Errorf("attempt %d: %+v", i+1, a)
		}
	}
	if m.State != state || !strings.Contains(m.Reply, reply) || strings.Join(got, ",") != strings.Join(outcomes, ",") || int(m.Attempts) != len(outcomes) {
		x.t.Errorf("the mail is %s with %q after %d attempts %q, want %s, %q, %q", m.State, m.Reply, m.Attempts, got, state, reply, outcomes)
	}
	if (m.FinishedAt == 0) != (state == outbox.Queued) {
		x.t.Errorf("a mail that is %s was finished at %d", state, m.FinishedAt)
	}
	return m
}

func each(t *testing.T, f func(t *testing.T, x *rig)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { f(t, newRig(t, s)) })
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		var told []string
		x.Notify = func(employee, _ string) { told = append(told, employee) }
		link, plain := x.queue(x.link()), x.queue(x.received())
		if m := x.is(link, outbox.Queued, ""); len(m.ParamsSealed) == 0 || strings.Contains(string(m.ParamsSealed), token) {
			t.Error("what waits is not sealed")
		}
		x.deliver(link)
		x.deliver(plain)
		if m := x.is(link, outbox.Sent, "250", "sent"); len(m.ParamsSealed) != 0 || m.NextTryAt != 0 {
			t.Error("the link is kept after it was sent")
		}
		if m := x.is(plain, outbox.Sent, "250", "sent"); len(m.ParamsSealed) == 0 {
			t.Error("a mail without a secret cannot be sent again")
		}
		x.deliver(link) // the job runs once more
		got := x.post.messages(t)
		if len(got) != 2 || !strings.Contains(x.post.got[0], token) || x.post.to[0] != "andi@contoh.example" {
			t.Errorf("%d messages arrived", len(got))
		}
		if got[0].Header.Get("Message-ID") != x.row(link).MessageID {
			t.Errorf("Message-ID %q", got[0].Header.Get("Message-ID"))
		}
		if strings.Join(told, ",") != x.employee+","+x.employee {
			t.Errorf("told: %v", told)
		}
	})
}

func TestServerAsksToWait(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		x.post.answer = func(n int) error {
			if n == 1 {
				return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 7, 1}, Message: "Greylisted, come back later"}
			}
			return nil
		}
		id := x.queue(x.link())
		x.deliver(id)
		m := x.is(id, outbox.Queued, "451 4.7.1 Greylisted, come back later", "temporary")
		if next := clock.FromMicros(m.NextTryAt); !next.After(x.clock.Now()) || next.After(x.clock.Now().Add(5*time.Minute)) {
			t.Errorf("the next try is at %s", next)
		}
		if len(m.ParamsSealed) == 0 {
			t.Fatal("what the mail is made of is gone")
		}
		x.clock.Advance(2 * time.Minute)
		x.deliver(id)
		x.is(id, outbox.Sent, "250", "temporary", "sent")
		same(t, x.post.messages(t))
	})
}

// same checks that all messages are one: Message-ID, date and subject.
func same(t *testing.T, got []*stdmail.Message) {
	t.Helper()
	if len(got) < 2 {
		t.Fatalf("%d messages arrived", len(got))
	}
	for _, h := range []string{"Message-ID", "Date", "Subject", "To"} {
		if a, b := got[0].Header.Get(h), got[len(got)-1].Header.Get(h); a == "" || a != b {
			t.Errorf("%s is %q and then %q", h, a, b)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		x.post.answer = func(int) error {
			return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "No such user here"}
		}
		id := x.queue(x.link())
		x.deliver(id)
		if m := x.is(id, outbox.Refused, "550 5.1.1 No such user here", "permanent"); len(m.ParamsSealed) != 0 {
			t.Error("a link that went nowhere is kept")
		}
		x.clock.Advance(time.Hour)
		x.deliver(id)
		x.is(id, outbox.Refused, "550", "permanent")
	})
}

// The connection ends after DATA and before the answer: nobody knows whether
// the server took the mail. It is sent again, and shows that it is the same.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		x.post.before = func(c *gosmtp.Conn) {
			if len(x.post.got) == 1 {
				_ = c.Conn().Close() // that is the test
			}
		}
		id := x.queue(x.link())
		x.deliver(id)
		m := x.is(id, outbox.Queued, "", "unknown")
		if m.NextTryAt == 0 || m.Reply == "" {
			t.Errorf("next try %d, words %q", m.NextTryAt, m.Reply)
		}
		x.clock.Advance(2 * time.Minute)
		x.deliver(id)
		x.is(id, outbox.Sent, "250", "unknown", "sent")
		same(t, x.post.messages(t))
	})
}

// nobodysPort is a port where nobody listens and nobody can: the local end of
// a connection has it.
func nobodysPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	t.Cleanup(func() { must(t, errors.Join(c.Close(), l.Close())) })
	return c.LocalAddr().(*net.TCPAddr).Port
}

func TestServerDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		client, err := smtp.New(smtp.Config{Host: "127.0.0.1", Port: nobodysPort(t), Security: smtp.None})
		must(t, err)
		x.Transport = client
		ids := []string{x.queue(x.link()), x.queue(x.received())}
		for _, id := range ids {
			x.deliver(id)
			if m := x.is(id, outbox.Queued, "refused", "temporary"); m.NextTryAt == 0 || len(m.ParamsSealed) == 0 {
				t.Errorf("a mail is lost: %+v", m)
			}
		}
		x.clock.Advance(mail.Patience + time.Minute)
		x.deliver(ids[0])
		x.is(ids[0], outbox.GivenUp, "refused", "temporary", "temporary")
		// A mail without a secret can be sent again when the server is back.
		x.deliver(ids[1])
		if m := x.is(ids[1], outbox.GivenUp, "", "temporary", "temporary"); !outbox.Again(m) {
			t.Error("a mail that was given up cannot be sent again")
		}
	})
}

// dying is a transport under which the process dies once the server has the
// mail.
type dying struct{ mail.Transport }

var errDied = errors.New("died")

func (d dying) Send(ctx context.Context, from, to string, raw []byte) (mail.Reply, error) {
	if _, err := d.Transport.Send(ctx, from, to, raw); err != nil {
		return mail.Reply{}, err
	}
	panic(errDied)
}

func TestDiesBetweenDataAndOutcome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		id := x.queue(x.link())
		alive := x.Transport
		x.Transport = dying{alive}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it did not die")
				}
			}()
			_ = x.Deliver(t.Context(), id) // panics
		}()
		x.is(id, outbox.Queued, "", "") // the attempt shows, and that nobody knows its end
		x.Transport = alive
		x.clock.Advance(time.Minute)
		x.deliver(id)
		x.is(id, outbox.Sent, "250", "", "sent")
		same(t, x.post.messages(t))
	})
}

// What a mail tells may be over before it is sent.
func TestCancelled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		id := x.queue(x.received())
		must(t, x.Store.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.FinishMail(t.Context(), db.FinishMailParams{ID: id, State: outbox.Cancelled, FinishedAt: 1})
		}))
		x.deliver(id)
		x.is(id, outbox.Cancelled, "")
		if len(x.post.got) != 0 {
			t.Error("a cancelled mail was sent")
		}
	})
}

func TestResend(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		who := audit.Actor{AccountID: "officer", Role: "registration_officer"}
		link, plain := x.queue(x.link()), x.queue(x.received())
		for _, id := range []string{link, plain} {
			if err := x.Resend(t.Context(), who, id); !errors.Is(err, outbox.ErrNotAgain) {
				t.Errorf("a mail that waits: %v", err)
			}
			x.deliver(id)
		}
		if err := x.Resend(t.Context(), who, link); !errors.Is(err, outbox.ErrNotAgain) {
			t.Errorf("a mail with a link: %v", err)
		}
		if err := x.Resend(t.Context(), who, "absent"); !store.IsNotFound(err) {
			t.Errorf("no such mail: %v", err)
		}
		must(t, x.Resend(t.Context(), who, plain))
		again := x.row(plain).ResentAs
		m := x.is(again, outbox.Queued, "")
		if m.MessageID == x.row(plain).MessageID {
			t.Error("another mail has the same Message-ID")
		}
		if err := x.Resend(t.Context(), who, plain); !errors.Is(err, outbox.ErrNotAgain) {
			t.Errorf("a second time: %v", err)
		}
		x.deliver(again)
		x.is(again, outbox.Sent, "250", "sent")
		if got := x.post.messages(t); len(got) != 3 || got[2].Header.Get("Subject") != got[1].Header.Get("Subject") {
			t.Errorf("%d messages arrived", len(got))
		}
		x.is(plain, outbox.Sent, "250", "sent")
	})
}

func TestOverdue(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		x.queue(x.received())
		if n, err := x.Overdue(t.Context()); err != nil || n != 0 {
			t.Errorf("%d mails are overdue at once (%v)", n, err)
		}
		x.clock.Advance(16 * time.Minute)
		for _, want := range []int{1, 0} { // the second time it has its job again
			if n, err := x.Overdue(t.Context()); err != nil || n != want {
				t.Errorf("%d mails are overdue, want %d (%v)", n, want, err)
			}
		}
	})
}

// A mail is queued with what it tells, or not at all.
func TestQueueIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		errNo := errors.New("no")
		err := x.Store.InTx(t.Context(), func(tx *store.Tx) error {
			to := mail.Recipient{Name: "Andi Contoh", Email: "andi@contoh.example", Lang: "id"}
			if _, err := x.Queue(t.Context(), tx, mail.Message{To: to, Params: x.received()}, outbox.About{EmployeeID: x.employee}); err != nil {
				return err
			}
			return errNo
		})
		if !errors.Is(err, errNo) {
			t.Fatal(err)
		}
		rows, err := x.Store.Read().MailsOfEmployee(t.Context(), sql.NullString{String: x.employee, Valid: true})
		if err != nil || len(rows) != 0 {
			t.Errorf("%d mails are left (%v)", len(rows), err)
		}
	})
}

// The log names a mail, never its reader or what it holds.
func TestLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, x *rig) {
		var log strings.Builder
		x.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		x.post.answer = func(int) error { return &gosmtp.SMTPError{Code: 550, Message: "andi@contoh.example: no. " + token} }
		id := x.queue(x.link())
		x.deliver(id)
		if !strings.Contains(log.String(), id) {
			t.Error("the log does not name the mail")
		}
		if m := x.is(id, outbox.Refused, "no. …", "permanent"); strings.Contains(m.Reply, token) {
			t.Error("the server's words bring the link to officers")
		}
		for _, secret := range []string{token, "andi", "Andi"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds %q: %s", secret, &log)
			}
		}
	})
}
