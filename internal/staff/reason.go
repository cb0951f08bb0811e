package staff

// ReasonCode says why an officer rejects a field. Its text has the key
// "staff.reason." + code.
type ReasonCode string

// The catalogue of reasons.
const (
	NotAsOnCard    ReasonCode = "not_as_on_card"  // the value differs from the ID card
	NotInRecords   ReasonCode = "not_in_records"  // the value differs from the personnel file
	NotOfficial    ReasonCode = "not_official"    // not an official e-mail address
	NotReachable   ReasonCode = "not_reachable"   // mail or calls do not arrive
	Unreadable     ReasonCode = "unreadable"      // the scan cannot be read
	Incomplete     ReasonCode = "incomplete"      // a part is missing or cut off
	WrongDocument  ReasonCode = "wrong_document"  // the scan shows something else
	OtherPerson    ReasonCode = "other_person"    // of somebody else
	NotSigned      ReasonCode = "not_signed"      // the letter lacks signature or number
	OutOfDate      ReasonCode = "out_of_date"     // too old, replaced
	SpecimenUnlike ReasonCode = "specimen_unlike" // the signature differs from the one on file
	OtherReason    ReasonCode = "another"         // the text says it; required then
)

// ReasonsFor lists the reasons that fit a field, in the order of a menu.
func ReasonsFor(f Field) []ReasonCode {
	switch f {
	case NIK, Name, BirthPlace, BirthDate, Sex:
		return []ReasonCode{NotAsOnCard, NotInRecords, OtherReason}
	case Email:
		return []ReasonCode{NotOfficial, NotReachable, OtherReason}
	case Phone:
		return []ReasonCode{NotReachable, OtherReason}
	case IDCard:
		return []ReasonCode{Unreadable, Incomplete, WrongDocument, OtherPerson, NotAsOnCard, OtherReason}
	case Recommendation:
		return []ReasonCode{Unreadable, Incomplete, WrongDocument, OtherPerson, NotSigned, OutOfDate, OtherReason}
	case Specimen:
		return []ReasonCode{Unreadable, Incomplete, WrongDocument, OtherPerson, SpecimenUnlike, OtherReason}
	}
	return []ReasonCode{OtherReason}
}

func reasonFits(f Field, code ReasonCode) bool {
	for _, r := range ReasonsFor(f) {
		if r == code {
			return true
		}
	}
	return false
}
