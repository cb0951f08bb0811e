// Command gallery serves the components of package ui for looking at them:
//
//	go run ./internal/portal/ui/cmd/gallery -addr localhost:8090
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/assets"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"font-src 'self'; form-action 'self'; frame-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// idCard is a drawing in the place of a scan.
const idCard = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="404" viewBox="0 0 640 404"><rect width="640" height="404" rx="24" fill="#cfe3f5"/><rect x="440" y="110" width="150" height="190" fill="#8fb4d8"/><g font-family="sans-serif" font-size="24" fill="#1c2f44"><text x="320" y="56" text-anchor="middle" font-weight="bold">PROVINSI CONTOH</text><text x="40" y="120">NIK : 3171014101900001</text><text x="40" y="165">Nama : MELATI CONTOHWATI</text><text x="40" y="210">Lahir : KOTA CONTOH, 01-01-1990</text></g></svg>`

func main() {
	addr := flag.String("addr", "localhost:8090", "address to listen on")
	flag.Parse()
	if err := run(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

func run(addr string) error {
	mux := http.NewServeMux()
	mux.Handle("GET "+assets.Prefix, assets.Handler())
	mux.Handle("POST /preferences", ui.PreferencesHandler(false))
	mux.HandleFunc("GET /idcard.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprint(w, idCard)
	})
	mux.HandleFunc("GET /", page(func(p ui.Page) (templ.Component, templ.Component) {
		return ui.Layout(p), ui.Gallery("/idcard.svg")
	}))
	// A failed form is answered with the whole page, as the portal does.
	mux.HandleFunc("POST /gallery/form", func(w http.ResponseWriter, r *http.Request) {
		page(func(p ui.Page) (templ.Component, templ.Component) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			p.HasErrors, p.Flash = true, nil
			return ui.Layout(p), ui.Gallery("/idcard.svg")
		})(w, r)
	})
	mux.HandleFunc("GET /live", page(func(p ui.Page) (templ.Component, templ.Component) {
		p.Flash = nil
		return ui.Layout(p), ui.GalleryLive(time.Now(), "/live/events")
	}))
	mux.HandleFunc("GET /live/events", events)
	mux.HandleFunc("GET /confirm", page(func(p ui.Page) (templ.Component, templ.Component) {
		p.HideTitle, p.Flash = true, nil
		return ui.Layout(p), ui.GalleryConfirm()
	}))
	mux.HandleFunc("GET /login", page(func(p ui.Page) (templ.Component, templ.Component) {
		p.Title, p.Lede, p.User, p.Flash, p.Breadcrumbs, p.Actions = "Masuk", "", nil, nil, nil, nil
		return ui.PlainLayout(p), ui.GallerySignIn()
	}))
	server := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	fmt.Printf("http://%s/  http://%s/confirm  http://%s/login  http://%s/live\n", addr, addr, addr, addr)
	return server.ListenAndServe()
}

// events says every two seconds that the page has changed.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		if err := control.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			if _, err := fmt.Fprint(w, "event: refresh\ndata:\n\n"); err != nil {
				return
			}
		}
	}
}

func page(of func(ui.Page) (frame, content templ.Component)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		prefs := ui.PreferencesOf(r)
		ctx := i18n.With(r.Context(), prefs.Lang, prefs.Zone)
		p := ui.GalleryPage(prefs.Theme)
		p.Path = r.URL.RequestURI()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		frame, content := of(p)
		if err := frame.Render(templ.WithChildren(ctx, content), w); err != nil {
			fmt.Fprintln(os.Stderr, "gallery:", err)
		}
	}
}
