package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var plainHeaders = []string{
	"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "Message-Id",
	"Mime-Version", "Subject", "To", "X-Auto-Response-Suppress",
}

// checkMail parses raw as a receiver would and fails on anything that the
// renderer did not mean.
func checkMail(t interface{ Fatalf(string, ...any) }, raw []byte, to Recipient, id string) {
	for _, line := range bytes.SplitAfter(raw, []byte("\n")) {
		if len(line) > 0 && !bytes.HasSuffix(line, []byte("\r\n")) && len(line) > 2 {
			t.Fatalf("a line does not end with CRLF: %.40q", line)
		}
		if len(line) > 998 {
			t.Fatalf("a line has %d bytes", len(line))
		}
		for _, b := range line {
			if b >= 0x80 || b == 0 {
				t.Fatalf("byte %#x in a 7-bit message", b)
			}
		}
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	var names []string
	for name, values := range m.Header {
		if len(values) != 1 {
			t.Fatalf("%d headers %s", len(values), name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, plainHeaders) {
		t.Fatalf("headers %v, want %v", names, plainHeaders)
	}
	for name, want := range map[string]string{"To": to.Email, "From": "no-reply@absah.example"} {
		list, err := m.Header.AddressList(name)
		if err != nil || len(list) != 1 || list[0].Address != want {
			t.Fatalf("%s: %v, %v, want the one address %s", name, list, err, want)
		}
		for _, r := range list[0].Name {
			if unicode.IsControl(r) || hidden(r) {
				t.Fatalf("%s: the name has %U", name, r)
			}
		}
	}
	if m.Header.Get("Message-Id") != id || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Fatalf("Message-ID %q, Auto-Submitted %q", m.Header.Get("Message-Id"), m.Header.Get("Auto-Submitted"))
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "[Absah Demo] ") {
		t.Fatalf("subject %q, %v", subject, err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("content type: %v", err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	var types []string
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("parts: %v", err)
		}
		body, err := io.ReadAll(p)
		if err != nil {
			t.Fatalf("part: %v", err)
		}
		mediaType, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		types = append(types, mediaType)
		if mediaType == "text/plain" && bytes.ContainsFunc(body, func(r rune) bool { return hidden(r) || r == 0 }) {
			t.Fatalf("the text has hidden characters")
		}
		if mediaType == "text/html" && !bytes.Contains(body, []byte("</html>")) {
			t.Fatalf("the HTML is cut off")
		}
		if mediaType == "text/html" && bytes.Contains(body, []byte("<script")) {
			t.Fatalf("markup from a parameter")
		}
	}
	if !slices.Equal(types, []string{"text/plain", "text/html"}) && !slices.Equal(types, []string{"multipart/alternative", "application/pdf"}) {
		t.Fatalf("parts %v", types)
	}
}

// hostile draws texts that try to leave their place.
func hostile() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		part := rapid.OneOf(
			rapid.String(),
			rapid.SampledFrom([]string{
				"\r\nBcc: x@evil.example\r\n", "\n\n", "\x00", "\u202e", "\u2066", "\ufeff", "\r", "\u2028", "\x85", "\xff\xfe",
				"=?utf-8?Q?=0D=0ABcc:_x?=", "<script>alert(1)</script>", "\"", "\\", "(", "<a@b.example>", ",", ";", ":", "--=_", "{{.To.Email}}", "Š", "👩‍👩‍👧",
				strings.Repeat("Nama Panjang ", 800), strings.Repeat("x", 10_000), strings.Repeat("ž", 5_000),
			}),
		)
		return strings.Join(rapid.SliceOfN(part, 1, 5).Draw(t, "parts"), "")
	})
}

func TestNoHeaderInjection(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, DemoIdentity(testURL))
	rapid.Check(t, func(t *rapid.T) {
		h := hostile()
		name := h.Draw(t, "name")
		if clean(name) == "" {
			name += "x"
		}
		to := Recipient{Name: name, Email: "a@b.example", NIKLast4: "1234", Lang: rapid.SampledFrom(Langs()).Draw(t, "lang"), Zone: WIT}
		x := "x" + h.Draw(t, "text")
		p := rapid.SampledFrom([]Params{
			EnrolLink{Token: strings.Repeat("a", 32), Purpose: PurposeFirst, Expires: testDate, AskedBy: x, Reference: x},
			RegistrationReturned{x, x, testDate, []Finding{{Field(x), x, x}}, "/r"},
			CorrectionDigest{x, 1, []WaitingCorrection{{x, []Field{Field(x)}, testDate}}, "/r"},
			AccountInvitation{x, []string{x}, x, "/a", testDate},
			CertificateRevoked{x, testDate, Revocation(x), x, x, "/c"},
		}).Draw(t, "params")
		const id = "<m1@absah.example>"
		m, err := r.Render(Message{to, p}, Head{id, testDate})
		if err != nil {
			t.Fatalf("render: %v", err)
		}
		checkMail(t, m.Raw, to, id)
		if !utf8.ValidString(m.Text) || !utf8.ValidString(m.HTML) {
			t.Fatalf("invalid UTF-8")
		}
	})
}

func TestSamplesAreWellFormed(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, DemoIdentity(testURL))
	for _, lang := range Langs() {
		for _, m := range Samples(lang) {
			const id = "<m1@absah.example>"
			out, err := r.Render(m, Head{id, testDate})
			if err != nil {
				t.Fatal(err)
			}
			checkMail(t, out.Raw, m.To, id)
			again, err := r.Render(m, Head{id, testDate})
			if err != nil || !bytes.Equal(out.Raw, again.Raw) {
				t.Errorf("%v: two renderings differ", m)
			}
		}
	}
}

func TestEncodeWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if !utf8.ValidString(s) || clean(s) != s {
			s = clean(s)
		}
		enc := encodeWords(s)
		got, err := new(mime.WordDecoder).DecodeHeader(strings.ReplaceAll(enc, "\r\n", ""))
		if err != nil || got != s {
			t.Fatalf("%q became %q (%v)", s, got, err)
		}
		for _, line := range strings.Split(enc, "\r\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "=?") && len(line) > 76 {
				t.Fatalf("an encoded word of %d characters", len(line))
			}
		}
	})
}
