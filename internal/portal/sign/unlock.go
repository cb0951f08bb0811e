package sign

import (
	"errors"
	"net/http"
	"strconv"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// locked are those of the documents that still ask for their password.
func locked(files []signing.Document) (out []signing.Document) {
	for _, f := range files {
		if f.Encrypted && !f.Unlocked {
			out = append(out, f)
		}
	}
	return out
}

// unlockForm asks for the passwords of documents.
func (p *Pages) unlockForm(w http.ResponseWriter, r *http.Request) error {
	files, err := p.chosen(r, r.URL.Query()[fieldDocument])
	if err != nil && !errors.Is(err, signing.ErrBatch) {
		return err
	}
	if files = locked(files); len(files) == 0 {
		return web.See(w, r, Base)
	}
	return p.showUnlock(w, r, files, nil)
}

func (p *Pages) showUnlock(w http.ResponseWriter, r *http.Request, files []signing.Document, errs web.FieldErrors) error {
	ctx := r.Context()
	return web.Page(w, r, errs.Status(w), page(ctx, i18n.T(ctx, "sign.unlock.title"), len(errs) > 0), unlockBody(files, errs))
}

// unlock keeps the passwords that are right. The documents stay whatever was
// typed; those whose password is wrong are asked for once more.
func (p *Pages) unlock(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	files, err := p.chosen(r, r.PostForm[fieldDocument])
	if err != nil {
		return err
	}
	errs, opened := web.FieldErrors{}, 0
	var left []signing.Document
	for _, f := range locked(files) {
		field := fieldPassword + f.ID
		said := r.PostForm.Get(field)
		if said == "" && len(files) > 1 {
			left = append(left, f) // later
			continue
		}
		err := p.Signing.Unlock(r.Context(), me(r), f.ID, []byte(said))
		switch {
		case errors.Is(err, signing.ErrPassword) && said == "":
			errs.Add(field, "sign.error.need_password", "name", shortName(f.Name))
		case errors.Is(err, signing.ErrPassword):
			errs.Add(field, "sign.error.password", "name", shortName(f.Name))
		case errors.Is(err, signing.ErrReadOnly):
			errs.Add(field, "sign.error.read_only", "name", shortName(f.Name))
		case err != nil:
			return err
		default:
			opened++
			continue
		}
		left = append(left, f)
	}
	if len(errs) > 0 {
		return p.showUnlock(w, r, left, errs)
	}
	web.Flash(w, r, ui.Success, "sign.unlock.done", "count", strconv.Itoa(opened))
	if len(files) == 1 {
		return web.See(w, r, documentPath(files[0].ID))
	}
	return web.See(w, r, Base)
}
