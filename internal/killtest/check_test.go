package killtest

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/mail"
	"absah/internal/outbox"
	"absah/internal/store/db"
)

// checker holds what is there against what was acknowledged.
type checker struct {
	*testing.T
	*app.App
	kills   int
	entries []entry
	got     map[string]int // what the mail server accepted, by Message-ID

	registrations map[string]db.Registration
	history       map[string][]db.HistoryOfRow // by registration
}

func (c *checker) check() {
	c.read()
	c.failures()
	c.steps()
	c.chains()
	c.certificates()
	c.statuses()
	c.keys()
	c.mails()
	c.guesses()
}

func (c *checker) must(what string, err error) {
	c.Helper()
	if err != nil {
		c.Fatalf("%s: %v", what, err)
	}
}

func (c *checker) ids(query string) []string {
	c.Helper()
	rows, err := c.Store.ReadDB().QueryContext(c.Context(), query)
	c.must(query, err)
	defer func() { _ = rows.Close() }() // rows.Err tells
	var out []string
	for rows.Next() {
		var id string
		c.must(query, rows.Scan(&id))
		out = append(out, id)
	}
	c.must(query, rows.Err())
	return out
}

func (c *checker) read() {
	c.registrations, c.history = map[string]db.Registration{}, map[string][]db.HistoryOfRow{}
	for _, id := range c.ids(`select id from registration`) {
		r, err := c.Store.Read().GetRegistration(c.Context(), id)
		c.must("read registration", err)
		c.registrations[id] = r
		c.history[id], err = c.Store.Read().HistoryOf(c.Context(), id)
		c.must("read history", err)
	}
}

// failures are errors that the people of the driver met and no kill explains.
func (c *checker) failures() {
	for _, e := range c.entries {
		if e.Kind == failed {
			c.Errorf("life %d: %s", e.life, e.Words)
		}
	}
}

// steps: every acknowledged step stands in the history, and nothing stands
// there that nobody asked for.
func (c *checker) steps() {
	type step struct{ of, action string }
	type submission struct {
		of string
		at int64
	}
	told := map[submission]bool{}
	acknowledged, requested, rows := map[step]int{}, map[step]int{}, map[step]int{}
	steps := 0
	for _, e := range c.entries {
		switch e.Kind {
		case done:
			steps++
			if s := (submission{e.Registration, e.At}); e.At == 0 || !told[s] {
				told[s] = true
				acknowledged[step{e.Registration, e.Action}]++
			}
		case asked:
			requested[step{e.Employee, e.Action}]++
		}
	}
	for id, list := range c.history {
		for _, h := range list {
			rows[step{id, h.Action}]++
			// A reset stands in the history of the old registration and of the new.
			begins := h.Action == string(enrolment.ActionReset) && h.Seq == 1
			if h.ActorRole != string(enrolment.System) && !begins {
				rows[step{c.registrations[id].EmployeeID, h.Action}]++
			}
		}
	}
	for s, n := range acknowledged {
		if rows[s] < n {
			c.Errorf("%s of registration %s was acknowledged %d times and stands %d times in its history", s.action, s.of, n, rows[s])
		}
	}
	for s, n := range rows {
		if _, isRegistration := c.registrations[s.of]; !isRegistration && requested[s] < n {
			c.Errorf("%s of employee %s was asked for %d times and was done %d times", s.action, s.of, requested[s], n)
		}
	}
	issued := len(c.ids(`select serial from certificate where state = 'issued'`))
	c.Logf("%d lives, %d registrations, %d acknowledged steps, %d certificates", c.kills, len(c.registrations), steps, issued)
	if steps == 0 || issued == 0 {
		c.Errorf("the kills came so early that nothing was tested")
	}
}

// chains: the history of every registration and the audit record are unbroken,
// and each row of a history has its row in the record.
func (c *checker) chains() {
	_, err := audit.Verify(c.Context(), c.Store.Read())
	if err != nil {
		c.Error(err)
	}
	recorded := map[string]bool{}
	for _, text := range c.ids(`select detail from audit where action like 'registration.%'`) {
		var d map[string]string
		c.must("read audit", json.Unmarshal([]byte(text), &d))
		recorded[d["history"]] = true
	}
	for id, list := range c.history {
		if err := enrolment.VerifyHistory(c.Context(), c.Store.Read(), id); err != nil {
			c.Error(err)
		}
		for _, h := range list {
			if !recorded[hex.EncodeToString(h.Hash)] {
				c.Errorf("%s of registration %s is not in the audit record", h.Action, id)
			}
		}
	}
}

// certificates: one for a registration at most, each as it was intended, each
// after the approvals of two officers who are not its subject.
func (c *checker) certificates() {
	n, problems, err := c.Authority.Recheck(c.Context())
	c.must("recheck certificates", err)
	for _, p := range problems {
		c.Errorf("certificate %s %s", p.Serial, p.What)
	}
	for id, r := range c.registrations {
		rows := c.ids(`select serial from certificate where state = 'issued' and registration_id = '` + id + `'`)
		was := 0
		for _, h := range c.history[id] {
			if h.Action == string(enrolment.ActionIssue) {
				was++
			}
		}
		if len(rows) != was || was > 1 {
			c.Errorf("registration %s has %d certificates and was issued %d times", id, len(rows), was)
		}
		if enrolment.Status(r.Status) == enrolment.Issuing {
			c.Errorf("registration %s waits for a certificate that nobody makes", id)
		}
		if was == 0 {
			continue
		}
		one, two := r.VerifiedBy.String, r.ApprovedBy.String
		if one == "" || two == "" || one == two || one == r.EmployeeID || two == r.EmployeeID {
			c.Errorf("registration %s was issued after checks by %q and %q of %q", id, one, two, r.EmployeeID)
		}
	}
	for _, e := range c.ids(`select employee_id from registration where status = 'Issue' group by employee_id having count(*) > 1`) {
		c.Errorf("employee %s has two valid certificates", e)
	}
	c.Logf("%d certificates read again", n)
}

// statuses: what was revoked is revoked by OCSP and in the newest CRL, and
// nothing else is; CRLs never went back.
func (c *checker) statuses() {
	responder, err := c.Hierarchy.Responder(c.Records, c.Clock)
	c.must("make responder", err)
	list, err := c.Records.CRL(c.Context(), string(ca.IssuingCA))
	c.must("read CRL", err)
	parsed, err := x509.ParseRevocationList(list.DER)
	c.must("parse CRL", err)
	listed := map[string]bool{}
	for _, e := range parsed.RevokedCertificateEntries {
		listed[ca.SerialText(e.SerialNumber)] = true
	}
	for _, serial := range c.ids(`select serial from certificate where state = 'issued'`) {
		row, err := c.Store.Read().GetCertificate(c.Context(), serial)
		c.must("read certificate", err)
		cert, err := x509.ParseCertificate(row.Der)
		c.must("parse certificate", err)
		status := enrolment.Status(c.registrations[row.RegistrationID].Status)
		want := ocsp.Good
		if status == enrolment.Revoked {
			want = ocsp.Revoked
		}
		req, err := ocsp.CreateRequest(cert, c.Hierarchy.Issuing, &ocsp.RequestOptions{Hash: crypto.SHA256})
		c.must("ask for status", err)
		answer, err := responder.Respond(c.Context(), req)
		c.must("answer status", err)
		res, err := ocsp.ParseResponseForCert(answer.DER, cert, c.Hierarchy.Issuing)
		c.must("read status", err)
		if res.Status != want || listed[serial] != (want == ocsp.Revoked) {
			c.Errorf("registration %s is %s, OCSP says %d, in the CRL: %v", row.RegistrationID, status, res.Status, listed[serial])
		}
	}
	var last time.Time
	for _, text := range c.ids(`select cast(this_update as text) from crl where issuer = '` + string(ca.IssuingCA) + `' and state = 'published' order by number`) {
		var us int64
		_, err := fmt.Sscan(text, &us)
		c.must("read CRL", err)
		if at := time.UnixMicro(us); at.Before(last) {
			c.Errorf("a CRL of %v has a lower number than one of %v", last, at)
		} else {
			last = at
		}
	}
}

// keys: every valid certificate has one key, which its owner's passphrase
// opens; no key survives its end.
func (c *checker) keys() {
	for id, r := range c.registrations {
		live := c.ids(`select id from credential where state in ('pending', 'active') and registration_id = '` + id + `'`)
		status := enrolment.Status(r.Status)
		if len(live) > 1 || (status == enrolment.Issue || status == enrolment.Enroll) != (len(live) == 1) && status != enrolment.OnSetPassphrase {
			c.Errorf("registration %s at %s has %d keys", id, status, len(live))
		}
	}
	for _, id := range c.ids(`select id from credential where state in ('revoked', 'discarded') and length(box) > 0`) {
		c.Errorf("key %s was not erased", id)
	}
	c.lockOuts()
}

// lockOuts: a key that is locked for good is destroyed, or the job that does it
// waits until the guess in flight at a kill has lost its place, by the clock of
// the attempts.
func (c *checker) lockOuts() {
	text := map[bool]string{false: `json(args) ->> 'id'`, true: `args ->> 'id'`}[c.Store.Postgres()]
	waiting := map[string]bool{}
	for _, id := range c.ids(`select ` + text + ` from river_job where state = 'scheduled'`) {
		waiting[id] = true
	}
	left := 0
	for _, id := range c.ids(`select id from credential where state = 'active'`) {
		k, err := c.Store.Read().GetCredential(c.Context(), id)
		c.must("read key", err)
		a, err := c.Enrolment.Ledger.Decode(c.Context(), id, k.Attempts)
		c.must("read attempts", err)
		if !a.LockedForGood {
			continue
		}
		if left++; a.InflightUntil.IsZero() || !waiting[id] {
			c.Errorf("key %s is locked for good and not destroyed; its job waits: %v", id, waiting[id])
		}
	}
	destroyed := 0
	for _, list := range c.history {
		for _, h := range list {
			if h.Action == string(enrolment.ActionLockOut) {
				destroyed++
			}
		}
	}
	c.Logf("%d keys were locked for good and destroyed, %d wait for their last guess", destroyed, left)
}

// mails: each event has its mail, each mail was accepted by the server at
// least once, and more often only when an attempt was begun more often.
func (c *checker) mails() {
	expect := map[string]string{
		string(enrolment.ActionSubmit): string(mail.KindRegistrationReceived), string(enrolment.ActionVerify): string(mail.KindLoginInformation),
		string(enrolment.ActionAccept): string(mail.KindAgreementCopy), string(enrolment.ActionIssue): string(mail.KindCertificateIssued),
		string(enrolment.ActionReturn): string(mail.KindRegistrationReturned), string(enrolment.ActionReject): string(mail.KindRegistrationRejected),
		string(enrolment.ActionChange): string(mail.KindPassphraseChanged), string(enrolment.ActionRevoke): string(mail.KindCertificateRevoked),
		string(enrolment.ActionLockOut): string(mail.KindKeyDestroyed),
	}
	known, again := map[string]bool{}, 0
	for id, list := range c.history {
		want, have := map[string]int{}, map[string]int{}
		for _, h := range list {
			if kind := expect[h.Action]; kind != "" {
				want[kind]++
			}
			switch enrolment.Action(h.Action) {
			case enrolment.ActionVerify, enrolment.ActionSendLink:
				want[string(mail.KindEnrolLink)]++
			case enrolment.ActionReset:
				if h.Seq == 1 {
					want[string(mail.KindEnrolLink)]++
					want[string(mail.KindResetRequested)]++
				} else {
					want[string(mail.KindCertificateRevoked)]++
				}
			}
		}
		for _, mailID := range c.ids(`select id from mail where registration_id = '` + id + `'`) {
			m, err := c.Store.Read().GetMail(c.Context(), mailID)
			c.must("read mail", err)
			have[m.Kind]++
			known[m.MessageID] = true
			attempts, err := c.Store.Read().MailAttempts(c.Context(), mailID)
			c.must("read attempts", err)
			n := c.received(m.MessageID)
			again += max(0, n-1)
			if m.State != outbox.Sent && m.State != outbox.Cancelled {
				c.Errorf("mail %s (%s) is %s after all", mailID, m.Kind, m.State)
			}
			if m.State == outbox.Sent && n == 0 {
				c.Errorf("mail %s (%s) counts as sent and never arrived", mailID, m.Kind)
			}
			if n > len(attempts) {
				c.Errorf("mail %s arrived %d times in %d attempts", mailID, n, len(attempts))
			}
		}
		for _, kind := range keysOf(want, have) {
			if want[kind] != have[kind] {
				c.Errorf("registration %s: %d mails %s for %d events", id, have[kind], kind, want[kind])
			}
		}
	}
	for id := range c.got {
		if bare := strings.Trim(id, "<>"); !known[id] && !known[bare] && !known["<"+bare+">"] {
			// Mails about accounts belong to no registration.
			if len(c.ids(`select id from mail where message_id in ('`+bare+`', '<`+bare+`>')`)) == 0 {
				c.Errorf("mail %s arrived and nobody has queued it", id)
			}
		}
	}
	c.Logf("%d mails arrived, %d of them again", len(c.got), again)
	// Only what was on its way at a kill may arrive again.
	if most := c.kills * 8; again > most {
		c.Errorf("%d mails arrived again, more than were on their way at %d kills", again, c.kills)
	}
}

func (c *checker) received(messageID string) int {
	bare := strings.Trim(messageID, "<>")
	return c.got[bare] + c.got["<"+bare+">"]
}

func keysOf(maps ...map[string]int) []string {
	var out []string
	seen := map[string]bool{}
	for _, m := range maps {
		for k := range m {
			if !seen[k] {
				seen[k] = true
				out = append(out, k)
			}
		}
	}
	return out
}

// The limits on guesses (package credential).
const (
	rowLocks  = 5  // wrong in a row lock for a time
	rowEnds   = 10 // wrong in a row lock for good
	dayEnds   = 20 // wrong in a day lock for good
	firstLock = 15 * time.Minute
)

// guesses: no key was ever tested more often than the limits allow, however
// often the counting process was killed. A guess counts from the moment before
// its test, so this is an upper bound of what was tested.
func (c *checker) guesses() {
	tests := map[string][]entry{}
	total := 0
	for _, e := range c.entries {
		switch e.Kind {
		case guessed:
			tests[e.Key] = append(tests[e.Key], e)
			total++
		case untested:
			list := tests[e.Key]
			tests[e.Key] = list[:len(list)-1] // one test of a key at a time
		}
	}
	most := 0
	for key, list := range tests {
		row, day := 0, 0
		var free time.Time // when the lock that the row has earned ends
		for _, e := range list {
			at := time.UnixMicro(e.At)
			if at.Before(free.Add(-credential.Hold)) {
				c.Errorf("key %s was tested at %v, locked until %v after %d wrong in a row", key, at, free, row)
			}
			if e.Right {
				row = 0
				continue
			}
			if row, day = row+1, day+1; row >= rowLocks {
				free = at.Add(firstLock << (row - rowLocks))
			}
			if row > rowEnds || day > dayEnds {
				c.Errorf("key %s was tested with %d wrong passphrases in a row, %d in a day", key, row, day)
			}
		}
		most = max(most, day)
	}
	c.Logf("%d passphrases tested on %d keys, at most %d wrong on one", total, len(tests), most)
	if total == 0 {
		c.Error("nobody guessed: nothing was tested")
	}
}
