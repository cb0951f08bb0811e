package mail

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"time"
)

// Renderer turns messages into mail. It is safe for concurrent use.
type Renderer struct {
	identity Identity
	texts    map[Lang]texts
	layout   *template.Template
}

// Head is what a mail has of its own beside its message. It is fixed when the
// message is queued, so that every attempt sends the same bytes.
type Head struct {
	MessageID string // with angle brackets, see Identity.MessageID
	Date      time.Time
}

// Mail is a rendered message.
type Mail struct {
	From, To string // bare addresses for the envelope
	Subject  string
	Text     string // the plain part, lines ended by "\n"
	HTML     string
	Raw      []byte // the complete message, lines ended by CRLF, 7-bit
}

// NewRenderer returns a renderer in the name of id. Texts of the files id.yaml
// and en.yaml in over, which may be nil, replace those of the program. All
// messages are tried, so that a text that does not work is found here: the
// errors wrap ErrIdentity or ErrTexts.
func NewRenderer(id Identity, over fs.FS) (*Renderer, error) {
	if err := id.Check(); err != nil {
		return nil, err
	}
	layout, err := template.ParseFS(builtin, "templates/layout.html")
	if err != nil {
		return nil, fmt.Errorf("parse mail layout: %w", err)
	}
	r := &Renderer{identity: id, texts: map[Lang]texts{}, layout: layout}
	for _, lang := range Langs() {
		if r.texts[lang], err = loadTexts(lang, over); err != nil {
			return nil, err
		}
		for _, m := range Samples(lang) {
			if _, err := r.Render(m, Head{id.MessageID("try"), time.Unix(0, 0)}); err != nil {
				return nil, fmt.Errorf("try mail %s in %s: %w", m.Params.Kind(), lang, err)
			}
		}
	}
	return r, nil
}

// Identity returns in whose name the renderer writes.
func (r *Renderer) Identity() Identity { return r.identity }

// Render makes the mail of m. The errors wrap ErrAddress, ErrParams or
// ErrTexts; they name the parameter and never show its value.
func (r *Renderer) Render(m Message, head Head) (Mail, error) {
	if m.To.Lang == "" {
		m.To.Lang = Indonesian
	}
	if m.To.Zone == "" {
		m.To.Zone = WIB
	}
	if err := m.check(); err != nil {
		return Mail{}, fmt.Errorf("render %v: %w", m, err)
	}
	l := &letter{
		texts: r.texts[m.To.Lang],
		group: string(m.Params.Kind()),
		url:   strings.TrimRight(r.identity.BaseURL, "/"),
		view:  view{Identity: r.identity, To: m.To, P: m.Params, Year: head.Date.In(m.To.Zone.location()).Year()},
	}
	l.subject = truncate(l.say("subject", nil), 200)
	l.title = l.say("title", nil)
	l.preview = l.say("preview", nil)
	m.Params.compose(l)
	p := r.page(l)
	if l.err != nil {
		return Mail{}, fmt.Errorf("render %v: %w", m, l.err)
	}
	var html bytes.Buffer
	if err := r.layout.Execute(&html, p); err != nil {
		return Mail{}, fmt.Errorf("render %v: %w", m, err)
	}
	out := Mail{
		From:    r.identity.SenderAddress,
		To:      m.To.Email,
		Subject: l.subject,
		Text:    p.text(),
		HTML:    html.String(),
	}
	var err error
	if out.Raw, err = assemble(r.identity, m.To, head, out, l.attached); err != nil {
		return Mail{}, fmt.Errorf("render %v: %w", m, err)
	}
	return out, nil
}

// page is what the layout shows.
type page struct {
	Lang                                           Lang
	Subject, Preview, Title, Sender, Tagline, Demo string
	Greeting, Cue, Copy, CopyText                  string
	Blocks                                         []block
	Help, DeskEmail, DeskPhone                     string
	Never, Automated, Copyright, Home, HomeText    string
	OutlookOpen, OutlookClose                      template.HTML
}

// Outlook for Windows knows no max-width; only it reads these comments.
const (
	outlookOpen  template.HTML = `<!--[if mso]><table role="presentation" align="center" width="600" cellpadding="0" cellspacing="0"><tr><td><![endif]-->`
	outlookClose template.HTML = `<!--[if mso]></td></tr></table><![endif]-->`
)

func (r *Renderer) page(l *letter) page {
	p := page{
		Lang: l.view.To.Lang, Subject: l.subject, Preview: l.preview, Title: l.title,
		Sender: r.identity.SenderName, Tagline: l.common("common.tagline", nil),
		Greeting: l.common("common.greeting", nil),
		Copy:     l.common("common.copy", nil), CopyText: l.common("common.copy_text", nil),
		Blocks: l.blocks,
		Help:   l.common("common.help", nil), DeskEmail: r.identity.ServiceDesk.Email, DeskPhone: r.identity.ServiceDesk.Phone,
		Never: l.common("common.never", nil), Automated: l.common("common.automated", nil),
		Copyright: l.common("common.copyright", nil), Home: l.url + "/",
		OutlookOpen: outlookOpen, OutlookClose: outlookClose,
	}
	_, p.HomeText, _ = strings.Cut(l.url, "://")
	if r.identity.Demo {
		p.Demo = l.common("common.demo", nil)
	}
	if l.view.To.NIKLast4 != "" {
		p.Cue = l.common("common.cue", nil)
	}
	return p
}

// textWidth is the width of the plain part in characters; links are not broken.
const textWidth = 72

// text is the plain part: everything that the HTML says.
func (p page) text() string {
	var b strings.Builder
	put := func(s string) { b.WriteString(wrap(s, "", "")) }
	gap := func() { b.WriteString("\n") }
	if p.Demo != "" {
		put("*** " + p.Demo + " ***")
		gap()
	}
	put(p.Title)
	b.WriteString(strings.Repeat("=", min(len([]rune(p.Title)), textWidth)) + "\n\n")
	put(p.Greeting)
	if p.Cue != "" {
		put(p.Cue)
	}
	for _, bl := range p.Blocks {
		gap()
		switch {
		case bl.Para != "":
			put(bl.Para)
		case bl.Button != nil:
			put(bl.Button.Label + ":")
			b.WriteString(bl.Button.Value + "\n\n")
			put(p.CopyText)
		case bl.Facts != nil:
			width := 0
			for _, f := range bl.Facts {
				width = max(width, len([]rune(f.Label)))
			}
			for _, f := range bl.Facts {
				first := f.Label + strings.Repeat(" ", width-len([]rune(f.Label))) + " : "
				b.WriteString(wrap(f.Value, first, strings.Repeat(" ", width+3)))
			}
		case bl.Items != nil:
			for _, it := range bl.Items {
				s := it.Text
				if it.Term != "" {
					s = it.Term + ": " + s
				}
				b.WriteString(wrap(s, "- ", "  "))
				if it.Detail != "" {
					b.WriteString(wrap(it.Detail, "  ", "  "))
				}
			}
		case bl.Steps != nil:
			for i, s := range bl.Steps {
				b.WriteString(wrap(s, fmt.Sprintf("%d. ", i+1), "   "))
			}
		case bl.Notice != nil:
			b.WriteString(wrap(bl.Notice.Label, "! ", "  "))
			b.WriteString(wrap(bl.Notice.Value, "  ", "  "))
		}
	}
	b.WriteString("\n" + strings.Repeat("-", textWidth) + "\n")
	put(p.Help)
	for _, s := range []string{p.DeskEmail, p.DeskPhone} {
		if s != "" {
			b.WriteString(wrap(s, "  ", "  "))
		}
	}
	gap()
	put(p.Never)
	gap()
	put(p.Automated)
	put(p.Copyright + " " + p.Home)
	return b.String()
}

// wrap breaks s at spaces. first and rest begin the first and the other lines.
func wrap(s, first, rest string) string {
	var b strings.Builder
	line, width, empty := first, len([]rune(first)), true
	for _, word := range strings.Fields(s) {
		n := len([]rune(word))
		if !empty && width+1+n > textWidth {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line, width, empty = rest, len([]rune(rest)), true
		}
		if !empty {
			line, width = line+" ", width+1
		}
		line, width, empty = line+word, width+n, false
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}
