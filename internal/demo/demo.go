// Package demo fills a fresh installation with fictional people in every state
// of the journey, by the same services that real people use: every scan is
// processed, every key made, every check done by another officer.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/config"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/webhook"
)

// Password is that of everybody in a demo, and Passphrase of every key.
const (
	Password   = "absah-demo-2026"
	Passphrase = "gunung biru di atas awan 7"
	// TOTPSecret is the second factor of everybody in a demo who needs one.
	TOTPSecret = "JBSWY3DPEHPK3PXPABSAHDEMOABSAHDE"
)

// ErrNotLoopback says that a demo would be reachable from elsewhere.
var ErrNotLoopback = errors.New("a demo has known passwords and listens on this machine only: give --addr 127.0.0.1:PORT or localhost:PORT")

// Configure turns a configuration into that of a demo. With an address given,
// the base URL follows it.
func Configure(cfg config.Config, addressGiven bool) (config.Config, error) {
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return cfg, fmt.Errorf("addr: %w", err)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return cfg, ErrNotLoopback
	}
	u, err := url.Parse(cfg.BaseURL)
	if err != nil {
		return cfg, fmt.Errorf("base_url: %w", err)
	}
	if addressGiven || net.ParseIP(u.Hostname()) != nil {
		// A name, not a number: passkeys need one.
		cfg.BaseURL = "http://localhost:" + port
	}
	return cfg, cfg.Validate()
}

// teller tells the stories. Its clock runs from two years ago to now, so that
// what people see has a past.
type teller struct {
	*app.App
	clock    *Clock
	byCode   map[string]string // unit ids
	people   []person
	actors   []audit.Actor
	secret   *passphrase.Secret
	officers []enrolment.Checker
	hr       staff.Officer

	beside    []moment // that have not happened yet
	seal      string   // that is used
	appSecret string   // of the application that calls
	hooks     *webhook.Service
	receiver  *http.Server
	client    string // application and its webhook that receiver listens for
	endpoint  string
}

// Populate makes the people of the demo, unless they are there, gives the
// installation its guide (App.DemoGuide), and returns what to tell whoever
// started it. It fails with app.ErrHalfDemo when there are
// people that no earlier call finished.
func Populate(ctx context.Context, a *app.App, clock *Clock) (string, error) {
	defer clock.Arrive()
	n, err := a.Store.Read().CountEmployees(ctx)
	if err != nil {
		return "", fmt.Errorf("look for the people of the demo: %w", err)
	}
	t := &teller{App: a, clock: clock, byCode: map[string]string{}, people: people()}
	a.DemoGuide = t.page()
	if n > 0 {
		done, err := a.DemoComplete()
		if err == nil && !done {
			err = fmt.Errorf("%s: %w", a.Config.Data, app.ErrHalfDemo)
		}
		return t.guide(), err
	}
	if t.secret, err = passphrase.Read([]byte(Passphrase)); err != nil {
		return "", err
	}
	for _, step := range []func(context.Context) error{t.makeUnits, t.makePeople, t.openAccounts, t.makeApplication, t.tell, t.makeWebhook, t.makeTemplate} {
		if err := step(ctx); err != nil {
			return "", fmt.Errorf("make the people of the demo: %w", err)
		}
	}
	return t.guide(), a.CompleteDemo()
}

var system = audit.System("demo")

func (t *teller) makeUnits(ctx context.Context) error {
	for _, u := range units {
		made, err := t.Staff.CreateUnit(ctx, system, t.byCode[u[1]], u[0], u[2])
		if err != nil {
			return err
		}
		t.byCode[u[0]] = made.ID
	}
	return nil
}

func (t *teller) makePeople(ctx context.Context) error {
	for i, p := range t.people {
		d := staff.Data{
			NIP: p.nip, NIK: p.nik, Name: p.name, Position: p.position, Grade: p.grade, UnitID: t.byCode[p.unit],
			Email: p.email, BirthPlace: p.birthPlace, BirthDate: p.birth.Format(time.DateOnly), Sex: p.sex,
			TimeZone: []string{"WIB", "WIB", "WITA", "WIT"}[i%4],
		}
		if p.story == storyNothing && p.roles == nil {
			d.NIK, d.Email = "", ""
		}
		e, err := t.Staff.CreateEmployee(ctx, system, d)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		t.actors = append(t.actors, audit.Actor{EmployeeID: e.ID, Role: "employee", Address: "127.0.0.1", UserAgent: "demo"})
	}
	return nil
}

// openAccounts gives everybody the demo's password, and second factors and
// roles to those who have some.
func (t *teller) openAccounts(ctx context.Context) error {
	hash, err := t.Accounts.HashPassword(ctx, Password)
	if err != nil {
		return err
	}
	for i, p := range t.people {
		err := t.Store.InTx(ctx, func(tx *store.Tx) error {
			acc, err := tx.GetAccountByEmployee(ctx, null(t.actors[i].EmployeeID))
			if err != nil {
				return err
			}
			t.actors[i].AccountID = acc.ID
			if err := t.Accounts.SetPasswordTx(ctx, tx, acc.ID, hash); err != nil {
				return err
			}
			for _, g := range p.roles {
				if err := t.Accounts.GrantTx(ctx, tx, system, acc.ID, g.role, t.byCode[g.unit]); err != nil {
					return err
				}
			}
			if len(p.roles) == 0 {
				return nil
			}
			return t.Accounts.EnrolTOTP(ctx, tx, acc.ID, TOTPSecret)
		})
		if err != nil {
			return fmt.Errorf("account of %s: %w", p.name, err)
		}
		for _, g := range p.roles {
			actor := t.actors[i]
			switch g.role {
			case account.RegistrationOfficer:
				if g.unit == "" {
					actor.Role = string(account.RegistrationOfficer)
					t.officers = append(t.officers, enrolment.Checker{Actor: actor})
				}
			case account.HROfficer:
				if g.unit == "" {
					actor.Role = string(account.HROfficer)
					t.hr = staff.Officer{Actor: actor, Scopes: []string{account.Everywhere}}
				}
			}
		}
	}
	return nil
}

// tell lets every story happen, the longest first.
func (t *teller) tell(ctx context.Context) error {
	t.beside = t.moments()
	for i, p := range t.people {
		if p.story == storyNothing {
			continue
		}
		if p.story > storyExpired {
			return fmt.Errorf("%s: no such story", p.name)
		}
		if i > 0 && t.people[i-1].story == storyExpired {
			t.clock.To(8 * 24 * time.Hour) // the others happened in the last days
		}
		if err := t.pass(ctx, false); err != nil {
			return err
		}
		if err := t.live(ctx, i, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return t.pass(ctx, true)
}

// wait lets some office hours pass.
func (t *teller) wait(i int) { t.clock.Pass(time.Duration(35+(i*53)%170) * time.Minute) }

func (t *teller) live(ctx context.Context, i int, p person) error {
	who := t.actors[i]
	if p.story == storyNoScans {
		return nil
	}
	if err := t.submitScans(ctx, who, p); err != nil {
		return err
	}
	if p.story == storyWaiting {
		return nil
	}
	t.wait(i)
	if err := t.decide(ctx, who, p); err != nil || p.story == storyRefused || p.story == storyComplete {
		return err
	}
	t.wait(i)
	r, err := t.Enrolment.Submit(ctx, who)
	if err != nil {
		return err
	}
	t.wait(i)
	one, two := t.officers[i%2], t.officers[(i+1)%2]
	switch p.story {
	case storyNew:
		return nil
	case storyClaimed:
		return t.Enrolment.Claim(ctx, one, r.ID)
	case storyCancelled:
		return t.Enrolment.Cancel(ctx, who, r.ID)
	case storyReturned:
		return t.Enrolment.Return(ctx, one, check(r, "id_card", "blurred", "Mohon foto ulang KTP dengan cahaya yang cukup."))
	case storyRejected:
		return t.Enrolment.Reject(ctx, one, check(r, "", "", ""), enrolment.Reason{Code: "not_entitled", Text: "Jabatan tidak memerlukan tanda tangan elektronik."})
	}
	if err := t.Enrolment.Verify(ctx, one, check(r, "", "", "")); err != nil || p.story == storyLink {
		return err
	}
	t.wait(i)
	if err := t.setPassphrase(ctx, who, r, p); err != nil || p.story == storyPassphrase || p.story == storyEnroll {
		return err
	}
	t.wait(i)
	if err := t.Enrolment.Approve(ctx, two, check(r, "", "", "")); err != nil {
		return err
	}
	t.clock.Pass(2 * time.Second)
	if err := t.Authority.IssueJob(ctx, r.ID); err != nil {
		return err
	}
	t.wait(i)
	switch p.story {
	case storyRevoked:
		return t.Enrolment.Revoke(ctx, enrolment.Checker{Actor: who}, enrolment.Applicant, r.ID, enrolment.Revocation{Code: "affiliation_changed", Text: "Pindah tugas."})
	case storyReset:
		_, err := t.Enrolment.ResetPIN(ctx, who, false)
		return err
	case storyExpired:
		t.clock.To(9 * 24 * time.Hour)
		_, _, err := t.Enrolment.ExpireCertificates(ctx)
		return err
	}
	return nil
}

func (t *teller) submitScans(ctx context.Context, who audit.Actor, p person) error {
	card, err := idCard(p)
	if err != nil {
		return err
	}
	rec, err := letter(p, p.unit)
	if err != nil {
		return err
	}
	sign, err := specimen(p)
	if err != nil {
		return err
	}
	for _, in := range []scan.Input{{Kind: scan.IDCard, Bytes: card}, {Kind: scan.Recommendation, Bytes: rec}, {Kind: scan.Specimen, Bytes: sign}} {
		if _, err := t.Staff.Upload(ctx, who, in); err != nil {
			return err
		}
	}
	return nil
}

func (t *teller) decide(ctx context.Context, who audit.Actor, p person) error {
	c, err := t.Staff.OpenCorrection(ctx, who.EmployeeID)
	if err != nil {
		return err
	}
	if c == nil {
		return errors.New("there is no correction to decide")
	}
	if err := t.Staff.Claim(ctx, t.hr, c.ID, false); err != nil {
		return err
	}
	seen, _, err := t.Staff.CorrectionFor(ctx, t.hr, c.ID)
	if err != nil {
		return err
	}
	decisions := map[staff.Field]staff.Decision{}
	for _, item := range seen.Waiting() {
		decisions[item.Field] = staff.Decision{Accept: true}
		if p.story == storyRefused && item.Field == staff.IDCard {
			decisions[item.Field] = staff.Decision{ReasonCode: staff.Unreadable, ReasonText: "Bagian NIK tidak terbaca."}
		}
	}
	return t.Staff.Decide(ctx, t.hr, c.ID, seen.Version, decisions)
}

// check judges a registration: everything accepted but one field.
func check(r db.Registration, but, reason, text string) enrolment.Check {
	c := enrolment.Check{RegistrationID: r.ID, SnapshotHash: r.SnapshotHash}
	for _, f := range enrolment.Fields {
		d := enrolment.FieldDecision{Field: f, Accepted: f != but}
		if f == but {
			d.Reason = enrolment.Reason{Code: reason, Text: text}
		}
		c.Fields = append(c.Fields, d)
	}
	return c
}

// setPassphrase goes the subscriber's way. Only the mail knows the link, so
// the demo reads it there, as its owner would.
func (t *teller) setPassphrase(ctx context.Context, who audit.Actor, r db.Registration, p person) error {
	token, err := t.linkFromMail(ctx, r.ID)
	if err != nil {
		return err
	}
	if _, err := t.Enrolment.SetPassphrase(ctx, who, token, t.secret); err != nil {
		return err
	}
	if p.story == storyPassphrase {
		return nil
	}
	t.clock.Pass(4 * time.Minute)
	consent := enrolment.Consent{Locale: "id"}
	for kind, hash := range map[string]*[]byte{"agreement": &consent.Agreement, "privacy": &consent.Privacy} {
		text, err := t.Texts.Current(kind, "id")
		if err != nil {
			return err
		}
		*hash = text.Hash
	}
	return t.Enrolment.Accept(ctx, who, enrolment.LinkHolder, r.ID, consent)
}
