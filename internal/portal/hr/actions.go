package hr

import (
	"context"

	"github.com/a-h/templ"
)

// caseActions are the buttons beside the employee's data.
func caseActions(_ context.Context, v caseView) []templ.Component {
	if v.Mine {
		return []templ.Component{releaseButton(v)}
	}
	return []templ.Component{claimButton(v)}
}
