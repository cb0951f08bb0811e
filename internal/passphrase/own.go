package passphrase

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Owner is what is known of the person who chooses a passphrase, and so is
// guessed first by others who know it. Empty fields are unknown.
type Owner struct {
	Name      string
	Email     string
	Unit      string // all its names, also the short one
	NIP       string // 18 digits: birth date, month of appointment, sex, number
	NIK       string // 16 digits: region, birth date (day + 40 for women), number
	BirthDate time.Time
}

// minOwn is the shortest word that counts as somebody's own: shorter ones are
// in every sentence.
const minOwn = 3

// PublicWords are those that a page may hand to the browser of whoever holds
// the link: of the name, the e-mail address and the unit, never the numbers.
func (o Owner) PublicWords() []string {
	w := words{}
	w.text(o.Name)
	local, domain, _ := strings.Cut(o.Email, "@")
	w.add(strings.ToLower(o.Email))
	w.text(local)
	w.text(domain)
	w.text(o.Unit)
	return w.list()
}

// Words are all of them, for the server: PublicWords, the NIP and NIK with
// their parts, and the birth date in the forms in which people write it.
func (o Owner) Words() []string {
	w := words{}
	for _, s := range o.PublicWords() {
		w.add(s)
	}
	w.add(o.NIP)
	w.add(o.NIK)
	if len(o.NIP) == 18 && digits(o.NIP) {
		w.add(o.NIP[:8], o.NIP[8:14], o.NIP[8:], o.NIP[14:])
		if t, err := time.Parse("20060102", o.NIP[:8]); err == nil {
			w.date(t)
		}
	}
	if len(o.NIK) == 16 && digits(o.NIK) {
		w.add(o.NIK[:6], o.NIK[6:12], o.NIK[12:], o.NIK[6:], o.NIK[:12])
	}
	if !o.BirthDate.IsZero() {
		w.date(o.BirthDate)
	}
	return w.list()
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

type words map[string]bool

func (w words) add(list ...string) {
	for _, s := range list {
		if utf8.RuneCountInString(s) >= minOwn {
			w[s] = true
		}
	}
}

// text adds the words of s, each with the one that follows it, and all of them
// in one.
func (w words) text(s string) {
	parts := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	w.add(strings.ToLower(strings.TrimSpace(s)))
	w.add(parts...)
	for i := 1; i < len(parts); i++ {
		w.add(parts[i-1] + parts[i])
	}
	w.add(strings.Join(parts, ""))
}

var months = [...]struct{ id, short, en string }{
	{"januari", "jan", "january"}, {"februari", "feb", "february"}, {"maret", "mar", "march"},
	{"april", "apr", "april"}, {"mei", "mei", "may"}, {"juni", "jun", "june"},
	{"juli", "jul", "july"}, {"agustus", "agu", "august"}, {"september", "sep", "september"},
	{"oktober", "okt", "october"}, {"november", "nov", "november"}, {"desember", "des", "december"},
}

func (w words) date(t time.Time) {
	for _, sep := range []string{"", "-", "/", ".", " "} {
		for _, form := range []string{"02 01 2006", "02 01 06", "2006 01 02", "06 01 02", "2 1 2006", "2 1 06", "01 02 2006", "02 01", "01 2006"} {
			w.add(t.Format(strings.ReplaceAll(form, " ", sep)))
		}
		m := months[t.Month()-1]
		for _, name := range []string{m.id, m.short, m.en} {
			w.add(fmt.Sprintf("%d%s%s", t.Day(), sep, name),
				fmt.Sprintf("%d%s%s%s%d", t.Day(), sep, name, sep, t.Year()),
				fmt.Sprintf("%s%s%d", name, sep, t.Year()))
		}
	}
	w.add(t.Format("2006"))
}

// list gives the words longest first, so that the estimator takes out the
// whole before its parts.
func (w words) list() []string {
	out := make([]string, 0, len(w))
	for s := range w {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	return out
}
