// Package app makes a running installation out of its configuration: it opens
// the store, the vault and the authority, builds the services and lets them
// meet, and runs the roles portal, worker and ca.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"absah/internal/account"
	"absah/internal/agreement"
	"absah/internal/api/esign"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/mail/mailbox"
	"absah/internal/mail/smtp"
	"absah/internal/oauth"
	"absah/internal/outbox"
	"absah/internal/passphrase"
	"absah/internal/portal/demopage"
	"absah/internal/portal/i18n"
	"absah/internal/portal/live"
	"absah/internal/privacy"
	"absah/internal/renewal"
	"absah/internal/scan"
	"absah/internal/seal"
	"absah/internal/signing"
	"absah/internal/signing/paper"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/tsa"
	"absah/internal/verification"
	"absah/internal/webhook"
	"absah/pades/tsp"
)

// App is an open installation.
type App struct {
	Config config.Config
	Demo   bool
	Log    *slog.Logger
	Clock  clock.Clock

	restoring bool

	Store     *store.Store
	Vault     keys.Keyring
	Blobs     blob.Store
	Accounts  *account.Service
	Staff     *staff.Service
	Enrolment *enrolment.Service
	Signing   *signing.Service
	Clients   *apiclient.Service // applications that call
	Webhooks  *webhook.Service   // applications that are told
	OAuth     *oauth.Service
	Seals     *seal.Service
	Outbox    *outbox.Outbox
	Authority *ca.Authority
	Hierarchy *ca.Hierarchy
	Records   *ca.Records
	Verifier  *verification.Service
	Privacy   *privacy.Service
	Life      *renewal.Service
	Estimator *passphrase.Estimator
	Texts     *agreement.Texts
	Archive   agreement.Archive
	Hub       *live.Hub
	Mailbox   *mailbox.Server // demo only
	DemoGuide *demopage.Guide // demo only: who lives there

	sandbox *esign.Sandbox
	news    *news

	// Timestamps is the installation's own timestamp authority: a
	// tsp.Timestamper, and what /tsa answers with.
	Timestamps *tsa.Unit
	// Stamper gives timestamps to what this process signs: Timestamps, or, where
	// the pki role runs elsewhere, that one over HTTP.
	Stamper tsp.Timestamper

	// Register is where the revocation status of certificates changes.
	Register *ca.Register

	// Transparency is the log of everything that was done.
	Transparency *audit.Log

	guard     *tsa.Guard
	answers   *ca.Responder // once Handler was called, in the pki role
	smtp      *smtp.Client
	scans     *scan.Pool
	papers    *paper.Pool
	sealer    *credential.Sealer
	shortcuts Shortcuts
	profile   ca.Profile
	lock      *dirLock

	leaving   atomic.Bool // it was told to stop
	meterOnce sync.Once
	measuring *instruments
}

// Options are what a command line decides beside the configuration.
type Options struct {
	Demo  bool
	Log   *slog.Logger
	Clock clock.Clock // the system's when nil
	// Shortcuts are set by tests only, which archtest sees to.
	Shortcuts Shortcuts

	restoring bool // by the restore that is under way
}

// Shortcuts spare tests about all the rest what takes long in every installation.
type Shortcuts struct {
	Sealing   []credential.Option   // of subscribers' keys, beside what the configuration says
	Passwords account.HashParams    // of new passwords; the policy's when zero
	Estimator *passphrase.Estimator // of passphrases, by the policy that is configured; made when nil
}

// Open opens an installation whose directory was made (see Prepare) and whose
// schema is up to date (see Migrate). Close it after use. It fails with
// ErrNotPrepared, ErrDemo, ErrNotDemo, ErrInUse, store.ErrOutdated and
// store.ErrTooNew.
func Open(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	a := &App{Config: cfg, Demo: o.Demo, Log: o.Log, Clock: o.Clock, Hub: &live.Hub{}, restoring: o.restoring, shortcuts: o.Shortcuts}
	for _, step := range []func(context.Context) error{
		a.checkKind, a.tidy, a.openStore, a.openStatus, a.openVault, a.openHierarchy, a.openBlobs, a.openMail, a.openWebhooks, a.openPeople, a.openVerifier, a.openAuthority, a.openTSA, a.openSigning, a.openPrograms, a.openSeals, a.openLog, a.openPrivacy, a.openLife,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	if a.Demo {
		if err := a.noteDemo(); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

// Close ends what Open began.
func (a *App) Close() error {
	var errs []error
	if a.Signing != nil && a.Store != nil {
		errs = append(errs, a.Signing.CloseWindows(context.Background()))
	}
	if a.guard != nil {
		errs = append(errs, a.guard.Close())
	}
	if a.smtp != nil {
		errs = append(errs, a.smtp.Close())
	}
	if a.Mailbox != nil {
		errs = append(errs, a.Mailbox.Close())
	}
	if a.news != nil {
		a.news.close()
	}
	if a.Store != nil {
		errs = append(errs, a.Store.Close())
	}
	if a.Vault != nil {
		errs = append(errs, a.Vault.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}

func (a *App) openStore(ctx context.Context) error {
	var err error
	if !store.IsPostgres(a.Config.DatabaseURL()) {
		if a.lock, err = lockDir(a.Config.Path("lock")); err != nil {
			return err
		}
	}
	a.Store, err = store.Open(ctx, a.Config.DatabaseURL(), a.Log)
	if err != nil {
		return err
	}
	a.news = newNews(a.Hub, a.Store, a.Log)
	return a.Store.CheckSchema(ctx)
}

func (a *App) openBlobs(context.Context) (err error) {
	if a.has(RolePortal, RoleWorker) {
		a.Blobs, err = openBlobs(a.Config)
	}
	return err
}

func openBlobs(cfg config.Config) (blob.Store, error) {
	b := cfg.Blobs
	if b.Kind == "disk" {
		return blob.OpenDisk(cfg.Path("blobs"))
	}
	secret, err := readSecret(b.SecretKeyFile)
	if err != nil {
		return nil, fmt.Errorf("blobs.secret_key_file: %w", err)
	}
	return blob.OpenS3(blob.S3Config{
		Endpoint: b.Endpoint, Bucket: b.Bucket, Region: b.Region, Prefix: b.Prefix,
		AccessKey: b.AccessKey, SecretKey: secret, PlainHTTP: !b.TLS,
	})
}

func (a *App) openMail(context.Context) error {
	renderer, err := mail.NewRenderer(a.mailIdentity(), nil)
	if err != nil {
		return err
	}
	a.Outbox = &outbox.Outbox{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Log: a.Log, Renderer: renderer, Notify: a.news.notify,
	}
	if !a.has(RoleWorker) {
		return nil // it leaves letters in the queue; the worker delivers them
	}
	transport, err := mailConfig(a.Config)
	if err != nil {
		return err
	}
	if a.Demo {
		a.Mailbox, err = mailbox.Open(a.Config.Path("mailbox"), "127.0.0.1:0", a.Clock)
		if err != nil {
			return fmt.Errorf("open demo mailbox: %w", err)
		}
		addr := a.Mailbox.Addr()
		transport = smtp.Config{Host: addr.IP.String(), Port: addr.Port, Security: smtp.None}
	}
	if a.smtp, err = smtp.New(transport); err != nil {
		return err
	}
	a.Outbox.Transport = a.smtp
	return nil
}

func (a *App) mailIdentity() mail.Identity {
	id := a.Config.Identity
	return mail.Identity{
		RAShort: id.RAShort, IssuerShort: id.IssuerShort, IssuerLegalName: id.IssuerName,
		SenderAddress: a.Config.Mail.From, SenderName: a.Config.Mail.FromName,
		ServiceDesk: mail.ServiceDesk{Name: id.DeskName, Email: id.DeskEmail, Phone: id.DeskPhone},
		BaseURL:     a.Config.BaseURL, Demo: a.Demo,
	}
}

// words are the texts of the pages, for mails that quote them.
func words(lang, key string) string {
	l, ok := i18n.ParseLang(lang)
	if !ok {
		l = i18n.Indonesian
	}
	return i18n.T(i18n.With(context.Background(), l, i18n.WIB), key)
}

func (a *App) openPeople(ctx context.Context) (err error) {
	if !a.has(RolePortal, RoleWorker, RoleCA) {
		return nil
	}
	policy := passphrase.Policy{MinLength: a.Config.Passphrase.MinLength, MinScore: a.Config.Passphrase.MinScore}
	if a.Estimator = a.shortcuts.Estimator; a.Estimator == nil {
		if a.Estimator, err = passphrase.NewEstimator(policy, a.Clock, min(2, runtime.NumCPU())); err != nil {
			return err
		}
	}
	accounts := account.DefaultPolicy()
	if cheap := a.shortcuts.Passwords; cheap != (account.HashParams{}) {
		accounts.Hash = cheap
	}
	a.Accounts, err = account.New(account.Config{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Log: a.Log, Policy: accounts, Meter: meter{a.Estimator},
		Courier: outbox.Accounts{Outbox: a.Outbox, Attempts: accounts.Attempts},
		BaseURL: a.Config.BaseURL, Name: a.Config.Identity.Product,
	})
	if err != nil {
		return err
	}
	self, err := scan.Self()
	if err != nil {
		return err
	}
	if a.scans, err = scan.NewPool(self, 2); err != nil {
		return err
	}
	people := employeeAccounts{a.Accounts}
	a.Staff = &staff.Service{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Scans: a.scans, Blobs: blob.Sealed{Store: a.Blobs, Vault: a.Vault},
		Accounts: people, Courier: outbox.Staff{Outbox: a.Outbox, Words: words}, RecommendationAge: a.Config.Renewal.RecommendationAge,
	}
	if err := a.openEnrolment(people); err != nil {
		return err
	}
	a.Staff.Cases = a.Enrolment
	a.Staff.Listeners = []staff.ChangeListener{people, a.Enrolment}
	return nil
}

func (a *App) openEnrolment(people employeeAccounts) (err error) {
	id := a.Config.Identity
	parties := agreement.Identity{Issuer: id.IssuerName, Organisation: id.Organisation, ServiceDesk: deskLine(id)}
	a.Texts, err = agreement.New(parties)
	if err != nil {
		return err
	}
	a.Archive = agreement.Archive{Store: a.Store, Identity: parties}
	a.Outbox.Attach = a.attach
	// Every derivation takes 64 MiB; as many at once as there are processors.
	slots, err := credential.NewSlots(int64(runtime.NumCPU())*64<<10, credential.DefaultQueue, credential.DefaultWait)
	if err != nil {
		return err
	}
	how, err := subscribersKeys(a.Vault, a.Config)
	if err != nil {
		return err
	}
	a.sealer = credential.NewSealer(a.Vault, slots, append(how, a.shortcuts.Sealing...)...)
	ledger := credential.NewLedger(a.Vault)
	attempts := enrolment.AttemptStore{Store: a.Store, Ledger: ledger, Clock: a.Clock}
	policy := enrolment.DefaultPolicy()
	policy.LinkValidity, policy.LinkLogin = a.Config.Policy.LinkValidity, a.Config.Policy.LinkLogin
	policy.LinksPerDay, policy.ResetNeedsOfficer = a.Config.Policy.LinksPerDay, a.Config.Policy.ResetNeedsOfficer
	policy.RevocationNeedsSecond = a.Config.Policy.RevocationNeedsSecond
	policy.Renewal = enrolment.RenewalPolicy{
		Window: a.Config.Renewal.Window, Checks: enrolment.Checks(a.Config.Renewal.Checks), Supersede: a.Config.Renewal.Supersede,
	}
	a.Enrolment = &enrolment.Service{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Log: a.Log, People: staff.Applicants{Service: a.Staff}, Accounts: people,
		Courier: outbox.Registrations{Outbox: a.Outbox, Words: words},
		Sealer:  a.sealer, Guard: credential.NewGuard(attempts, slots, a.Clock), Ledger: ledger,
		Estimator: a.Estimator, Texts: a.Texts, Algorithm: keys.Algorithm(a.Config.CA.SubscriberKey), Policy: policy,
		Random: rand.Reader, Notify: a.news.notify, Approvals: a.approvals(), Certificates: a.Register, Events: a.Webhooks,
	}
	return nil
}

// deskLine is the service desk in one phrase.
func deskLine(id config.Identity) string {
	switch {
	case id.DeskEmail != "" && id.DeskPhone != "":
		return fmt.Sprintf("%s (%s, %s)", id.DeskName, id.DeskEmail, id.DeskPhone)
	case id.DeskEmail+id.DeskPhone != "":
		return fmt.Sprintf("%s (%s%s)", id.DeskName, id.DeskEmail, id.DeskPhone)
	}
	return id.DeskName
}

func (a *App) openHierarchy(ctx context.Context) (err error) {
	a.Hierarchy, err = ca.Load(ctx, a.Vault, a.Config.Path("ca"))
	if errors.Is(err, ca.ErrNotEstablished) {
		return fmt.Errorf("%w (restore the directory ca from its backup; a new installation is prepared by: absah init)", err)
	}
	if err != nil {
		return err
	}
	a.Records = ca.NewRecords(a.Store)
	a.profile = profile(a.Config).For(a.Hierarchy.Current())
	return nil
}

func (a *App) openVerifier(context.Context) (err error) {
	if a.has(RolePortal) {
		a.Verifier, err = a.verifier()
	}
	return err
}

// pinsDir holds the officers' passkeys that the ca role knows.
func pinsDir(cfg config.Config) string { return filepath.Join(cfg.Path("ca"), "pins") }

func (a *App) openAuthority(ctx context.Context) error {
	if !a.has(RoleCA) {
		return nil
	}
	pins, err := ca.OpenPins(ctx, a.Vault, pinsDir(a.Config))
	if err != nil {
		return err
	}
	a.Authority, err = ca.NewAuthority(ca.AuthorityConfig{
		Store: a.Store, Hierarchy: a.Hierarchy, Profile: a.profile, People: subjects{a.Staff}, Registrations: a.Enrolment,
		Clock: a.Clock, Log: a.Log, Pins: pins, Approval: ca.ApprovalPolicy(a.Config.Policy.Approval), Site: ca.SiteAt(a.Config.BaseURL),
		Alarm: outbox.Authority{Outbox: a.Outbox}, Seals: outbox.Seals{Outbox: a.Outbox}, Delegates: delegates(a.Config), Status: a.Register, Lists: lists(a.Config),
	})
	return err
}

func profile(cfg config.Config) ca.Profile {
	p := ca.DefaultProfile(cfg.CA.Country, cfg.CA.Organisation, cfg.CA.PolicyOID, ca.URLsAt(cfg.PKIURL()))
	p.Years = cfg.CA.Years
	return p
}
