package sign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// again is how soon a page without JavaScript looks once more.
const again = "3"

// refreshPause is between two refreshes of a page.
const refreshPause = 500 * time.Millisecond

// wholeList is how many documents are listed while they are being signed; of
// longer lists the page shows those that failed.
const wholeList = 100

func (p *Pages) ownBatch(r *http.Request) (signing.Batch, error) {
	b, err := p.Signing.Batch(r.Context(), me(r).EmployeeID, r.PathValue("id"))
	if errors.Is(err, signing.ErrNotFound) {
		return b, web.ErrNotFound
	}
	return b, err
}

// batch shows what became of every document of a batch, while it is signed too.
func (p *Pages) batch(w http.ResponseWriter, r *http.Request) error {
	b, err := p.ownBatch(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	page := page(ctx, i18n.T(ctx, "sign.batch.title"), false)
	page.Lede = i18n.T(ctx, "sign.batch.lede", "at", i18n.DateTime(ctx, b.At))
	v := batchView{Batch: b}
	if len(b.Items) > 0 && b.Items[0].Document != "" {
		flow, err := p.Signing.Workflow(ctx, b.Items[0].Document)
		if err != nil && !errors.Is(err, signing.ErrNotFound) {
			return err
		}
		v.bulk = flow.Bulk
	}
	return web.Page(w, r, http.StatusOK, page, batchBody(v))
}

// recentWithin is how long the list of documents shows how the last batch ended.
const recentWithin = 30 * time.Minute

// recent is the batch of documents that somebody signs now or signed a short while
// ago: whoever lost the line while signing finds the outcome. It is nil for none.
func (p *Pages) recent(ctx context.Context, employeeID string) (*batchView, error) {
	list, err := p.Signing.Batches(ctx, employeeID)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || p.Clock().Sub(list[0].At) > recentWithin {
		return nil, nil
	}
	b, err := p.Signing.Batch(ctx, employeeID, list[0].ID)
	if err != nil {
		return nil, err
	}
	if len(b.Items) == 0 || b.Items[0].Document == "" {
		return nil, nil
	}
	return &batchView{Batch: b}, nil
}

// stream tells the page of a batch that something has changed.
func (p *Pages) stream(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.ownBatch(r); err != nil {
		return err
	}
	news, leave := p.Hub.Subscribe(me(r).EmployeeID)
	defer leave()
	s, ctx, cancel, err := web.StartStream(w, r)
	if err != nil {
		return err
	}
	defer cancel()
	// The first may have been signed between the page and this stream.
	if err := s.Send("refresh", ""); err != nil {
		return nil // the browser is gone
	}
	tick := time.NewTicker(25 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news:
			err = s.Send("refresh", "")
			select { // a list of a thousand is not asked for a thousand times
			case <-ctx.Done():
			case <-time.After(refreshPause):
			}
		case <-tick.C:
			err = s.Beat()
		}
		if err != nil {
			return nil // the browser is gone
		}
	}
}

// batchView is a batch in words.
type batchView struct {
	signing.Batch
	bulk string // id of the bulk that its documents belong to
}

func (v batchView) count(state string) (n int) {
	for _, i := range v.Items {
		if i.State == state {
			n++
		}
	}
	return n
}

// finished is how many documents have an outcome.
func (v batchView) finished() int { return v.count("done") + v.count("failed") }

func (v batchView) running() bool { return !v.Ended && v.finished() < len(v.Items) }

func (v batchView) banner(ctx context.Context) ui.Banner {
	done, failed := v.count("done"), v.count("failed")
	args := []any{"done", i18n.Number(ctx, int64(done)), "failed", i18n.Number(ctx, int64(failed)), "total", i18n.Number(ctx, int64(len(v.Items)))}
	switch {
	case v.running():
		return ui.Banner{Tone: ui.Info, Text: i18n.T(ctx, "sign.batch.running", args...), Note: i18n.T(ctx, "sign.batch.leave")}
	case failed == 0:
		return ui.Banner{Tone: ui.Success, Text: i18n.T(ctx, "sign.batch.done", args...)}
	case done == 0:
		return ui.Banner{Tone: ui.Danger, Text: i18n.T(ctx, "sign.batch.none", args...)}
	}
	return ui.Banner{Tone: ui.Warning, Text: i18n.T(ctx, "sign.batch.some", args...), Note: i18n.T(ctx, "sign.batch.someNote")}
}

// retry is the address that prepares those that were not signed once more.
func (v batchView) retry() string {
	var ids []string
	for _, i := range v.Items {
		if i.State == "failed" && i.Document != "" {
			ids = append(ids, fieldDocument+"="+i.Document)
		}
	}
	if len(ids) == 0 || v.running() {
		return ""
	}
	if v.bulk != "" {
		return bulkPath(v.bulk) + "/tandatangan"
	}
	return Base + "/tandatangan?" + strings.Join(ids, "&")
}

func (v batchView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{Caption: i18n.T(ctx, "sign.batch.caption"), Columns: []ui.Column{
		{Label: i18n.T(ctx, "sign.list.name")}, {Label: i18n.T(ctx, "sign.batch.outcome")}, {Label: i18n.T(ctx, "sign.batch.digest")},
		{Label: i18n.T(ctx, "sign.batch.file"), HideLabel: true, Shrink: true},
	}}
	items := slices.Clone(v.Items)
	if !v.running() { // what needs somebody comes first
		slices.SortStableFunc(items, func(a, b signing.BatchItem) int {
			return cmp.Compare(rank(a), rank(b))
		})
	}
	for _, i := range items {
		if v.running() && len(v.Items) > wholeList && i.State != "failed" {
			continue
		}
		file := ui.Text("")
		if i.State == "done" && i.Document != "" {
			file = downloadLink(i.Document)
		}
		name := ui.Text(i.Name)
		if i.Document != "" {
			name = ui.Anchor(i.Name, documentPath(i.Document), "")
		}
		t.Rows = append(t.Rows, ui.Row{ID: fmt.Sprintf("item-%d", i.Position), Cells: []templ.Component{name, outcome(ctx, i), hashCell(i.SHA256), file}})
	}
	return t
}

// rank puts documents that were not signed before the others.
func rank(i signing.BatchItem) int {
	if i.State == "done" {
		return 1
	}
	return 0
}

// outcome is what became of one document.
func outcome(ctx context.Context, i signing.BatchItem) templ.Component {
	switch i.State {
	case "done":
		return outcomeCell(ui.Success, i18n.T(ctx, "sign.outcome.done"), i18n.DateTime(ctx, i.At))
	case "failed":
		return outcomeCell(ui.Danger, i18n.T(ctx, "sign.outcome.failed"), i18n.T(ctx, problemKey(ctx, i.Problem)))
	case "used":
		return outcomeCell(ui.Info, i18n.T(ctx, "sign.outcome.used"), "")
	}
	return outcomeCell(ui.Neutral, i18n.T(ctx, "sign.outcome.unused"), "")
}

// problemKey is the text of a word of signing.Problem.
func problemKey(ctx context.Context, word string) string {
	if key := "sign.problem." + strings.ReplaceAll(word, "-", "_"); i18n.Has(ctx, key) {
		return key
	}
	return "sign.problem.internal"
}

func (p *Pages) history(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := p.Signing.Batches(ctx, me(r).EmployeeID)
	if err != nil {
		return err
	}
	t := ui.TableProps{
		Caption: i18n.T(ctx, "sign.history.caption"),
		Columns: []ui.Column{{Label: i18n.T(ctx, "sign.history.at")}, {Label: i18n.T(ctx, "sign.history.documents"), Number: true}, {Label: i18n.T(ctx, "sign.batch.outcome")}},
		Empty:   ui.Empty{Icon: "clock-history", Title: i18n.T(ctx, "sign.history.none"), Text: i18n.T(ctx, "sign.history.noneText")},
	}
	for _, row := range list {
		b, err := p.Signing.Batch(ctx, me(r).EmployeeID, row.ID)
		if err != nil {
			return err
		}
		v := batchView{Batch: b}
		t.Rows = append(t.Rows, ui.Row{ID: b.ID, Cells: []templ.Component{
			ui.Anchor(i18n.DateTime(ctx, b.At), batchPath(b.ID), ""), ui.Text(i18n.Number(ctx, int64(len(b.Items)))),
			ui.Text(v.banner(ctx).Text),
		}})
	}
	page := page(ctx, i18n.T(ctx, "sign.history.title"), false)
	page.Lede = i18n.T(ctx, "sign.history.lede")
	return web.Page(w, r, http.StatusOK, page, historyBody(t))
}
