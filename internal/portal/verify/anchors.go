package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/verification"
)

// anchorsPath is the administrator's list of authorities that are believed.
const anchorsPath = "/admin/kepercayaan"

func (p *Pages) anchorRoutes() []web.Route {
	admin := web.Role(account.Administrator)
	return []web.Route{
		{Method: http.MethodGet, Path: anchorsPath, Access: admin, Handler: p.listAnchors},
		{Method: http.MethodPost, Path: anchorsPath, Access: admin, Handler: p.addAnchor},
		{Method: http.MethodGet, Path: anchorsPath + "/{id}", Access: admin, Handler: p.anchor},
		{Method: http.MethodPost, Path: anchorsPath + "/{id}", Access: admin, Handler: p.changeAnchor},
		{Method: http.MethodPost, Path: anchorsPath + "/{id}/cabut", Access: admin, Handler: p.withdrawAnchor},
	}
}

// belief is what is typed about an anchor.
type belief struct {
	Sunset, Hosts, Note string
	Certified           bool
	Errors              web.FieldErrors
}

// readBelief reads the fields; what is wrong is in Errors.
func readBelief(r *http.Request) (belief, verification.Belief) {
	f := belief{Sunset: web.Value(r, "sunset"), Hosts: r.PostForm.Get("hosts"), Note: web.Value(r, "note"), Certified: web.Value(r, "certified") == "ya", Errors: web.FieldErrors{}}
	b := verification.Belief{Certified: f.Certified}
	if f.Sunset != "" {
		day, err := time.ParseInLocation(time.DateOnly, f.Sunset, jakarta)
		if err != nil {
			f.Errors.Add("sunset", "verify.anchor.bad_sunset")
		}
		b.Sunset = day.AddDate(0, 0, 1).Add(-time.Second) // the day counts
	}
	var err error
	if b.Hosts, err = verification.Hosts(f.Hosts); err != nil {
		f.Errors.Add("hosts", "verify.anchor.bad_hosts")
	}
	if b.Note = f.Note; b.Note == "" || len([]rune(b.Note)) > verification.MaxNote {
		f.Errors.Add("note", "verify.anchor.bad_note")
	}
	return f, b
}

// jakarta is the zone in which administrators write days: WIB.
var jakarta = time.FixedZone("WIB", 7*60*60)

type anchorList struct {
	belief
	Table ui.TableProps
}

func (p *Pages) listAnchors(w http.ResponseWriter, r *http.Request) error {
	return p.showAnchors(w, r, belief{})
}

func (p *Pages) showAnchors(w http.ResponseWriter, r *http.Request, f belief) error {
	ctx := r.Context()
	list, err := p.anchors.List(ctx)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(f.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	pg := ui.Page{Title: i18n.T(ctx, "verify.anchor.title"), Lede: i18n.T(ctx, "verify.anchor.lede"), HasErrors: len(f.Errors) > 0}
	return web.Page(w, r, status, pg, anchorsPage(anchorList{f, anchorTable(ctx, list)}))
}

func anchorTable(ctx context.Context, list []verification.Anchor) ui.TableProps {
	t := ui.TableProps{Caption: i18n.T(ctx, "verify.anchor.title"), Columns: []ui.Column{
		{Label: i18n.T(ctx, "verify.anchor.authority")}, {Label: i18n.T(ctx, "verify.anchor.until"), Shrink: true}, {Label: i18n.T(ctx, "verify.anchor.certified")}, {Label: i18n.T(ctx, "verify.anchor.note")},
	}, Empty: ui.Empty{Title: i18n.T(ctx, "verify.anchor.none"), Text: i18n.T(ctx, "verify.anchor.none_text")}}
	for _, a := range list {
		t.Rows = append(t.Rows, ui.Row{ID: a.ID, Cells: []templ.Component{
			ui.Anchor(a.Subject, anchorsPath+"/"+a.ID, hex.EncodeToString(a.Fingerprint[:8])+"…"), ui.Text(until(ctx, a)), ui.Text(recognition(ctx, a)), ui.Text(a.Note),
		}})
	}
	return t
}

// recognition says whether signatures below an anchor are certified ones.
func recognition(ctx context.Context, a verification.Anchor) string {
	if a.Certified {
		return i18n.T(ctx, "verify.anchor.certified_yes")
	}
	return i18n.T(ctx, "verify.anchor.certified_no")
}

// until is how long an anchor is believed.
func until(ctx context.Context, a verification.Anchor) string {
	if a.Sunset.IsZero() || a.NotAfter.Before(a.Sunset) {
		return i18n.Date(ctx, a.NotAfter)
	}
	return i18n.Date(ctx, a.Sunset)
}

func (p *Pages) addAnchor(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadMultipart(w, r, verification.MaxCertificate+web.MaxForm); err != nil {
		return err
	}
	f, b := readBelief(r)
	var file []byte
	if part, _, err := r.FormFile("certificate"); err == nil {
		file, err = io.ReadAll(io.LimitReader(part, verification.MaxCertificate+1))
		if err != nil {
			return err
		}
	}
	c, err := verification.ReadAnchor(file)
	switch {
	case len(file) == 0:
		f.Errors.Add("certificate", "verify.anchor.no_file")
	case len(file) > verification.MaxCertificate || errors.Is(err, verification.ErrNoCertificate):
		f.Errors.Add("certificate", "verify.anchor.no_certificate")
	case errors.Is(err, verification.ErrManyCertificates):
		f.Errors.Add("certificate", "verify.anchor.several")
	case errors.Is(err, verification.ErrWeakKey):
		f.Errors.Add("certificate", "verify.anchor.weak")
	case err != nil:
		f.Errors.Add("certificate", "verify.anchor.no_authority")
	}
	if len(f.Errors) > 0 {
		return p.showAnchors(w, r, f)
	}
	err = p.anchors.Add(r.Context(), web.ViewerOf(r.Context()), c, b)
	if errors.Is(err, verification.ErrFull) {
		f.Errors.Add("certificate", "verify.anchor.full")
		return p.showAnchors(w, r, f)
	}
	return p.done(w, r, err, "verify.anchor.added", anchorsPath)
}

// done says what became of a change, or has the administrator prove himself anew.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, err error, message, back string) error {
	switch {
	case errors.Is(err, account.ErrNotFresh):
		return web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape(back))
	case errors.Is(err, verification.ErrNotFound):
		return web.ErrNotFound
	case err != nil:
		return err
	}
	web.Flash(w, r, ui.Success, message)
	return web.See(w, r, anchorsPath)
}

func (p *Pages) anchor(w http.ResponseWriter, r *http.Request) error {
	a, err := p.anchors.Get(r.Context(), r.PathValue("id"))
	if errors.Is(err, verification.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	f := belief{Hosts: strings.Join(a.Hosts, "\n"), Note: a.Note, Certified: a.Certified}
	if !a.Sunset.IsZero() {
		f.Sunset = a.Sunset.In(jakarta).Format(time.DateOnly)
	}
	return p.showAnchor(w, r, a, f)
}

func (p *Pages) showAnchor(w http.ResponseWriter, r *http.Request, a verification.Anchor, f belief) error {
	ctx := r.Context()
	status := http.StatusOK
	if len(f.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	pg := ui.Page{
		Title: a.Subject, HasErrors: len(f.Errors) > 0,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "verify.anchor.title"), Href: anchorsPath}, {Label: a.Subject}},
	}
	return web.Page(w, r, status, pg, anchorPage(a, f))
}

func (p *Pages) changeAnchor(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f, b := readBelief(r)
	id := r.PathValue("id")
	if len(f.Errors) > 0 {
		a, err := p.anchors.Get(r.Context(), id)
		if err != nil {
			return p.done(w, r, err, "", anchorsPath)
		}
		return p.showAnchor(w, r, a, f)
	}
	err := p.anchors.Change(r.Context(), web.ViewerOf(r.Context()), id, b)
	return p.done(w, r, err, "verify.anchor.changed", anchorsPath+"/"+id)
}

func (p *Pages) withdrawAnchor(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	err := p.anchors.Withdraw(r.Context(), web.ViewerOf(r.Context()), id)
	return p.done(w, r, err, "verify.anchor.withdrawn", anchorsPath+"/"+id)
}

// anchorFacts are what the certificate says and who believed it.
func anchorFacts(ctx context.Context, a verification.Anchor) []ui.Term {
	return []ui.Term{
		{Label: i18n.T(ctx, "verify.anchor.authority"), Value: a.Subject},
		{Label: i18n.T(ctx, "verify.anchor.validity"), Value: i18n.Date(ctx, a.NotBefore) + " – " + i18n.Date(ctx, a.NotAfter)},
		{Label: i18n.T(ctx, "verify.anchor.fingerprint"), Value: hex.EncodeToString(a.Fingerprint[:]), Code: true, Copy: true},
		{Label: i18n.T(ctx, "verify.anchor.added_by"), Value: a.AddedBy + ", " + i18n.DateTime(ctx, a.AddedAt)},
	}
}
