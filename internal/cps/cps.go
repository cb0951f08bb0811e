// Package cps makes the certificate policy and practice statement of an
// installation out of its running configuration, in the outline of RFC 3647
// section 6 and in two languages, and keeps every version of it: a change of
// policy makes a new version with its digest and date, and a leaf in the log.
package cps

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Facts are what the statement says about the installation.
type Facts struct {
	Demo         bool
	Product      string
	Organisation string
	Issuer       string // legal name of the authority
	Country      string
	RootName     string
	IssuingName  string
	PolicyOID    string
	Contact      string
	DataContact  string // who answers for the protection of personal data

	CPSURL, OCSPURL, CRLURL, IssuerURL, PortalURL string

	SubscriberKey string // as a person reads it
	AuthorityKey  string
	Years         int // validity of subscriber certificates
	CRLHours      int // from thisUpdate to nextUpdate of the list of the issuing CA
	// HardwareModule: the keys of the authority are in a PKCS #11 token;
	// SubscribersInToken: those of subscribers are made and used there too.
	HardwareModule     bool
	SubscribersInToken bool

	LinkHours      int // validity of the link that sets the passphrase
	MinLength      int
	MinScore       int
	ResetChecked   bool
	Approval       string // of officers: optional, when they have passkeys, required
	RenewalDays    int
	RenewalChecks  string // none, second, both
	Supersede      bool
	SubjectDays    int // how long a certificate may name what is no longer so
	LetterDays     int // how old a letter of recommendation may be; 0: of any age
	Timestamps     bool
	TimestampOID   string
	RetentionScans int // days; 0: for ever
	RetentionMails int
	RetentionViews int
}

// Languages of the statement.
var languages = []string{"id", "en"}

//go:embed texts/*.txt
var texts embed.FS

// Section is a numbered part of the statement. Its anchor is s- and the number
// with dashes, and stays the same in every version (RFC 3647 6).
type Section struct {
	Number string
	Title  string
	Blocks []Block
}

// Anchor is where a link to the section leads.
func (s Section) Anchor() string { return "s-" + strings.ReplaceAll(s.Number, ".", "-") }

// Chapter reports whether it is one of the nine chapters.
func (s Section) Chapter() bool { return !strings.Contains(s.Number, ".") }

// Block is a paragraph or, with Items, a list.
type Block struct {
	Text  string
	Items []string
}

// Statement makes the sections in a language (id or en) out of facts.
func Statement(lang string, f Facts) ([]Section, error) {
	t, err := texttemplate.New("").Option("missingkey=error").ParseFS(texts, "texts/statement."+lang+".txt")
	if err != nil {
		return nil, fmt.Errorf("read practice statement: %w", err)
	}
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, "statement."+lang+".txt", f); err != nil {
		return nil, fmt.Errorf("write practice statement: %w", err)
	}
	return parse(b.String())
}

// parse reads "# 1 Title" (chapter), "## 1.1 Title" (section), "- item" and
// paragraphs, one a line.
func parse(text string) ([]Section, error) {
	var all []Section
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if heading, ok := strings.CutPrefix(strings.TrimPrefix(line, "#"), "# "); ok || strings.HasPrefix(line, "# ") {
			if !ok {
				heading = strings.TrimPrefix(line, "# ")
			}
			number, title, _ := strings.Cut(heading, " ")
			all = append(all, Section{Number: number, Title: title})
			continue
		}
		if len(all) == 0 {
			return nil, errors.New("practice statement: a text before the first heading")
		}
		s := &all[len(all)-1]
		item, isItem := strings.CutPrefix(line, "- ")
		last := len(s.Blocks) - 1
		switch {
		case isItem && last >= 0 && len(s.Blocks[last].Items) > 0:
			s.Blocks[last].Items = append(s.Blocks[last].Items, item)
		case isItem:
			s.Blocks = append(s.Blocks, Block{Items: []string{item}})
		default:
			s.Blocks = append(s.Blocks, Block{Text: line})
		}
	}
	return all, nil
}

//go:embed texts/body.html
var bodyHTML string

// body writes sections as HTML without anything that differs from version to
// version by itself.
func body(sections []Section) (string, error) {
	t, err := template.New("body").Parse(bodyHTML)
	if err != nil {
		return "", fmt.Errorf("read form of the practice statement: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, sections); err != nil {
		return "", fmt.Errorf("write practice statement: %w", err)
	}
	return b.String(), nil
}

// Version is one version of the statement.
type Version struct {
	Number    int64 // 0: not published yet
	Digest    []byte
	Published time.Time
	Body      map[string]string // HTML by language
}

// Hex is the digest as people compare it.
func (v Version) Hex() string { return hex.EncodeToString(v.Digest) }

// Make writes the statement of now. Its digest is SHA-256 over both languages,
// each with a zero byte behind it.
func Make(f Facts) (Version, error) {
	v := Version{Body: map[string]string{}}
	h := sha256.New()
	for _, lang := range languages {
		sections, err := Statement(lang, f)
		if err != nil {
			return v, err
		}
		html, err := body(sections)
		if err != nil {
			return v, err
		}
		v.Body[lang] = html
		h.Write([]byte(html))
		h.Write([]byte{0})
	}
	v.Digest = h.Sum(nil)
	return v, nil
}

// Publisher keeps the versions. All fields are required.
type Publisher struct {
	Store *store.Store
	Clock clock.Clock
	Facts Facts
}

// Publish makes a new version if the facts changed since the latest one. The
// transparency log has its number and digest.
func (p *Publisher) Publish(ctx context.Context) error {
	v, err := Make(p.Facts)
	if err != nil {
		return err
	}
	settings, err := json.Marshal(p.Facts)
	if err != nil {
		return fmt.Errorf("publish practice statement: %w", err)
	}
	return p.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := audit.TakeTurn(ctx, tx); err != nil { // two processes, one version
			return err
		}
		last, err := tx.LatestPractice(ctx)
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("read practice statement: %w", err)
		}
		if err == nil && string(last.Digest) == string(v.Digest) {
			return nil
		}
		now := p.Clock()
		err = tx.InsertPractice(ctx, db.InsertPracticeParams{
			Version: last.Version + 1, Digest: v.Digest, Settings: string(settings), BodyID: v.Body["id"], BodyEn: v.Body["en"], PublishedAt: clock.Micros(now),
		})
		if err != nil {
			return fmt.Errorf("store practice statement: %w", err)
		}
		return audit.Record(ctx, tx, now, audit.System("operator"), audit.Entry{
			Action: "policy.statement", ObjectKind: "practice_statement", ObjectID: fmt.Sprint(last.Version + 1),
			Detail: map[string]string{"sha256": v.Hex()},
		})
	})
}

// ErrNotFound says that there is no such version.
var ErrNotFound = errors.New("no such version of the practice statement")

// Get returns a version; 0 is the latest. Before the first one was published it
// is what the configuration says now. It fails with ErrNotFound.
func (p *Publisher) Get(ctx context.Context, number int64) (Version, error) {
	row, err := p.Store.Read().LatestPractice(ctx)
	if number > 0 {
		row, err = p.Store.Read().GetPractice(ctx, number)
	}
	if store.IsNotFound(err) && number == 0 {
		return Make(p.Facts)
	}
	if store.IsNotFound(err) {
		return Version{}, ErrNotFound
	}
	if err != nil {
		return Version{}, fmt.Errorf("read practice statement: %w", err)
	}
	return Version{
		Number: row.Version, Digest: row.Digest, Published: clock.FromMicros(row.PublishedAt),
		Body: map[string]string{"id": row.BodyID, "en": row.BodyEn},
	}, nil
}

// Versions lists all versions without their texts, the latest first.
func (p *Publisher) Versions(ctx context.Context) ([]Version, error) {
	rows, err := p.Store.Read().PracticeVersions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list practice statements: %w", err)
	}
	out := make([]Version, len(rows))
	for i, r := range rows {
		out[i] = Version{Number: r.Version, Digest: r.Digest, Published: clock.FromMicros(r.PublishedAt)}
	}
	return out, nil
}
