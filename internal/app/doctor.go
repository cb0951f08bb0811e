package app

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/pkcs11"
	"absah/internal/keys/vaults"
	"absah/internal/mail/smtp"
	"absah/internal/store"
)

// Finding is what one check of the doctor found.
type Finding struct {
	Check  string `json:"check"` // database, blobs, mail, clock, base_url, timestamps, ca_chain, services, lists, jobs, log, issue, certificates, backup, disk, configuration, keys
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // what was found
	Mend   string `json:"mend,omitempty"`
}

// Report is what the doctor found.
type Report struct {
	Healthy  bool      `json:"healthy"`
	Findings []Finding `json:"findings"`
}

// Text is the report for people.
func (r Report) Text() string {
	var b strings.Builder
	for _, f := range r.Findings {
		mark := "ok  "
		if !f.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(&b, "%s  %-13s %s\n", mark, f.Check, f.Detail)
		if !f.OK {
			fmt.Fprintf(&b, "      %-13s -> %s\n", "", f.Mend)
		}
	}
	if r.Healthy {
		b.WriteString("\nEverything works.\n")
	} else {
		b.WriteString("\nMend what failed, from the top, and run: absah doctor\n")
	}
	return b.String()
}

// doctor examines one installation. It may run beside a server.
type doctor struct {
	cfg   config.Config
	demo  bool
	log   *slog.Logger
	vault keys.Keyring
}

// mends are what helps against faults that more than one check can meet; what
// is not among them is mended as the check says.
var mends = []struct {
	is   error
	mend string
}{
	{ErrNotPrepared, "run: absah init (for a demonstration: absah serve --demo); or name the right directory by --data or the key data"},
	{ErrHalfRestored, "remove the data directory, empty the database and the bucket, and run again: absah restore"},
	{ErrKeysLost, "restore the directory keys from its backup; do not make new keys"},
	{store.ErrOutdated, "stop the server, take a backup, run: absah migrate"},
	{store.ErrTooNew, "run the version of absah that this database was migrated by, or a newer one"},
	{keys.ErrPermission, "run: chmod -R go= on the directory keys (and on the file of its passphrase or PIN)"},
	{keys.ErrNoKey, "restore the directory keys from its backup"},
	{keys.ErrEncrypted, "set keys.passphrase_file to the file with the vault's passphrase; without vault.json restore the directory keys from its backup"},
	{keys.ErrNotEncrypted, "run: absah keys encrypt; or take keys.passphrase_file out of the configuration"},
	{keys.ErrHalfEncrypted, "run again, with the same passphrase: absah keys encrypt"},
	{keys.ErrVaultPassphrase, "put the right passphrase into the file that keys.passphrase_file names"},
	{vaults.ErrNoCredential, "let systemd hand it to the service: LoadCredentialEncrypted= in its unit"},
	{pkcs11.ErrNotBuilt, "install the build with PKCS#11, or set keys.kind to file"},
	{pkcs11.ErrModule, "install the token's library, and name it in keys.module"},
	{pkcs11.ErrNoToken, "connect the token, or initialise one with the label keys.token_label; for SoftHSM check SOFTHSM2_CONF"},
	{pkcs11.ErrPIN, "put the user PIN of the token into the file that keys.pin_file names; a token that locked it is unlocked by its security officer"},
	{pkcs11.ErrMechanism, "use a token that has the mechanism that is named"},
	{keys.ErrUnavailable, "see that the token is connected and its service runs"},
	{errProxyEnds, "renew the certificate at the reverse proxy, and see why it does not renew itself"},
	{ca.ErrNotEstablished, "restore the directory ca from its backup; without one run: absah init"},
}

// mendOf says how to mend err.
func mendOf(err error, otherwise string) string {
	for _, m := range mends {
		if errors.Is(err, m.is) {
			return m.mend
		}
	}
	return otherwise
}

// Examine checks an installation from the outside in; loaded is what loading
// its configuration returned. Nothing is changed.
func Examine(ctx context.Context, cfg config.Config, loaded error, log *slog.Logger) Report {
	d := &doctor{cfg: cfg, log: log}
	checks := []struct {
		name, mend string
		run        func(context.Context) (string, error)
	}{
		{"configuration", "correct the keys that are named", func(context.Context) (string, error) { return "all keys are valid", loaded }},
		{"disk", "free space, or move the data directory (key data)", d.disk},
		{"database", "check database.url, and that the database runs and lets this machine in", d.database},
		{"keys", "restore the directory keys from its backup", d.keys},
		{"blobs", "check the keys below blobs, and that the directory or bucket may be read and written", d.blobs},
		{"mail", "check the keys below mail, and that the server runs and lets this machine send", d.mail},
		{"clock", "switch on time synchronisation (NTP) on this machine and on the database's", d.clock},
		{"base_url", "start the server (absah serve); check base_url, DNS, the proxy and its certificate", d.baseURL},
		{"timestamps", "start the pki role; see the states of the clock in docs/operations.md (Timestamps), and the keys tsa.servers and ca.pki_url", d.timestamps},
		{"ca_chain", "restore the directory ca from its backup", d.chain},
		{"services", "start the ca role, which renews them; where it runs, see its log for why it does not", d.services},
		{"lists", "start the ca role, which publishes them; that of an offline root: docs/ceremony.md", d.lists},
		{"jobs", "start the worker (for kinds that begin with ca. the ca role); where it runs, see its log for the kind that is named", d.jobs},
		{"log", "see what is wrong: absah audit verify; after a restore run: absah restore --reconcile; otherwise keep the database and the export as they are and call whoever investigates", d.transparency},
		{"issue", "restore the directories keys and ca from the same backup", d.issue},
		{"certificates", "see /admin/pemeriksaan; keep a copy of the database as evidence, then run: absah audit verify", d.certificates},
		{"backup", "run: absah backup --to FILE --recipient FILE, every day (docs/operations.md, Backup)", d.backup},
	}
	r := Report{Healthy: true}
	for _, c := range checks {
		if loaded == nil && !concerns(cfg, c.name) {
			continue
		}
		limit, cancel := context.WithTimeout(ctx, 15*time.Second)
		detail, err := c.run(limit)
		cancel()
		f := Finding{Check: c.name, OK: err == nil, Detail: detail}
		if err != nil {
			f.Detail, f.Mend = strings.ReplaceAll(err.Error(), "\n", "; "), mendOf(err, c.mend)
			r.Healthy = false
		}
		r.Findings = append(r.Findings, f)
		if c.name == "configuration" && err != nil {
			break // the rest would examine another installation
		}
	}
	if d.vault != nil {
		if err := d.vault.Close(); err != nil {
			log.Warn("the vault did not close", "error", err)
		}
	}
	return r
}

// lowDisk is the least free space with which uploads are safe.
const lowDisk = 1 << 30

func (d *doctor) disk(context.Context) (string, error) {
	if !exists(d.cfg.Data) {
		return "", fmt.Errorf("%s: %w", d.cfg.Data, ErrNotPrepared)
	}
	demo, err := readDemo(d.cfg)
	if err != nil {
		return "", err
	}
	if demo != nil {
		d.demo, d.cfg.BaseURL = true, demo.BaseURL
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.cfg.Data, &st); err != nil {
		return "", fmt.Errorf("the data directory: %w", err)
	}
	free := st.Bavail * uint64(st.Bsize)
	if free < lowDisk {
		return "", fmt.Errorf("%d MiB free at %s, want 1024", free>>20, d.cfg.Data)
	}
	return fmt.Sprintf("%d GiB free", free>>30), nil
}

// inStore opens the database for f where there is one.
func (d *doctor) inStore(ctx context.Context, f func(*store.Store) error) error {
	if url := d.cfg.DatabaseURL(); !store.IsPostgres(url) && !exists(url) {
		return fmt.Errorf("%s: %w", url, ErrNotPrepared) // opening would make it
	}
	return inStore(ctx, d.cfg, d.log, f)
}

func (d *doctor) database(ctx context.Context) (found string, err error) {
	err = d.inStore(ctx, func(s *store.Store) error {
		kind := "SQLite"
		if s.Postgres() {
			kind = "PostgreSQL"
		}
		if d.demo {
			kind = "demo on " + kind
		}
		found = kind + ", schema up to date"
		return s.Ping(ctx)
	})
	return found, err
}

func (d *doctor) blobs(ctx context.Context) (string, error) {
	if d.cfg.Blobs.Kind == "disk" && !exists(d.cfg.Path("blobs")) {
		if err := checkPrepared(ctx, d.cfg, d.log); err != nil {
			return "", err
		}
		return "disk, empty", nil // the server makes it; opening would
	}
	b, err := openBlobs(d.cfg)
	if err != nil {
		return "", err
	}
	return d.cfg.Blobs.Kind, b.Check(ctx)
}

func (d *doctor) mail(ctx context.Context) (_ string, err error) {
	if d.demo {
		return "kept in the demo's own mailbox: " + d.cfg.BaseURL + "/kotak-surat", nil
	}
	cfg, err := mailConfig(d.cfg)
	if err != nil {
		return "", err
	}
	c, err := smtp.New(cfg)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	how, err := c.Probe(ctx)
	return fmt.Sprintf("%s:%d, %s", cfg.Host, cfg.Port, how), err
}

// drift is how far the clock of the database's machine may be from ours.
const drift = 5 * time.Second

func (d *doctor) clock(ctx context.Context) (_ string, err error) {
	if now := time.Now(); now.Year() < 2026 {
		return "", fmt.Errorf("this machine thinks it is %s", now.Format(time.DateOnly))
	}
	if !store.IsPostgres(d.cfg.DatabaseURL()) {
		return time.Now().UTC().Format(time.RFC3339), nil
	}
	s, err := store.Open(ctx, d.cfg.DatabaseURL(), d.log)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var theirs time.Time
	if err := s.ReadDB().QueryRowContext(ctx, "select clock_timestamp()").Scan(&theirs); err != nil {
		return "", fmt.Errorf("ask the database for the time: %w", err)
	}
	if off := time.Since(theirs).Abs(); off > drift {
		return "", fmt.Errorf("the clock of the database's machine is %s off ours", off.Round(time.Millisecond))
	}
	return "this machine and the database agree", nil
}

func (d *doctor) baseURL(ctx context.Context) (string, error) {
	u, err := url.JoinPath(d.cfg.BaseURL, "healthz")
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("nothing answers: %w", err)
	}
	var body map[string]string
	err = errors.Join(json.NewDecoder(http.MaxBytesReader(nil, res.Body, 4096)).Decode(&body), res.Body.Close())
	if err != nil || res.StatusCode != http.StatusOK || body["status"] != "ok" {
		return "", fmt.Errorf("%s answers %s, and not as Absah does", u, res.Status)
	}
	if res.TLS != nil && len(res.TLS.PeerCertificates) > 0 {
		until := res.TLS.PeerCertificates[0].NotAfter
		if time.Until(until) < proxyEnds {
			return "", fmt.Errorf("%w, on %s", errProxyEnds, until.Format(time.RFC3339))
		}
		return fmt.Sprintf("%s reaches Absah; its certificate is valid until %s", d.cfg.BaseURL, until.Format(time.DateOnly)), nil
	}
	return d.cfg.BaseURL + " reaches Absah", nil
}

func (d *doctor) chain(ctx context.Context) (string, error) {
	if err := checkPrepared(ctx, d.cfg, d.log); err != nil {
		return "", err
	}
	h, err := ca.LoadPublic(d.cfg.Path("ca"))
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AddCert(h.Root)
	if _, err := h.Issuing.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return "", err
	}
	left := time.Until(h.Issuing.NotAfter)
	if left < time.Duration(d.cfg.CA.Years)*366*24*time.Hour {
		return "", fmt.Errorf("the issuing CA ends on %s, before the certificates that it would issue today", h.Issuing.NotAfter.Format(time.DateOnly))
	}
	return fmt.Sprintf("%s, until %s", h.Issuing.Subject.CommonName, h.Issuing.NotAfter.Format(time.DateOnly)), nil
}

// errNoVault says that issue depends on a check that failed.
var errNoVault = errors.New("the keys could not be opened (see above)")

// issue rehearses what the ca role does: a certificate is built and linted but
// not signed, so that none exists off the record; the key signs a text that is
// no certificate, and the result is checked against the chain.
func (d *doctor) issue(ctx context.Context) (string, error) {
	if d.vault == nil {
		return "", errNoVault
	}
	h, err := ca.Load(ctx, d.vault, d.cfg.Path("ca"))
	if err != nil {
		return "", err
	}
	never := func(context.Context, [sha256.Size]byte) (bool, error) { return false, nil }
	issuer, err := h.Issuer(ca.IssuerConfig{Profile: profile(d.cfg), Clock: clock.System, Blocked: never})
	if err != nil {
		return "", err
	}
	return "a certificate was built and linted, and the key signs", issuer.Rehearse()
}
