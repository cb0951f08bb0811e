package mail

import (
	"fmt"
	"strings"
	"time"
)

// letter is a message being composed: one structure from which both the plain
// text and the HTML are made, so that they cannot say different things.
type letter struct {
	texts texts
	view  view
	group string // the kind, which is the group of its texts
	url   string // base URL without a trailing slash
	err   error  // the first error; the methods do nothing after it

	subject, preview, title string
	blocks                  []block
	facts                   []fact
	attached                []attachment
}

// view is what the texts may refer to.
type view struct {
	Identity
	To   Recipient
	P    Params
	Year int
	// Count and similar values of a single text.
	X any
}

type fact struct{ Label, Value string }

type item struct{ Term, Text, Detail, Mark string }

// block is one part of the body; exactly one of its fields is set.
type block struct {
	Para   string
	Button *fact // Label and URL as Value
	Facts  []fact
	Items  []item
	Steps  []string
	Notice *fact // heading and text
}

type attachment struct {
	name, contentType string
	data              []byte
}

func (l *letter) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, args...)
	}
}

// say returns the text key of the kind, with x as .X.
func (l *letter) say(key string, x any) string {
	return l.common(l.group+"."+key, x)
}

// common returns a text by its full name.
func (l *letter) common(key string, x any) string {
	if l.err != nil {
		return ""
	}
	v := l.view
	v.X = x
	s, err := l.texts.say(key, v)
	if err != nil {
		l.fail("%w", err)
	}
	return s
}

// label returns the text group.key, or name itself if there is none.
func (l *letter) label(group, name string) string {
	if l.texts[group+"."+name] == nil {
		return clean(name)
	}
	return l.common(group+"."+name, nil)
}

func (l *letter) fields(names []Field) string {
	labels := make([]string, len(names))
	for i, n := range names {
		labels[i] = l.label("fields", string(n))
	}
	return strings.Join(labels, ", ")
}

// para adds a paragraph; an empty text adds none.
func (l *letter) para(key string) {
	if s := l.say(key, nil); s != "" {
		l.blocks = append(l.blocks, block{Para: s})
	}
}

// notice adds an emphasised paragraph: what to do if it was not you, and such.
func (l *letter) notice(key string) {
	l.blocks = append(l.blocks, block{Notice: &fact{l.say(key+"_title", nil), l.say(key, nil)}})
}

// steps adds an ordered list of the texts with these keys.
func (l *letter) steps(keys ...string) {
	var b block
	for _, k := range keys {
		b.Steps = append(b.Steps, l.say(k, nil))
	}
	l.blocks = append(l.blocks, b)
}

// items adds a list, if there are any items.
func (l *letter) items(items []item) {
	if len(items) > 0 {
		l.blocks = append(l.blocks, block{Items: items})
	}
}

// findings adds an officer's remarks; there must be one.
func (l *letter) findings(list []Finding) {
	if len(list) == 0 {
		l.fail("%w: no findings", ErrParams)
	}
	var items []item
	for _, f := range list {
		it := item{Text: clean(f.Reason), Detail: clean(f.Note)}
		if it.Text == "" {
			l.fail("%w: a finding has no reason", ErrParams)
		}
		if f.Field != "" {
			it.Term = l.label("fields", string(f.Field))
		}
		items = append(items, it)
	}
	l.items(items)
}

// fact notes a line for the table that show adds; an empty value notes none.
func (l *letter) fact(label, value string) {
	if value = clean(value); value != "" {
		l.facts = append(l.facts, fact{l.common("labels."+label, nil), value})
	}
}

// show adds the facts noted since the last call.
func (l *letter) show() {
	if len(l.facts) > 0 {
		l.blocks = append(l.blocks, block{Facts: l.facts})
		l.facts = nil
	}
}

// need fails when value is empty.
func (l *letter) need(name, value string) {
	if clean(value) == "" {
		l.fail("%w: %s is missing", ErrParams, name)
	}
}

func (l *letter) when(at time.Time) string {
	if l.err != nil {
		return ""
	}
	if at.IsZero() {
		l.fail("%w: a time is missing", ErrParams)
		return ""
	}
	s, err := l.texts.when(at, l.view.To.Zone)
	if err != nil {
		l.fail("%w", err)
	}
	return s
}

// button adds a link to a portal page, as a button and in full.
func (l *letter) button(key string, p Path) {
	l.blocks = append(l.blocks, block{Button: &fact{l.say(key, nil), l.link(p)}})
}

// link makes the address of a page. A path can lead nowhere but to our portal:
// it starts with one slash and has only the characters of RFC 3986 3.3-3.4.
func (l *letter) link(p Path) string {
	s := string(p)
	if len(s) < 1 || s[0] != '/' || strings.HasPrefix(s, "//") || len(s) > 512 {
		l.fail("%w: a link is no path of the portal", ErrParams)
		return ""
	}
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && strings.IndexByte("/-._~%?=&#:@!$+,;", c) < 0 {
			l.fail("%w: a link is no path of the portal", ErrParams)
			return ""
		}
	}
	return l.url + s
}
