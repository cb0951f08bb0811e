package ds

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/store/db"
)

// card is what StatusCard shows.
type card struct {
	enrolment.Standing
	Steps    []ui.Step
	Findings []finding
	Note     string // of the officer who sent it back
	Mails    []mailLine
	Lost     *mailLine // the latest mail did not arrive
	Expires  time.Time // of the live link
	Expired  bool
	Now      time.Time
}

// finding is what an officer wants mended.
type finding struct {
	Field  string
	Reason string
	Text   string
	Href   string
}

// mailLine is a mail and what became of it.
type mailLine struct {
	db.Mail
	Again bool // it can be sent again as it was
	Link  bool // it held the link: a new one can be asked for
}

// StatusCard is the status of an employee's Digital Signature: the guide's
// sentence, whose turn it is since when and for how long usually, what to do
// now, and what became of the mails. It keeps itself up to date where scripts
// run. It fails when the database does.
func (p *Pages) StatusCard(ctx context.Context, employeeID string) (templ.Component, error) {
	st, err := p.Enrolment.StandingOf(ctx, employeeID)
	if err != nil {
		return nil, err
	}
	c := card{Standing: st, Now: p.Clock()}
	if st.Registration == nil {
		return statusCard(c), nil
	}
	c.Steps = p.steps(ctx, st)
	if err := p.addFindings(ctx, &c); err != nil {
		return nil, err
	}
	if err := p.addMails(ctx, &c); err != nil {
		return nil, err
	}
	if st.Link != nil && !st.KeySet {
		c.Expires = clock.FromMicros(st.Link.ExpiresAt)
		c.Expired = !c.Now.Before(c.Expires)
	}
	return statusCard(c), nil
}

// addFindings collects what the last check found, for a registration that was
// sent back or refused.
func (p *Pages) addFindings(ctx context.Context, c *card) error {
	if c.Status != enrolment.Returned {
		return nil
	}
	q := p.Enrolment.Store.Read()
	reviews, err := q.ReviewsOf(ctx, c.Registration.ID)
	if err != nil {
		return fmt.Errorf("read checks: %w", err)
	}
	slices.Reverse(reviews)
	for _, v := range reviews {
		if v.Verdict != "returned" {
			continue
		}
		c.Note = v.Note
		fields, err := q.ReviewFields(ctx, v.ID)
		if err != nil {
			return fmt.Errorf("read what was found: %w", err)
		}
		slices.SortFunc(fields, func(a, b db.ReviewField) int {
			return cmp.Compare(slices.Index(enrolment.Fields, a.Field), slices.Index(enrolment.Fields, b.Field))
		})
		for _, f := range fields {
			if !f.Accepted {
				c.Findings = append(c.Findings, finding{
					Field: fieldName(ctx, f.Field), Reason: reason(ctx, f.ReasonCode), Text: f.ReasonText, Href: changeHref(f.Field),
				})
			}
		}
		return nil
	}
	return nil
}

func (p *Pages) addMails(ctx context.Context, c *card) error {
	rows, err := p.Enrolment.Store.Read().MailsOfRegistration(ctx, sql.NullString{String: c.Registration.ID, Valid: true})
	if err != nil {
		return fmt.Errorf("read mails: %w", err)
	}
	waits := c.Status == enrolment.OnSetPassphrase && !c.KeySet
	for i, m := range rows {
		line := mailLine{Mail: m, Again: outbox.Again(m) && m.ResentAs == "", Link: waits && m.Kind == kindLink && m.State != outbox.Queued}
		c.Mails = append(c.Mails, line)
		if i == 0 && (m.State == outbox.Refused || m.State == outbox.GivenUp) {
			c.Lost = &line
		}
	}
	// One button for a new link is enough.
	seen := false
	for i := range c.Mails {
		c.Mails[i].Link = c.Mails[i].Link && !seen
		seen = seen || c.Mails[i].Kind == kindLink
	}
	return nil
}

// event is a row of history that reached a status of the guide.
type event struct {
	at  time.Time
	who string
}

// guideSteps are the statuses that the guide explains, in their order.
var guideSteps = []enrolment.Status{enrolment.New, enrolment.OnSetPassphrase, enrolment.Enroll, enrolment.Issue}

// steps makes the timeline: what was reached since the last submission, whose
// turn it is, and what follows.
func (p *Pages) steps(ctx context.Context, st enrolment.Standing) []ui.Step {
	reached := map[enrolment.Status]event{}
	var last db.HistoryOfRow
	for _, h := range st.History {
		to := enrolment.Status(h.ToStatus)
		e := event{at: clock.FromMicros(h.At), who: actor(ctx, h)}
		if to == enrolment.New && h.FromStatus != h.ToStatus {
			clear(reached) // everything starts anew
		}
		if h.Action == string(enrolment.ActionReset) && to == enrolment.OnSetPassphrase {
			reached[enrolment.New] = e
		}
		if h.FromStatus != h.ToStatus {
			reached[to] = e
			last = h
		}
	}
	var steps []ui.Step
	current := false
	for _, s := range guideSteps {
		e, done := reached[s]
		step := ui.Step{Title: i18n.T(ctx, "ds.step."+code(s)), Text: i18n.T(ctx, "ds.did."+code(s))}
		switch {
		case done:
			step.State, step.At, step.Who = ui.StepDone, e.at, e.who
		case current || !st.Status.Open() && st.Status != enrolment.Rejected && st.Status != enrolment.Cancelled:
			step.State, step.Text = ui.StepUpcoming, i18n.T(ctx, "ds.will."+code(s))
		case st.Status == enrolment.Returned, st.Status == enrolment.Rejected, st.Status == enrolment.Cancelled:
			current = true
			step.State, step.At, step.Who = ui.StepStopped, clock.FromMicros(last.At), actor(ctx, last)
			step.Text = stopText(ctx, st.Status, last)
		default:
			current = true
			step.State, step.At = ui.StepCurrent, st.Since
			step.Who, step.Text, step.Wait = turn(ctx, st), now(ctx, st), wait(ctx, st.Wait)
		}
		steps = append(steps, step)
	}
	if st.Sentence == enrolment.IsSuspended {
		last = st.History[len(st.History)-1]
		steps = append(steps, ui.Step{
			Title: i18n.T(ctx, "ds.step.suspended"), State: ui.StepStopped, At: clock.FromMicros(st.Certificate.RevokedAt), Who: actor(ctx, last),
			Text: i18n.T(ctx, "ds.stop.suspended") + " " + reason(ctx, last.ReasonCode) + ".",
		})
	}
	if st.Status == enrolment.Revoked || st.Status == enrolment.Expired {
		steps = append(steps, ui.Step{
			Title: i18n.T(ctx, "ds.step."+code(st.Status)), State: ui.StepStopped, At: st.Since, Who: actor(ctx, last),
			Text: stopText(ctx, st.Status, last),
		})
	}
	return steps
}

func code(s enrolment.Status) string { return strings.ToLower(string(s)) }

// stopText is the reason for an end, with the words of whoever ended it.
func stopText(ctx context.Context, s enrolment.Status, h db.HistoryOfRow) string {
	text := i18n.T(ctx, "ds.stop."+code(s))
	if why := reason(ctx, h.ReasonCode); why != "" {
		text += " " + why + "."
	}
	if h.ReasonText != "" {
		text += " “" + h.ReasonText + "”"
	}
	return text
}

// turn says whose move it is, by name where somebody took the case.
func turn(ctx context.Context, st enrolment.Standing) string {
	if st.ClaimedBy != "" {
		return i18n.T(ctx, "ds.turn.claimed", "name", st.ClaimedBy)
	}
	return i18n.T(ctx, "ds.turn."+string(st.Turn))
}

// now says what is being waited for.
func now(ctx context.Context, st enrolment.Standing) string {
	if st.Status == enrolment.OnSetPassphrase && st.KeySet {
		return i18n.T(ctx, "ds.now.agreement")
	}
	return i18n.T(ctx, "ds.now."+code(st.Status))
}

func wait(ctx context.Context, w *enrolment.Wait) string {
	if w == nil {
		return ""
	}
	return i18n.T(ctx, "ds.wait", "median", i18n.Duration(ctx, w.Median), "p95", i18n.Duration(ctx, w.P95))
}
