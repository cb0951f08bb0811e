package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Limits of what an administrator decides about OAuth and windows.
const (
	MaxRedirects   = 10
	MaxRedirect    = 500 // bytes of one
	MaxWindow      = 24 * time.Hour
	leastWindow    = time.Minute
	windowRounding = time.Second
)

var (
	// ErrRedirect: what was entered is no redirect URI, or there are too many.
	ErrRedirect = errors.New("not a redirect URI")
	// ErrWindow: how long windows last is out of bounds.
	ErrWindow = errors.New("the length of windows is out of bounds")
)

// OAuth is what an application may do with people in the browser.
type OAuth struct {
	// Redirects are where the authorisation endpoint may send people back to. A
	// request has to name one of them, character by character.
	Redirects []string
	// Window is the longest activation window that a subscriber may open for the
	// application; 0: none.
	Window time.Duration
}

// Redirects reads redirect URIs, separated by blanks or lines. Each is https, or
// http to the own machine (RFC 8252 7.3), without a fragment (RFC 6749 3.1.2). It
// fails with ErrRedirect.
func Redirects(text string) ([]string, error) {
	var out []string
	for _, s := range strings.Fields(text) {
		u, err := url.Parse(s)
		if err != nil || len(s) > MaxRedirect || u.Host == "" || u.User != nil || u.Fragment != "" || strings.Contains(s, "#") || strings.ContainsAny(s, `;,'"<>\`) || u.String() != s {
			return nil, ErrRedirect
		}
		if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
			return nil, ErrRedirect
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > MaxRedirects {
		return nil, ErrRedirect
	}
	return out, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (o OAuth) check() error {
	if _, err := Redirects(strings.Join(o.Redirects, " ")); err != nil {
		return err
	}
	if o.Window != 0 && (o.Window < leastWindow || o.Window > MaxWindow || o.Window%windowRounding != 0) {
		return ErrWindow
	}
	return nil
}

// OAuth gives what was decided about an application; by default nothing.
func (s *Service) OAuth(ctx context.Context, id string) (OAuth, error) {
	r, err := s.Store.Read().GetAPIClientOAuth(ctx, id)
	if store.IsNotFound(err) {
		return OAuth{}, nil
	}
	if err != nil {
		return OAuth{}, fmt.Errorf("find what application %s may do in browsers: %w", id, err)
	}
	return OAuth{Redirects: strings.Fields(r.Redirects), Window: time.Duration(r.WindowLife) * time.Microsecond}, nil
}

// SetOAuth decides it anew. The errors are ErrNotFound, ErrRedirect and ErrWindow.
func (s *Service) SetOAuth(ctx context.Context, who audit.Actor, id string, o OAuth) error {
	if err := o.check(); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.GetAPIClient(ctx, id); store.IsNotFound(err) {
			return ErrNotFound
		} else if err != nil {
			return fmt.Errorf("find application: %w", err)
		}
		p := db.SetAPIClientOAuthParams{ClientID: id, Redirects: strings.Join(o.Redirects, " "), WindowLife: o.Window.Microseconds()}
		if err := tx.SetAPIClientOAuth(ctx, p); err != nil {
			return fmt.Errorf("decide what application %s may do in browsers: %w", id, err)
		}
		return s.record(ctx, tx, who, "application.oauth", id, map[string]string{"redirects": p.Redirects, "window": o.Window.String()})
	})
}

// WithWindow is an application for which a window may be opened.
type WithWindow struct {
	ID, Name, Info string
	Longest        time.Duration
}

// WithWindows lists the enabled applications for which an employee may open windows,
// by name.
func (s *Service) WithWindows(ctx context.Context, employeeID string) ([]WithWindow, error) {
	rows, err := s.Store.Read().APIClientsWithWindows(ctx)
	if err != nil {
		return nil, fmt.Errorf("list applications with windows: %w", err)
	}
	var out []WithWindow
	for _, r := range rows {
		if !slices.Contains(strings.Fields(r.Scopes), string(Sign)) {
			continue
		}
		known, err := s.Knows(ctx, &Client{Unit: r.UnitID}, employeeID)
		if err != nil {
			return nil, err
		}
		if known {
			out = append(out, WithWindow{r.ID, r.Name, r.Info, time.Duration(r.WindowLife) * time.Microsecond})
		}
	}
	return out, nil
}
