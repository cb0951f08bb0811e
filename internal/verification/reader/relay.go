package reader

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"absah/pades/certpath"
)

// A child has no connection to anywhere. What it would like to know of other
// authorities' servers it writes down as questions; the service asks those that
// go to servers of trusted authorities, and has the document judged again with
// the answers. The service reads none of them.

// Question is one to a server of an authority.
type Question struct {
	URL  string
	Body []byte // an OCSPRequest (RFC 6960 4.1); nil asks for a CRL
}

// MaxQuestions bounds what is asked for one document at once.
const MaxQuestions = 12

// errAsked stands for an answer that is not there yet.
var errAsked = errors.New("to be asked outside")

// Answered is a question with what came.
type Answered struct {
	Question
	Answer []byte
	Failed bool
}

func (q Question) id() [32]byte {
	return sha256.Sum256(append([]byte(q.URL+"\x00"), q.Body...))
}

// relay is the source of the child: it gives what was answered and notes what is
// open. Nothing is asked but about certificates whose addresses lie on hosts.
type relay struct {
	hosts   []string
	known   map[[32]byte]Answered
	mu      sync.Mutex
	missing []Question
}

func newRelay(hosts []string, known []Answered) *relay {
	r := &relay{hosts: hosts, known: map[[32]byte]Answered{}}
	for _, a := range known {
		r.known[a.id()] = a
	}
	return r
}

// Allowed tells whether a server of that address may be asked.
func Allowed(address string, hosts []string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && slices.Contains(hosts, strings.ToLower(u.Hostname()))
}

func (r *relay) ask(q Question) ([]byte, error) {
	if !Allowed(q.URL, r.hosts) {
		return nil, errors.New("the address is not that of a trusted authority")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := r.known[q.id()]; ok {
		if a.Failed {
			return nil, errors.New("the server gave no answer")
		}
		return a.Answer, nil
	}
	if !slices.ContainsFunc(r.missing, func(m Question) bool { return m.id() == q.id() }) && len(r.missing) < MaxQuestions {
		r.missing = append(r.missing, q)
	}
	return nil, errAsked
}

// OCSP implements certpath.Source.
func (r *relay) OCSP(_ context.Context, certificate, issuer *certpath.Certificate) ([]*certpath.OCSPResponse, error) {
	if len(certificate.OCSPServers) == 0 {
		return nil, nil
	}
	body, err := certpath.MarshalOCSPRequest(crypto.SHA1, certificate, issuer, nil)
	if err != nil {
		return nil, err
	}
	for _, address := range certificate.OCSPServers {
		var answer []byte
		if answer, err = r.ask(Question{address, body}); err != nil {
			continue
		}
		var response *certpath.OCSPResponse
		if response, err = certpath.ParseOCSP(answer); err == nil {
			return []*certpath.OCSPResponse{response}, nil
		}
	}
	return nil, err
}

// CRLs implements certpath.Source.
func (r *relay) CRLs(_ context.Context, certificate, _ *certpath.Certificate) ([]*certpath.CRL, error) {
	var out []*certpath.CRL
	var failed []error
	for _, point := range slices.Concat(certificate.DistributionPoints, certificate.FreshestCRL) {
		for _, address := range point.URIs() {
			answer, err := r.ask(Question{URL: address})
			if err != nil {
				failed = append(failed, err)
				continue
			}
			l, err := certpath.ParseCRL(answer)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			out = append(out, l)
			break
		}
	}
	return out, errors.Join(failed...)
}

// Issuers implements certpath.Source. Certificates of strangers are not fetched:
// only their issuers would tell whether they are trusted.
func (r *relay) Issuers(context.Context, *certpath.Certificate) ([]*certpath.Certificate, error) {
	return nil, nil
}
