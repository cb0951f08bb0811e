package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/metrics"
	"strconv"
	"syscall"
	"time"

	"absah/internal/ca"
	"absah/internal/config"
	"absah/internal/durable"
	figures "absah/internal/metrics"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/tsa"
)

// all lists the parts and the roles that tell them. What is in the database is
// told by one role, so that sums over the processes of an installation are right.
func (m *instruments) all() []*part {
	return []*part{
		{name: "process", collect: m.process},
		{name: "http", roles: []Role{RolePortal, RolePKI}, collect: m.http},
		{name: "database", every: metricsOften, collect: func(ctx context.Context, _ *figures.Page) error { return m.a.Store.Ping(ctx) }},
		{name: "disk", every: metricsOften, collect: m.disk},
		{name: "blobs", roles: []Role{RolePortal, RoleWorker}, every: metricsRare, collect: m.blobs},
		{name: "passphrases", roles: []Role{RolePortal}, collect: m.passphrases},
		{name: "jobs", roles: []Role{RoleWorker}, every: metricsOften, collect: m.jobs},
		{name: "log", roles: []Role{RoleWorker}, every: metricsOften, collect: m.log},
		{name: "activations", roles: []Role{RoleWorker}, every: metricsOften, collect: m.activations},
		{name: "tables", roles: []Role{RoleWorker}, every: metricsRare, collect: m.tables},
		{name: "backup", roles: []Role{RoleWorker}, every: metricsOften, collect: m.backup},
		{name: "certificates", roles: []Role{RoleCA}, every: metricsRare, collect: m.certificates},
		{name: "crls", roles: []Role{RoleCA}, every: metricsOften, collect: m.crls},
		{name: "check", roles: []Role{RoleCA}, every: metricsRare, collect: m.check},
		{name: "ocsp", roles: []Role{RolePKI}, collect: m.ocsp},
		{name: "timestamps", roles: []Role{RolePKI}, collect: m.timestamps},
	}
}

func (m *instruments) process(_ context.Context, p *figures.Page) error {
	version, goVersion, fips := built()
	p.Add(m.names.build, 1, version, goVersion, fips)
	for _, r := range rolesOf(m.a.Config) {
		p.Add(m.names.role, 1, string(r))
	}
	samples := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	for i, f := range []*figures.Family{m.names.goroutines, m.names.heap, m.names.memory, m.names.collections} {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			p.Add(f, float64(samples[i].Value.Uint64()))
		}
	}
	p.Add(m.names.processStart, seconds(m.began))
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return fmt.Errorf("ask for processor time: %w", err)
	}
	p.Add(m.names.processCPU, time.Duration(used.Utime.Nano()+used.Stime.Nano()).Seconds())
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil { // only Linux has it
		p.Add(m.names.openFDs, float64(len(fds)))
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(statm); len(fields) > 1 {
			if pages, err := strconv.ParseFloat(string(fields[1]), 64); err == nil {
				p.Add(m.names.resident, pages*float64(os.Getpagesize()))
			}
		}
	}
	return nil
}

func (m *instruments) http(_ context.Context, p *figures.Page) error {
	m.requests.To(p, m.names.requests)
	m.times.To(p, m.names.durations)
	return nil
}

func free(dir string) (float64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	return float64(st.Bavail) * float64(st.Bsize), nil
}

func (m *instruments) disk(_ context.Context, p *figures.Page) error {
	n, err := free(m.a.Config.Data)
	if err == nil {
		p.Add(m.names.dataFree, n)
	}
	return err
}

func (m *instruments) blobs(ctx context.Context, p *figures.Page) error {
	if m.a.Config.Blobs.Kind == "disk" {
		n, err := free(m.a.Config.Path("blobs"))
		if err != nil {
			return err
		}
		p.Add(m.names.blobsFree, n)
	}
	return m.a.Blobs.Check(ctx)
}

func (m *instruments) passphrases(_ context.Context, p *figures.Page) error {
	right, wrong := m.a.Enrolment.Guard.Counts()
	p.Add(m.names.guesses, float64(right), "right")
	p.Add(m.names.guesses, float64(wrong), "wrong")
	return nil
}

func (m *instruments) jobs(ctx context.Context, p *figures.Page) error {
	list, err := m.a.Store.Jobs(ctx)
	if err != nil {
		return err
	}
	oldest := 0.0
	for _, c := range list {
		p.Add(m.names.jobs, float64(c.N), c.Kind, c.State)
		if c.State == store.JobWaiting {
			oldest = max(oldest, m.a.Clock().Sub(c.Since).Seconds())
		}
	}
	p.Add(m.names.jobsOldest, oldest)
	return nil
}

func (m *instruments) log(ctx context.Context, p *figures.Page) error {
	q := m.a.Store.Read()
	last, err := q.LatestCheckpoint(ctx)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("read checkpoint: %w", err)
	}
	if err == nil {
		p.Add(m.names.logCheckpoint, micros(last.At))
		p.Add(m.names.logSize, float64(last.Size))
	}
	checks, err := q.LogChecks(ctx)
	if err != nil {
		return fmt.Errorf("read verifications of the log: %w", err)
	}
	for _, c := range checks {
		intact := 0.0
		if c.Intact {
			intact = 1
		}
		p.Add(m.names.logIntact, intact, c.Kind)
	}
	return nil
}

func (m *instruments) activations(ctx context.Context, p *figures.Page) error {
	q, now := m.a.Store.Read(), m.a.Clock().UnixMicro()
	n, err := q.CountOpenActivations(ctx, now)
	if err != nil {
		return fmt.Errorf("count activations: %w", err)
	}
	p.Add(m.names.activations, float64(n))
	if n, err = q.CountOpenWindows(ctx, now); err != nil {
		return fmt.Errorf("count activation windows: %w", err)
	}
	p.Add(m.names.windows, float64(n))
	return nil
}

// tables counts rows by their state; states without rows are 0.
func (m *instruments) tables(ctx context.Context, p *figures.Page) error {
	q := m.a.Store.Read()
	mails, err := q.TallyMails(ctx)
	if err != nil {
		return fmt.Errorf("count mails: %w", err)
	}
	tally(p, m.names.mails, mails, func(r db.TallyMailsRow) (string, int64) { return r.State, r.N })
	registrations, err := q.TallyRegistrations(ctx)
	if err != nil {
		return fmt.Errorf("count registrations: %w", err)
	}
	tally(p, m.names.registrations, registrations, func(r db.TallyRegistrationsRow) (string, int64) { return r.Status, r.N })
	signatures, err := q.TallySignatures(ctx)
	if err != nil {
		return fmt.Errorf("count signatures: %w", err)
	}
	tally(p, m.names.signatures, signatures, func(r db.TallySignaturesRow) (string, int64) { return r.State, r.N })
	seals, err := q.TallySealUses(ctx)
	if err != nil {
		return fmt.Errorf("count uses of seals: %w", err)
	}
	tally(p, m.names.seals, seals, func(r db.TallySealUsesRow) (string, int64) { return r.State, r.N })
	deliveries, err := q.TallyDeliveries(ctx)
	if err != nil {
		return fmt.Errorf("count deliveries: %w", err)
	}
	tally(p, m.names.deliveries, deliveries, func(r db.TallyDeliveriesRow) (string, int64) { return r.State, r.N })
	return nil
}

// tally adds the rows to a zero for every value of the only label.
func tally[T any](p *figures.Page, f *figures.Family, rows []T, of func(T) (string, int64)) {
	for _, v := range f.Labels[0].Values {
		p.Add(f, 0, v)
	}
	for _, r := range rows {
		value, n := of(r)
		p.Add(f, float64(n), value)
	}
}

func (m *instruments) certificates(ctx context.Context, p *figures.Page) error {
	rows, err := m.a.Store.Read().TallyCertificates(ctx)
	if err != nil {
		return fmt.Errorf("count certificates: %w", err)
	}
	for _, c := range m.a.Hierarchy.IssuingCAs() {
		p.Add(m.names.issued, 0, c.Name)
		p.Add(m.names.revoked, 0, c.Name)
	}
	for _, r := range rows {
		p.Add(m.names.issued, float64(r.Issued), r.Issuer)
		p.Add(m.names.revoked, float64(r.Revoked), r.Issuer)
	}
	return nil
}

func (m *instruments) crls(ctx context.Context, p *figures.Page) error {
	for _, issuer := range m.a.crlIssuers() {
		head, err := m.a.Store.Read().LatestListHead(ctx, db.LatestListHeadParams{Issuer: issuer})
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the CRL of %s: %w", issuer, err)
		}
		p.Add(m.names.crlThis, micros(head.ThisUpdate), issuer)
		p.Add(m.names.crlNext, micros(head.NextUpdate), issuer)
		p.Add(m.names.crlEntries, float64(head.Entries), issuer)
	}
	return nil
}

func (m *instruments) check(ctx context.Context, p *figures.Page) error {
	last, err := m.a.Records.LastCheck(ctx, 0)
	if errors.Is(err, ca.ErrNeverChecked) {
		return nil
	}
	if err != nil {
		return err
	}
	p.Add(m.names.check, micros(last.Run.StartedAt))
	p.Add(m.names.checkProblems, float64(last.Run.Problems))
	return nil
}

func (m *instruments) ocsp(_ context.Context, p *figures.Page) error {
	if m.a.answers == nil {
		return nil // Handler was not called: nobody can ask
	}
	n := m.a.answers.Counts()
	p.Add(m.names.ocsp, float64(n.Stored), "stored")
	p.Add(m.names.ocsp, float64(n.Live), "live")
	p.Add(m.names.ocsp, float64(n.Failed), "failed")
	return nil
}

func (m *instruments) timestamps(_ context.Context, p *figures.Page) error {
	issued, refused := m.a.Timestamps.Counts()
	p.Add(m.names.timestamps, float64(issued), "issued")
	p.Add(m.names.timestamps, float64(refused), "refused")
	offset, known, why := m.a.guard.State()
	now := "confirmed"
	switch {
	case errors.Is(why, tsa.ErrStepped):
		now = "stepped"
	case errors.Is(why, tsa.ErrBackwards):
		now = "backwards"
	case errors.Is(why, tsa.ErrLeap):
		now = "leap_second"
	case why != nil:
		now = "unconfirmed"
	case !m.a.guard.Guarded():
		now = "unguarded"
	}
	for _, s := range clockStates {
		is := 0.0
		if s == now {
			is = 1
		}
		p.Add(m.names.clockState, is, s)
	}
	if known {
		p.Add(m.names.clockOffset, offset.Seconds())
	}
	return nil
}

// backupMark is the file in the data directory that says as of when the last
// backup is. It is in none.
const backupMark = "last-backup"

// NoteBackup writes down that a backup as of at is whole and in its place.
func NoteBackup(cfg config.Config, at time.Time) error {
	if err := durable.Replace(cfg.Path(backupMark), []byte(at.UTC().Format(time.RFC3339)+"\n"), 0o600); err != nil {
		return fmt.Errorf("note the backup: %w", err)
	}
	return nil
}

func (m *instruments) backup(_ context.Context, p *figures.Page) error {
	at, err := lastBackup(m.a.Config)
	if err == nil && !at.IsZero() {
		p.Add(m.names.backup, seconds(at))
	}
	return err
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func micros(at int64) float64 { return float64(at) / 1e6 }
