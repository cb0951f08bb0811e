package enrolment

import "slices"

// Reason is why something was refused: a code of the catalogue and, in the
// officer's own words, more. The texts of the codes are messages reason.CODE.
type Reason struct {
	Code string
	Text string
}

// OtherReason is the code that says nothing without words.
const OtherReason = "other"

// Fields are what an officer judges one by one in each check.
var Fields = []string{"nip", "nik", "name", "position", "unit", "grade", "email", "id_card", "recommendation", "specimen"}

// catalogue lists the reasons for refusing each field.
var catalogue = map[string][]string{
	"nip":            {"mismatch"},
	"nik":            {"mismatch_id_card", "not_sixteen_digits", "belongs_to_other"},
	"name":           {"mismatch_id_card", "spelling", "title_included"},
	"position":       {"outdated"},
	"unit":           {"outdated"},
	"grade":          {"outdated"},
	"email":          {"not_official", "unreachable", "belongs_to_other"},
	"id_card":        {"cropped", "blurred", "not_id_card", "other_person", "covered"},
	"recommendation": {"unsigned", "wrong_addressee", "other_person", "outdated", "unreadable"},
	"specimen":       {"unreadable", "not_signature", "background", "differs"},
}

// ReasonsFor lists the reasons for refusing a field, the free one last.
func ReasonsFor(field string) []string {
	return append(slices.Clone(catalogue[field]), OtherReason)
}

// RejectReasons are the reasons for refusing a registration for good.
var RejectReasons = []string{"not_entitled", "identity_not_proven", "left_service", "duplicate_person", OtherReason}

// RevokeReasons are the reasons for which people ask for a revocation, with
// their codes of RFC 5280 5.3.1.
var RevokeReasons = map[string]int{
	"key_compromise":      1, // keyCompromise
	"affiliation_changed": 3, // affiliationChanged
	"superseded":          4, // superseded
	"cessation":           5, // cessationOfOperation
	"privilege_withdrawn": 9, // privilegeWithdrawn
}

// FieldDecision is an officer's verdict on one field.
type FieldDecision struct {
	Field    string
	Accepted bool
	Reason   Reason // when not accepted
}

// checkDecisions holds decisions against the fields: every field once, refused
// ones with a reason. refused says whether a refusal must or must not be there.
func checkDecisions(ds []FieldDecision, refused bool) error {
	seen := map[string]bool{}
	any := false
	for _, d := range ds {
		if !slices.Contains(Fields, d.Field) || seen[d.Field] {
			return ErrNotAllFields
		}
		seen[d.Field] = true
		if d.Accepted {
			continue
		}
		any = true
		if err := d.Reason.check(ReasonsFor(d.Field)); err != nil {
			return err
		}
	}
	if any != refused || (!refused && len(seen) != len(Fields)) {
		return ErrNotAllFields
	}
	return nil
}

// maxWords bounds what somebody writes beside a reason, in bytes.
const maxWords = 2000

func (r Reason) check(codes []string) error {
	if !slices.Contains(codes, r.Code) || (r.Code == OtherReason && r.Text == "") || len(r.Text) > maxWords {
		return ErrReason
	}
	return nil
}
