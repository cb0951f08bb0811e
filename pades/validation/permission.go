package validation

import (
	"fmt"

	"absah/pades/changes"
	"absah/pdf"
)

func name(s string) pdf.Object { return pdf.Name(s) }

// judgeChanges holds what came behind the signature against what it permits.
func (j *job) judgeChanges(s *signature) {
	if s.coverage == nil || s.coverage.revision < 0 {
		return
	}
	p := j.permissions(s)
	s.report.Certification = p.own
	for _, c := range j.changes {
		if c.Revision <= s.coverage.revision {
			continue
		}
		v := p.Judge(c)
		text := describe(c)
		if v == changes.Doubtful {
			text += doubtText(c, p.Permissions)
		}
		if len(s.report.ChangesAfter) < maxTexts {
			s.report.ChangesAfter = append(s.report.ChangesAfter, Change{
				Revision: c.Revision + 1, Page: c.Page, Object: fmt.Sprintf("%d %d", c.Object.Number, c.Object.Generation),
				Kind: c.Kind, Field: c.Field, Allowed: v == changes.Permitted, Doubt: c.Doubt, Text: text,
			})
		}
		switch v {
		case changes.Forbidden:
			s.report.fail(constraintsFailure, altered(c, text))
		case changes.Doubtful:
			s.report.doubt(constraintsFailure, altered(c, text))
		}
		if len(s.report.Errors) > maxTexts {
			return
		}
	}
}

type permissions struct {
	changes.Permissions
	own int // P of the signature's own DocMDP
}

// permissions gathers what limits changes behind s: the DocMDP of the certifying
// signature, and every FieldMDP and signature field lock of the signatures that
// were there with it (ISO 32000-2 12.8.2.2, 12.8.2.4, 12.7.5.5).
func (j *job) permissions(s *signature) permissions {
	var p permissions
	for _, other := range j.signatures {
		if other.coverage == nil || other.coverage.revision < 0 || other.coverage.revision > s.coverage.revision {
			continue
		}
		for _, t := range j.transforms(other) {
			switch t.method {
			case "DocMDP":
				p.certify(t.p)
				if other == s {
					p.own = t.p
				}
			case "FieldMDP":
				p.Locks = append(p.Locks, t.lock)
			}
		}
		if lock, level, ok := j.fieldLock(other); ok {
			p.Locks = append(p.Locks, lock)
			p.certify(level)
		}
	}
	return p
}

// certify takes the stricter of two levels; 0 is none.
func (p *permissions) certify(level int) {
	if level > 0 && (p.Certification == 0 || level < p.Certification) {
		p.Certification = level
	}
}

type transform struct {
	method pdf.Name
	p      int
	lock   changes.Lock
}

func (j *job) transforms(s *signature) []transform {
	list, err := j.doc.ResolveArray(s.dict.Get("Reference"))
	if err != nil {
		return nil
	}
	var all []transform
	for _, o := range list {
		d, err := j.doc.ResolveDict(o)
		if err != nil {
			continue
		}
		params, err := j.doc.ResolveDict(d.Get("TransformParams"))
		if err != nil {
			params = nil
		}
		method, err := j.doc.ResolveName(d.Get("TransformMethod"))
		if err != nil {
			continue
		}
		t := transform{method: method}
		if method == "DocMDP" {
			t.p = j.level123(params, 2)
		}
		if method == "FieldMDP" {
			t.lock = j.lock(params)
		}
		all = append(all, t)
	}
	return all
}

// level123 reads P; a value that is not defined counts as the strictest.
func (j *job) level123(d pdf.Dict, otherwise int) int {
	o := d.Get("P")
	if o == nil {
		return otherwise
	}
	n, err := j.doc.ResolveInt(o)
	if err != nil || n < 1 || n > 3 {
		return 1
	}
	return int(n)
}

func (j *job) lock(d pdf.Dict) changes.Lock {
	l := changes.Lock{Action: "All"}
	if a, err := j.doc.ResolveName(d.Get("Action")); err == nil && a != "" {
		l.Action = string(a)
	}
	names, err := j.doc.ResolveArray(d.Get("Fields"))
	if err != nil {
		return changes.Lock{Action: "All"}
	}
	for _, o := range names {
		if t, err := j.doc.ResolveString(o); err == nil {
			l.Fields = append(l.Fields, pdf.DecodeText(t))
		}
	}
	return l
}

// fieldLock reads Lock of the field that was signed.
func (j *job) fieldLock(s *signature) (changes.Lock, int, bool) {
	field, ok := j.fieldOf(s)
	if !ok {
		return changes.Lock{}, 0, false
	}
	d, err := j.doc.ResolveDict(field.Get("Lock"))
	if err != nil || d == nil {
		return changes.Lock{}, 0, false
	}
	return j.lock(d), j.level123(d, 0), true
}

func (j *job) fieldOf(s *signature) (pdf.Dict, bool) {
	if s.holder == (pdf.Ref{}) {
		return nil, false
	}
	d, err := j.doc.At(s.coverage.revision).ResolveDict(s.holder)
	return d, err == nil && d != nil
}
