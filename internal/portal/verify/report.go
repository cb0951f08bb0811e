package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/verification"
	"absah/pades/validation"
)

// reportPath is where an answer is had as a report.
const reportPath = Path + "/laporan"

// report gives the answer that the page holds as a file.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadMultipart(w, r, verification.MaxToken+web.MaxForm); err != nil {
		return err
	}
	ctx := r.Context()
	name, answer, err := p.reports.Open(ctx, r.PostForm.Get("laporan"))
	if errors.Is(err, verification.ErrReport) || errors.Is(err, verification.ErrReportOld) {
		return p.form(w, r, http.StatusUnprocessableEntity, question{fault: "report"})
	}
	if err != nil {
		return err
	}
	var file []byte
	kind, extension := "application/json", ".json"
	if r.PostForm.Get("jenis") == "pdf" {
		kind, extension = "application/pdf", ".pdf"
		file, err = p.sealed(ctx, name, answer)
	} else {
		file, err = answer.JSON(name)
	}
	if errors.Is(err, verification.ErrNoSeal) {
		return p.form(w, r, http.StatusServiceUnavailable, question{fault: "no_seal"})
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(file)))
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="laporan-verifikasi-%s%s"`, hexOf(answer.SHA256)[:12], extension))
	_, err = w.Write(file)
	return err
}

// tonesOnPaper are the colours of verdicts in print: dark enough for text.
var tonesOnPaper = map[validation.Verdict][3]uint8{
	validation.Valid: {18, 99, 56}, validation.Invalid: {163, 22, 33}, validation.Indeterminate: {138, 77, 0}, validation.Unsigned: {70, 78, 88},
}

// sealed is the answer on paper, with the seal of the institution.
func (p *Pages) sealed(ctx context.Context, name string, a *verification.Answer) ([]byte, error) {
	known, err := p.known(ctx, a)
	if err != nil {
		return nil, err
	}
	v := newView(ctx, a, known)
	identity := web.RequestOf(ctx).Site.Identity
	s := verification.Sheet{
		Lang: string(i18n.LangOf(ctx)), Title: i18n.T(ctx, "verify.report_title"), Issuer: identity.Organisation, Verdict: v.banner.Text, Note: v.banner.Note,
		Tone: tonesOnPaper[a.Verdict], Page: i18n.T(ctx, "verify.report_page"), At: a.At,
		Foot: i18n.T(ctx, "verify.report_foot", "product", identity.Product, "organisation", identity.Organisation, "at", i18n.DateTime(ctx, a.At)),
	}
	document := verification.Section{Title: i18n.T(ctx, "verify.document"), Lines: linesOf(documentFacts(ctx, a))}
	if name != "" {
		document.Lines = append([]verification.Line{{Label: i18n.T(ctx, "verify.file_name"), Value: name}}, document.Lines...)
	}
	s.Sections = append(s.Sections, document)
	for _, one := range v.signatures {
		section := verification.Section{Title: one.title, Lead: one.banner.Text + ". " + one.banner.Note, Lines: linesOf(one.facts(ctx))}
		section.Changes = changesOf(ctx, one.pages)
		section.Lines = append(section.Lines, linesOf(one.technical(ctx))...)
		section.Lines = append(section.Lines, findingLines(ctx, one.findings(ctx))...)
		s.Sections = append(s.Sections, section)
	}
	plain, err := s.PDF()
	if err != nil {
		return nil, err
	}
	return p.reports.Seal(ctx, plain)
}

// changesOf are the changes behind a signature, page by page; nil when there are none.
func changesOf(ctx context.Context, pages []pageChanges) *verification.Changes {
	out := &verification.Changes{
		Where: i18n.T(ctx, "verify.change_where"), Change: i18n.T(ctx, "verify.change"), Judged: i18n.T(ctx, "verify.change_judged"),
	}
	for _, page := range pages {
		for _, c := range page.changes {
			judged := i18n.T(ctx, "verify.change_allowed")
			if !c.allowed {
				judged = i18n.T(ctx, "verify.change_forbidden")
			}
			if c.note != "" {
				judged += "; " + c.note
			}
			out.Rows = append(out.Rows, verification.Change{Where: page.title, Change: c.text, Judged: judged})
		}
	}
	if len(out.Rows) == 0 {
		return nil
	}
	return out
}

func linesOf(terms []ui.Term) []verification.Line {
	var out []verification.Line
	for _, t := range terms {
		out = append(out, verification.Line{Label: t.Label, Value: t.Value})
	}
	return out
}
