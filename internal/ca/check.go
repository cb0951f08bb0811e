package ca

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// JobCheck is the kind of the job that reads everything issued again; the
// handler is Authority.CheckJob. Order it every hour: it runs once a night.
const JobCheck = "ca.check"

// How a run is divided, so that it is never long at one place and goes on where
// a process ended.
const (
	checkBatch    = 500             // certificates that are read and judged together
	checkPatience = 2 * time.Minute // of one job; the next one goes on
	checkEvery    = 20 * time.Hour  // from the start of a run to that of the next
	checkKept     = 1000            // problems that are written down of one run
)

// CheckJob re-reads, re-lints and re-verifies everything issued, in batches, and
// compares it with the records: what was intended and what the audit record says
// was issued, the columns, the status that the CRL tells. What it finds is
// written down as problems of the run and told to the administrators.
func (a *Authority) CheckJob(ctx context.Context, _ string) error {
	run, err := a.checkRun(ctx)
	if err != nil || run == nil {
		return err
	}
	until := a.cfg.Clock().Add(checkPatience)
	for run.FinishedAt == 0 {
		if err := a.checkSome(ctx, run); err != nil {
			return fmt.Errorf("check what was issued: %w", err)
		}
		if run.FinishedAt == 0 && a.cfg.Clock().After(until) {
			return a.cfg.Store.InTx(ctx, func(tx *store.Tx) error { return tx.Enqueue(ctx, store.Job{Kind: JobCheck}) })
		}
	}
	return a.tellProblems(ctx, run.ID)
}

// checkRun takes up the run that is under way or begins one; nil when the last
// one is young.
func (a *Authority) checkRun(ctx context.Context) (*db.CheckRun, error) {
	last, err := a.cfg.Store.Read().LatestCheckRun(ctx)
	if err != nil && !store.IsNotFound(err) {
		return nil, fmt.Errorf("read the last check: %w", err)
	}
	now := a.cfg.Clock()
	if err == nil && last.FinishedAt == 0 {
		return &last, nil
	}
	if age := now.Sub(clock.FromMicros(last.StartedAt)); err == nil && age >= 0 && age < checkEvery {
		return nil, a.tellProblems(ctx, last.ID) // in case the process ended before it did
	}
	run := db.CheckRun{ID: ident.New(), StartedAt: clock.Micros(now)}
	err = a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.InsertCheckRun(ctx, db.InsertCheckRunParams{ID: run.ID, StartedAt: run.StartedAt})
	})
	if err != nil {
		return nil, fmt.Errorf("begin check: %w", err)
	}
	return &run, nil
}

// checkSome judges the next batch of a run. Another process may do the same;
// only one of them moves the run on.
func (a *Authority) checkSome(ctx context.Context, run *db.CheckRun) error {
	rows, err := a.cfg.Store.Read().ListCertificates(ctx, db.ListCertificatesParams{After: run.Reached, MaxRows: checkBatch})
	if err != nil {
		return fmt.Errorf("list certificates: %w", err)
	}
	var found []Problem
	next := db.AdvanceCheckRunParams{ID: run.ID, FromReached: run.Reached, Reached: run.Reached, Checked: int64(len(rows))}
	if len(rows) > 0 {
		next.Reached = rows[len(rows)-1].Serial
		found, err = a.judge(ctx, rows)
	} else {
		next.FinishedAt = clock.Micros(a.cfg.Clock())
		found, err = a.judgeRest(ctx)
	}
	if err != nil {
		return err
	}
	next.Problems = int64(len(found))
	return a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.AdvanceCheckRun(ctx, next)
		if err != nil {
			return fmt.Errorf("move check on: %w", err)
		}
		if n == 0 { // another process did
			*run, err = tx.LatestCheckRun(ctx)
			return err
		}
		at := clock.Micros(a.cfg.Clock())
		for _, p := range found[:min(len(found), max(0, checkKept-int(run.Problems)))] {
			err := tx.InsertCheckProblem(ctx, db.InsertCheckProblemParams{RunID: run.ID, Serial: p.Serial, What: p.What, FoundAt: at})
			if err != nil {
				return fmt.Errorf("write problem down: %w", err)
			}
		}
		checked, problems := run.Checked+next.Checked, run.Problems+next.Problems
		tx.After(func() {
			run.Reached, run.FinishedAt, run.Checked, run.Problems = next.Reached, next.FinishedAt, checked, problems
		})
		if next.FinishedAt == 0 {
			return nil
		}
		return audit.Record(ctx, tx, a.cfg.Clock(), audit.System("ca"), audit.Entry{
			Action: "authority.check", ObjectKind: "check", ObjectID: run.ID,
			Detail: map[string]string{"checked": strconv.FormatInt(checked, 10), "problems": strconv.FormatInt(problems, 10)},
		})
	})
}

// judge judges certificates by themselves, by the record and by the CRL.
func (a *Authority) judge(ctx context.Context, rows []db.Certificate) ([]Problem, error) {
	var found []Problem
	add := func(serial string, what ...string) {
		for _, w := range what {
			found = append(found, Problem{Serial: serial, What: w})
		}
	}
	for _, c := range rows {
		what, err := a.recheck(c)
		if err != nil {
			return nil, fmt.Errorf("check certificate %s: %w", c.Serial, err)
		}
		add(c.Serial, what...)
		if c.State != stateIssued {
			continue
		}
		said, err := a.issuedAs(ctx, c.Serial)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(said, hexHash(c.Der)) {
			add(c.Serial, "is not what the record says was issued")
		}
	}
	wrong, err := a.judgeStatus(ctx, rows)
	return append(found, wrong...), err
}

// issuedAs is what the audit record says was issued under a serial: digests.
func (a *Authority) issuedAs(ctx context.Context, serial string) ([]string, error) {
	rows, err := a.cfg.Store.Read().ListAuditOfObject(ctx, db.ListAuditOfObjectParams{ObjectKind: "certificate", ObjectID: serial})
	if err != nil {
		return nil, fmt.Errorf("read the record of %s: %w", serial, err)
	}
	var said []string
	for _, r := range rows {
		var detail map[string]string
		if r.Action == "certificate.issue" && json.Unmarshal([]byte(r.Detail), &detail) == nil {
			said = append(said, detail["der_sha256"])
		}
	}
	return said, nil
}

// judgeStatus compares the status of certificates with the complete list that
// relying parties have: what it says is revoked must be so here, and what is
// revoked here must be in it if it is younger.
func (a *Authority) judgeStatus(ctx context.Context, rows []db.Certificate) ([]Problem, error) {
	var found []Problem
	byIssuer := map[string]map[string]db.Certificate{}
	for _, c := range rows {
		if byIssuer[c.Issuer] == nil {
			byIssuer[c.Issuer] = map[string]db.Certificate{}
		}
		byIssuer[c.Issuer][c.Serial] = c
	}
	for issuer, certs := range byIssuer {
		list, err := a.cfg.Store.Read().LatestList(ctx, db.LatestListParams{Issuer: issuer, List: string(whole)})
		if store.IsNotFound(err) {
			continue // none was published yet
		}
		if err != nil {
			return nil, fmt.Errorf("read CRL of %s: %w", issuer, err)
		}
		wrong, err := a.compare(ctx, issuer, list, certs)
		if err != nil {
			return nil, fmt.Errorf("compare with the CRL of %s: %w", issuer, err)
		}
		found = append(found, wrong...)
	}
	return found, nil
}

// compare keeps no more of a list than what it says of certs, however long the
// list is.
func (a *Authority) compare(ctx context.Context, issuer string, list db.Crl, certs map[string]db.Certificate) ([]Problem, error) {
	broken := []Problem{{Serial: issuer, What: "its CRL does not parse"}}
	parsed, err := parseList(list.Der)
	if err != nil {
		return broken, nil
	}
	listed := map[string]Reason{}
	for e, err := range parsed.all() {
		if err != nil {
			return broken, nil
		}
		if serial := SerialText(new(big.Int).SetBytes(e.serial)); certs[serial].Serial != "" {
			listed[serial] = e.reason
		}
	}
	var found []Problem
	now := a.cfg.Clock()
	for _, serial := range slices.Sorted(maps.Keys(certs)) {
		c := certs[serial]
		reason, in := listed[serial]
		if in && c.RevokedAt == 0 && reason != CertificateHold {
			// It may have been revoked since the row was read.
			if c, err = a.cfg.Store.Read().GetCertificate(ctx, serial); err != nil {
				return nil, fmt.Errorf("read certificate %s: %w", serial, err)
			}
			if c.RevokedAt == 0 {
				found = append(found, Problem{serial, "is revoked in the CRL and not in the table"})
			}
		}
		young := clock.FromMicros(c.RevokedAt).After(clock.FromMicros(list.ThisUpdate).Add(-listSlack))
		if !in && c.RevokedAt > 0 && !young && clock.FromMicros(c.NotAfter).After(now) {
			found = append(found, Problem{serial, "is revoked in the table and not in the CRL"})
		}
	}
	return found, nil
}

// listSlack is for revocations whose transaction ended after a list was begun
// that is younger by its own time.
const listSlack = 5 * time.Minute

// judgeRest judges what is not a certificate of a subscriber: certificates that
// the record knows and the table lost, and the authority's own.
func (a *Authority) judgeRest(ctx context.Context) ([]Problem, error) {
	var found []Problem
	lost, err := a.cfg.Store.Read().IssuedWithoutCertificate(ctx, checkKept)
	if err != nil {
		return nil, fmt.Errorf("look for certificates that are lost: %w", err)
	}
	for _, serial := range lost {
		found = append(found, Problem{serial, "was issued by the record, and its certificate is gone"})
	}
	own, err := a.cfg.Store.Read().AuthorityCertificates(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificates: %w", err)
	}
	for _, r := range own {
		what, err := a.judgeOwn(r)
		if err != nil {
			return nil, err
		}
		for _, w := range what {
			found = append(found, Problem{r.Serial, w})
		}
	}
	return found, nil
}

func (a *Authority) judgeOwn(r db.AuthorityCertificate) ([]string, error) {
	cert, err := x509.ParseCertificate(r.Der)
	if err != nil {
		return []string{"does not parse"}, nil //nolint:nilerr // that it does not parse is the finding
	}
	var what []string
	parent, ok := a.cfg.Hierarchy.CA(r.Issuer)
	if !ok || cert.CheckSignatureFrom(parent.Certificate) != nil {
		return append(what, "is not signed by the CA that its row names"), nil //nolint:nilerr // a signature that fails is the finding
	}
	hash := KeyHash(cert.RawSubjectPublicKeyInfo)
	if SerialText(cert.SerialNumber) != r.Serial || !bytes.Equal(hash[:], r.SpkiHash) ||
		cert.NotBefore.UnixMicro() != r.NotBefore || cert.NotAfter.UnixMicro() != r.NotAfter {
		what = append(what, "is not what its row says")
	}
	kept, err := readCertificate(a.cfg.Hierarchy.Dir, r.Name)
	if err != nil || !kept.Equal(cert) {
		what = append(what, "is not the one that the ca role has under this name")
	}
	l, err := a.cfg.Hierarchy.lints.of(parent.Certificate.PublicKey)
	if err != nil {
		return nil, err
	}
	found, err := l.certificate(cert.RawTBSCertificate)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		what = append(what, "breaks "+f.Rule)
	}
	return what, nil
}

// Alarm is told to the administrators about a run that found something.
type Alarm interface {
	// Problems queues the news in the caller's transaction.
	Problems(ctx context.Context, tx *store.Tx, run db.CheckRun) error
}

// tellProblems tells of a finished run with problems, once.
func (a *Authority) tellProblems(ctx context.Context, id string) error {
	run, err := a.cfg.Store.Read().LatestCheckRun(ctx)
	if err != nil {
		return fmt.Errorf("read check: %w", err)
	}
	if run.ID != id || run.FinishedAt == 0 || run.Problems == 0 || run.ToldAt > 0 {
		return nil
	}
	a.cfg.Log.ErrorContext(ctx, "the check of what was issued found problems", "run", run.ID, "checked", run.Checked, "problems", run.Problems)
	err = a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.SetCheckRunTold(ctx, db.SetCheckRunToldParams{ID: run.ID, ToldAt: clock.Micros(a.cfg.Clock())})
		if err != nil || n == 0 || a.cfg.Alarm == nil {
			return err
		}
		return a.cfg.Alarm.Problems(ctx, tx, run)
	})
	if err != nil {
		return fmt.Errorf("tell of problems: %w", err)
	}
	return nil
}

// CheckResult is what is known of the last check.
type CheckResult struct {
	Run      db.CheckRun
	Problems []db.CheckProblem // the first ones
	Issued   int64             // certificates in the table now
}

// ErrNeverChecked says that no check has run yet.
var ErrNeverChecked = errors.New("nothing was checked yet")

// LastCheck returns the newest run that has ended or found something, with its
// first problems. It fails with ErrNeverChecked.
func (r *Records) LastCheck(ctx context.Context, problems int) (CheckResult, error) {
	q := r.store.Read()
	run, err := q.LatestCheckRun(ctx)
	if err == nil && run.FinishedAt == 0 && run.Problems == 0 {
		finished, endErr := q.LatestFinishedCheckRun(ctx)
		if endErr == nil {
			run = finished
		} else if !store.IsNotFound(endErr) {
			err = endErr
		}
	}
	if store.IsNotFound(err) {
		return CheckResult{}, ErrNeverChecked
	}
	if err != nil {
		return CheckResult{}, fmt.Errorf("read check: %w", err)
	}
	out := CheckResult{Run: run}
	if out.Problems, err = q.CheckProblems(ctx, db.CheckProblemsParams{RunID: run.ID, Limit: int32(min(problems, checkKept))}); err != nil {
		return out, fmt.Errorf("read problems: %w", err)
	}
	if out.Issued, err = q.CountIssuedCertificates(ctx); err != nil {
		return out, fmt.Errorf("count certificates: %w", err)
	}
	return out, nil
}

// ProblemTexts lists what a Problem can be, beside a rule that is broken
// ("breaks" and its name).
func ProblemTexts() []string {
	return []string{
		"not issued, but signed", "does not parse", "is not what was intended", "is not signed by the issuing CA",
		"has another serial than its row", "has another key than its row", "has another validity than its row",
		"was not issued near the beginning of its validity", "is a CA's", "is not what the record says was issued",
		"is revoked in the CRL and not in the table", "is revoked in the table and not in the CRL",
		"was issued by the record, and its certificate is gone", "its CRL does not parse",
		"is not signed by the CA that its row names", "is not what its row says", "is not the one that the ca role has under this name",
	}
}
