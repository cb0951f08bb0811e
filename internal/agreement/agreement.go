// Package agreement holds the texts that a subscriber accepts, by version and
// language, and makes the copy that he keeps: the subscriber agreement (RFC
// 3647 9.6.3 and 9.8) and, apart from it, the consent to the processing of
// personal data (UU 27/2022 art. 20-24).
//
// A text is what the reader saw: with the names of this installation filled in.
// Its hash is over those very bytes.
package agreement

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"absah/internal/enrolment"
)

// The kinds of texts.
const (
	Agreement = "agreement" // Perjanjian Pemilik Sertifikat Elektronik
	Privacy   = "privacy"   // Persetujuan Pemrosesan Data Pribadi
)

// Kinds lists the kinds in the order in which they are shown.
func Kinds() []string { return []string{Agreement, Privacy} }

// Locales lists the languages of the texts. Where they differ, the first rules.
func Locales() []string { return []string{"id", "en"} }

// inForce is the version of each kind that is accepted now. Texts of older
// versions stay in the folder, so that what changed can be seen; what was
// accepted is kept word for word in the database.
var inForce = map[string]string{Agreement: "2026-1", Privacy: "2026-1"}

//go:embed texts/*.md
var files embed.FS

// ErrNoText says that there is no text of that kind or in that language.
var ErrNoText = errors.New("no such text")

// Identity names the parties. No field may be empty.
type Identity struct {
	Issuer       string // legal name of the certification authority
	Organisation string // whose employees the subscribers are
	ServiceDesk  string // where to turn to, in one phrase: "Servis Desk (desk@contoh.example)"
}

// Texts are the texts of one installation. It implements enrolment.Texts.
type Texts struct {
	texts map[string]enrolment.Text // by kind and locale
}

var _ enrolment.Texts = (*Texts)(nil)

// New fills the names of an installation into the texts. It fails when one is
// empty or holds what would change the form of a text.
func New(id Identity) (*Texts, error) {
	for name, v := range map[string]string{"issuer": id.Issuer, "organisation": id.Organisation, "service desk": id.ServiceDesk} {
		if strings.TrimSpace(v) == "" || strings.ContainsAny(v, "*\r\n") {
			return nil, fmt.Errorf("agreement: the name of the %s is empty or holds an asterisk or a line break", name)
		}
	}
	t := &Texts{texts: map[string]enrolment.Text{}}
	for _, kind := range Kinds() {
		for _, locale := range Locales() {
			text, err := load(kind, inForce[kind], locale, id)
			if err != nil {
				return nil, err
			}
			t.texts[kind+"/"+locale] = text
		}
	}
	return t, nil
}

func load(kind, version, locale string, id Identity) (enrolment.Text, error) {
	name := fmt.Sprintf("texts/%s.%s.%s.md", kind, version, locale)
	source, err := files.ReadFile(name)
	if err != nil {
		return enrolment.Text{}, fmt.Errorf("read text of the %s: %w", kind, err)
	}
	tmpl, err := template.New(name).Option("missingkey=error").Parse(string(source))
	if err != nil {
		return enrolment.Text{}, fmt.Errorf("read text of the %s: %w", kind, err)
	}
	var body strings.Builder
	if err := tmpl.Execute(&body, id); err != nil {
		return enrolment.Text{}, fmt.Errorf("fill text of the %s: %w", kind, err)
	}
	hash := sha256.Sum256([]byte(body.String()))
	return enrolment.Text{Kind: kind, Version: version, Locale: locale, Body: body.String(), Hash: hash[:]}, nil
}

// Current implements enrolment.Texts. It fails with ErrNoText.
func (t *Texts) Current(kind, locale string) (enrolment.Text, error) {
	text, ok := t.texts[kind+"/"+locale]
	if !ok {
		return enrolment.Text{}, fmt.Errorf("%w: %s in %q", ErrNoText, kind, locale)
	}
	return text, nil
}
