package web

import (
	"context"
	"strings"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

// entry is one line of the navigation and who sees it.
type entry struct {
	role account.Role
	key  string // of the text
	href string
	icon string
}

// sections are the groups of the sidebar, in order. The first group has no title.
var sections = [...]struct {
	key     string
	entries []entry
}{
	{"", []entry{
		{"", "nav.home", "/", "house"},
		{account.Employee, "nav.ds", "/ds", "pen"},
		{account.Employee, "nav.certificate", "/ds/sertifikat", "patch-check"},
		{account.Employee, "nav.mine", "/ds/atas-nama-saya", "shield-check"},
		{account.Employee, "nav.documents", "/dokumen", "file-earmark-pdf"},
		{account.Employee, "nav.seals", "/segel", "award"},
		{"", "nav.verify", "/verifikasi", "file-earmark-check"},
		{account.Employee, "nav.mydata", "/data-saya", "person-vcard"},
	}},
	{"nav.work", []entry{
		{account.HROfficer, "nav.corrections", "/hr/perubahan", "person-check"},
		{account.HROfficer, "nav.authority", "/hr/wewenang", "person-badge"},
		{account.RegistrationOfficer, "nav.queue", "/petugas", "card-checklist"},
		{account.RegistrationOfficer, "nav.wishes", "/petugas/pencabutan", "x-octagon"},
		{account.RegistrationOfficer, "nav.life", "/petugas/peristiwa", "clock-history"},
		{account.ServiceDesk, "nav.search", "/servicedesk", "search"},
		{account.Auditor, "nav.audit", "/audit", "journal-text"},
		{account.Auditor, "nav.checks", "/admin/pemeriksaan", "clipboard-check"},
		{account.Auditor, "nav.log", "/audit/log", "list-check"},
	}},
	{"nav.admin", []entry{
		{account.Administrator, "nav.units", "/admin/unit", "diagram-3"},
		{account.Administrator, "nav.employees", "/admin/pegawai", "people"},
		{account.Administrator, "nav.accounts", "/admin/akun", "person-gear"},
		{account.Administrator, "nav.mail", "/admin/surel", "envelope"},
		{account.Administrator, "nav.apps", "/admin/aplikasi", "cpu"},
		{account.Administrator, "nav.sealadmin", "/admin/segel", "award"},
		{account.Administrator, "nav.trust", "/admin/kepercayaan", "shield-lock"},
	}},
	{"nav.watch", []entry{
		{account.Administrator, "nav.privacy", "/admin/privasi", "hourglass-split"},
		{account.Administrator, "nav.incidents", "/admin/insiden", "exclamation-triangle-fill"},
		{account.Administrator, "nav.breaches", "/admin/kebocoran", "unlock"},
		{account.Administrator, "nav.checks", "/admin/pemeriksaan", "clipboard-check"},
		{account.Administrator, "nav.log", "/admin/log", "list-check"},
	}},
}

// Navigation is the sidebar of the viewer of ctx on the page at path.
func Navigation(ctx context.Context, path string) []ui.NavSection {
	req := RequestOf(ctx)
	v := req.Viewer
	if v == nil || v.Session.State != account.Full || v.MustEnrol {
		return nil
	}
	var counts map[string]int
	if req.Site.Counts != nil {
		counts = req.Site.Counts(ctx, v)
	}
	var nav []ui.NavSection
	for i, s := range sections {
		var items []ui.NavItem
		for _, e := range s.entries {
			if e.role == "" || v.HasRole(e.role) {
				items = append(items, item(ctx, e, counts))
			}
		}
		if i == 0 && req.Site.DemoMailbox {
			items = append(items, item(ctx, entry{key: "nav.mailbox", href: "/kotak-surat", icon: "inbox"}, counts))
		}
		if len(items) == 0 {
			continue
		}
		section := ui.NavSection{Items: items}
		if s.key != "" {
			section.Title = i18n.T(ctx, s.key)
		}
		nav = append(nav, section)
	}
	markCurrent(nav, path)
	return nav
}

func item(ctx context.Context, e entry, counts map[string]int) ui.NavItem {
	return ui.NavItem{Label: i18n.T(ctx, e.key), Href: e.href, Icon: e.icon, Count: counts[e.href]}
}

// markCurrent marks the entry whose address is the longest beginning of path.
func markCurrent(nav []ui.NavSection, path string) {
	var best *ui.NavItem
	for i := range nav {
		for j := range nav[i].Items {
			n := &nav[i].Items[j]
			if below(path, n.Href) && (best == nil || len(n.Href) > len(best.Href)) {
				best = n
			}
		}
	}
	if best != nil {
		best.Current = true
	}
}

func below(path, href string) bool {
	return path == href || href != "/" && strings.HasPrefix(path, href+"/")
}

// userOf is the viewer as the header shows him; nil for visitors.
func userOf(ctx context.Context, path string) *ui.User {
	v := ViewerOf(ctx)
	if v == nil || v.Session.State != account.Full {
		return nil
	}
	return &ui.User{
		Name: v.Account.DisplayName, Role: roleLabel(ctx, v), Unit: v.UnitName, LogoutAction: "/keluar",
		Menu: []ui.Link{{Label: i18n.T(ctx, "nav.security"), Href: "/akun", Icon: "shield-lock", Current: below(path, "/akun")}},
	}
}

// roleLabel names the viewer's roles, the granted ones before the implied one.
func roleLabel(ctx context.Context, v *account.Viewer) string {
	var labels []string
	for _, role := range append(account.GrantableRoles(), account.Employee) {
		if v.HasRole(role) && (role != account.Employee || len(labels) == 0) {
			labels = append(labels, RoleName(ctx, role))
		}
	}
	return strings.Join(labels, ", ")
}

// RoleName is the name of a role in the language of ctx.
func RoleName(ctx context.Context, role account.Role) string {
	return i18n.T(ctx, "role."+string(role))
}
