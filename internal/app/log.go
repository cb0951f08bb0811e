package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	logapi "absah/internal/api/log"
	"absah/internal/audit"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Jobs of the transparency log.
const (
	jobSignLog  = "log.sign"   // verifies what came, signs a checkpoint, exports
	jobWatchLog = "log.verify" // verifies the whole, once a night
)

// openLog makes the transparency log.
func (a *App) openLog(context.Context) error {
	a.Transparency = &audit.Log{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Slog: a.Log, Origin: a.Config.LogOrigin(), Dir: a.Config.LogDir(),
	}
	return nil
}

// nights is the zone by whose nights the whole log is verified. The name is
// known to every Go program, so no data of zones are needed.
var nights = time.FixedZone("WIB", 7*60*60)

func (a *App) logHandlers() map[string]store.Handler {
	return map[string]store.Handler{
		jobSignLog: func(ctx context.Context, _ string) error {
			_, err := a.Transparency.Sign(ctx)
			return quietAlarm(err)
		},
		jobWatchLog: func(ctx context.Context, _ string) error { return quietAlarm(a.Transparency.Watch(ctx, nights)) },
	}
}

// quietAlarm keeps the queue from repeating what was found and noted: the next
// run comes by itself.
func quietAlarm(err error) error {
	if errors.Is(err, audit.ErrBroken) || errors.Is(err, audit.ErrRolledBack) {
		return nil
	}
	return err
}

var logPeriodics = []store.Periodic{
	{Kind: jobSignLog, Every: time.Minute},
	{Kind: jobWatchLog, Every: 30 * time.Minute},
}

// logHandler serves the log to the public.
func (a *App) logHandler() (http.Handler, error) {
	return logapi.New(logapi.Config{Latest: a.Transparency.Latest, Verifier: a.Transparency.Verifier, Rows: a.Store.Read, Log: a.Log})
}

// notePolicy records what the configuration decides of registrations,
// passphrases and certificates whenever it is other than the last time.
func (a *App) notePolicy(ctx context.Context) error {
	b, err := json.Marshal(map[string]any{
		"policy": a.Config.Policy, "passphrase": a.Config.Passphrase, "ca": a.Config.CA, "tsa": a.Config.TSA, "verify": a.Config.Verify,
		"renewal": a.Config.Renewal, "privacy": a.Config.Privacy,
	})
	if err != nil {
		return fmt.Errorf("note policy: %w", err)
	}
	sum := sha256.Sum256(b)
	digest := hex.EncodeToString(sum[:])
	last, err := a.Store.Read().LastPolicy(ctx)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("note policy: %w", err)
	}
	var said map[string]string
	if err == nil && json.Unmarshal([]byte(last.Detail), &said) == nil && said["sha256"] == digest {
		return nil
	}
	return a.Store.InTx(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, a.Clock(), audit.System("operator"), audit.Entry{
			Action: "policy.change", ObjectKind: "policy", ObjectID: "policy", Detail: policyDetail(a, digest),
		})
	})
}

// policyDetail says what the rules are in words that auditors compare; the
// digest covers all of them.
func policyDetail(a *App, digest string) map[string]string {
	c := a.Config
	return map[string]string{
		"sha256": digest, "approval": c.Policy.Approval, "link_validity": c.Policy.LinkValidity.String(), "links_per_day": fmt.Sprint(c.Policy.LinksPerDay),
		"link_login": fmt.Sprint(c.Policy.LinkLogin), "reset_needs_officer": fmt.Sprint(c.Policy.ResetNeedsOfficer),
		"passphrase_min_length": fmt.Sprint(c.Passphrase.MinLength), "passphrase_min_score": fmt.Sprint(c.Passphrase.MinScore),
		"ca_years": fmt.Sprint(c.CA.Years), "ca_policy_oid": c.CA.PolicyOID, "ca_subscriber_key": c.CA.SubscriberKey,
	}
}

// dispute tells the service desk and the employee of a report.
func (a *App) dispute(ctx context.Context, tx *store.Tx, c db.Certificate) error {
	id := a.Config.Identity
	return a.Outbox.CertificateDisputed(ctx, tx, c, mail.Recipient{Name: id.DeskName, Email: id.DeskEmail})
}
