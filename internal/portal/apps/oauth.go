package apps

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/apiclient"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// fillOAuth fills in what was decided about an application, unless the form has it.
func (p *Pages) fillOAuth(ctx context.Context, c apiclient.Client, f *form) error {
	if f.typed {
		return nil
	}
	o, err := p.clients.OAuth(ctx, c.ID)
	if err != nil {
		return err
	}
	f.Redirects, f.Window = strings.Join(o.Redirects, "\n"), strconv.Itoa(int(o.Window.Minutes()))
	return nil
}

// changeOAuth decides where an application may send people back to, and how long
// windows for it may be.
func (p *Pages) changeOAuth(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	c, err := p.client(r)
	if err != nil {
		return err
	}
	f := of(c)
	f.Errors, f.Redirects, f.Window = web.FieldErrors{}, r.PostForm.Get("redirects"), web.Value(r, "window")
	var set apiclient.OAuth
	if set.Redirects, err = apiclient.Redirects(f.Redirects); err != nil {
		f.Errors.Add("redirects", "apps.bad_redirects")
	}
	minutes, err := strconv.Atoi(f.Window)
	if set.Window = time.Duration(minutes) * time.Minute; err != nil || minutes < 0 || set.Window > apiclient.MaxWindow {
		f.Errors.Add("window", "apps.bad_window")
	}
	if len(f.Errors) > 0 {
		f.typed = true
		return p.showOne(w, r, c, f)
	}
	if ok, err := p.fresh(w, r, Base+"/"+c.ID); !ok {
		return err
	}
	if err := p.clients.SetOAuth(r.Context(), web.ViewerOf(r.Context()).Actor(account.Administrator), c.ID, set); err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "apps.changed")
	return web.See(w, r, Base+"/"+c.ID)
}
