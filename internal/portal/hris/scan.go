package hris

import (
	"errors"
	"net/http"
	"strconv"

	"absah/internal/account"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

func (p *Pages) scan(w http.ResponseWriter, r *http.Request) error  { return p.serveScan(w, r, false) }
func (p *Pages) thumb(w http.ResponseWriter, r *http.Request) error { return p.serveScan(w, r, true) }

// serveScan gives a scan out in the first of the viewer's roles that may see it.
func (p *Pages) serveScan(w http.ResponseWriter, r *http.Request, thumb bool) error {
	ctx := r.Context()
	v := web.ViewerOf(ctx)
	for _, role := range []account.Role{account.Employee, account.HROfficer, account.RegistrationOfficer} {
		if !v.HasRole(role) {
			continue
		}
		pic, err := p.Staff.View(ctx, v.Actor(role), v.Scopes(role), r.PathValue("id"), thumb)
		if errors.Is(err, staff.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		writeScan(w, pic)
		return nil
	}
	return web.ErrNotFound
}

// extensions by the types that package scan stores.
var extensions = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}

// writeScan answers with bytes that no browser runs or keeps (security U2): they
// are an attachment of their true type, sandboxed, for this site alone. Images
// show in pages all the same.
func writeScan(w http.ResponseWriter, pic staff.Picture) {
	h := w.Header()
	h.Set("Content-Type", pic.MediaType)
	h.Set("Content-Length", strconv.Itoa(len(pic.Bytes)))
	h.Set("Content-Disposition", `attachment; filename="`+string(pic.Evidence.Kind)+extensions[pic.MediaType]+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(pic.Bytes) // the browser is gone when this fails
}
