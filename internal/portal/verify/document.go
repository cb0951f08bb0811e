package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/verification"
)

// Documents gives what whoever has the QR code of a document may know.
// *signing.Service is one.
type Documents interface {
	Public(ctx context.Context, id, viewer string) (signing.Public, error)
	PublicContent(ctx context.Context, id, viewer string) ([]byte, error)
	// Known finds a file by its SHA-256; signing.ErrNotFound for one that is not from here.
	Known(ctx context.Context, sha256 []byte) (signing.Public, error)
}

// known is what is written down here of a file that was judged; nil for nothing.
func (p *Pages) known(ctx context.Context, a *verification.Answer) (*signing.Public, error) {
	if p.documents == nil {
		return nil, nil
	}
	d, err := p.documents.Known(ctx, a.SHA256[:])
	if errors.Is(err, signing.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &d, nil
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
	page := ui.Page{Title: i18n.T(ctx, "verify.doc.title")}
	if previewed(d) {
		page.Scripts = []string{"document.js"}
	}
	body := documentPage(d, documentBanner(ctx, d), p.fileFacts(ctx, d))
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
		return ui.Banner{Tone: ui.Success, Text: i18n.T(ctx, "seals.doc.sealed"), Note: d.Name}
	}
	var names []string
	for _, s := range d.Signatures {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	last := d.Signatures[len(d.Signatures)-1]
	return ui.Banner{
		Tone: ui.Success, Text: i18n.T(ctx, "verify.doc.by", "names", strings.Join(names, ", ")),
		Note: i18n.T(ctx, "verify.doc.compare", "name", d.Name, "at", i18n.DateTime(ctx, last.At)),
	}
}

// signatureFacts are who signed and when.
func signatureFacts(ctx context.Context, s signing.SignatureOf) []ui.Term {
	var terms []ui.Term
	for _, t := range []struct{ key, value string }{{"office", s.Office}, {"decree", s.Decree}} {
		if t.value != "" {
			terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify.doc."+t.key), Value: t.value})
		}
	}
	return append(terms,
		ui.Term{Label: i18n.T(ctx, "verify.doc.nip"), Value: s.NIP, Code: true},
		ui.Term{Label: i18n.T(ctx, "verify.doc.at"), Value: i18n.DateTime(ctx, s.At)},
	)
}

// signatureDetails are what few people look for.
func signatureDetails(ctx context.Context, s signing.SignatureOf) []ui.Term {
	return []ui.Term{
		{Label: i18n.T(ctx, "verify.level"), Value: s.Level, Code: true},
		{Label: i18n.T(ctx, "verify.serial"), Value: s.Serial, Code: true},
	}
}

// issuerFacts are who issued the certificates of the signers, and whether their
// signatures are certified ones.
func (p *Pages) issuerFacts(ctx context.Context) []ui.Term {
	answer := "verify.certified_no"
	if p.certified {
		answer = "verify.certified_yes"
	}
	return []ui.Term{
		{Label: i18n.T(ctx, "verify.issuer"), Value: p.issuer},
		{Label: i18n.T(ctx, "verify.certified"), Value: i18n.T(ctx, answer)},
	}
}

// fileFacts are what a copy on paper is compared with.
func (p *Pages) fileFacts(ctx context.Context, d signing.Public) []ui.Term {
	terms := []ui.Term{{Label: i18n.T(ctx, "verify.doc.letter"), Value: d.Name}}
	if d.Pages > 0 {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "verify.doc.pages"), Value: strconv.Itoa(d.Pages)})
	}
	if len(d.Signatures) == 0 {
		return terms
	}
	return append(terms, p.issuerFacts(ctx)...)
}

// fileDetails are what a file, not a copy on paper, is compared with.
func fileDetails(ctx context.Context, d signing.Public) []ui.Term {
	return []ui.Term{
		{Label: i18n.T(ctx, "verify.size"), Value: i18n.Bytes(ctx, d.Size)},
		{Label: i18n.T(ctx, "verify.sha256"), Value: hex.EncodeToString(d.SHA256[:]), Code: true, Copy: true},
	}
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
