package direct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"absah/pades"
	"absah/pades/appearance"
)

// signCmd signs PDF files. Its flags are a contract.
type signCmd struct {
	Key         string `help:"Private key (PEM)." type:"existingfile" placeholder:"KEY.pem"`
	Cert        string `help:"Certificate of the key (PEM); further ones in the file are its chain." type:"existingfile" placeholder:"CERT.pem"`
	Chain       string `help:"Certificates above it (PEM)." type:"existingfile" placeholder:"CHAIN.pem"`
	P12         string `help:"Key and certificates in one file (PKCS #12)." name:"p12" type:"existingfile" placeholder:"FILE"`
	P12PassFile string `help:"File with the password of --p12." name:"p12-pass-file" type:"existingfile" placeholder:"F"`

	Level string `help:"Baseline level: B-B, B-T, B-LT or B-LTA." enum:"B-B,B-T,B-LT,B-LTA" default:"B-B"`
	TSA   string `help:"Time-stamping authority (RFC 3161), for B-T and higher." name:"tsa" placeholder:"URL"`

	Visible string `help:"Show the signature in this box: page from 1, then points from a corner of the page as it is seen (see --origin). With --anchor, W,H is enough." placeholder:"PAGE,X,Y,W,H"`
	Origin  string `help:"Where boxes are measured from: the lower left corner, Y upwards (bottom-left), or the upper left one, Y downwards (top-left)." enum:"bottom-left,top-left" default:"bottom-left"`
	Image   string `help:"Picture in the visible signature (PNG or JPEG)." type:"existingfile" placeholder:"PNG"`
	QR      string `help:"Text of a QR code in the visible signature." name:"qr" placeholder:"TEXT"`
	Text    string `help:"Text in the visible signature; \\n begins a new line. Without --text, --image and --qr: the signer's name and the time." placeholder:"TEXT"`
	Anchor  string `help:"Put the visible signature over this text of the page." placeholder:"TEXT"`

	Field    string   `help:"Sign this empty field, or make it." placeholder:"NAME"`
	AddField []string `help:"Make an empty field for somebody who signs later, within what this signature covers; may be repeated. BOX is as in --visible, or anchor:TEXT." sep:"none" placeholder:"NAME=BOX"`
	Certify  int      `help:"Certify: afterwards nothing (1), filling in and signing (2), or annotating too (3) is permitted." enum:"0,1,2,3" default:"0" placeholder:"1|2|3"`
	Reason   string   `help:"Reason, in the signature." placeholder:"R"`
	Location string   `help:"Place of signing, in the signature." placeholder:"L"`

	PasswordFile string   `help:"File with the password of encrypted documents." type:"existingfile" placeholder:"F"`
	Jobs         int      `help:"Files signed at once. 0: one for each processor." default:"0" placeholder:"N"`
	OutDir       string   `help:"Write the signed files here, under their names." type:"path" placeholder:"DIR"`
	Files        []string `arg:"" name:"file" help:"IN.pdf OUT.pdf; with --out-dir any number of IN.pdf."`
}

// Help implements kong.HelpProvider.
func (signCmd) Help() string {
	return `Exit status: 0 when all files were signed, 1 when any was refused; the reason is said. A refused file stops no other.

Examples:

    absah sign --p12 signer.p12 --p12-pass-file pass.txt surat.pdf signed.pdf
    absah sign --key key.pem --cert cert.pem --visible 1,60,640,180,60 --origin top-left surat.pdf signed.pdf
    absah sign --p12 signer.p12 --level B-LTA --tsa http://tsa.example/ --out-dir signed surat.pdf lampiran.pdf`
}

// task is one file to sign.
type task struct{ in, out string }

// needsLate tells that the signature needs something of Late.
func (c *signCmd) needsLate() bool {
	level, _ := pades.ParseLevel(c.Level)
	return c.TSA != "" || level > pades.BB || c.P12 != ""
}

// Run signs the files.
func (c *signCmd) Run(ctx context.Context, late Late) error {
	tasks, err := c.tasks()
	if err != nil {
		return err
	}
	s, err := c.signer(late)
	if err != nil {
		return err
	}
	o, err := c.options(s, late)
	if err != nil {
		return err
	}
	failed := c.signAll(ctx, tasks, s, o)
	if err := ctx.Err(); err != nil {
		return err
	}
	if failed > 0 {
		return ExitStatus(1)
	}
	return nil
}

// tasks pairs inputs and outputs.
func (c *signCmd) tasks() ([]task, error) {
	if c.OutDir == "" {
		if len(c.Files) != 2 {
			return nil, errors.New("give IN.pdf and OUT.pdf, or --out-dir")
		}
		return []task{{c.Files[0], c.Files[1]}}, nil
	}
	if err := os.MkdirAll(c.OutDir, 0o777); err != nil {
		return nil, fmt.Errorf("--out-dir: %w", err)
	}
	taken := map[string]string{}
	var list []task
	for _, in := range c.Files {
		out := filepath.Join(c.OutDir, filepath.Base(in))
		if other, ok := taken[out]; ok {
			return nil, fmt.Errorf("%s and %s would both become %s", other, in, out)
		}
		taken[out] = in
		list = append(list, task{in, out})
	}
	return list, nil
}

func (c *signCmd) options(s *pades.Signer, late Late) (pades.Options, error) {
	level, _ := pades.ParseLevel(c.Level)
	o := pades.Options{
		Level: level, Field: c.Field, Reason: c.Reason, Location: c.Location,
		Name: s.Certificate().Subject.CommonName, Certify: pades.Certification(c.Certify),
	}
	var err error
	if c.PasswordFile != "" {
		if o.Password, err = readSecret(c.PasswordFile); err != nil {
			return o, err
		}
	}
	if c.TSA != "" {
		if o.Timestamper, err = late.Timestamper(c.TSA); err != nil {
			return o, fmt.Errorf("--tsa: %w", err)
		}
		if level == pades.BB {
			return o, errors.New("--tsa is of no use at the level B-B")
		}
	}
	if level >= pades.BLT {
		o.Evidence = &remembered{source: late.Evidence()}
	}
	if o.Fields, err = c.newFields(); err != nil {
		return o, err
	}
	o.Visible, err = c.visible(s)
	return o, err
}

// visible reads the flags of the appearance; nil is an invisible signature.
func (c *signCmd) visible(s *pades.Signer) (*pades.Visible, error) {
	if c.Visible == "" && c.Image == "" && c.QR == "" && c.Text == "" && c.Anchor == "" {
		return nil, nil
	}
	v := &pades.Visible{Anchor: c.Anchor, Spec: appearance.Spec{Cache: &appearance.Cache{}}}
	if err := c.box(v); err != nil {
		return nil, err
	}
	if c.Image != "" {
		b, err := os.ReadFile(c.Image)
		if err != nil {
			return nil, fmt.Errorf("--image: %w", err)
		}
		v.Spec.Image = b
	}
	v.Spec.QR = c.QR
	switch {
	case c.Text != "":
		for line := range strings.SplitSeq(strings.ReplaceAll(c.Text, `\n`, "\n"), "\n") {
			v.Spec.Lines = append(v.Spec.Lines, appearance.Line{Text: line})
		}
	case c.Image == "" && c.QR == "":
		v.Spec.Lines = appearance.Letter{
			Label: "Ditandatangani secara elektronik oleh:", Name: s.Certificate().Subject.CommonName,
			Detail: []string{time.Now().Format("2006-01-02 15:04 MST")},
		}.Lines()
	}
	return v, nil
}

// signAll signs the files, some at once, and says of each what became of it. It
// returns how many were not signed.
func (c *signCmd) signAll(ctx context.Context, tasks []task, s *pades.Signer, o pades.Options) int {
	b := newBar(os.Stderr, len(tasks), "signed")
	defer b.clear()
	queue := make(chan task)
	var mu sync.Mutex
	var workers sync.WaitGroup
	failed := 0
	n := c.Jobs
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	for range min(n, len(tasks)) {
		workers.Go(func() {
			for t := range queue {
				r, err := signFile(ctx, t, s, o)
				mu.Lock()
				if ctx.Err() == nil {
					b.clear()
					if err != nil {
						failed++
						fmt.Fprintf(os.Stderr, "absah: %s: %v\n", t.in, err)
					} else {
						fmt.Printf("%s: signed at %v in the field %q as %s\n", t.in, r.Level, r.Field, t.out)
					}
					b.step()
				}
				mu.Unlock()
			}
		})
	}
	for _, t := range tasks {
		if ctx.Err() != nil {
			break
		}
		queue <- t
	}
	close(queue)
	workers.Wait()
	return failed
}

const (
	barFrom  = 64 << 20 // size of a file that gets a bar of its own
	barBlock = 4 << 20
)

// counted draws a bar while a large file is written to out.
func counted(out io.Writer, size int64) (w io.Writer, done func()) {
	if size < barFrom {
		return out, func() {}
	}
	b := newBar(os.Stderr, int(size/barBlock), "blocks of 4 MiB written")
	return &counter{w: out, bar: b}, b.clear
}

type counter struct {
	w   io.Writer
	bar *bar
	n   int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	before := c.n / barBlock
	c.n += int64(n)
	for range min(c.n/barBlock, int64(c.bar.total)) - min(before, int64(c.bar.total)) {
		c.bar.step()
	}
	return n, err
}

// signFile signs one file into a temporary file beside the output, which takes
// the output's name when it is complete. Until then nothing of the output exists,
// and the input may be the output.
func signFile(ctx context.Context, t task, s *pades.Signer, o pades.Options) (*pades.Result, error) {
	in, info, err := openRegular(t.in)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	// The name would be taken away from a device or a pipe.
	if there, err := os.Stat(t.out); err == nil && !there.Mode().IsRegular() {
		return nil, fmt.Errorf("the output %s: %w", t.out, errNotRegular)
	}
	out, err := os.CreateTemp(filepath.Dir(t.out), ".absah-*.pdf")
	if err != nil {
		return nil, fmt.Errorf("make the output: %w", err)
	}
	w, done := counted(out, info.Size())
	r, err := pades.Sign(ctx, in, info.Size(), w, s, o)
	done()
	if err == nil {
		err = out.Chmod(info.Mode().Perm())
	}
	if closeErr := out.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("write the output: %w", closeErr)
	}
	if err == nil {
		if err = os.Rename(out.Name(), t.out); err != nil {
			err = fmt.Errorf("name the output: %w", err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(out.Name()))
	}
	return r, nil
}
