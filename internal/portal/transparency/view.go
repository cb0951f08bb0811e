package transparency

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/store/db"
)

func (c issuedCertificate) terms(ctx context.Context) []ui.Term {
	terms := []ui.Term{
		{Label: i18n.T(ctx, "transparency.mine.status"), Body: certificateState(c)},
		{Label: i18n.T(ctx, "transparency.mine.serial"), Value: c.Serial, Code: true, Copy: true},
		{Label: i18n.T(ctx, "transparency.mine.at"), Value: i18n.DateTime(ctx, clock.FromMicros(c.IssuedAt))},
		{Label: i18n.T(ctx, "transparency.mine.until"), Value: i18n.DateTime(ctx, clock.FromMicros(c.NotAfter))},
	}
	if c.RevokedAt > 0 {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "transparency.mine.revoked"), Value: i18n.DateTime(ctx, clock.FromMicros(c.RevokedAt))})
	}
	return append(terms,
		ui.Term{Label: i18n.T(ctx, "transparency.mine.registration"), Value: c.Reference, Code: true},
		ui.Term{Label: i18n.T(ctx, "transparency.mine.approved"), Body: approvalList(c.Approvals)},
		ui.Term{Label: i18n.T(ctx, "transparency.mine.proof"), Body: proofState(c.standing)},
	)
}

func stateTone(state string) ui.Tone {
	switch state {
	case "valid":
		return ui.Success
	case "revoked":
		return ui.Danger
	}
	return ui.Warning
}

func approvalText(ctx context.Context, a approval) string {
	return i18n.T(ctx, fmt.Sprintf("transparency.mine.stage%d", a.Stage), "name", a.Name, "time", i18n.DateTime(ctx, clock.FromMicros(a.At)))
}

func proofText(ctx context.Context, s standing) string {
	return i18n.T(ctx, "transparency.proof."+s.Key+"_text", "row", i18n.Number(ctx, s.Row), "size", i18n.Number(ctx, s.Size))
}

func checkNotice(ctx context.Context, c audit.Check) ui.Flash {
	at, size := i18n.DateTime(ctx, c.At), i18n.Number(ctx, c.Size)
	if !c.Intact {
		return ui.Flash{
			Tone: ui.Danger, Title: i18n.T(ctx, "transparency.check."+c.Kind+"_broken", "time", at),
			Text: i18n.T(ctx, "transparency.check.broken_text") + " " + c.Detail,
		}
	}
	return ui.Flash{Tone: ui.Success, Text: i18n.T(ctx, "transparency.check."+c.Kind, "time", at, "size", size)}
}

func (s logState) terms(ctx context.Context) []ui.Term {
	return []ui.Term{
		{Label: i18n.T(ctx, "transparency.log.origin"), Value: s.Latest.Origin, Code: true},
		{Label: i18n.T(ctx, "transparency.log.size"), Value: i18n.Number(ctx, s.Latest.Tree.N)},
		{Label: i18n.T(ctx, "transparency.log.root"), Value: hex.EncodeToString(s.Latest.Tree.Hash[:]), Code: true, Copy: true},
		{Label: i18n.T(ctx, "transparency.log.key"), Value: s.Key, Code: true, Copy: true},
	}
}

func checkpointTable(ctx context.Context, list []db.Checkpoint) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "transparency.log.recent"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "transparency.log.when")}, {Label: i18n.T(ctx, "transparency.log.size")}, {Label: i18n.T(ctx, "transparency.log.root")},
		},
		Empty: ui.Empty{Icon: "journal-text", Title: i18n.T(ctx, "transparency.log.none"), Text: i18n.T(ctx, "transparency.log.none_text")},
	}
	for _, c := range list {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{timeCell(c.At), numberCell(c.Size), rootCell(rootOf(c))}})
	}
	return t
}

// rootOf is the root that a stored checkpoint names, in its note.
func rootOf(c db.Checkpoint) []byte {
	lines := strings.Split(c.Note, "\n")
	if len(lines) < 3 {
		return nil
	}
	return decode(lines[2])
}

func (v rowView) terms(ctx context.Context) []ui.Term {
	r := v.Proved.Row
	return []ui.Term{
		{Label: i18n.T(ctx, "transparency.row.when"), Value: i18n.DateTime(ctx, clock.FromMicros(r.At))},
		{Label: i18n.T(ctx, "transparency.row.actor"), Value: r.ActorID + " (" + r.ActorRole + ")", Code: true},
		{Label: i18n.T(ctx, "transparency.row.action"), Body: dossier.Act(r.Action)},
		{Label: i18n.T(ctx, "transparency.row.object"), Value: r.ObjectKind + ":" + r.ObjectID, Code: true},
		{Label: i18n.T(ctx, "transparency.row.detail"), Value: detail(r.Detail), Code: true},
	}
}

func (v rowView) proofTerms(ctx context.Context) []ui.Term {
	path := make([]string, len(v.Proof))
	for i, h := range v.Proof {
		path[i] = hex.EncodeToString(h[:])
	}
	return []ui.Term{
		{Label: i18n.T(ctx, "transparency.row.leaf"), Value: hex.EncodeToString(v.Proved.Row.Hash), Code: true, Copy: true},
		{Label: i18n.T(ctx, "transparency.row.path"), Value: strings.Join(path, " "), Code: true},
		{Label: i18n.T(ctx, "transparency.log.root"), Value: hex.EncodeToString(v.Checkpoint.Tree.Hash[:]), Code: true, Copy: true},
	}
}

func decode(text string) []byte {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// detail is that of a row; rows without one hold an empty object or null.
func detail(s string) string {
	if s == "null" || s == "{}" {
		return "–"
	}
	return s
}
