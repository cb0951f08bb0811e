package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"time"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// Documents gives what whoever has the QR code of a document may know.
// *signing.Service is one.
type Documents interface {
	Public(ctx context.Context, id, viewer string) (signing.Public, error)
	PublicContent(ctx context.Context, id, viewer string) ([]byte, error)
}

// documentPath begins the addresses in QR codes; the id of the document follows.
const documentPath = Path + "/d"

func (p *Pages) documentRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: documentPath + "/{id}", Access: web.Public, Handler: p.document},
		{Method: http.MethodGet, Path: documentPath + "/{id}/berkas", Access: web.Public, Handler: p.file},
	}
}

// viewer is the employee who looks, empty for strangers.
func viewer(ctx context.Context) string {
	if v := web.ViewerOf(ctx); v != nil {
		return v.Account.EmployeeID.String
	}
	return ""
}

// document shows what is known here of a document: enough to compare a printed
// copy with, and not what stands in it.
func (p *Pages) document(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := p.looks.Allow(web.ClientAddress(ctx)); err != nil {
		return err
	}
	d, err := p.documents.Public(ctx, r.PathValue("id"), viewer(ctx))
	if errors.Is(err, signing.ErrNotFound) {
		page := ui.Page{Title: i18n.T(ctx, "verify.doc.unknown"), Lede: i18n.T(ctx, "verify.doc.unknown_text")}
		return show(w, r, http.StatusNotFound, page, question{})
	}
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "verify.doc.title"), Lede: d.Name}
	if previewed(d) {
		page.Scripts = []string{"document.js"}
	}
	body := documentPage(d, documentBanner(ctx, d))
	if web.ViewerOf(ctx) != nil {
		return web.Page(w, r, http.StatusOK, page, body)
	}
	return web.PublicPage(w, r, http.StatusOK, page, body)
}

func documentBanner(ctx context.Context, d signing.Public) ui.Banner {
	if d.State == signing.StateErased {
		return ui.Banner{Tone: ui.Warning, Text: i18n.T(ctx, "verify.doc.erased"), Note: i18n.T(ctx, "verify.doc.erased_text")}
	}
	if len(d.Signatures) == 0 {
		return ui.Banner{Tone: ui.Success, Text: i18n.T(ctx, "seals.doc.sealed"), Note: i18n.T(ctx, "verify.doc.compare")}
	}
	return ui.Banner{Tone: ui.Success, Text: i18n.N(ctx, "verify.doc.signed", len(d.Signatures)), Note: i18n.T(ctx, "verify.doc.compare")}
}

// signatureFacts are who signed and when.
func signatureFacts(ctx context.Context, s signing.SignatureOf) []ui.Term {
	terms := []ui.Term{{Label: i18n.T(ctx, "verify.doc.name"), Value: s.Name}}
	if s.Office != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify.doc.office"), Value: s.Office})
	}
	return append(terms,
		ui.Term{Label: i18n.T(ctx, "verify.doc.nip"), Value: s.NIP, Code: true},
		ui.Term{Label: i18n.T(ctx, "verify.doc.at"), Value: i18n.DateTime(ctx, s.At)},
		ui.Term{Label: i18n.T(ctx, "verify.level"), Value: s.Level, Code: true},
		ui.Term{Label: i18n.T(ctx, "verify.serial"), Value: s.Serial, Code: true},
	)
}

// fileFacts are what a copy on paper and a file are compared with.
func fileFacts(ctx context.Context, d signing.Public) []ui.Term {
	terms := []ui.Term{{Label: i18n.T(ctx, "verify.doc.letter"), Value: d.Name}}
	if d.Pages > 0 {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify.doc.pages"), Value: strconv.Itoa(d.Pages)})
	}
	return append(terms,
		ui.Term{Label: i18n.T(ctx, "verify.size"), Value: i18n.Bytes(ctx, d.Size)},
		ui.Term{Label: i18n.T(ctx, "verify.sha256"), Value: hex.EncodeToString(d.SHA256[:]), Code: true, Copy: true},
	)
}

// file gives the signed document to whom its owner lets have it.
func (p *Pages) file(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := p.looks.Allow(web.ClientAddress(ctx)); err != nil {
		return err
	}
	id := r.PathValue("id")
	d, err := p.documents.Public(ctx, id, viewer(ctx))
	if errors.Is(err, signing.ErrNotFound) || err == nil && !d.Fetchable {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	b, err := p.documents.PublicContent(ctx, id, viewer(ctx))
	if errors.Is(err, signing.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}))
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("send document: %w", err)
	}
	return nil
}

// looksEvery is how often one address may look at documents in the long run: ids
// cannot be guessed, and nobody shall have the time to try.
const looksEvery = time.Second
