package bench

import (
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"absah/internal/app/apptest"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
)

// BenchmarkRegistration takes people from "Registrasi DS" to the second check
// through the pages, as browsers do: 13 requests of three people each, with all
// that they cause but the derivation of the passphrase.
func BenchmarkRegistration(b *testing.B) {
	onBoth(b, func(b *testing.B, s *site) {
		s.populate(b.N)
		share(b, 4, "registrations", s.register)
	})
}

func (s *site) register(i int) error {
	ctx := s.b.Context()
	p := s.estate.People[i]
	mine := s.cookies[p.EmployeeID]
	one, two := s.estate.Officers[i%2].EmployeeID, s.estate.Officers[2+i%2].EmployeeID
	if _, err := s.visit(mine, "/ds/registrasi", nil, http.StatusOK); err != nil {
		return err
	}
	if _, err := s.visit(mine, "/ds/registrasi", url.Values{}, http.StatusSeeOther); err != nil {
		return err
	}
	r, err := s.Store.Read().OpenRegistration(ctx, p.EmployeeID)
	if err != nil {
		return err
	}
	if err := s.examine(one, r.ID, r.SnapshotHash); err != nil {
		return err
	}
	s.mu.Lock()
	link := "/email/user/enroll/" + s.tokens[r.ID]
	s.mu.Unlock()
	if _, err := s.visit("", link, nil, http.StatusOK); err != nil {
		return err
	}
	session, err := s.visit("", link, url.Values{"passphrase": {secret}, "konfirmasi": {secret}}, http.StatusSeeOther)
	if err != nil {
		return err
	}
	const agreement = "/email/user/enroll/perjanjian"
	if _, err := s.visit(session, agreement, nil, http.StatusOK); err != nil {
		return err
	}
	_, err = s.visit(session, agreement, url.Values{
		"setuju": {hex.EncodeToString(s.consent.Agreement)}, "data_pribadi": {hex.EncodeToString(s.consent.Privacy)}, "bahasa": {"id"},
	}, http.StatusSeeOther)
	if err != nil {
		return err
	}
	return s.examine(two, r.ID, r.SnapshotHash)
}

// examine is one check: claim, look, accept every field.
func (s *site) examine(officer, id string, hash []byte) error {
	cookie := s.cookies[officer]
	if _, err := s.visit(cookie, "/petugas/"+id+"/ambil", url.Values{}, http.StatusSeeOther); err != nil {
		return err
	}
	if _, err := s.visit(cookie, "/petugas/"+id, nil, http.StatusOK); err != nil {
		return err
	}
	form := url.Values{"aksi": {"terima"}, "hash": {hex.EncodeToString(hash)}}
	for _, f := range enrolment.Fields {
		form.Set(f, "accept")
	}
	_, err := s.visit(cookie, "/petugas/"+id+"/periksa", form, http.StatusSeeOther)
	return err
}

// warmUp is how many issuances run before the clock does, so that statements are
// prepared and pages are in memory.
const warmUp = 128

// BenchmarkIssuance is the work of the ca role for one certificate: both
// approvals checked, to-be-signed bytes linted and recorded, signature,
// certificate stored, history, audit and mail, in two durable transactions.
// As many at once as an installation works on.
func BenchmarkIssuance(b *testing.B) {
	onBoth(b, func(b *testing.B, s *site) {
		ctx := b.Context()
		all := warmUp + b.N
		ok(b, apptest.Populate(ctx, s.App, all))
		var err error
		s.estate, err = apptest.Find(ctx, s.App)
		ok(b, err)
		ids := make([]string, all)
		atOnce(b, 4, all, func(i int) error {
			id, err := s.approve(i)
			ids[i] = id
			return err
		})
		issuers := s.Config.CA.AtOnce
		issue := func(i int) error { return s.Authority.IssueJob(ctx, ids[i]) }
		atOnce(b, issuers, warmUp, issue)
		share(b, issuers, "issuances", func(i int) error { return issue(warmUp + i) })
		n := 0
		ok(b, s.Store.ReadDB().QueryRow(`select count(*) from registration where status = 'Issue'`).Scan(&n))
		if n != all {
			b.Errorf("%d of %d were issued", n, all)
		}
	})
}

// quick is a passphrase whose estimate takes a tenth of that of secret's.
const quick = "zq!Xv8#Kp2@W"

// approve takes a person to where the ca role begins.
func (s *site) approve(i int) (string, error) {
	ctx := s.b.Context()
	p := s.estate.People[i]
	r, err := s.Enrolment.Submit(ctx, p)
	if err != nil {
		return "", err
	}
	if err := s.Enrolment.Verify(ctx, s.estate.Officers[0], apptest.Accept(r)); err != nil {
		return "", err
	}
	s.mu.Lock()
	token := s.tokens[r.ID]
	s.mu.Unlock()
	word, err := passphrase.Read([]byte(quick))
	if err != nil {
		return "", err
	}
	for err = passphrase.ErrTimeout; errors.Is(err, passphrase.ErrTimeout); { // a machine with much else to do
		_, err = s.Enrolment.SetPassphrase(ctx, p, token, word)
	}
	if err != nil {
		return "", err
	}
	if err := s.Enrolment.Accept(ctx, p, enrolment.LinkHolder, r.ID, s.consent); err != nil {
		return "", err
	}
	return r.ID, s.Enrolment.Approve(ctx, s.estate.Officers[1], apptest.Accept(r))
}
