package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
	"time"
)

// maxDisplayName is how much of a name stands in a header, in characters. The
// body shows all of it.
const maxDisplayName = 64

// assemble writes the message (RFC 5322) with its parts (RFC 2045-2047): text
// and HTML as alternatives, and behind them the attachments, if any. The same
// input gives the same bytes.
func assemble(id Identity, to Recipient, head Head, m Mail, attached []attachment) ([]byte, error) {
	if !messageID(head.MessageID) {
		return nil, fmt.Errorf("%w: the Message-ID is not of the form <id@host>", ErrParams)
	}
	if head.Date.IsZero() {
		return nil, fmt.Errorf("%w: the date is missing", ErrParams)
	}
	sum := sha256.Sum256([]byte(head.MessageID + m.Text + m.HTML))
	// Neither quoted-printable nor base64 can produce "=_".
	boundary := "=_" + hex.EncodeToString(sum[:16])

	var b bytes.Buffer
	line := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	line("Date", head.Date.In(to.Zone.location()).Format(time.RFC1123Z))
	line("From", mailbox(id.SenderName, id.SenderAddress))
	line("To", mailbox(to.Name, to.Email))
	line("Message-ID", head.MessageID)
	line("Subject", encodeWords(m.Subject))
	line("MIME-Version", "1.0")
	line("Content-Language", string(to.Lang))
	// RFC 3834 5: no answering machine should reply.
	line("Auto-Submitted", "auto-generated")
	line("X-Auto-Response-Suppress", "All") // the same for Exchange

	if len(attached) == 0 {
		line("Content-Type", multipartType("alternative", boundary))
		b.WriteString("\r\n")
		if err := alternatives(&b, boundary, m); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
	outer, inner := boundary+"-1", boundary+"-2"
	line("Content-Type", multipartType("mixed", outer))
	b.WriteString("\r\n")
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(outer); err != nil {
		return nil, fmt.Errorf("set boundary: %w", err)
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Type", multipartType("alternative", inner))
	if _, err := w.CreatePart(h); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	if err := alternatives(&b, inner, m); err != nil {
		return nil, err
	}
	for _, a := range attached {
		h := textproto.MIMEHeader{}
		h.Set("Content-Type", mime.FormatMediaType(a.contentType, map[string]string{"name": a.name}))
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.name}))
		h.Set("Content-Transfer-Encoding", "base64")
		if _, err := w.CreatePart(h); err != nil {
			return nil, fmt.Errorf("write mail: %w", err)
		}
		writeBase64(&b, a.data)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write mail: %w", err)
	}
	return b.Bytes(), nil
}

func multipartType(subtype, boundary string) string {
	return "multipart/" + subtype + ";\r\n boundary=\"" + boundary + "\""
}

// alternatives writes both forms of the body, the preferred one last (RFC 2046 5.1.4).
func alternatives(b *bytes.Buffer, boundary string, m Mail) error {
	w := multipart.NewWriter(b)
	if err := w.SetBoundary(boundary); err != nil {
		return fmt.Errorf("set boundary: %w", err)
	}
	for _, part := range []struct{ contentType, body string }{
		{"text/plain; charset=utf-8", m.Text},
		{"text/html; charset=utf-8", m.HTML},
	} {
		h := textproto.MIMEHeader{}
		h.Set("Content-Type", part.contentType)
		h.Set("Content-Transfer-Encoding", "quoted-printable")
		if _, err := w.CreatePart(h); err != nil {
			return fmt.Errorf("write mail: %w", err)
		}
		qp := quotedprintable.NewWriter(b)
		if _, err := qp.Write([]byte(strings.ReplaceAll(part.body, "\n", "\r\n"))); err != nil {
			return fmt.Errorf("write mail: %w", err)
		}
		if err := qp.Close(); err != nil {
			return fmt.Errorf("write mail: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return nil
}

func writeBase64(b *bytes.Buffer, data []byte) {
	const width = 57 // bytes, which make 76 characters (RFC 2045 6.8)
	for len(data) > 0 {
		n := min(width, len(data))
		b.WriteString(base64.StdEncoding.EncodeToString(data[:n]))
		b.WriteString("\r\n")
		data = data[n:]
	}
}

// mailbox writes a name and an address that was checked before.
func mailbox(name, address string) string {
	name = truncate(clean(name), maxDisplayName)
	if name == "" {
		return "<" + address + ">"
	}
	if phrase(name) {
		return name + "\r\n <" + address + ">"
	}
	return forceWords(name) + "\r\n <" + address + ">"
}

// phrase reports whether s can stand in a header as it is: words of letters,
// digits and a few signs (RFC 5322 3.2.3 atoms). All else is encoded, which
// leaves nothing to quote.
func phrase(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && c != ' ' && c != '-' && c != '\'' {
			return false
		}
	}
	return true
}

// encodeWords encodes s if it is not plain ASCII (RFC 2047), one encoded word a
// line.
func encodeWords(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return forceWords(s)
		}
	}
	if strings.Contains(s, "=?") {
		return forceWords(s) // would be read as encoded already
	}
	return s
}

// forceWords encodes s in any case. mime.BEncoding leaves ASCII alone, so the
// words are made here: at most 45 bytes each, whole characters.
func forceWords(s string) string {
	var words []string
	for len(s) > 0 {
		n := 0
		for i, r := range s {
			if end := i + len(string(r)); end <= 45 {
				n = end
				continue
			}
			break
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, "\r\n ")
}

// messageID reports whether s is <id@host> of the usual characters.
func messageID(s string) bool {
	inner, ok := strings.CutPrefix(s, "<")
	if !ok || len(s) > 250 {
		return false
	}
	inner, ok = strings.CutSuffix(inner, ">")
	left, right, at := strings.Cut(inner, "@")
	return ok && at && dotAtom(left, "-_") && dotAtom(right, "-")
}
