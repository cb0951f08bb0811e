package pades

import (
	"crypto/fips140"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"absah/pdf"
)

// material is what validating a signature needs: DER objects, each once.
type material struct {
	certificates, ocsps, crls [][]byte
	seen                      map[[32]byte]bool
}

func (m *material) add(list *[][]byte, der []byte) {
	if m.seen == nil {
		m.seen = map[[32]byte]bool{}
	}
	key := sha256.Sum256(der)
	if len(der) == 0 || m.seen[key] {
		return
	}
	m.seen[key] = true
	*list = append(*list, der)
}

// merge takes over what another one has.
func (m *material) merge(o *material) {
	for _, der := range o.certificates {
		m.add(&m.certificates, der)
	}
	for _, der := range o.ocsps {
		m.add(&m.ocsps, der)
	}
	for _, der := range o.crls {
		m.add(&m.crls, der)
	}
}

// store is the document security store while it is extended (ISO 32000-2
// 12.8.4.3).
type store struct {
	site  *site
	dict  pdf.Dict
	known map[[32]byte]pdf.Ref // of the streams that the document has
	added bool
}

// openStore reads the document's store.
func (s *site) openStore() (*store, error) {
	d, err := dictOf(s.doc, s.root.Get("DSS"))
	if err != nil {
		return nil, fmt.Errorf("read the document security store: %w", err)
	}
	st := &store{site: s, dict: d.Clone(), known: map[[32]byte]pdf.Ref{}}
	if d == nil {
		st.dict = pdf.Dict{{Key: "Type", Value: pdf.Name("DSS")}}
	}
	for _, key := range []pdf.Name{"Certs", "OCSPs", "CRLs"} {
		list, err := arrayOf(s.doc, d.Get(key))
		if err != nil {
			return nil, fmt.Errorf("read %s of the document security store: %w", key, err)
		}
		for _, o := range list {
			ref, ok := o.(pdf.Ref)
			if !ok {
				continue
			}
			if stream, err := s.doc.Object(ref); err == nil {
				if stream, ok := stream.(*pdf.Stream); ok {
					if data, err := s.doc.StreamData(stream); err == nil {
						st.known[sha256.Sum256(data)] = ref
					}
				}
			}
		}
	}
	return st, nil
}

// put gives each DER object its stream and enters those into the list key of
// the store that are not in it. It returns the references of all.
func (st *store) put(key pdf.Name, list [][]byte) (pdf.Array, error) {
	var refs, fresh pdf.Array
	for _, der := range list {
		sum := sha256.Sum256(der)
		ref, ok := st.known[sum]
		if !ok {
			ref = st.site.update.Add(&pdf.Stream{Data: der, Dict: pdf.Dict{{Key: "Length", Value: pdf.Integer(len(der))}}})
			st.known[sum] = ref
			fresh = append(fresh, ref)
			st.added = true
		}
		refs = append(refs, ref)
	}
	if len(fresh) == 0 {
		return refs, nil
	}
	old, err := arrayOf(st.site.update, st.dict.Get(key))
	if err != nil {
		return nil, fmt.Errorf("read %s of the document security store: %w", key, err)
	}
	st.dict.Set(key, append(old[:len(old):len(old)], fresh...))
	return refs, nil
}

// record enters the material of one signature, found again by its /Contents. An
// entry that is there stays as it is: to who compares revisions, changing it is
// changing what an earlier signature relies on. New material then is in the lists
// alone.
func (st *store) record(contents []byte, m *material) error {
	vri, err := dictOf(st.site.update, st.dict.Get("VRI"))
	if err != nil {
		return fmt.Errorf("read VRI of the document security store: %w", err)
	}
	entry := pdf.Dict{{Key: "Type", Value: pdf.Name("VRI")}}
	for _, l := range []struct {
		key, sub pdf.Name
		list     [][]byte
	}{{"Certs", "Cert", m.certificates}, {"OCSPs", "OCSP", m.ocsps}, {"CRLs", "CRL", m.crls}} {
		refs, err := st.put(l.key, l.list)
		if err != nil {
			return err
		}
		if len(refs) > 0 {
			entry.Set(l.sub, refs)
		}
	}
	key := vriKey(contents)
	if vri.Has(key) {
		return nil
	}
	vri = vri.Clone()
	vri.Set(key, entry)
	st.dict.Set("VRI", vri)
	return nil
}

// vriKey names the entry of a signature in VRI: the SHA-1 of the value of
// /Contents, with its padding, in capital hexadecimal digits (ISO 32000-2 table
// 261). It is a name only; nothing relies on its strength.
func vriKey(contents []byte) pdf.Name {
	var sum [sha1.Size]byte
	fips140.WithoutEnforcement(func() { sum = sha1.Sum(contents) })
	return pdf.Name(strings.ToUpper(hex.EncodeToString(sum[:])))
}

// close writes the store where something was added to it, and tells whether.
func (st *store) close() bool {
	if !st.added {
		return false
	}
	s := st.site
	if ref, ok := s.root.Get("DSS").(pdf.Ref); ok {
		s.update.Set(s.last(ref), st.dict)
	} else {
		s.setRoot("DSS", s.update.Add(st.dict))
	}
	return true
}
