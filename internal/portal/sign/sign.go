// Package sign holds the pages on which people sign: their documents, where the
// visible signature goes, the passphrase, and what became of every document.
package sign

import (
	"context"
	"net/http"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/live"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// Base is the address of the pages.
const Base = "/dokumen"

const (
	unlockPath    = Base + "/kata-sandi"
	templatesPath = Base + "/templat"
	bulksPath     = Base + "/massal"
)

// Config is what the pages need; all fields are required.
type Config struct {
	Signing *signing.Service
	Hub     *live.Hub // signing.Config.Notify publishes to it
	Scopes  Scopes
	Clock   clock.Clock
}

// Pages are the pages of this package.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post, employee := http.MethodGet, http.MethodPost, web.Role(account.Employee)
	return []web.Route{
		{Method: get, Path: Base, Access: employee, Handler: p.list},
		{Method: post, Path: Base, Access: employee, Handler: p.upload},
		{Method: get, Path: Base + "/berkas/{id}", Access: employee, Handler: p.document},
		{Method: get, Path: Base + "/berkas/{id}/unduh", Access: employee, Handler: p.download},
		{Method: post, Path: Base + "/berkas/{id}/jenis", Access: employee, Handler: p.setKind},
		{Method: post, Path: Base + "/berkas/{id}/bagikan", Access: employee, Handler: p.share},
		{Method: get, Path: Base + "/berkas/{id}/hapus", Access: employee, Handler: p.confirmErase},
		{Method: post, Path: Base + "/berkas/{id}/hapus", Access: employee, Handler: p.erase},

		{Method: get, Path: Base + "/berkas/{id}/alur", Access: employee, Handler: p.sendForm},
		{Method: post, Path: Base + "/berkas/{id}/alur", Access: employee, Handler: p.send},
		{Method: get, Path: Base + "/berkas/{id}/tempat", Access: employee, Handler: p.marks},
		{Method: post, Path: Base + "/berkas/{id}/tolak", Access: employee, Handler: p.reject},
		{Method: post, Path: Base + "/berkas/{id}/batalkan", Access: employee, Handler: p.cancel},
		{Method: post, Path: Base + "/berkas/{id}/ingatkan", Access: employee, Handler: p.remind},

		{Method: get, Path: unlockPath, Access: employee, Handler: p.unlockForm},
		{Method: post, Path: unlockPath, Access: employee, Handler: p.unlock},

		{Method: get, Path: templatesPath, Access: employee, Handler: p.templates},
		{Method: get, Path: templatesPath + "/baru", Access: employee, Handler: p.newTemplate},
		{Method: post, Path: templatesPath + "/baru", Access: employee, Handler: p.saveTemplate},
		{Method: get, Path: templatesPath + "/{id}", Access: employee, Handler: p.template},
		{Method: post, Path: templatesPath + "/{id}", Access: employee, Handler: p.changeTemplate},
		{Method: post, Path: templatesPath + "/{id}/hentikan", Access: employee, Handler: p.retireTemplate},

		{Method: get, Path: bulksPath, Access: employee, Handler: p.bulks},
		{Method: post, Path: bulksPath, Access: employee, Handler: p.beginBulk},
		{Method: get, Path: bulksPath + "/{id}", Access: employee, Handler: p.bulk},
		{Method: post, Path: bulksPath + "/{id}/berkas", Access: employee, Handler: p.fillBulk},
		{Method: post, Path: bulksPath + "/{id}/periksa", Access: employee, Handler: p.checkBulk},
		{Method: post, Path: bulksPath + "/{id}/kirim", Access: employee, Handler: p.sendBulk},
		{Method: post, Path: bulksPath + "/{id}/buang", Access: employee, Handler: p.discardBulk},
		{Method: post, Path: bulksPath + "/{id}/tarik", Access: employee, Handler: p.cancelBulk},
		{Method: get, Path: bulksPath + "/{id}/langsung", Access: employee, Handler: p.bulkStream},
		{Method: get, Path: bulksPath + "/{id}/contoh.csv", Access: employee, Handler: p.bulkExample},
		{Method: get, Path: bulksPath + "/{id}/laporan.csv", Access: employee, Handler: p.bulkReport},
		{Method: get, Path: bulksPath + "/{id}/hasil.csv", Access: employee, Handler: p.bulkResult},
		{Method: get, Path: bulksPath + "/{id}/hasil.zip", Access: employee, Handler: p.bulkFiles},
		{Method: get, Path: bulksPath + "/{id}/tandatangan", Access: employee, Handler: p.bulkToSign},
		{Method: post, Path: bulksPath + "/{id}/tandatangan", Access: employee, Handler: p.signBulk},

		{Method: get, Path: Base + "/tandatangan", Access: employee, Handler: p.prepare},
		{Method: post, Path: Base + "/tandatangan", Access: employee, Handler: p.check},
		{Method: post, Path: Base + "/tandatangan/kirim", Access: employee, Handler: p.sign},

		{Method: get, Path: AuthorityPath, Access: web.Role(account.HROfficer), Handler: p.authorities},
		{Method: post, Path: AuthorityPath, Access: web.Role(account.HROfficer), Handler: p.addAuthority},
		{Method: post, Path: AuthorityPath + "/{id}/cabut", Access: web.Role(account.HROfficer), Handler: p.revokeAuthority},

		{Method: get, Path: Base + "/riwayat", Access: employee, Handler: p.history},
		{Method: get, Path: Base + "/kumpulan/{id}", Access: employee, Handler: p.batch},
		{Method: get, Path: Base + "/kumpulan/{id}/langsung", Access: employee, Handler: p.stream},
	}
}

// me is the viewer as an employee.
func me(r *http.Request) audit.Actor { return web.ViewerOf(r.Context()).Actor(account.Employee) }

// page is a page below "Dokumen".
func page(ctx context.Context, title string, bad bool, above ...ui.Link) ui.Page {
	crumbs := append([]ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: i18n.T(ctx, "nav.documents"), Href: Base}}, above...)
	return ui.Page{Title: title, HasErrors: bad, Breadcrumbs: append(crumbs, ui.Link{Label: title})}
}

func documentPath(id string) string { return Base + "/berkas/" + id }

func batchPath(id string) string { return Base + "/kumpulan/" + id }
