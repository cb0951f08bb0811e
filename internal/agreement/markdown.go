package agreement

import "strings"

// BlockKind is the form of a Block.
type BlockKind int

// The forms.
const (
	Paragraph BlockKind = iota
	Title               // "# "
	Heading             // "## "
	Numbered            // an item "1. "; Number tells which
	Bullet              // an item "- "
)

// Block is one piece of a text.
type Block struct {
	Kind   BlockKind
	Number int // of a Numbered item, as it is written
	Spans  []Span
}

// Text is the block without its emphasis.
func (b Block) Text() string {
	var s strings.Builder
	for _, span := range b.Spans {
		s.WriteString(span.Text)
	}
	return s.String()
}

// Span is a run of letters.
type Span struct {
	Text string
	Bold bool
}

// Parse reads the little Markdown of the texts: a title, headings, paragraphs,
// numbered and plain items, each on a line of its own, and **bold**. Whatever
// else is written stands as it is, so nothing is ever left out.
func Parse(body string) []Block {
	var blocks []Block
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		blocks = append(blocks, block(line))
	}
	return blocks
}

func block(line string) Block {
	if s, ok := strings.CutPrefix(line, "## "); ok {
		return Block{Kind: Heading, Spans: spans(s)}
	}
	if s, ok := strings.CutPrefix(line, "# "); ok {
		return Block{Kind: Title, Spans: spans(s)}
	}
	if s, ok := strings.CutPrefix(line, "- "); ok {
		return Block{Kind: Bullet, Spans: spans(s)}
	}
	if n, s, ok := item(line); ok {
		return Block{Kind: Numbered, Number: n, Spans: spans(s)}
	}
	return Block{Kind: Paragraph, Spans: spans(line)}
}

// item reads "12. text": a number of at most three digits that does not begin
// with 0.
func item(line string) (n int, rest string, ok bool) {
	digits, rest, ok := strings.Cut(line, ". ")
	if !ok || digits == "" || len(digits) > 3 || digits[0] == '0' {
		return 0, "", false
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, "", false
		}
		n = 10*n + int(c-'0')
	}
	return n, rest, true
}

// spans takes the pairs of ** out. A mark without its partner stays.
func spans(s string) []Span {
	parts := strings.Split(s, "**")
	if len(parts)%2 == 0 {
		last := len(parts) - 1
		parts = append(parts[:last-1], parts[last-1]+"**"+parts[last])
	}
	var out []Span
	for i, p := range parts {
		if p != "" {
			out = append(out, Span{Text: p, Bold: i%2 == 1})
		}
	}
	return out
}

// Group is a run of items of one list, or a single block.
type Group struct {
	Kind  BlockKind
	Items []Block
}

// Groups puts the items that follow one another together.
func Groups(blocks []Block) []Group {
	var groups []Group
	for _, b := range blocks {
		listed := b.Kind == Numbered || b.Kind == Bullet
		if last := len(groups) - 1; listed && last >= 0 && groups[last].Kind == b.Kind {
			groups[last].Items = append(groups[last].Items, b)
			continue
		}
		groups = append(groups, Group{Kind: b.Kind, Items: []Block{b}})
	}
	return groups
}
