package backup

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// World is what is known of an installation beside a database that was put
// back: what the world saw and must not see undone.
type World struct {
	// Export is the directory of the log's export as it was last; empty when it
	// is lost. Key verifies it.
	Export string
	Key    note.Verifier
	// Lists are certificate revocation lists that were published, DER.
	Lists [][]byte
	// Journal keeps revocations and numbers of lists outside the database.
	Journal *ca.Journal
	// Issuer names the CA of a list by its subject in DER ("" when unknown).
	Issuer func(subject []byte) string
	// Recall counts again the wrong passphrases of rows of the record, and
	// returns for how many keys. Needed when there are any.
	Recall func(ctx context.Context, tx *store.Tx, rows []audit.Row) (int64, error)
}

// Found is what a reconciliation found and did.
type Found struct {
	Rows          int64    // of the record, brought back from the export
	Revocations   int      // that the journal did not know
	Lost          []string // serials of certificates that were issued since the backup and are gone; they are revoked
	Back          int      // registrations that stand again where they stood at the backup
	Gone          int      // registrations that were made since
	Links         int64    // that cannot be used any more, since they may have been used
	Erased        int64    // scans that were erased since, erased again
	Forgotten     int64    // registrations whose data were erased since, erased again
	Documents     int64    // that were erased since, erased again
	Disabled      int64    // accounts that were disabled since, disabled again
	Held          int      // certificates suspended, since their passphrase was changed and the one before opens the key again
	Recalled      int64    // keys whose wrong passphrases since were counted again
	RolesRevoked  int64    // roles that were taken since, taken again
	SessionsEnded int64
}

// facts are what the replayed rows tell.
type facts struct {
	issuer        map[string]string          // serial of a certificate issued since -> issuer, when the row says so
	issued        map[string]string          // serial -> digest
	revoked       map[string]ca.StatusChange // by serial
	numbers       map[string]int64           // highest number of a list by CA
	registrations map[string]bool
	accounts      map[string]bool // whose links may have been used
	disabled      map[string]bool
	roles         []role
	erased        map[string]bool // scans
	forgotten     map[string]bool // data of registrations
	documents     map[string]bool // that were erased
	changed       map[string]bool // registrations whose passphrase was changed
	held          map[string]bool // certificates that are suspended for it
	wrong         []audit.Row     // wrong passphrases, in their order
}

type role struct{ account, name string }

func newFacts() *facts {
	return &facts{
		issuer: map[string]string{}, issued: map[string]string{}, revoked: map[string]ca.StatusChange{}, numbers: map[string]int64{},
		registrations: map[string]bool{}, accounts: map[string]bool{}, disabled: map[string]bool{}, erased: map[string]bool{},
		forgotten: map[string]bool{}, documents: map[string]bool{}, changed: map[string]bool{}, held: map[string]bool{},
	}
}

// learn reads one row of the record.
func (f *facts) learn(r audit.Row) error {
	var d map[string]string
	if err := json.Unmarshal([]byte(r.Detail), &d); err != nil {
		return fmt.Errorf("row %d: %w", r.Seq, err)
	}
	if e, ok := audit.Revocation(r.Action, d); ok {
		f.status(e, clock.FromMicros(r.At), d["issuer"])
	}
	switch r.ObjectKind {
	case "credential":
		if r.Action == audit.ActionWrongPassphrase {
			f.wrong = append(f.wrong, r)
		}
	case "registration":
		f.forgotten[r.ObjectID] = f.forgotten[r.ObjectID] || r.Action == "privacy.erase"
		f.registrations[r.ObjectID] = f.registrations[r.ObjectID] || d["history"] != ""
		f.changed[r.ObjectID] = f.changed[r.ObjectID] || r.Action == "registration.ChangePassphrase"
	case "certificate":
		switch r.Action {
		case "certificate.issue":
			f.issued[r.ObjectID], f.issuer[r.ObjectID] = d["der_sha256"], d["issuer"]
		case "certificate.abandon":
			f.revoked[r.ObjectID] = ca.StatusChange{Serial: r.ObjectID, At: clock.FromMicros(r.At), Reason: ca.CessationOfOperation}
		}
	case "crl":
		if n, err := strconv.ParseInt(d["number"], 10, 64); err == nil {
			ca, _, _ := strings.Cut(r.ObjectID, ".") // deltas and shards count together with the complete list
			f.numbers[ca] = max(f.numbers[ca], n)
		}
	case "account":
		f.account(r, d)
	case "evidence":
		f.erased[r.ObjectID] = f.erased[r.ObjectID] || r.Action == "privacy.erase"
	case "document":
		f.documents[r.ObjectID] = f.documents[r.ObjectID] || r.Action == "document.erase"
	}
	return nil
}

func (f *facts) status(e audit.Revoked, at time.Time, issuer string) {
	if e.Released {
		if f.revoked[e.Serial].Reason == ca.CertificateHold {
			delete(f.revoked, e.Serial)
		}
		return
	}
	code, err := strconv.Atoi(e.Reason)
	if err != nil {
		code = int(ca.Unspecified) // a word: that it was revoked counts
	}
	f.revoked[e.Serial] = ca.StatusChange{Issuer: issuer, Serial: e.Serial, At: at, Reason: ca.Reason(code)}
}

func (f *facts) account(r audit.Row, d map[string]string) {
	switch r.Action {
	case "account.disable":
		f.disabled[r.ObjectID] = true
	case "account.enable":
		delete(f.disabled, r.ObjectID)
	case "account.role.revoke":
		f.roles = append(f.roles, role{r.ObjectID, d["role"]})
	case "account.role.grant":
		f.roles = slices.DeleteFunc(f.roles, func(x role) bool { return x == role{r.ObjectID, d["role"]} })
	case "account.link.use", "account.link.send", "account.password", "account.forgot":
		f.accounts[r.ObjectID] = true
	}
}

// Reconcile brings a database that was put back into agreement with the world.
// The record goes on where it was; what was revoked stays revoked, also what the
// database does not know; numbers of lists go on above all that were published;
// links that may have been used are used; accounts that were disabled, roles that
// were taken and scans that were erased are so again; nobody stays signed in. It
// may run any number of times. Run it before anything else writes.
//
// Wrong passphrases count again; a right one since the last of them is not known
// and forgives nothing. A passphrase that was changed opens the key no more and the one
// before does, so the certificate is suspended until its subscriber or an officer looks.
// It cannot bring back what nobody kept: registrations stand where they stood.
func Reconcile(ctx context.Context, s *store.Store, w World, now clock.Clock) (Found, error) {
	var found Found
	f := newFacts()
	if w.Export != "" {
		c, err := audit.VerifyExport(w.Export, w.Key)
		if err != nil {
			return found, fmt.Errorf("reconcile: %w", err)
		}
		err = s.InTx(ctx, func(tx *store.Tx) (err error) {
			f, found = newFacts(), Found{} // InTx may run it again
			if found.Rows, err = audit.Replay(ctx, tx, w.Export, c, f.learn); err != nil || found.Rows == 0 {
				return err
			}
			if len(f.wrong) > 0 {
				if w.Recall == nil {
					return errors.New("nothing counts the wrong passphrases of the record")
				}
				if found.Recalled, err = w.Recall(ctx, tx, f.wrong); err != nil {
					return err
				}
			}
			return settleFacts(ctx, tx, f, &found, now())
		})
		if err != nil {
			return found, fmt.Errorf("reconcile: %w", err)
		}
	}
	if err := f.learnLists(w); err != nil {
		return found, fmt.Errorf("reconcile: %w", err)
	}
	return found, f.keep(ctx, s, w, &found)
}

// learnLists takes what published lists say.
func (f *facts) learnLists(w World) error {
	for _, der := range w.Lists {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return fmt.Errorf("read list: %w", err)
		}
		name := w.Issuer(list.RawIssuer)
		if name == "" {
			return fmt.Errorf("read list: %w: its issuer is none of this authority's", ca.ErrNotOurs)
		}
		if list.Number != nil && list.Number.IsInt64() {
			f.numbers[name] = max(f.numbers[name], list.Number.Int64())
		}
		for _, e := range list.RevokedCertificateEntries {
			serial := ca.SerialText(e.SerialNumber)
			if _, known := f.revoked[serial]; !known && e.ReasonCode != int(ca.RemoveFromCRL) {
				f.revoked[serial] = ca.StatusChange{Issuer: name, Serial: serial, At: e.RevocationTime, Reason: ca.Reason(e.ReasonCode)}
			}
		}
	}
	return nil
}

// keep writes revocations and numbers to the journal, by which the register
// makes the database say them.
func (f *facts) keep(ctx context.Context, s *store.Store, w World, found *Found) error {
	if w.Journal == nil {
		return nil
	}
	all, err := w.Journal.Changes()
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	known := map[string]bool{}
	for _, c := range all {
		known[c.Serial] = known[c.Serial] || c.Reason.Valid() || c.Reason == ca.CertificateHold
		if c.Reason == ca.RemoveFromCRL && f.held[c.Serial] {
			known[c.Serial] = false // what was suspended here is later than that
		}
	}
	var fresh []ca.StatusChange
	for _, serial := range slices.Sorted(maps.Keys(f.revoked)) {
		c := f.revoked[serial]
		if known[serial] {
			continue
		}
		if c.Issuer == "" {
			if c.Issuer, err = issuerOf(ctx, s, serial, f.issuer[serial]); err != nil {
				return err
			}
		}
		fresh = append(fresh, c)
	}
	if len(fresh) > 0 {
		if err := w.Journal.Append(fresh); err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
	}
	found.Revocations = len(fresh)
	for name, n := range f.numbers {
		if n > w.Journal.Number(name) {
			if err := w.Journal.TakeNumber(name, n); err != nil {
				return fmt.Errorf("reconcile: %w", err)
			}
		}
	}
	return nil
}

// issuerOf is the CA of a certificate: as the database or the row says; else
// the one that issued first.
func issuerOf(ctx context.Context, s *store.Store, serial, said string) (string, error) {
	c, err := s.Read().GetCertificate(ctx, serial)
	switch {
	case err == nil:
		return c.Issuer, nil
	case !store.IsNotFound(err):
		return "", fmt.Errorf("reconcile: read certificate: %w", err)
	case said != "":
		return said, nil
	}
	return string(ca.IssuingCA), nil
}

// settleFacts does what the replayed rows ask for inside the database.
func settleFacts(ctx context.Context, tx *store.Tx, f *facts, found *Found, now time.Time) error {
	if err := lose(ctx, tx, f, found, now); err != nil {
		return err
	}
	at := clock.Micros(now)
	for _, c := range []struct {
		count *int64
		ids   []string
		do    func(id string) (int64, error)
	}{
		{&found.Links, slices.Sorted(maps.Keys(f.registrations)), func(id string) (int64, error) {
			return tx.VoidEnrolLinks(ctx, db.VoidEnrolLinksParams{RegistrationID: id, UsedAt: at})
		}},
		{&found.Links, slices.Sorted(maps.Keys(f.accounts)), func(id string) (int64, error) {
			return tx.VoidInvitations(ctx, db.VoidInvitationsParams{AccountID: id, UsedAt: at})
		}},
		{&found.Disabled, slices.Sorted(maps.Keys(f.disabled)), func(id string) (int64, error) {
			return tx.DisableAgain(ctx, db.DisableAgainParams{ID: id, UpdatedAt: at})
		}},
		{&found.Erased, chosen(f.erased), func(id string) (int64, error) { return tx.EraseAgain(ctx, id) }},
		{&found.Forgotten, chosen(f.forgotten), func(id string) (int64, error) { return tx.ReplayRegistration(ctx, id) }},
		{&found.Documents, chosen(f.documents), func(id string) (int64, error) {
			if err := tx.EraseDocumentVersions(ctx, id); err != nil {
				return 0, err
			}
			return tx.EraseDocument(ctx, db.EraseDocumentParams{ID: id, Now: at})
		}},
	} {
		for _, id := range c.ids {
			n, err := c.do(id)
			if err != nil {
				return fmt.Errorf("settle %s: %w", id, err)
			}
			*c.count += n
		}
	}
	for _, r := range f.roles {
		n, err := tx.TakeRolesAgain(ctx, db.TakeRolesAgainParams{AccountID: r.account, Role: r.name})
		if err != nil {
			return fmt.Errorf("settle roles of %s: %w", r.account, err)
		}
		found.RolesRevoked += n
	}
	n, err := tx.EndAllSessions(ctx, at)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	found.SessionsEnded = n
	return audit.Record(ctx, tx, now, audit.System("restore"), audit.Entry{
		Action: "restore.reconcile", ObjectKind: "log", ObjectID: "log", Detail: map[string]string{
			"rows": strconv.FormatInt(found.Rows, 10), "lost": strconv.Itoa(len(found.Lost)), "back": strconv.Itoa(found.Back), "gone": strconv.Itoa(found.Gone),
		},
	})
}

// chosen lists the keys that are true.
func chosen(m map[string]bool) (out []string) {
	for _, id := range slices.Sorted(maps.Keys(m)) {
		if m[id] {
			out = append(out, id)
		}
	}
	return out
}

// lose records what the rows speak of and the database does not hold.
func lose(ctx context.Context, tx *store.Tx, f *facts, found *Found, now time.Time) error {
	record := func(action, kind, id string, detail map[string]string) error {
		return audit.Record(ctx, tx, now, audit.System("restore"), audit.Entry{Action: action, ObjectKind: kind, ObjectID: id, Detail: detail})
	}
	for _, serial := range slices.Sorted(maps.Keys(f.issued)) {
		c, err := tx.GetCertificate(ctx, serial)
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("read certificate: %w", err)
		}
		if err == nil && len(c.Der) > 0 {
			continue
		}
		// Its key is gone with the database, so nobody signs with it again.
		found.Lost = append(found.Lost, serial)
		if _, revoked := f.revoked[serial]; !revoked {
			f.revoked[serial] = ca.StatusChange{Serial: serial, At: now, Reason: ca.CessationOfOperation}
		}
		if err := record(audit.ActionLost, "certificate", serial, map[string]string{"der_sha256": f.issued[serial]}); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.registrations)) {
		if !f.registrations[id] {
			continue // only looked at
		}
		last, err := tx.LastHistory(ctx, id)
		if store.IsNotFound(err) {
			found.Gone++
			err = record(audit.ActionLost, "registration", id, nil)
		} else if err == nil {
			found.Back++
			err = record(audit.ActionBack, "registration", id, map[string]string{"history": hex.EncodeToString(last.Hash)})
		}
		if err != nil {
			return fmt.Errorf("registration %s: %w", id, err)
		}
	}
	for _, id := range chosen(f.changed) {
		c, err := tx.CertificateOfRegistration(ctx, id)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read certificate of registration %s: %w", id, err)
		}
		if _, known := f.revoked[c.Serial]; known || c.RevokedAt > 0 {
			continue // suspended or revoked in any case
		}
		found.Held++
		f.held[c.Serial] = true
		f.revoked[c.Serial] = ca.StatusChange{Issuer: c.Issuer, Serial: c.Serial, At: now, Reason: ca.CertificateHold}
		detail := map[string]string{"serial": c.Serial, "issuer": c.Issuer, "cause": "passphrase"}
		if err := record("certificate.suspend", "certificate", c.Serial, detail); err != nil {
			return err
		}
	}
	return nil
}

// ErrNoExport says that there is no export to reconcile with.
var ErrNoExport = errors.New("there is no export of the log to reconcile with")
