package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/apiclient"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/webhook"
)

// key makes a type or state part of the key of a text.
func key(s string) string { return strings.ReplaceAll(s, ".", "_") }

func typeName(ctx context.Context, t webhook.Type) string {
	return i18n.T(ctx, "webhooks.type_"+key(string(t)))
}

// typeOptions are the choices of what an application is told.
func typeOptions(ctx context.Context, f form) []ui.Option {
	var out []ui.Option
	for _, t := range webhook.Types() {
		out = append(out, ui.Option{Value: string(t), Label: typeName(ctx, t), Hint: string(t), Selected: slices.Contains(f.Types, string(t))})
	}
	return out
}

// hearing says what the application hears of at most, whatever is chosen.
func hearing(ctx context.Context, c apiclient.Client) string {
	switch {
	case c.Sandbox:
		return i18n.T(ctx, "webhooks.hears_sandbox")
	case c.May(apiclient.Status):
		return i18n.T(ctx, "webhooks.hears_all")
	case c.May(apiclient.Register):
		return i18n.T(ctx, "webhooks.hears_own")
	}
	return i18n.T(ctx, "webhooks.hears_documents")
}

func endpointTone(e webhook.Endpoint) ui.Tone {
	switch e.State {
	case webhook.Enabled:
		return ui.Success
	case webhook.Failing:
		return ui.Warning
	}
	return ui.Danger
}

// endpointNote says why an endpoint is as it is, and what to do.
func endpointNote(ctx context.Context, e webhook.Endpoint) string {
	switch e.State {
	case webhook.Failing:
		return i18n.T(ctx, "webhooks.note_failing", "since", i18n.DateTime(ctx, e.FailingSince))
	case webhook.Disabled:
		return i18n.T(ctx, "webhooks.note_"+e.Reason)
	}
	return ""
}

func stateTone(d webhook.Delivery) ui.Tone {
	switch d.State {
	case webhook.Delivered:
		return ui.Success
	case webhook.Failed:
		return ui.Danger
	case webhook.Queued:
		if d.Attempts > 0 && d.Outcome != "" && d.Outcome != webhook.OutcomeDelivered {
			return ui.Warning
		}
		return ui.Info
	}
	return ui.Neutral
}

// news says in a few words what the last attempt came to, and when the next is.
func news(ctx context.Context, now time.Time, d webhook.Delivery) string {
	var parts []string
	if d.Outcome != "" {
		parts = append(parts, outcome(ctx, d.Outcome, d.Status))
	}
	if d.State == webhook.Queued {
		if d.NextTry.After(now) {
			parts = append(parts, i18n.T(ctx, "webhooks.next", "at", i18n.ShortDateTime(ctx, d.NextTry)))
		} else {
			parts = append(parts, i18n.T(ctx, "webhooks.soon"))
		}
	}
	return strings.Join(parts, " · ")
}

// outcome says what an attempt came to.
func outcome(ctx context.Context, word string, status int) string {
	if status > 0 {
		return "HTTP " + strconv.Itoa(status)
	}
	if k := "webhooks.outcome_" + word; i18n.Has(ctx, k) {
		return i18n.T(ctx, k)
	}
	return word
}

func tryTone(a webhook.Attempt) ui.Tone {
	switch {
	case a.End.IsZero():
		return ui.Warning
	case a.Outcome == webhook.OutcomeDelivered:
		return ui.Success
	}
	return ui.Danger
}

func tryWord(ctx context.Context, a webhook.Attempt) string {
	if a.End.IsZero() {
		return i18n.T(ctx, "webhooks.outcome_open")
	}
	return outcome(ctx, a.Outcome, a.Status) + " · " + i18n.Number(ctx, a.Took.Milliseconds()) + " ms"
}

func endpointTable(ctx context.Context, c apiclient.Client, list []webhook.Endpoint) ui.TableProps {
	t := ui.TableProps{Caption: i18n.T(ctx, "webhooks.title"), Columns: []ui.Column{
		{Label: i18n.T(ctx, "webhooks.url")}, {Label: i18n.T(ctx, "webhooks.types")}, {Label: i18n.T(ctx, "webhooks.state"), Shrink: true},
		{Label: i18n.T(ctx, "webhooks.last"), Shrink: true},
	}, Empty: ui.Empty{Icon: "bell", Title: i18n.T(ctx, "webhooks.none"), Text: i18n.T(ctx, "webhooks.none_text")}}
	for _, e := range list {
		tone := endpointTone(e)
		if tone == ui.Success {
			tone = ""
		}
		names := i18n.T(ctx, "webhooks.all_types")
		if len(e.Types) < len(webhook.Types()) {
			var out []string
			for _, x := range e.Types {
				out = append(out, typeName(ctx, x))
			}
			names = strings.Join(out, ", ")
		}
		t.Rows = append(t.Rows, ui.Row{ID: e.ID, Tone: tone, Cells: []templ.Component{
			ui.Anchor(e.Host(), Under(c.ID)+"/"+e.ID, e.URL), ui.Text(names), ui.Tag(endpointTone(e), i18n.T(ctx, "webhooks.state_"+e.State)), last(e),
		}})
	}
	return t
}

func tabs(ctx context.Context, v view) []ui.Tab {
	total := 0
	for _, n := range v.Counts {
		total += n
	}
	out := []ui.Tab{{Label: i18n.T(ctx, "webhooks.all"), Href: v.href("", v.Type), Count: total, HasCount: true, Current: v.State == ""}}
	for _, s := range webhook.DeliveryStates() {
		out = append(out, ui.Tab{Label: i18n.T(ctx, "webhooks.delivery_"+s), Href: v.href(s, v.Type), Count: v.Counts[s], HasCount: true, Current: v.State == s})
	}
	return out
}

func typeFilter(ctx context.Context, v view) []ui.Option {
	out := []ui.Option{{Value: "", Label: i18n.T(ctx, "webhooks.every_type"), Selected: v.Type == ""}}
	for _, t := range append(webhook.Types(), webhook.Ping) {
		out = append(out, ui.Option{Value: string(t), Label: typeName(ctx, t), Selected: v.Type == string(t)})
	}
	return out
}

func filter(ctx context.Context, v view) ui.Filter {
	f := ui.Filter{Action: v.At(), Fields: []templ.Component{
		ui.Select(ui.FieldProps{Name: "jenis", Label: i18n.T(ctx, "webhooks.kind"), NoRequired: true}, typeFilter(ctx, v)),
	}, Hidden: map[string]string{}}
	if v.State != "" {
		f.Hidden["status"] = v.State
	}
	if v.Type != "" {
		f.Clear = v.href(v.State, "")
	}
	return f
}

func deliveryTable(ctx context.Context, v view) ui.TableProps {
	t := ui.TableProps{Caption: i18n.T(ctx, "webhooks.deliveries"), Columns: []ui.Column{
		{Label: i18n.T(ctx, "webhooks.kind")}, {Label: i18n.T(ctx, "webhooks.created"), Shrink: true},
		{Label: i18n.T(ctx, "webhooks.attempts"), Number: true, Shrink: true}, {Label: i18n.T(ctx, "webhooks.outcome")},
	}, Empty: ui.Empty{Icon: "send", Title: i18n.T(ctx, "webhooks.no_deliveries"), Text: i18n.T(ctx, "webhooks.no_deliveries_text")}}
	for _, d := range v.Rows {
		tone := stateTone(d)
		if tone != ui.Danger && tone != ui.Warning {
			tone = ""
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Tone: tone, Cells: []templ.Component{
			ui.Anchor(typeName(ctx, d.Type), v.At()+"/kiriman/"+d.ID, string(d.Type)), ui.Ago(v.Now, d.CreatedAt), ui.Text(i18n.Number(ctx, int64(d.Attempts))), became(v, d),
		}})
	}
	return t
}

func spanOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, h := range spans {
		out = append(out, ui.Option{Value: strconv.Itoa(h), Label: i18n.T(ctx, "webhooks.span_"+strconv.Itoa(h)), Selected: h == 24})
	}
	return out
}

func facts(ctx context.Context, e webhook.Endpoint) []ui.Term {
	terms := []ui.Term{
		{Label: i18n.T(ctx, "webhooks.url"), Value: e.URL, Copy: true},
		{Label: i18n.T(ctx, "webhooks.created"), Value: i18n.DateTime(ctx, e.CreatedAt)},
	}
	at := i18n.T(ctx, "webhooks.never")
	if !e.DeliveredAt.IsZero() {
		at = i18n.DateTime(ctx, e.DeliveredAt)
	}
	terms = append(terms, ui.Term{Label: i18n.T(ctx, "webhooks.last"), Value: at})
	if !e.Rotating.IsZero() {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "webhooks.rotating"), Value: i18n.DateTime(ctx, e.Rotating)})
	}
	return terms
}

func urlHint(plain bool) string {
	if plain {
		return "webhooks.url_hint_plain"
	}
	return "webhooks.url_hint"
}

func firstPage(v view) string {
	if !v.Later {
		return ""
	}
	return v.href(v.State, v.Type)
}

// pretty shows JSON over several lines.
func pretty(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}
