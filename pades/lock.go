package pades

import (
	"slices"
	"strconv"
	"strings"

	"absah/pdf"
)

func itoa(n int) string { return strconv.Itoa(n) }

// covers tells whether the lock holds the field name.
func (l *Lock) covers(name string) bool {
	switch l.Action {
	case LockAll:
		return true
	case LockInclude:
		return slices.ContainsFunc(l.Fields, func(f string) bool { return sameOrBelow(name, f) })
	case LockExclude:
		return !slices.ContainsFunc(l.Fields, func(f string) bool { return sameOrBelow(name, f) })
	}
	return false
}

// sameOrBelow tells whether name is the field or one of its descendants.
func sameOrBelow(name, field string) bool {
	return name == field || strings.HasPrefix(name, field+".")
}

// readLock reads SigFieldLock or the TransformParams of FieldMDP.
func readLock(src objects, d pdf.Dict) *Lock {
	l := &Lock{Action: LockAction(nameOf(src, d.Get("Action")))}
	if p, ok := intOf(src, d.Get("P")); ok && p >= 1 && p <= 3 {
		l.Permit = Certification(p)
	}
	fields, err := arrayOf(src, d.Get("Fields"))
	if err != nil {
		return l
	}
	for _, o := range fields {
		if s, ok := stringOf(src, o); ok {
			l.Fields = append(l.Fields, pdf.DecodeText(s))
		}
	}
	return l
}

// references calls do for each signature reference of a signature dictionary.
func references(src objects, signature pdf.Dict, do func(method pdf.Name, params pdf.Dict)) {
	refs, err := arrayOf(src, signature.Get("Reference"))
	if err != nil {
		return
	}
	for _, o := range refs {
		d, err := dictOf(src, o)
		if err != nil {
			continue
		}
		params, err := dictOf(src, d.Get("TransformParams"))
		if err != nil {
			continue
		}
		do(nameOf(src, d.Get("TransformMethod")), params)
	}
}

// certification is what the document's certification signature permits.
func certification(src objects, root pdf.Dict) Certification {
	perms, err := dictOf(src, root.Get("Perms"))
	if err != nil {
		return NotCertified
	}
	signature, err := dictOf(src, perms.Get("DocMDP"))
	if err != nil || signature == nil {
		return NotCertified
	}
	permit := CertifyForms // the default of P
	references(src, signature, func(method pdf.Name, params pdf.Dict) {
		if p, ok := intOf(src, params.Get("P")); method == "DocMDP" && ok && p >= 1 && p <= 3 {
			permit = Certification(p)
		}
	})
	return permit
}

// mayAddSignature holds a new signature against those that are there.
func mayAddSignature(src objects, root pdf.Dict, f *form, target string, o *Options, newField, visible bool) error {
	signed := 0
	for _, s := range f.signatures {
		if s.value == nil {
			continue
		}
		signed++
		if err := heldBy(src, s, target); err != nil {
			return err
		}
	}
	permit := certification(src, root)
	switch {
	case o.Certify != NotCertified && permit != NotCertified:
		return refuse(ReasonNotFirst, "the document is certified already")
	case o.Certify != NotCertified && signed > 0:
		return refuse(ReasonNotFirst, "the document is signed already; only its first signature can certify it")
	case permit == CertifyNone:
		return refuse(ReasonCertified, "the document's certification permits no change, not even another signature")
	case permit == CertifyForms && newField && visible:
		return refuse(ReasonCertified, "the document's certification permits no new visible field; sign an existing field or invisibly")
	}
	return nil
}

// heldBy tells whether the signed field s locks the field target.
func heldBy(src objects, s *signatureField, target string) error {
	var err error
	check := func(l *Lock) {
		switch {
		case l.Permit == CertifyNone:
			err = refuse(ReasonLocked, "the signature of the field %q permits no change of the document", s.name)
		case l.covers(target):
			err = refuse(ReasonLocked, "the signature of the field %q locks the field %q", s.name, target)
		}
	}
	references(src, s.value, func(method pdf.Name, params pdf.Dict) {
		if method == "FieldMDP" {
			check(readLock(src, params))
		}
	})
	if lock, lockErr := dictOf(src, s.dict.Get("Lock")); lockErr == nil && lock != nil && err == nil {
		check(readLock(src, lock))
	}
	return err
}

func (l *Lock) dict(kind pdf.Name) pdf.Dict {
	d := pdf.Dict{{Key: "Type", Value: kind}}
	if kind == "TransformParams" {
		d = append(d, pdf.Entry{Key: "V", Value: pdf.Name("1.2")})
	}
	d = append(d, pdf.Entry{Key: "Action", Value: pdf.Name(l.Action)})
	if l.Action != LockAll {
		fields := make(pdf.Array, 0, len(l.Fields))
		for _, f := range l.Fields {
			fields = append(fields, pdf.EncodeText(f))
		}
		d = append(d, pdf.Entry{Key: "Fields", Value: fields})
	}
	if l.Permit != NotCertified {
		d = append(d, pdf.Entry{Key: "P", Value: pdf.Integer(l.Permit)})
	}
	return d
}

// signatureReferences makes the value of /Reference: what is certified, and what
// is locked.
func signatureReferences(certify Certification, lock *Lock, root pdf.Ref) pdf.Array {
	var refs pdf.Array
	reference := func(method pdf.Name, params pdf.Dict) pdf.Dict {
		return pdf.Dict{{Key: "Type", Value: pdf.Name("SigRef")}, {Key: "TransformMethod", Value: method}, {Key: "TransformParams", Value: params}}
	}
	if certify != NotCertified {
		refs = append(refs, reference("DocMDP", pdf.Dict{
			{Key: "Type", Value: pdf.Name("TransformParams")}, {Key: "V", Value: pdf.Name("1.2")}, {Key: "P", Value: pdf.Integer(certify)},
		}))
	}
	if lock != nil {
		d := reference("FieldMDP", lock.dict("TransformParams"))
		// Required for this method (ISO 32000-2 table 255).
		d = append(d, pdf.Entry{Key: "Data", Value: root})
		refs = append(refs, d)
	}
	return refs
}
