package ui

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
)

// CardProps describes a Card.
type CardProps struct {
	ID      string
	Title   string // h2; empty for none
	Lede    string // below the title
	Icon    string
	Actions []templ.Component // at the right of the title
	Flush   bool              // the content brings its own padding: tables, images
}

// Term is one line of a DescriptionList: "NIP : 1990…".
type Term struct {
	Label string
	Value string
	// Body replaces Value where text is not enough.
	Body templ.Component
	Code bool // digits of equal width: NIP, NIK, serial numbers
	Copy bool // adds a CopyButton for Value
}

// Banner is the status of something in one sentence.
type Banner struct {
	Tone  Tone
	Label string // before the sentence: "Status Digital Signature Anda:"
	Text  string // the sentence, word for word
	Note  string // what happens next
}

// Task is one row of a TaskList.
type Task struct {
	Title  string
	Href   string // empty: cannot be opened (yet)
	Hint   string // the reason of the verdict, what to do
	Status string
	Tone   Tone // of the status; Success shows plain text as GOV.UK does
}

// StepState is where a step of a Timeline stands.
type StepState string

// The states of a step. Stopped is a step that went wrong: returned, rejected.
const (
	StepDone     StepState = "done"
	StepCurrent  StepState = "current"
	StepUpcoming StepState = "upcoming"
	StepStopped  StepState = "stopped"
)

// Step is one step of a Timeline.
type Step struct {
	Title string
	State StepState
	Who   string    // whose turn it is or was
	At    time.Time // since when (current) or when (done); zero for none
	Text  string    // what happened or will happen
	Wait  string    // the usual wait: "biasanya 2 jam, paling lama 1 hari"
	Body  templ.Component
}

// Confirm is the green panel of a confirmation page. It holds the h1, so the
// page sets HideTitle.
type Confirm struct {
	Title string
	Text  string
	Code  string // a reference number
}

// Empty is what a list shows when it is empty.
type Empty struct {
	Icon   string
	Title  string
	Text   string
	Action templ.Component
}

// Tab is one entry of Tabs.
type Tab struct {
	Label    string
	Href     string
	Count    int
	HasCount bool // shows Count even when it is 0
	More     bool // there are more than Count: "1.000+"
	Current  bool
}

// Stat is one number of a Stats row.
type Stat struct {
	Label string
	Value string
	Note  string
	Tone  Tone
	Href  string
}

// LiveProps describes a Live region. URL is an event stream of the same site: an
// event named "refresh" loads the current page again and takes over the element
// with this ID from it, an event named "swap" carries the new content as HTML.
type LiveProps struct {
	ID  string
	URL string
}

func stepStateKey(s StepState) string {
	switch s {
	case StepDone:
		return "ui.step.done"
	case StepCurrent:
		return "ui.step.current"
	case StepStopped:
		return "ui.step.stopped"
	}
	return "ui.step.upcoming"
}

func stepIcon(s StepState) string {
	switch s {
	case StepDone:
		return "check-lg"
	case StepStopped:
		return "exclamation-lg"
	}
	return ""
}

func toneOr(t, fallback Tone) Tone {
	if t == "" {
		return fallback
	}
	return t
}

func tabCount(ctx context.Context, t Tab) string {
	s := i18n.Number(ctx, int64(t.Count))
	if t.More {
		return s + "+"
	}
	return s
}
