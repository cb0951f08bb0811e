package direct

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"absah/pades/certpath"
	"absah/pades/validation"
)

// verifyCmd judges the signatures of PDF files. It opens no connection.
type verifyCmd struct {
	Trust        string   `help:"Trusted root certificates (PEM). Without it no signer is trusted." type:"existingfile" placeholder:"ROOTS.pem"`
	Certified    string   `help:"Root certificates (PEM) of recognised providers, trusted too; signatures below them are certified ones (tersertifikasi)." type:"existingfile" placeholder:"ROOTS.pem"`
	CRL          []string `help:"Revocation lists (PEM or DER), beside those in the document: downloaded before, since nothing is fetched." name:"crl" sep:"none" placeholder:"LIST.crl"`
	At           string   `help:"Judge as of this time (RFC 3339, or YYYY-MM-DD)." placeholder:"TIME"`
	JSON         bool     `help:"Print one JSON object for each file."`
	PasswordFile string   `help:"File with the password of encrypted documents." type:"existingfile" placeholder:"FILE"`
	Files        []string `arg:"" name:"file" help:"PDF files."`
}

// ExitStatus as an error ends the program with that status; what there is to say
// has been said.
type ExitStatus int

// Error implements error.
func (e ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// The statuses of absah verify.
const (
	exitInvalid       ExitStatus = 1
	exitIndeterminate ExitStatus = 2 // or unsigned, or not readable
)

// Help implements kong.HelpProvider.
func (verifyCmd) Help() string {
	return `Exit status: 0 when all signatures of all files are valid, 1 when any is invalid, 2 when any is indeterminate or a file is unsigned or cannot be read.

Examples:

    absah verify --trust roots.pem signed.pdf
    absah verify --trust roots.pem --crl root.crl --crl issuing.crl signed.pdf
    absah verify --trust roots.pem --at 2026-11-28 --json signed.pdf`
}

func (c *verifyCmd) Run(ctx context.Context) error {
	v, o, err := c.prepare()
	if err != nil {
		fmt.Fprintln(os.Stderr, "absah: "+err.Error())
		return exitIndeterminate
	}
	status := ExitStatus(0)
	meter := newBar(os.Stderr, len(c.Files), "verified")
	for _, name := range c.Files {
		r, err := verifyFile(ctx, v, name, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r = &validation.Report{Verdict: validation.Indeterminate, Signatures: []*validation.Signature{}, Errors: []string{err.Error()}}
		}
		meter.clear()
		if err := c.print(os.Stdout, name, r); err != nil {
			return fmt.Errorf("print the answer: %w", err)
		}
		meter.step()
		switch {
		case r.Verdict == validation.Invalid:
			status = exitInvalid
		case r.Verdict != validation.Valid && status == 0:
			status = exitIndeterminate
		}
	}
	meter.clear()
	if status != 0 {
		return status
	}
	return nil
}

func (c *verifyCmd) prepare() (*validation.Validator, validation.Options, error) {
	var o validation.Options
	var err error
	if c.At != "" {
		if o.Time, err = parseTime(c.At); err != nil {
			return nil, o, err
		}
	}
	if c.PasswordFile != "" {
		if o.Password, err = readSecret(c.PasswordFile); err != nil {
			return nil, o, err
		}
	}
	anchors, err := c.anchors()
	if err != nil {
		return nil, o, err
	}
	trust, err := certpath.NewValidator(certpath.Config{Anchors: anchors})
	if err != nil {
		return nil, o, fmt.Errorf("take the roots: %w", err)
	}
	config := validation.Config{Trust: trust}
	if len(c.CRL) > 0 {
		lists, err := readLists(c.CRL)
		if err != nil {
			return nil, o, fmt.Errorf("--crl: %w", err)
		}
		config.Source = certpath.NewArchive(nil, lists, nil)
	}
	v, err := validation.New(config)
	return v, o, err
}

// parseTime reads a moment, or a day as its last second in UTC.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("--at: %q is neither RFC 3339 (2026-01-31T08:00:00Z) nor a day (2026-01-31)", s)
	}
	return t.Add(24*time.Hour - time.Second), nil
}

var (
	errNoCertificate = errors.New("no certificate in PEM form")
	errNoList        = errors.New("no revocation list in it")
)

// anchors are the roots of both options. One that is in both is certified.
func (c *verifyCmd) anchors() ([]*certpath.Anchor, error) {
	var anchors []*certpath.Anchor
	for _, file := range []struct {
		option, name string
		certified    bool
	}{{"--certified", c.Certified, true}, {"--trust", c.Trust, false}} {
		if file.name == "" {
			continue
		}
		more, err := readAnchors(file.name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.option, err)
		}
		for _, a := range more {
			if a.Certified = file.certified; !slices.ContainsFunc(anchors, func(known *certpath.Anchor) bool { return bytes.Equal(known.Certificate.Raw, a.Certificate.Raw) }) {
				anchors = append(anchors, a)
			}
		}
	}
	return anchors, nil
}

func readAnchors(name string) ([]*certpath.Anchor, error) {
	rest, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var anchors []*certpath.Anchor
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		cert, err := certpath.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(anchors)+1, err)
		}
		anchors = append(anchors, certpath.NewAnchor(cert))
	}
	if len(anchors) == 0 {
		return nil, fmt.Errorf("%s: %w", name, errNoCertificate)
	}
	return anchors, nil
}

// readLists reads the revocation lists of files: one in DER, or any number in PEM.
func readLists(names []string) ([]*certpath.CRL, error) {
	var lists []*certpath.CRL
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		ders := [][]byte{b}
		if block, rest := pem.Decode(b); block != nil {
			for ders = nil; block != nil; block, rest = pem.Decode(rest) {
				if block.Type == "X509 CRL" {
					ders = append(ders, block.Bytes)
				}
			}
		}
		if len(ders) == 0 {
			return nil, fmt.Errorf("%s: %w", name, errNoList)
		}
		for _, der := range ders {
			l, err := certpath.ParseCRL(der)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			lists = append(lists, l)
		}
	}
	return lists, nil
}

func verifyFile(ctx context.Context, v *validation.Validator, name string, o validation.Options) (*validation.Report, error) {
	f, info, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return v.Validate(ctx, f, info.Size(), o)
}

func (c *verifyCmd) print(w io.Writer, name string, r *validation.Report) error {
	if !c.JSON {
		_, err := io.WriteString(w, verifyText(name, r))
		return err
	}
	return json.NewEncoder(w).Encode(struct {
		File string `json:"file"`
		*validation.Report
	}{name, r})
}

func verifyText(name string, r *validation.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", name, r.Verdict)
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "  %s\n", e)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "  note: %s\n", n)
	}
	for _, s := range r.Signatures {
		what := "signature"
		switch {
		case s.Type == "timestamp":
			what = "document timestamp"
		case s.Signer != nil && s.Signer.Seal != "":
			what = "seal"
		}
		fmt.Fprintf(&b, "  %s %q: %s", what, s.Field, s.Verdict)
		if s.SubIndication != "" {
			fmt.Fprintf(&b, " (%s, %s)", s.Indication, s.SubIndication)
		}
		b.WriteByte('\n')
		line := func(label, text string) {
			if text != "" {
				fmt.Fprintf(&b, "    %-14s %s\n", label, text)
			}
		}
		if s.Signer != nil {
			line("signer", s.Signer.Subject)
			line("issuer", s.Signer.Issuer)
			line("serial", s.Signer.Serial)
		}
		line("certified", certifiedText(s.Certified))
		line("level", s.Level)
		line("algorithms", strings.TrimSpace(s.SignatureAlgorithm+" "+s.DigestAlgorithm))
		line("claimed time", timeText(s.SigningTime))
		line("proven time", timeText(s.Timestamp))
		line("revoked", timeText(s.Revoked))
		line("reason", s.Reason)
		line("location", s.Location)
		covers := "the whole file"
		if !s.CoversWholeFile {
			covers = fmt.Sprintf("revision %d, which is not the whole file", s.Revision)
			if s.Revision == 0 {
				covers = "no revision of the file"
			}
		}
		line("covers", covers)
		for _, ch := range s.ChangesAfter {
			allowed := "permitted"
			if !ch.Allowed {
				allowed = "NOT PERMITTED"
			}
			line("change", allowed+": "+ch.Text)
		}
		for _, e := range s.Errors {
			line("because", e)
		}
		if s.SubIndication == "TRY_LATER" {
			line("what helps", "the authorities' newest revocation lists, given with --crl")
		}
		for _, n := range s.Notes {
			line("note", n)
		}
	}
	return b.String()
}

func certifiedText(certified *bool) string {
	switch {
	case certified == nil:
		return ""
	case *certified:
		return "yes: the issuer is a recognised provider (tersertifikasi)"
	}
	return "no: the issuer is not known as a recognised provider (tidak tersertifikasi)"
}

func timeText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
