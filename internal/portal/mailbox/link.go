package mailbox

import "regexp"

// piece is a part of a text: an address or what stands between two.
type piece struct {
	text string
	link bool
}

var address = regexp.MustCompile(`https?://[^\s<>"']*[^\s<>"'.,;:!?)\]]`)

// pieces splits a text at the addresses in it. Together they are the text.
func pieces(text string) []piece {
	var out []piece
	at := 0
	add := func(s string, link bool) {
		if s != "" {
			out = append(out, piece{s, link})
		}
	}
	for _, m := range address.FindAllStringIndex(text, -1) {
		add(text[at:m[0]], false)
		add(text[m[0]:m[1]], true)
		at = m[1]
	}
	add(text[at:], false)
	return out
}
