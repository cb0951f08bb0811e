package smtp

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"absah/internal/mail"
)

func TestTarpit(t *testing.T) {
	t.Parallel()
	greet := func(c net.Conn, in *bufio.Reader) {
		fmt.Fprint(c, "220 mail.example\r\n")
		in.ReadString('\n')
		fmt.Fprint(c, "250 mail.example\r\n")
	}
	tests := []struct {
		name    string
		script  func(c net.Conn)
		outcome mail.Outcome
		stage   mail.Stage
	}{
		{"silent", func(c net.Conn) { c.Read(make([]byte, 1)) }, mail.Temporary, mail.StageConnect},
		{"silent at MAIL", func(c net.Conn) {
			in := bufio.NewReader(c)
			greet(c, in)
			in.ReadString('\x00')
		}, mail.Temporary, mail.StageSender},
		{"silent after the dot", func(c net.Conn) {
			in := bufio.NewReader(c)
			greet(c, in)
			for _, a := range []string{"250 ok", "250 ok", "354 go"} {
				in.ReadString('\n')
				fmt.Fprint(c, a+"\r\n")
			}
			in.ReadString('\x00')
		}, mail.Unknown, mail.StageData},
		{"greeting without an end", func(c net.Conn) {
			for {
				if _, err := fmt.Fprint(c, "220-"+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}, mail.Temporary, mail.StageConnect},
		{"nonsense after the dot", func(c net.Conn) {
			in := bufio.NewReader(c)
			greet(c, in)
			for _, a := range []string{"250 ok", "250 ok", "354 go"} {
				in.ReadString('\n')
				fmt.Fprint(c, a+"\r\n")
			}
			for line := ""; line != ".\r\n"; {
				line, _ = in.ReadString('\n')
			}
			fmt.Fprint(c, "hello?\r\n")
		}, mail.Unknown, mail.StageData},
		{"not a mail server", func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, mail.Temporary, mail.StageConnect},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			port := speak(t, tt.script)
			c := newClient(t, Config{Port: port, Security: None, Timeout: 300 * time.Millisecond})
			_, err := c.Send(t.Context(), sender, recipient, message("slow"))
			wantFailure(t, err, tt.outcome, tt.stage, 0)
		})
	}
}

func TestServerWordsAreCleaned(t *testing.T) {
	t.Parallel()
	port := speak(t, func(c net.Conn) {
		fmt.Fprint(c, "554-pergi\x1b[31m \u202eini\x00\r\n554 "+strings.Repeat("panjang ", 400)+"\xff\r\n")
	})
	c := newClient(t, Config{Port: port, Security: None})
	_, err := c.Send(t.Context(), sender, recipient, message("w"))
	se := wantFailure(t, err, mail.Temporary, mail.StageConnect, 554)
	if got := se.Reply.Text; !strings.HasPrefix(got, "pergi [31m ini panjang") || len([]rune(got)) > 500 || strings.ContainsAny(got, "\x1b\x00\r\n\u202e") {
		t.Errorf("words = %q", got)
	}
}
