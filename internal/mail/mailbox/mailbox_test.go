package mailbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/mail"
	"absah/internal/mail/smtp"
)

var start = time.Date(2027, time.May, 5, 6, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) (*Server, *smtp.Client) {
	t.Helper()
	s, err := Open(dir, "127.0.0.1:0", clock.NewFake(start).Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c, err := smtp.New(smtp.Config{Host: "127.0.0.1", Port: s.Addr().Port, Security: smtp.None})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return s, c
}

// Every message that the program can send is read back as it was rendered.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s, c := open(t, t.TempDir())
	id := mail.DemoIdentity("http://127.0.0.1:8080")
	r, err := mail.NewRenderer(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range mail.Samples(mail.Indonesian) {
		m.To.Name = "Ni Luh Contohwati, S.E. — Šárka"
		out, err := r.Render(m, mail.Head{MessageID: id.MessageID(fmt.Sprint("m", i)), Date: start})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Send(t.Context(), out.From, out.To, out.Raw); err != nil {
			t.Fatal(err)
		}
		list, err := s.List()
		if err != nil || len(list) != i+1 {
			t.Fatalf("%d messages, %v, want %d", len(list), err, i+1)
		}
		sum := list[0]
		if sum.Subject != out.Subject || sum.MessageID != id.MessageID(fmt.Sprint("m", i)) || !sum.Date.Equal(start) {
			t.Errorf("summary %+v of %v", sum, m)
		}
		if want := m.To.Name + " <" + m.To.Email + ">"; sum.To != want {
			t.Errorf("To = %q, want %q", sum.To, want)
		}
		got, err := s.Get(sum.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Text != out.Text || got.HTML != out.HTML {
			t.Errorf("%v: parts differ from what was rendered", m)
		}
		if !strings.Contains(string(got.HTMLDocument()), `<head><base target="_blank">`) {
			t.Error("links of the document do not open in a new window")
		}
		wantAttached := 0
		if a, ok := m.Params.(mail.AgreementCopy); ok {
			wantAttached = 1
			if len(got.Attachments) == 1 && (string(got.Attachments[0].Data) != string(a.Document) || got.Attachments[0].Name != a.FileName || got.Attachments[0].Type != "application/pdf") {
				t.Errorf("attachment %+v", got.Attachments[0])
			}
		}
		if len(got.Attachments) != wantAttached {
			t.Errorf("%v: %d attachments, want %d", m, len(got.Attachments), wantAttached)
		}
	}
}

func TestKeepsTheNewest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range Keep {
		name := fmt.Sprintf("%017d-%s%s", i, ident.New(), suffix)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("Subject: old\r\n\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, c := open(t, dir)
	for i := range 3 {
		raw := fmt.Sprintf("Subject: new %d\r\n\r\n", i)
		if _, err := c.Send(t.Context(), "a@absah.example", "b@absah.example", []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.List()
	if err != nil || len(list) != Keep {
		t.Fatalf("%d messages, %v, want %d", len(list), err, Keep)
	}
	for i, want := range []string{"new 2", "new 1", "new 0", "old"} {
		if list[i].Subject != want {
			t.Errorf("message %d is %q, want %q", i, list[i].Subject, want)
		}
	}
	if !strings.HasPrefix(list[Keep-1].ID, fmt.Sprintf("%017d", 3)) {
		t.Errorf("the oldest is %s, want number 3", list[Keep-1].ID)
	}
}

func TestSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, c := open(t, dir)
	send := func(c *smtp.Client, subject string) {
		t.Helper()
		if _, err := c.Send(t.Context(), "a@absah.example", "b@absah.example", []byte("Subject: "+subject+"\r\n\r\nx\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	send(c, "first")
	s.Close()
	if err := os.WriteFile(filepath.Join(dir, ".new-123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, c = open(t, dir)
	send(c, "second") // the clock stands still; the order must hold
	list, err := s.List()
	if err != nil || len(list) != 2 || list[0].Subject != "second" {
		t.Errorf("list = %+v, %v", list, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) != 0 {
		t.Errorf("half-written files stay: %v", left)
	}
	info, err := os.Stat(filepath.Join(dir, list[0].ID+suffix))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestConcurrentDeliveries(t *testing.T) {
	t.Parallel()
	s, c := open(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := c.Send(t.Context(), "a@absah.example", "b@absah.example", []byte(fmt.Sprintf("Subject: %d\r\n\r\n", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list, err := s.List(); err != nil || len(list) != 20 {
		t.Errorf("%d messages, %v, want 20", len(list), err)
	}
}

// What cannot be stored is not accepted.
func TestFullDiskIsTemporary(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "box")
	_, c := open(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, err := c.Send(t.Context(), "a@absah.example", "b@absah.example", []byte("Subject: x\r\n\r\n"))
	var se *mail.SendError
	if !errors.As(err, &se) || se.Outcome != mail.Temporary || se.Reply.Code != 451 {
		t.Errorf("error = %v, want 451", err)
	}
}

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "mail.example:0", "[::]:0"} {
		if s, err := Open(t.TempDir(), addr, clock.System); !errors.Is(err, ErrNotLoopback) {
			if err == nil {
				s.Close()
			}
			t.Errorf("%s: error = %v, want ErrNotLoopback", addr, err)
		}
	}
}

func TestUnknownMessages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := open(t, filepath.Join(dir, "box"))
	if err := os.WriteFile(filepath.Join(dir, "secret.eml"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "x", "../secret", "../../etc/passwd", strings.Repeat("0", 17) + "-" + ident.New(), strings.Repeat("0", 17) + "-../../../../../../../secre"} {
		if _, err := s.Get(id); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func TestParseOddMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw, subject, text, html string
		attached                       int
	}{
		{"no headers", "hello", "", "hello", "", 0},
		{"plain", "Subject: a\r\n\r\nhello\r\n", "a", "hello\n", "", 0},
		{"control characters", "Subject: =?utf-8?Q?a=0D=0Ab=E2=80=AEc?=\r\n\r\n", "a bc", "", "", 0},
		{"html only", "Content-Type: text/html\r\n\r\n<p>x", "", "", "<p>x", 0},
		{"attached text", "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"../a.txt\"\r\n\r\nx", "", "", "", 1},
		{"broken multipart", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello", "", "hello", "", 0},
		{"broken base64", "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=!!!", "", "hello", "", 0},
	}
	for _, tt := range tests {
		m := parse([]byte(tt.raw))
		if m.Subject != tt.subject || m.Text != tt.text || m.HTML != tt.html || len(m.Attachments) != tt.attached {
			t.Errorf("%s: %+v", tt.name, m)
		}
		for _, a := range m.Attachments {
			if strings.ContainsAny(a.Name, `/\`) {
				t.Errorf("%s: attachment name %q", tt.name, a.Name)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Subject: =?utf-8?B?YQ==?=\r\n\r\nbody"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n"))
	f.Add([]byte("Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=3Cp=3E=\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := parse(raw)
		for _, s := range []string{m.From, m.To, m.Subject, m.MessageID} {
			if strings.ContainsAny(s, "\r\n\x00") {
				t.Errorf("a summary has control characters: %q", s)
			}
		}
		if len(m.Attachments) > maxParts {
			t.Errorf("%d attachments", len(m.Attachments))
		}
	})
}
