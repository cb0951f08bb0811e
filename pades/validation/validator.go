package validation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"absah/pades/certpath"
	"absah/pades/changes"
	"absah/pdf"
)

// Config is what a Validator knows before the first document.
type Config struct {
	// Trust has the anchors of signers and the policy on algorithms.
	Trust *certpath.Validator
	// TimestampTrust has the anchors of timestamp authorities; nil takes Trust.
	TimestampTrust *certpath.Validator
	// Source has material beside that of the document, such as a client of the
	// network; nil has none.
	Source certpath.Source
	// Now is the clock; nil takes time.Now.
	Now    func() time.Time
	Limits pdf.Limits
}

// Validator validates documents. It is safe for concurrent use, and one made
// once remembers which certificates it has verified.
type Validator struct {
	c            Config
	certificates certificates
}

// ErrNoTrust is given for a Config without Trust.
var ErrNoTrust = errors.New("validation without a certificate validator")

// New prepares a Validator.
func New(c Config) (*Validator, error) {
	if c.Trust == nil {
		return nil, ErrNoTrust
	}
	if c.TimestampTrust == nil {
		c.TimestampTrust = c.Trust
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Validator{c: c}, nil
}

// Options are those of one document.
type Options struct {
	Password []byte    // of an encrypted file
	Time     time.Time // at which the signatures are judged; zero: now
}

// Validate judges the document of size bytes in r. What is wrong with the
// document is in the report; the error tells that r could not be read, or that
// ctx ended.
func (v *Validator) Validate(ctx context.Context, r io.ReaderAt, size int64, o Options) (*Report, error) {
	in := &tracked{ReaderAt: r}
	var source io.ReaderAt = in
	if b, ok := r.(pdf.Bytes); ok {
		source = b // memory does not fail, and needs no windows over it
	}
	doc, err := pdf.Open(source, size, pdf.Options{Password: o.Password, Limits: v.c.Limits})
	if err != nil {
		if outside(ctx, in) {
			return nil, fmt.Errorf("open the document: %w", err)
		}
		r := &Report{Verdict: Indeterminate, Signatures: []*Signature{}}
		r.doubt(unopened(err))
		return r, nil
	}
	now := o.Time
	if now.IsZero() {
		now = v.c.Now()
	}
	j := &job{Validator: v, ctx: ctx, r: in, doc: doc, now: now, report: &Report{Signatures: []*Signature{}, Errors: []string{}}}
	if err := j.run(); err != nil {
		return nil, err
	}
	return j.report, nil
}

// tracked remembers that its reader failed, so that a fault of the disk is not
// taken for one of the document.
type tracked struct {
	io.ReaderAt
	err atomic.Pointer[error]
}

func (t *tracked) ReadAt(p []byte, off int64) (int, error) {
	n, err := t.ReaderAt.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err.CompareAndSwap(nil, &err)
	}
	return n, err
}

// outside reports whether an error is none of the document.
func outside(ctx context.Context, r *tracked) bool { return ctx.Err() != nil || r.err.Load() != nil }

// job is the validation of one document.
type job struct {
	*Validator
	ctx    context.Context // of the one call of Validate
	r      *tracked
	doc    *pdf.Document
	now    time.Time
	report *Report

	signatures []*signature
	changes    []changes.Change
	proofs     []proof // by document timestamps, the newest first
	evidence   map[int]*evidence
}

func (j *job) run() error {
	found, err := find(j.doc)
	if err != nil {
		if outside(j.ctx, j.r) {
			return fmt.Errorf("look for signatures: %w", err)
		}
		j.report.Verdict = Indeterminate
		j.report.doubt(say(codeForm, "the form cannot be read: "+err.Error()))
		return nil
	}
	if len(found) == 0 {
		return j.unsigned()
	}
	for _, c := range found {
		s, err := j.examine(c)
		if err != nil {
			return err
		}
		j.signatures = append(j.signatures, s)
	}
	slices.SortStableFunc(j.signatures, func(a, b *signature) int { return a.revision() - b.revision() })
	if err := j.compare(); err != nil {
		return err
	}
	if err := j.judgeAll(); err != nil {
		return err
	}
	if err := j.anomalies(); err != nil {
		return err
	}
	if err := j.rest(); err != nil {
		return err
	}
	j.report.Verdict = Valid
	for _, s := range j.signatures {
		s.report.conclude()
		j.report.Verdict = worse(j.report.Verdict, s.report.Verdict)
		j.report.Signatures = append(j.report.Signatures, s.report)
	}
	if len(j.report.Errors) > 0 {
		j.report.Verdict = worse(j.report.Verdict, Indeterminate)
	}
	return nil
}

// unsigned concludes for a document without signatures, and looks whether an
// earlier revision had some.
func (j *job) unsigned() error {
	j.report.Verdict = Unsigned
	for i := len(j.doc.Revisions()) - 2; i >= 0; i-- {
		found, err := find(j.doc.At(i))
		if err != nil {
			if outside(j.ctx, j.r) {
				return fmt.Errorf("look for signatures of earlier revisions: %w", err)
			}
			continue
		}
		for _, c := range found {
			j.report.Verdict = Invalid
			s := &Signature{Field: c.field, Type: typeOf(c), Revision: i + 1, ChangesAfter: []Change{}, Errors: []string{}}
			s.fail(constraintsFailure, say(codeRemoved, "the signature was removed by a later revision"))
			s.conclude()
			j.report.Signatures = append(j.report.Signatures, s)
		}
		if len(found) > 0 {
			return nil
		}
	}
	j.usageRights()
	return nil
}

// usageRights notes signatures that grant rights of a program and that no field has
// (ISO 32000-2 12.8.2.3): a maker of software made them, and they say nothing of who
// signed what the document says.
func (j *job) usageRights() {
	_, root, err := j.doc.Root()
	if err != nil {
		return
	}
	perms, err := j.doc.ResolveDict(root.Get("Perms"))
	if err != nil {
		return
	}
	for _, key := range []pdf.Name{"UR3", "UR"} {
		if d, err := j.doc.ResolveDict(perms.Get(key)); err == nil && d != nil {
			j.report.note(say(codeUsageRights, "the document has a signature for usage rights ("+string(key)+") only, which enables functions of a reader and is nobody's signature on the document", "key", string(key)))
			return
		}
	}
}

// compare finds what changed behind the oldest signature.
func (j *job) compare() error {
	first := j.first()
	if first < 0 {
		return nil
	}
	all, err := changes.Between(j.ctx, j.doc, first)
	if err != nil {
		if outside(j.ctx, j.r) {
			return fmt.Errorf("compare the revisions: %w", err)
		}
		j.report.doubt(say(codeCompare, "the revisions cannot be compared: "+err.Error()))
		return nil
	}
	j.changes = all
	return nil
}

// anomalies makes the answer indeterminate where readers may differ in what the
// document is. Where revisions follow a signature, the whole file is gone over,
// so that objects which no section names are seen too.
func (j *job) anomalies() error {
	if first := j.first(); first >= 0 && first < len(j.doc.Revisions())-1 {
		if err := j.doc.Scan(j.ctx); err != nil {
			if outside(j.ctx, j.r) {
				return fmt.Errorf("go over the document: %w", err)
			}
			j.report.doubt(say(codeScan, "the document cannot be gone over: "+err.Error()))
		}
	}
	for _, a := range j.doc.Anomalies() {
		if !a.Kind.Serious() {
			continue
		}
		if len(j.report.Errors) > maxTexts {
			break
		}
		j.report.doubt(say(codeAmbiguous, fmt.Sprintf("readers may disagree on this document: %s at byte %d: %s", a.Kind, a.Offset, a.Text),
			"kind", string(a.Kind), "at", strconv.FormatInt(a.Offset, 10)))
	}
	return nil
}

// first is the revision that the oldest signature covers, or -1.
func (j *job) first() int {
	for _, s := range j.signatures {
		if s.coverage != nil && s.coverage.revision >= 0 {
			return s.coverage.revision
		}
	}
	return -1
}

// rest looks at what lies behind the last revision: a line end is harmless,
// anything else is covered by no signature and told by no revision.
func (j *job) rest() error {
	revisions := j.doc.Revisions()
	if len(revisions) == 0 {
		return nil
	}
	end := revisions[len(revisions)-1].End
	n := j.doc.Size() - end
	if n <= 0 {
		return nil
	}
	b, err := j.doc.Raw(end, min(n, 3))
	if err != nil {
		return fmt.Errorf("read the end of the document: %w", err)
	}
	if n > 2 || len(bytes.Trim(b, "\r\n")) > 0 {
		j.report.doubt(say(codeBehind, fmt.Sprintf("%d bytes lie behind the end of the document, and nothing covers them", n), "bytes", strconv.FormatInt(n, 10)))
	}
	return nil
}

// maxTexts bounds lists that a hostile document could make long.
const maxTexts = 50
