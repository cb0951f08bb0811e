package validation

import (
	"crypto/sha256"
	"fmt"
	"time"

	"absah/pades/certpath"
	"absah/pades/cms"
	"absah/pdf"
)

// evidence is the validation material for one signature: of the CMS itself and
// of the document security store (ISO 32000-2 12.8.4.3).
type evidence struct {
	known         *certificates
	certificates  []*certpath.Certificate
	crls          []*certpath.CRL
	ocsps         []*certpath.OCSPResponse
	archive       *certpath.Archive
	storeRevision int              // whose revision first has the store; -1 where there is none
	since         map[[32]byte]int // revision in which each object of the store first stands
}

const maxMaterial = 10_000

// evidenceOf collects for s. What a later revision added to the store counts too:
// it is there to prove the past.
func (j *job) evidenceOf(s *signature) (*evidence, error) {
	if j.evidence == nil {
		store, err := j.readStore()
		if err != nil {
			return nil, err
		}
		j.evidence = map[int]*evidence{0: store}
	}
	sd := s.cms
	if s.token != nil {
		sd = s.token.SignedData
	}
	if sd == nil && len(s.beside) > 0 {
		sd = &cms.SignedData{Certificates: s.beside}
	}
	return j.evidence[0].with(sd), nil
}

// with adds the material of a SignedData.
func (e *evidence) with(sd *cms.SignedData) *evidence {
	out := &evidence{known: e.known, storeRevision: e.storeRevision, since: e.since}
	out.certificates = append(out.certificates, e.certificates...)
	out.crls = append(out.crls, e.crls...)
	out.ocsps = append(out.ocsps, e.ocsps...)
	if sd != nil {
		certificates, crls, ocsps := sd.Certificates, sd.CRLs, sd.OCSPs
		for _, si := range sd.Signers {
			certificates = append(certificates[:len(certificates):len(certificates)], si.CertificateValues()...)
			c, o := si.RevocationValues()
			crls = append(crls[:len(crls):len(crls)], c...)
			ocsps = append(ocsps[:len(ocsps):len(ocsps)], o...)
			for _, raw := range si.SignatureTimestamps() {
				if inner, err := cms.Parse(raw); err == nil {
					certificates = append(certificates, inner.Certificates...)
					crls = append(crls, inner.CRLs...)
				}
			}
		}
		for _, c := range certificates {
			out.addCertificate(c.Raw)
		}
		for _, b := range crls {
			out.addCRL(b)
		}
		for _, b := range ocsps {
			out.addOCSP(b)
		}
	}
	out.archive = certpath.NewArchive(out.certificates, out.crls, out.ocsps)
	return out
}

func (e *evidence) addCertificate(der []byte) {
	if p := e.known.parse(der); p.err == nil && len(e.certificates) < maxMaterial {
		e.certificates = append(e.certificates, p.Certificate)
	}
}

func (e *evidence) addCRL(der []byte) {
	if l, err := certpath.ParseCRL(der); err == nil && len(e.crls) < maxMaterial {
		e.crls = append(e.crls, l)
	}
}

func (e *evidence) addOCSP(der []byte) {
	if r, err := certpath.ParseOCSP(der); err == nil && len(e.ocsps) < maxMaterial {
		e.ocsps = append(e.ocsps, r)
	}
}

func (e *evidence) source(outside certpath.Source) certpath.Source {
	if outside == nil {
		return e.archive
	}
	return certpath.Sources(e.archive, outside)
}

// poe tells since when material of the store is proven to exist: since the first
// document timestamp over it.
func (e *evidence) poe(j *job) certpath.POE {
	return func(der []byte) (time.Time, bool) {
		revision, ok := e.since[sha256.Sum256(der)]
		if !ok {
			return time.Time{}, false
		}
		at := j.proven(revision)
		return at, at.Before(j.now)
	}
}

// maxStores bounds the revisions whose stores are read one by one.
const maxStores = 64

// readStore reads the document security store, and finds out which revision each
// of its members came with.
func (j *job) readStore() (*evidence, error) {
	e := &evidence{known: &j.Validator.certificates, storeRevision: -1, since: map[[32]byte]int{}}
	last := len(j.doc.Revisions()) - 1
	for i := 0; i <= last; i++ {
		if last > maxStores && i < last {
			continue // only a proof gets weaker by that: all of it counts as new
		}
		view := j.doc
		if i < last {
			view = j.doc.At(i)
		}
		if err := e.readStoreOf(view, i); err != nil {
			if outside(j.ctx, j.r) {
				return nil, fmt.Errorf("read the document security store: %w", err)
			}
			j.report.doubt(say(codeStore, "the document security store cannot be read: "+err.Error()))
		}
	}
	e.archive = certpath.NewArchive(e.certificates, e.crls, e.ocsps)
	return e, nil
}

func (e *evidence) readStoreOf(doc *pdf.Document, revision int) error {
	_, root, err := doc.Root()
	if err != nil {
		return err
	}
	store, err := doc.ResolveDict(root.Get("DSS"))
	if err != nil || store == nil {
		return err
	}
	if e.storeRevision < 0 {
		e.storeRevision = revision
	}
	for _, part := range []struct {
		key pdf.Name
		add func([]byte)
	}{{"Certs", e.addCertificate}, {"CRLs", e.addCRL}, {"OCSPs", e.addOCSP}} {
		list, err := doc.ResolveArray(store.Get(part.key))
		if err != nil {
			return err
		}
		for _, o := range list {
			v, err := doc.Resolve(o)
			if err != nil {
				return err
			}
			stream, ok := v.(*pdf.Stream)
			if !ok {
				continue
			}
			der, err := doc.StreamData(stream)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(der)
			if _, known := e.since[sum]; known {
				continue
			}
			e.since[sum] = revision
			part.add(der)
			if part.key != "Certs" {
				// The newest material decides the level: see level.
				e.storeRevision = max(e.storeRevision, revision)
			}
		}
	}
	return nil
}
