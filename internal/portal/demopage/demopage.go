// Package demopage shows who lives in a demonstration: names, the one password
// and the current code of the second step, which everybody there shares. It is
// open to everybody: mount it in a demonstration and nowhere else.
package demopage

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Path is the address of the page.
const Path = "/demo"

// Guide is what there is to know about a demonstration.
type Guide struct {
	Password   string // everybody's
	Passphrase string // of every key
	TOTPSecret string // base32, of everybody who needs a second step
	People     []Person
}

// Person is somebody who can sign in.
type Person struct {
	Name     string
	NIP      string // the user name
	Position string
	Roles    []Role // granted ones; none for an employee like all others
	// Story is how far the person had come when the demonstration was made: the
	// last part of a message key below "demo.story".
	Story string
}

// Role is a role and the code of the unit it is held for; empty: everywhere.
type Role struct {
	Role account.Role
	Unit string
}

// Pages is the page of this package.
type Pages struct {
	guide Guide
	now   clock.Clock
}

// New makes the page.
func New(g Guide, now clock.Clock) *Pages { return &Pages{g, now} }

// Routes lists the page.
func (p *Pages) Routes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: Path, Access: web.Public, Handler: p.show}}
}

// period is how long a code is shown (RFC 6238 4.1 X).
const period = 30 * time.Second

// view is the guide at a moment.
type view struct {
	Guide
	Code string
	Left int // seconds until the next code
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	now := p.now()
	code, err := account.TOTPCode(p.guide.TOTPSecret, now)
	if err != nil {
		return fmt.Errorf("make the code of the demo: %w", err)
	}
	left := period - time.Duration(now.UnixNano())%period
	v := view{Guide: p.guide, Code: code[:3] + " " + code[3:], Left: int((left + time.Second - 1) / time.Second)}
	// The code changes; a page that shows an old one sends people away.
	w.Header().Set("Refresh", strconv.Itoa(v.Left))
	ctx := r.Context()
	page := ui.Page{Title: i18n.T(ctx, "demo.title"), Lede: i18n.T(ctx, "demo.lede"), Wide: true}
	if web.ViewerOf(ctx) != nil {
		return web.Page(w, r, http.StatusOK, page, guidePage(v))
	}
	return web.PublicPage(w, r, http.StatusOK, page, guidePage(v))
}

func staffed(ctx context.Context, people []Person) ui.TableProps {
	t := columns(ctx, "demo.staffed", "demo.roles")
	for _, p := range people {
		if len(p.Roles) > 0 {
			t.Rows = append(t.Rows, row(p, roles(ctx, p.Roles)))
		}
	}
	return t
}

func employees(ctx context.Context, people []Person) ui.TableProps {
	t := columns(ctx, "demo.employees", "demo.story.heading")
	for _, p := range people {
		if len(p.Roles) == 0 {
			t.Rows = append(t.Rows, row(p, i18n.T(ctx, "demo.story."+p.Story)))
		}
	}
	return t
}

func columns(ctx context.Context, caption, last string) ui.TableProps {
	return ui.TableProps{Caption: i18n.T(ctx, caption), Columns: []ui.Column{
		{Label: i18n.T(ctx, "demo.name")}, {Label: i18n.T(ctx, "demo.username"), Shrink: true}, {Label: i18n.T(ctx, last)},
	}}
}

func row(p Person, last string) ui.Row {
	return ui.Row{ID: p.NIP, Cells: []templ.Component{ui.Text(p.Name), ui.Code(p.NIP), ui.Text(last)}}
}

func roles(ctx context.Context, list []Role) string {
	var names []string
	for _, r := range list {
		name := i18n.T(ctx, "role."+string(r.Role))
		if r.Unit != "" {
			name = i18n.T(ctx, "demo.role_of_unit", "role", name, "unit", r.Unit)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
