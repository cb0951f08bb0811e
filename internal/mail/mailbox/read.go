package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/mail"
)

// Summary is one line of the list of messages. All texts are decoded, one line
// and free of control characters, but otherwise as the sender wrote them.
type Summary struct {
	ID        string
	Received  time.Time // when the mailbox took it
	From, To  string
	Subject   string
	MessageID string
	Date      time.Time // zero when the message states none
}

// Message is a message with its parts.
type Message struct {
	Summary
	// Text is the plain part; "" when there is none.
	Text string
	// HTML is the HTML part as sent. It must only be shown as HTMLDocument, under HTMLPolicy.
	HTML        string
	Attachments []Attachment
}

// Attachment is a part that is neither the text nor the HTML.
type Attachment struct {
	Name, Type string
	Data       []byte
}

// HTMLPolicy is the Content-Security-Policy of the page that shows
// HTMLDocument, best inside an <iframe sandbox="allow-popups
// allow-popups-to-escape-sandbox">: styles of the mail itself, links in a new
// window, and nothing else.
const HTMLPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// Limits of the structure of a message that is read.
const (
	maxDepth = 8
	maxParts = 64
)

// List returns the messages, the newest first.
func (s *Server) List() ([]Summary, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	list := make([]Summary, 0, len(names))
	for _, id := range names {
		sum, err := s.summary(id)
		if errors.Is(err, ErrNotFound) {
			continue // deleted meanwhile to make room
		}
		if err != nil {
			return nil, err
		}
		list = append(list, sum)
	}
	return list, nil
}

// summary reads the head of a message.
func (s *Server) summary(id string) (Summary, error) {
	f, err := os.Open(filepath.Join(s.dir, id+suffix))
	if err != nil {
		return Summary{}, notFound(err)
	}
	defer f.Close()
	m, err := netmail.ReadMessage(io.LimitReader(f, 1<<20))
	if err != nil {
		return summarise(id, netmail.Header{}), nil
	}
	return summarise(id, m.Header), nil
}

// Get returns the message id. The error is ErrNotFound when there is none.
func (s *Server) Get(id string) (Message, error) {
	raw, err := s.Raw(id)
	if err != nil {
		return Message{}, err
	}
	m := parse(raw)
	m.ID, m.Received = id, received(id)
	return m, nil
}

// Raw returns the message id as it was stored, for a download.
func (s *Server) Raw(id string) ([]byte, error) {
	if !validID(id) {
		return nil, ErrNotFound
	}
	b, err := os.ReadFile(filepath.Join(s.dir, id+suffix))
	if err != nil {
		return nil, notFound(err)
	}
	return b, nil
}

func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return fmt.Errorf("read message: %w", err)
}

// HTMLDocument returns the HTML part to be served under HTMLPolicy, with links
// that open in a new window; nil when the message has none.
func (m Message) HTMLDocument() []byte {
	if m.HTML == "" {
		return nil
	}
	const base = `<base target="_blank">`
	if head, rest, ok := strings.Cut(m.HTML, "<head>"); ok {
		return []byte(head + "<head>" + base + rest)
	}
	return []byte(base + m.HTML)
}

func received(id string) time.Time {
	us, err := strconv.ParseInt(id[:timeDigits], 10, 64)
	if err != nil {
		return time.Time{} // validID excludes it
	}
	return clock.FromMicros(us)
}

func summarise(id string, h netmail.Header) Summary {
	s := Summary{
		ID:        id,
		From:      decode(h.Get("From")),
		To:        decode(h.Get("To")),
		Subject:   decode(h.Get("Subject")),
		MessageID: mail.Words(h.Get("Message-Id")),
	}
	if id != "" {
		s.Received = received(id)
	}
	if s.To == "" {
		s.To = decode(h.Get("Delivered-To"))
	}
	if d, err := h.Date(); err == nil {
		s.Date = d.UTC()
	}
	return s
}

// decode reads the encoded words of a header (RFC 2047).
func decode(s string) string {
	var d mime.WordDecoder
	if plain, err := d.DecodeHeader(s); err == nil {
		s = plain
	}
	return mail.Words(s)
}

// parse reads a message. It never fails: what cannot be understood is text.
func parse(raw []byte) Message {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Message{Text: strings.ToValidUTF8(string(raw), "\uFFFD")}
	}
	out := Message{Summary: summarise("", m.Header)}
	parts := maxParts
	out.part(m.Header.Get, m.Body, maxDepth, &parts)
	return out
}

// part adds one part of the structure to m.
func (m *Message) part(header func(string) string, body io.Reader, depth int, parts *int) {
	if *parts--; *parts < 0 || depth < 0 {
		return
	}
	mediaType, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		mediaType, params = "text/plain", nil
	}
	if strings.HasPrefix(mediaType, "multipart/") && params["boundary"] != "" {
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if err != nil {
				return // the end, or a broken message: show what was read
			}
			m.part(p.Header.Get, p, depth-1, parts)
		}
	}
	switch strings.ToLower(header("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, _ := io.ReadAll(io.LimitReader(body, MaxBytes)) // a broken part is shown up to the break
	disposition, dparams, _ := mime.ParseMediaType(header("Content-Disposition"))
	text := strings.ReplaceAll(strings.ToValidUTF8(string(data), "\uFFFD"), "\r\n", "\n")
	switch {
	case disposition != "attachment" && mediaType == "text/plain" && m.Text == "":
		m.Text = text
	case disposition != "attachment" && mediaType == "text/html" && m.HTML == "":
		m.HTML = text
	default:
		name := dparams["filename"]
		if name == "" {
			name = params["name"]
		}
		name = decode(strings.Map(func(r rune) rune {
			if r == '/' || r == '\\' {
				return '_'
			}
			return r
		}, name))
		m.Attachments = append(m.Attachments, Attachment{Name: name, Type: mediaType, Data: data})
	}
}
