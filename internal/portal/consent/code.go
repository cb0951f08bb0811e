package consent

import (
	"net/http"
	"net/url"
	"strconv"

	"absah/internal/apiclient"
	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// Code is where a signer makes a code with which an application signs.
const Code = Windows + "/kode"

// maxCodeUses is how many documents a code is for at most: those of one call.
const maxCodeUses = 100

// codeView is that page: a form, or the code that was made.
type codeView struct {
	offered      []apiclient.WithWindow
	standing     signing.Standing
	Client, Uses string
	Errors       web.FieldErrors
	made         signing.Window
}

func (v codeView) clients() []ui.Option {
	var out []ui.Option
	for _, c := range v.offered {
		out = append(out, ui.Option{Value: c.ID, Label: c.Name, Hint: c.Info, Selected: v.Client == c.ID || len(v.offered) == 1})
	}
	return out
}

// spaced makes a code easy to read and to type.
func (v codeView) spaced() string { return v.made.Code[:3] + " " + v.made.Code[3:] }

func (p *Pages) codeForm(w http.ResponseWriter, r *http.Request) error {
	if err := p.Accounts.RequireFresh(web.ViewerOf(r.Context()), p.Accounts.Policy.Fresh); err != nil {
		return err // comes back here once the viewer has proved again who he is
	}
	q := r.URL.Query()
	v := codeView{Client: q.Get("aplikasi"), Uses: q.Get("jumlah"), Errors: web.FieldErrors{}}
	if n, err := strconv.Atoi(v.Uses); err != nil || n < 1 || n > maxCodeUses {
		v.Uses = "1"
	}
	return p.showCode(w, r, v)
}

func (p *Pages) showCode(w http.ResponseWriter, r *http.Request, v codeView) error {
	ctx := r.Context()
	var err error
	if v.offered, err = p.offered(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	if v.standing, err = p.Signing.Standing(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	page := pageOf(ctx, i18n.T(ctx, "signcode.title"), len(v.Errors) > 0, ui.Link{Label: i18n.T(ctx, "consent.windows"), Href: Windows})
	if v.made.Code == "" {
		page.Lede = i18n.T(ctx, "signcode.lede")
	}
	return web.Page(w, r, v.Errors.Status(w), page, codeBody(v))
}

// makeCode opens a window for the application with the passphrase, and shows its
// code: once, here.
func (p *Pages) makeCode(w http.ResponseWriter, r *http.Request) error {
	f, err := passform.ReadMax(w, r, 16<<10, fieldSecret)
	if err != nil {
		return err
	}
	defer f.Wipe()
	ctx := r.Context()
	v := codeView{Client: f.Value("aplikasi"), Uses: f.Value("jumlah"), Errors: web.FieldErrors{}}
	if err := p.Accounts.RequireFresh(web.ViewerOf(ctx), p.Accounts.Policy.Fresh); err != nil {
		return web.See(w, r, Code+"?"+url.Values{"aplikasi": {v.Client}, "jumlah": {v.Uses}}.Encode()) // which asks for the proof
	}
	q := signing.WindowRequest{Who: me(r), Signer: me(r).EmployeeID, Coded: true}
	offered, err := p.offered(ctx, me(r).EmployeeID)
	if err != nil {
		return err
	}
	for _, c := range offered {
		if c.ID == v.Client {
			q.ClientID, q.Client, q.Longest, q.Life = c.ID, c.Name, c.Longest, p.Signing.CodeLifeFor(c.Longest)
		}
	}
	if q.ClientID == "" {
		v.Errors.Add("aplikasi", "consent.need_client")
	}
	if q.Uses, err = strconv.Atoi(v.Uses); err != nil || q.Uses < 1 || q.Uses > maxCodeUses {
		v.Errors.Add("jumlah", "consent.need_uses", "max", i18n.Number(ctx, maxCodeUses))
	}
	if q.Secret, err = f.Secret(fieldSecret); err != nil {
		v.Errors.Add(fieldSecret, "sign.error.secret")
	}
	if len(v.Errors) > 0 {
		return p.showCode(w, r, v)
	}
	if v.made, err = p.Signing.OpenWindow(ctx, q); err != nil {
		if err := explain(ctx, v.Errors, err); err != nil {
			return err
		}
	}
	return p.showCode(w, r, v)
}
