package officer

import (
	"context"
	"slices"
	"testing"

	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
)

func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	keys := []string{"reason.note"}
	for _, f := range enrolment.Fields {
		keys = append(keys, "dossier.field."+f)
		for _, code := range enrolment.ReasonsFor(f) {
			keys = append(keys, "reason."+code)
		}
	}
	for _, code := range enrolment.RejectReasons {
		keys = append(keys, "reason."+code)
	}
	for code := range enrolment.RevokeReasons {
		keys = append(keys, "reason."+code)
		if !slices.Contains(revokeReasons, code) {
			t.Errorf("the menu lacks the reason %s", code)
		}
	}
	for _, code := range []string{
		ca.RefusedApproval, ca.RefusedRequest, ca.RefusedKey, ca.RefusedSubject, ca.RefusedLint, ca.RefusedIntent,
	} {
		keys = append(keys, "reason."+code)
	}
	for _, s := range enrolment.Statuses {
		keys = append(keys, "dossier.status."+string(s), "officer.tab."+string(s))
	}
	for _, a := range enrolment.Actions {
		keys = append(keys, "dossier.action."+string(a))
	}
	for _, lang := range i18n.Languages() {
		ctx := i18n.With(context.Background(), lang, i18n.WIB)
		for _, key := range keys {
			if !i18n.Has(ctx, key) {
				t.Errorf("%s has no text for %s", lang, key)
			}
		}
	}
}

func TestEveryFieldIsJudgedOnce(t *testing.T) {
	t.Parallel()
	var asked []string
	for _, p := range proofs {
		asked = append(asked, p.Fields...)
	}
	want := slices.Clone(enrolment.Fields)
	slices.Sort(asked)
	slices.Sort(want)
	if !slices.Equal(asked, want) {
		t.Errorf("the page asks about %v, the check is about %v", asked, want)
	}
}

// TestRowsInfo: the whole is told where it was counted, and nowhere else.
func TestRowsInfo(t *testing.T) {
	t.Parallel()
	ctx := i18n.With(context.Background(), i18n.Indonesian, i18n.WIB)
	rows := make([]enrolment.Row, pageRows)
	for _, c := range []struct {
		view queueView
		want string
	}{
		{queueView{Query: queueQuery{Status: enrolment.New}, Rows: rows, Counts: map[enrolment.Status]int{enrolment.New: 254}}, "50 registrasi di halaman ini, 254 seluruhnya"},
		{queueView{Query: queueQuery{Status: enrolment.New, Days: 3}, Rows: rows, Counts: map[enrolment.Status]int{enrolment.New: 254}}, "50 registrasi di halaman ini"},
		{queueView{Query: queueQuery{Status: enrolment.New}, Rows: rows, Counts: map[enrolment.Status]int{enrolment.New: enrolment.CountCap + 1}}, "50 registrasi di halaman ini"},
		{queueView{Query: queueQuery{Status: enrolment.New}, Rows: rows[:6], Counts: map[enrolment.Status]int{enrolment.New: 6}}, "6 registrasi di halaman ini"},
	} {
		if got := rowsInfo(ctx, c.view); got != c.want {
			t.Errorf("%+v: %q, want %q", c.view.Query, got, c.want)
		}
	}
}
