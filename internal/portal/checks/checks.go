// Package checks shows administrators and auditors what the nightly check of
// everything issued found.
package checks

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Base is the address of the page.
const Base = "/admin/pemeriksaan"

// shown bounds the problems on the page; the rest is of the same kind.
const shown = 200

// Pages are the pages of this package.
type Pages struct {
	Records *ca.Records
	Clock   clock.Clock
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: Base, Access: web.Role(account.Administrator, account.Auditor), Handler: p.show},
	}
}

// Count is the number of problems, for the navigation.
func (p *Pages) Count(ctx context.Context) (int, error) {
	last, err := p.Records.LastCheck(ctx, 0)
	if errors.Is(err, ca.ErrNeverChecked) {
		return 0, nil
	}
	return int(last.Run.Problems), err
}

// view is the page.
type view struct {
	ca.CheckResult
	Never bool
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var v view
	var err error
	v.CheckResult, err = p.Records.LastCheck(ctx, shown)
	if v.Never = errors.Is(err, ca.ErrNeverChecked); err != nil && !v.Never {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "checks.title"), Lede: i18n.T(ctx, "checks.lede")}
	return web.Page(w, r, http.StatusOK, page, checkPage(v))
}

func (v view) sick() bool { return v.Run.Problems > 0 }

// facts are the terms of the run.
func facts(ctx context.Context, v view) []ui.Term {
	ended := i18n.T(ctx, "checks.running")
	if v.Run.FinishedAt > 0 {
		ended = i18n.DateTime(ctx, clock.FromMicros(v.Run.FinishedAt))
	}
	return []ui.Term{
		{Label: i18n.T(ctx, "checks.began"), Value: i18n.DateTime(ctx, clock.FromMicros(v.Run.StartedAt))},
		{Label: i18n.T(ctx, "checks.ended"), Value: ended},
		{Label: i18n.T(ctx, "checks.checked"), Value: i18n.Number(ctx, v.Run.Checked)},
		{Label: i18n.T(ctx, "checks.issued"), Value: i18n.Number(ctx, v.Issued)},
		{Label: i18n.T(ctx, "checks.problems"), Value: i18n.Number(ctx, v.Run.Problems)},
	}
}

func table(ctx context.Context, v view) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "checks.problems"), ShowCaption: true,
		Columns: []ui.Column{{Label: i18n.T(ctx, "checks.serial")}, {Label: i18n.T(ctx, "checks.what_is_wrong")}},
	}
	for _, p := range v.Problems {
		t.Rows = append(t.Rows, ui.Row{Tone: ui.Danger, Cells: []templ.Component{ui.Text(p.Serial), ui.Text(Words(ctx, p.What))}})
	}
	return t
}

// keys are the texts of problems by what package ca calls them.
var keys = map[string]string{
	"not issued, but signed": "unissued", "does not parse": "unreadable", "is not what was intended": "unintended",
	"is not signed by the issuing CA": "unsigned", "has another serial than its row": "serial", "has another key than its row": "key",
	"has another validity than its row": "validity", "was not issued near the beginning of its validity": "late", "is a CA's": "ca",
	"is not what the record says was issued": "record", "is revoked in the CRL and not in the table": "undone",
	"is revoked in the table and not in the CRL": "unlisted", "was issued by the record, and its certificate is gone": "gone",
	"its CRL does not parse": "crl", "is not signed by the CA that its row names": "parent", "is not what its row says": "row",
	"is not the one that the ca role has under this name": "file",
}

// Words says in the language of ctx what is wrong.
func Words(ctx context.Context, what string) string {
	if rule, ok := strings.CutPrefix(what, "breaks "); ok {
		return i18n.T(ctx, "checks.what.rule", "rule", rule)
	}
	if key, ok := keys[what]; ok {
		return i18n.T(ctx, "checks.what."+key)
	}
	return what
}
