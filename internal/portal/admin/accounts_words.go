package admin

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

func clearHref(l listing) string {
	if l.Query == "" {
		return ""
	}
	return "/admin/akun"
}

func pager(l listing) ui.Pager {
	p := ui.Pager{Next: l.Next}
	if l.Paged {
		p.First = "/admin/akun"
	}
	return p
}

func listTable(ctx context.Context, l listing) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "accounts.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "accounts.name")}, {Label: i18n.T(ctx, "accounts.email")},
			{Label: i18n.T(ctx, "accounts.state.label")}, {Label: i18n.T(ctx, "accounts.last_login")},
		},
		Empty: ui.Empty{Icon: "people", Title: i18n.T(ctx, "accounts.none"), Text: i18n.T(ctx, "accounts.none_text")},
	}
	for _, a := range l.Accounts {
		email := ui.Text(a.Email)
		if a.Email == "" {
			email = ui.Text(i18n.T(ctx, "ui.none"))
		}
		t.Rows = append(t.Rows, ui.Row{ID: a.ID, Cells: []templ.Component{
			ui.Anchor(a.DisplayName, "/admin/akun/"+a.ID, a.Username), email, stateTag(a), lastLogin(a),
		}})
	}
	return t
}

func facts(ctx context.Context, f detailForm) []ui.Term {
	terms := []ui.Term{
		{Label: i18n.T(ctx, "accounts.username"), Value: f.Account.Username, Code: true, Copy: true},
		{Label: i18n.T(ctx, "accounts.email"), Value: f.Account.Email},
		{Label: i18n.T(ctx, "accounts.state.label"), Body: lockState(f)},
		{Label: i18n.T(ctx, "accounts.last_login"), Body: lastLogin(f.Account)},
		{Label: i18n.T(ctx, "accounts.factors"), Value: factorNames(ctx, f.Factors)},
	}
	if f.Employee != nil {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "accounts.position"), Value: f.Employee.Position})
	}
	return terms
}

func factorNames(ctx context.Context, f account.Factors) string {
	var names []string
	if f.TOTP {
		names = append(names, i18n.T(ctx, "auth.app.name"))
	}
	if n := len(f.Passkeys); n > 0 {
		names = append(names, i18n.N(ctx, "accounts.passkeys", n))
	}
	if len(names) == 0 {
		return i18n.T(ctx, "auth.security.off")
	}
	return strings.Join(names, ", ")
}

func linkLabel(ctx context.Context, f detailForm) string {
	if f.Account.PasswordHash != "" {
		return i18n.T(ctx, "accounts.mail_reset")
	}
	return i18n.T(ctx, "accounts.mail_activation")
}

func linkNote(ctx context.Context, f detailForm) string {
	if f.Account.Email == "" {
		return i18n.T(ctx, "accounts.no_email")
	}
	return i18n.T(ctx, "accounts.link_note")
}

func roleOptions(ctx context.Context, f detailForm) []ui.Option {
	options := []ui.Option{{Label: i18n.T(ctx, "accounts.choose"), Selected: f.Role == ""}}
	for _, role := range account.GrantableRoles() {
		options = append(options, ui.Option{Value: string(role), Label: web.RoleName(ctx, role), Selected: f.Role == string(role)})
	}
	return options
}

func unitOptions(ctx context.Context, f detailForm) []ui.Option {
	options := []ui.Option{
		{Label: i18n.T(ctx, "accounts.choose"), Selected: f.Unit == ""},
		{Value: allUnits, Label: i18n.T(ctx, "accounts.all_units"), Selected: f.Unit == allUnits},
	}
	for _, u := range f.Units {
		options = append(options, ui.Option{Value: u.ID, Label: u.Code + " · " + u.Name, Selected: f.Unit == u.ID})
	}
	return options
}

func scopeName(ctx context.Context, g db.RoleGrantsWithUnitsRow) string {
	if g.UnitID == "" {
		return i18n.T(ctx, "accounts.all_units")
	}
	return g.UnitCode + " · " + g.UnitName
}
