package consent

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/apiclient"
	"absah/internal/oauth"
	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// windows lists what the viewer lets applications do, and what ended.
func (p *Pages) windows(w http.ResponseWriter, r *http.Request) error {
	ctx, employee := r.Context(), me(r).EmployeeID
	list, err := p.Signing.Windows(ctx, employee)
	if err != nil {
		return err
	}
	grants, err := p.OAuth.Grants(ctx, employee)
	if err != nil {
		return err
	}
	offered, err := p.offered(ctx, me(r).EmployeeID)
	if err != nil {
		return err
	}
	page := pageOf(ctx, i18n.T(ctx, "consent.windows"), false)
	page.Lede = i18n.T(ctx, "consent.windows_lede")
	return web.Page(w, r, http.StatusOK, page, windowsBody(listView{windows: list, grants: grants, offered: len(offered) > 0, now: p.Clock()}))
}

func pageOf(ctx context.Context, title string, bad bool, above ...ui.Link) ui.Page {
	crumbs := append([]ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: i18n.T(ctx, "nav.documents"), Href: "/dokumen"}}, above...)
	return ui.Page{Title: title, HasErrors: bad, Breadcrumbs: append(crumbs, ui.Link{Label: title})}
}

// listView is that page.
type listView struct {
	windows []signing.Window
	grants  []oauth.Granted
	offered bool
	now     time.Time
}

func (v listView) open() (out []signing.Window) {
	for _, w := range v.windows {
		if w.Open(v.now) {
			out = append(out, w)
		}
	}
	return out
}

func (v listView) ended(ctx context.Context) ui.TableProps {
	t := ui.TableProps{Caption: i18n.T(ctx, "consent.ended"), Columns: []ui.Column{
		{Label: i18n.T(ctx, "consent.application")}, {Label: i18n.T(ctx, "consent.opened")}, {Label: i18n.T(ctx, "consent.used"), Number: true}, {Label: i18n.T(ctx, "consent.why")},
	}, Empty: ui.Empty{Icon: "clock-history", Title: i18n.T(ctx, "consent.none_ended"), Text: i18n.T(ctx, "consent.none_ended_text")}}
	for _, w := range v.windows {
		if w.Open(v.now) {
			continue
		}
		reason := w.Reason
		if reason == "" {
			reason = signing.WindowExpired
		}
		t.Rows = append(t.Rows, ui.Row{ID: w.ID, Cells: []templ.Component{
			ui.Text(w.Client), ui.Text(i18n.DateTime(ctx, w.Opened)), ui.Text(i18n.Number(ctx, int64(w.Used))), ui.Text(i18n.T(ctx, "consent.reason_"+reason)),
		}})
	}
	return t
}

func facts(ctx context.Context, w signing.Window) []ui.Term {
	what := i18n.T(ctx, "consent.anything")
	if w.Digests > 0 {
		what = i18n.N(ctx, "consent.these", w.Digests)
	}
	return []ui.Term{
		{Label: i18n.T(ctx, "consent.until"), Value: i18n.DateTime(ctx, w.Expires)},
		{Label: i18n.T(ctx, "consent.used"), Value: i18n.T(ctx, "consent.used_of", "used", i18n.Number(ctx, int64(w.Used)), "max", i18n.Number(ctx, int64(w.Uses)))},
		{Label: i18n.T(ctx, "consent.documents"), Value: what},
	}
}

// offered are the applications for which the viewer may open windows here.
func (p *Pages) offered(ctx context.Context, employeeID string) ([]apiclient.WithWindow, error) {
	if p.Signing.WindowLife < 0 {
		return nil, nil
	}
	return p.Clients.WithWindows(ctx, employeeID)
}

// lives are the lengths to choose from.
func lives() []time.Duration {
	return []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour}
}

// openView is the form.
type openView struct {
	offered              []apiclient.WithWindow
	longest              time.Duration // of the installation
	standing             signing.Standing
	Client, Uses, Hashes string
	Life                 string // in minutes
	Errors               web.FieldErrors
}

func (p *Pages) openForm(w http.ResponseWriter, r *http.Request) error {
	if err := p.Accounts.RequireFresh(web.ViewerOf(r.Context()), p.Accounts.Policy.Fresh); err != nil {
		return err // comes back here once the viewer has proved again who he is
	}
	return p.showOpen(w, r, openView{Uses: "100", Life: "15", Errors: web.FieldErrors{}})
}

func (p *Pages) showOpen(w http.ResponseWriter, r *http.Request, v openView) error {
	ctx := r.Context()
	var err error
	if v.offered, err = p.offered(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	if v.standing, err = p.Signing.Standing(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	v.longest = p.Signing.WindowLife
	page := pageOf(ctx, i18n.T(ctx, "consent.open"), len(v.Errors) > 0, ui.Link{Label: i18n.T(ctx, "consent.windows"), Href: Windows})
	page.Lede = i18n.T(ctx, "consent.open_lede")
	return web.Page(w, r, v.Errors.Status(w), page, openBody(v))
}

func (v openView) clients() []ui.Option {
	var out []ui.Option
	for _, c := range v.offered {
		out = append(out, ui.Option{Value: c.ID, Label: c.Name, Hint: c.Info, Selected: v.Client == c.ID || len(v.offered) == 1})
	}
	return out
}

func (v openView) lives(ctx context.Context) []ui.Option {
	var longest time.Duration
	for _, c := range v.offered {
		longest = max(longest, min(c.Longest, v.longest))
	}
	var out []ui.Option
	for _, d := range lives() {
		if m := int(d.Minutes()); d <= longest {
			out = append(out, ui.Option{Value: strconv.Itoa(m), Label: i18n.N(ctx, "date.minutes", m), Selected: v.Life == strconv.Itoa(m)})
		}
	}
	return out
}

// digests reads SHA-2 values, hexadecimal or base64, one a line.
func digests(text string) ([][]byte, bool) {
	var out [][]byte
	for _, s := range strings.Fields(text) {
		b, err := hex.DecodeString(s)
		if err != nil {
			if b, err = base64.StdEncoding.DecodeString(s); err != nil {
				return nil, false
			}
		}
		if n := len(b); n != 32 && n != 48 && n != 64 {
			return nil, false
		}
		out = append(out, b)
	}
	return out, len(out) <= signing.MaxWindowDigests
}

// open opens a window with the passphrase.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) error {
	f, err := passform.ReadMax(w, r, 256<<10, fieldSecret)
	if err != nil {
		return err
	}
	defer f.Wipe()
	ctx := r.Context()
	if err := p.Accounts.RequireFresh(web.ViewerOf(ctx), p.Accounts.Policy.Fresh); err != nil {
		return web.See(w, r, Windows+"/buka") // which asks for the proof
	}
	v := openView{Client: f.Value("aplikasi"), Uses: f.Value("jumlah"), Hashes: f.Value("dokumen"), Life: f.Value("lama"), Errors: web.FieldErrors{}}
	q := signing.WindowRequest{Who: me(r), Signer: me(r).EmployeeID}
	offered, err := p.offered(ctx, me(r).EmployeeID)
	if err != nil {
		return err
	}
	for _, c := range offered {
		if c.ID == v.Client {
			q.ClientID, q.Client, q.Longest = c.ID, c.Name, c.Longest
		}
	}
	if q.ClientID == "" {
		v.Errors.Add("aplikasi", "consent.need_client")
	}
	minutes, err := strconv.Atoi(v.Life)
	q.Life = time.Duration(minutes) * time.Minute
	if limit := min(q.Longest, p.Signing.WindowLife); err != nil || minutes < 1 || q.ClientID != "" && q.Life > limit {
		v.Errors.Add("lama", "consent.need_life", "max", i18n.N(ctx, "date.minutes", int(limit.Minutes())))
	}
	if q.Uses, err = strconv.Atoi(v.Uses); err != nil || q.Uses < 1 || q.Uses > signing.MaxWindowUses {
		v.Errors.Add("jumlah", "consent.need_uses", "max", i18n.Number(ctx, signing.MaxWindowUses))
	}
	var ok bool
	if q.Digests, ok = digests(v.Hashes); !ok {
		v.Errors.Add("dokumen", "consent.need_digests")
	}
	if q.Secret, err = f.Secret(fieldSecret); err != nil {
		v.Errors.Add(fieldSecret, "sign.error.secret")
	}
	if len(v.Errors) > 0 {
		return p.showOpen(w, r, v)
	}
	if _, err := p.Signing.OpenWindow(ctx, q); err != nil {
		if err := explain(ctx, v.Errors, err); err != nil {
			return err
		}
		return p.showOpen(w, r, v)
	}
	web.Flash(w, r, ui.Success, "consent.is_open", "client", q.Client)
	return web.See(w, r, Windows)
}

func (p *Pages) endWindow(w http.ResponseWriter, r *http.Request) error {
	err := p.Signing.EndWindow(r.Context(), me(r), r.PathValue("id"))
	if errors.Is(err, signing.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "consent.is_ended")
	return web.See(w, r, Windows)
}

func (p *Pages) endGrant(w http.ResponseWriter, r *http.Request) error {
	err := p.OAuth.End(r.Context(), me(r), r.PathValue("id"))
	if errors.Is(err, oauth.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "consent.is_withdrawn")
	return web.See(w, r, Windows)
}
