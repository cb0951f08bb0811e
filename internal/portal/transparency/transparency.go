// Package transparency shows the log of everything that was done: to employees
// every certificate that was ever issued in their name, with the proof that it is
// in the log, and to auditors and administrators whether the log holds.
package transparency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Config is what the pages need; all fields are required.
type Config struct {
	Log   *audit.Log
	Store *store.Store
	Clock clock.Clock
	// Dispute tells the service desk and the employee that the employee says that
	// a certificate is not the employee's.
	Dispute func(ctx context.Context, tx *store.Tx, c db.Certificate) error
}

// Pages are the pages of this package.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Where the pages are.
const (
	Mine      = "/ds/atas-nama-saya"
	Auditor   = "/audit/log"
	Operation = "/admin/log"
)

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post := http.MethodGet, http.MethodPost
	employee, auditor := web.Role(account.Employee), web.Role(account.Auditor)
	return []web.Route{
		{Method: get, Path: Mine, Access: employee, Handler: p.mine},
		{Method: get, Path: Mine + "/{serial}/bukan-saya", Access: employee, Handler: p.confirm},
		{Method: post, Path: Mine + "/{serial}/bukan-saya", Access: employee, Handler: p.dispute},

		{Method: get, Path: Auditor, Access: auditor, Handler: p.state(Auditor)},
		{Method: get, Path: Auditor + "/{row}", Access: auditor, Handler: p.row},
		{Method: get, Path: Auditor + "/{row}/bukti.json", Access: auditor, Handler: p.proof},
		{Method: get, Path: Auditor + "/checkpoint.txt", Access: auditor, Handler: p.checkpoint},

		{Method: get, Path: Operation, Access: web.Role(account.Administrator), Handler: p.state(Operation)},
	}
}

// Alarm tells how many verifications found something wrong.
func Alarm(ctx context.Context, q *db.Queries) (int, error) {
	list, err := audit.Checks(ctx, q)
	n := 0
	for _, c := range list {
		if !c.Intact {
			n++
		}
	}
	return n, err
}

// standing is how far a row is proved: proved, pending, broken, missing.
type standing struct {
	Key  string
	Tone ui.Tone
	Row  int64
	Size int64 // of the checkpoint that covers it
}

// stand proves a row.
func (p *Pages) stand(ctx context.Context, seq int64) (standing, audit.Proved, error) {
	proved, err := p.Log.Prove(ctx, seq)
	s := standing{Key: "proved", Tone: ui.Success, Row: seq, Size: proved.Checkpoint.Tree.N}
	switch {
	case errors.Is(err, audit.ErrPending):
		s.Key, s.Tone = "pending", ui.Info
	case errors.Is(err, audit.ErrBroken):
		s.Key, s.Tone = "broken", ui.Danger
	case err != nil:
		return s, proved, err
	}
	return s, proved, nil
}

// issuedCertificate is a certificate in somebody's name.
type issuedCertificate struct {
	db.Certificate
	standing
	Reference string
	Approvals []approval
	State     string // valid, revoked, expired
	Disputed  bool
}

// approval is who accepted what when.
type approval struct {
	Stage int64
	Name  string
	At    int64
}

func me(r *http.Request) audit.Actor { return web.ViewerOf(r.Context()).Actor(account.Employee) }

func (p *Pages) mine(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	rows, err := p.Store.Read().CertificatesOfEmployee(ctx, me(r).EmployeeID)
	if err != nil {
		return fmt.Errorf("read certificates: %w", err)
	}
	var list []issuedCertificate
	for _, row := range rows {
		if len(row.Der) == 0 {
			continue // intended and not signed
		}
		c, err := p.describe(ctx, row)
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	page := ui.Page{Title: i18n.T(ctx, "transparency.mine.title"), Lede: i18n.T(ctx, "transparency.mine.lede")}
	return web.Page(w, r, http.StatusOK, page, minePage(list))
}

func (p *Pages) describe(ctx context.Context, row db.Certificate) (issuedCertificate, error) {
	c := issuedCertificate{Certificate: row, State: "valid", standing: standing{Key: "missing", Tone: ui.Danger}}
	switch {
	case row.RevokedAt > 0:
		c.State = "revoked"
	case !p.Clock().Before(clock.FromMicros(row.NotAfter)):
		c.State = "expired"
	}
	acts, err := p.Store.Read().ListAuditOfObject(ctx, db.ListAuditOfObjectParams{ObjectKind: "certificate", ObjectID: row.Serial})
	if err != nil {
		return c, fmt.Errorf("read the record of %s: %w", row.Serial, err)
	}
	sum := sha256.Sum256(row.Der)
	for _, act := range acts {
		switch act.Action {
		case actDispute:
			c.Disputed = true
		case "certificate.issue":
			var d map[string]string
			if json.Unmarshal([]byte(act.Detail), &d) != nil || d["der_sha256"] != hex.EncodeToString(sum[:]) {
				c.standing = standing{Key: "broken", Tone: ui.Danger, Row: act.Seq}
				continue
			}
			if c.standing, _, err = p.stand(ctx, act.Seq); err != nil {
				return c, err
			}
		}
	}
	return c, p.approvals(ctx, &c)
}

func (p *Pages) approvals(ctx context.Context, c *issuedCertificate) error {
	q := p.Store.Read()
	r, err := q.GetRegistration(ctx, c.RegistrationID)
	if err != nil {
		return fmt.Errorf("read registration: %w", err)
	}
	c.Reference = r.Reference
	reviews, err := q.ReviewsOf(ctx, c.RegistrationID)
	if err != nil {
		return fmt.Errorf("read approvals: %w", err)
	}
	for _, v := range reviews {
		if v.Verdict != "accepted" || v.VoidedAt > 0 {
			continue
		}
		e, err := q.GetEmployee(ctx, v.OfficerID)
		if err != nil {
			return fmt.Errorf("read officer: %w", err)
		}
		c.Approvals = append(c.Approvals, approval{v.Stage, e.Name, v.CreatedAt})
	}
	return nil
}

// actDispute is what is recorded when an employee says "this was not me".
const actDispute = "certificate.dispute"

// own is one of the viewer's certificates.
func (p *Pages) own(r *http.Request) (db.Certificate, error) {
	row, err := p.Store.Read().GetCertificate(r.Context(), r.PathValue("serial"))
	if store.IsNotFound(err) || err == nil && (row.EmployeeID != me(r).EmployeeID || len(row.Der) == 0) {
		return row, web.ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("read certificate: %w", err)
	}
	return row, nil
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	row, err := p.own(r)
	if err != nil {
		return err
	}
	c, err := p.describe(ctx, row)
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "transparency.dispute.title"), Breadcrumbs: []ui.Link{
		{Label: i18n.T(ctx, "transparency.mine.title"), Href: Mine}, {Label: i18n.T(ctx, "transparency.dispute.title")},
	}}
	return web.Page(w, r, http.StatusOK, page, disputePage(c))
}

// dispute records that the viewer says that a certificate is none of his. The
// certificate stays as it is: whoever holds the account could say so of the true
// one. People at the service desk look, and the viewer can revoke at once.
func (p *Pages) dispute(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	row, err := p.own(r)
	if err != nil {
		return err
	}
	c, err := p.describe(ctx, row)
	if err != nil {
		return err
	}
	if c.Disputed {
		web.Flash(w, r, ui.Info, "transparency.dispute.again")
		return web.See(w, r, Mine)
	}
	err = p.Store.InTx(ctx, func(tx *store.Tx) error {
		err := audit.Record(ctx, tx, p.Clock(), me(r), audit.Entry{
			Action: actDispute, ObjectKind: "certificate", ObjectID: row.Serial, Detail: map[string]string{"registration": row.RegistrationID},
		})
		if err != nil {
			return err
		}
		return p.Dispute(ctx, tx, row)
	})
	if err != nil {
		return fmt.Errorf("dispute certificate: %w", err)
	}
	web.Flash(w, r, ui.Success, "transparency.dispute.done")
	return web.See(w, r, Mine)
}

// everywhere says that the auditor's grant has no unit: the log is one and
// cannot be shown in parts.
func everywhere(ctx context.Context) bool {
	return slices.Contains(web.ViewerOf(ctx).Scopes(account.Auditor), account.Everywhere)
}

// logState is the page of the log.
type logState struct {
	Base     string
	Checks   []audit.Check
	Latest   *audit.Checkpoint
	Key      string
	Recent   []db.Checkpoint
	Question string // what was looked for and not found
}

// kept is how many checkpoints the page lists.
const kept = 30

func (p *Pages) state(base string) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		if base == Auditor {
			if !everywhere(ctx) {
				return web.ErrNotFound
			}
			if n, err := strconv.ParseInt(strings.TrimSpace(r.URL.Query().Get("baris")), 10, 64); err == nil && n > 0 {
				return web.See(w, r, Auditor+"/"+strconv.FormatInt(n, 10))
			}
		}
		s := logState{Base: base, Question: strings.TrimSpace(r.URL.Query().Get("baris"))}
		var err error
		if s.Checks, err = audit.Checks(ctx, p.Store.Read()); err != nil {
			return err
		}
		c, err := p.Log.Latest(ctx)
		switch {
		case err == nil:
			s.Latest = &c
		case errors.Is(err, audit.ErrBroken):
			s.Checks = append(s.Checks, audit.Check{Kind: "tail", At: p.Clock(), Detail: err.Error()})
		case !errors.Is(err, audit.ErrNoCheckpoint):
			return err
		}
		key, err := p.Log.Verifier(ctx)
		if err != nil && !errors.Is(err, audit.ErrNoCheckpoint) {
			return err
		}
		if text, ok := key.(fmt.Stringer); ok {
			s.Key = text.String()
		}
		if s.Recent, err = p.Store.Read().RecentCheckpoints(ctx, kept); err != nil {
			return fmt.Errorf("read checkpoints: %w", err)
		}
		page := ui.Page{Title: i18n.T(ctx, "transparency.log.title"), Lede: i18n.T(ctx, "transparency.log.lede"), Wide: true}
		return web.Page(w, r, http.StatusOK, page, statePage(s))
	}
}

// asked is the row of the address.
func asked(r *http.Request) (int64, error) {
	if !everywhere(r.Context()) {
		return 0, web.ErrNotFound
	}
	n, err := strconv.ParseInt(r.PathValue("row"), 10, 64)
	if err != nil || n < 1 {
		return 0, web.ErrNotFound
	}
	return n, nil
}

func (p *Pages) row(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	n, err := asked(r)
	if err != nil {
		return err
	}
	s, proved, err := p.stand(ctx, n)
	if errors.Is(err, audit.ErrNoTile) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	title := i18n.T(ctx, "transparency.row.title", "row", i18n.Number(ctx, n))
	page := ui.Page{Title: title, Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "transparency.log.title"), Href: Auditor}, {Label: title}}}
	return web.Page(w, r, http.StatusOK, page, rowPage(rowView{s, proved}))
}

// rowView is the page of a row.
type rowView struct {
	standing
	audit.Proved
}

// disclosed is a row with all that it takes to verify it: who has it computes
// the leaf from the fields and the salt, and the root from leaf and proof.
type disclosed struct {
	Seq        int64    `json:"seq"`
	At         int64    `json:"at"` // microseconds since 1970
	ActorID    string   `json:"actor_id"`
	ActorRole  string   `json:"actor_role"`
	Action     string   `json:"action"`
	ObjectKind string   `json:"object_kind"`
	ObjectID   string   `json:"object_id"`
	Detail     string   `json:"detail"`
	PrevHash   []byte   `json:"prev_hash,omitempty"`
	Salt       []byte   `json:"salt,omitempty"`
	Leaf       []byte   `json:"leaf"`
	Checkpoint string   `json:"checkpoint"`
	Proof      []string `json:"proof"`
}

func (p *Pages) proof(w http.ResponseWriter, r *http.Request) error {
	n, err := asked(r)
	if err != nil {
		return err
	}
	proved, err := p.Log.Prove(r.Context(), n)
	if errors.Is(err, audit.ErrNoTile) || errors.Is(err, audit.ErrPending) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	row := proved.Row
	d := disclosed{
		Seq: row.Seq, At: row.At, ActorID: row.ActorID, ActorRole: row.ActorRole, Action: row.Action, ObjectKind: row.ObjectKind,
		ObjectID: row.ObjectID, Detail: row.Detail, PrevHash: row.PrevHash, Salt: row.Salt, Leaf: row.Hash, Checkpoint: proved.Checkpoint.Note,
	}
	for _, h := range proved.Proof {
		d.Proof = append(d.Proof, h.String())
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("write proof: %w", err)
	}
	return file(w, "application/json", fmt.Sprintf("baris-%d.json", n), b)
}

func (p *Pages) checkpoint(w http.ResponseWriter, r *http.Request) error {
	if !everywhere(r.Context()) {
		return web.ErrNotFound
	}
	c, err := p.Log.Latest(r.Context())
	if errors.Is(err, audit.ErrNoCheckpoint) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	return file(w, "text/plain; charset=utf-8", fmt.Sprintf("checkpoint-%d.txt", c.Tree.N), []byte(c.Note))
}

func file(w http.ResponseWriter, mediaType, name string, b []byte) error {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, err := w.Write(b)
	return err
}
