package validation

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"absah/pades/changes"
)

// describe says in one sentence what changed.
func describe(c changes.Change) string {
	field := strconv.Quote(c.Field)
	page := ""
	if c.Page > 0 {
		page = fmt.Sprintf(" on page %d", c.Page)
	}
	switch c.Kind {
	case changes.Signature:
		return "a signature was added in the field " + field + page
	case changes.Timestamp:
		return "a document timestamp was added"
	case changes.SignatureField:
		return "an empty signature field " + field + " was added" + page
	case changes.ValidationData:
		if c.Need == changes.NeedMore {
			return "the validation data were removed"
		}
		return "validation data (certificates, CRLs, OCSP answers) were added"
	case changes.Metadata:
		return "the document's information (" + c.Detail + ") was changed"
	case changes.Tagging:
		return "the structure tree for screen readers was changed"
	case changes.FormFill:
		if c.Field == "" {
			return "form data (" + c.Detail + ") were changed"
		}
		return "the form field " + field + " was filled in" + page
	case changes.Annotation:
		return "an annotation was " + orElse(c.Detail, "changed") + page
	case changes.Form:
		return "the form was changed: " + strings.TrimSpace(orElse(c.Detail, "definition")+" "+c.Field) + page
	case changes.Page:
		return "a page's content was changed (" + orElse(c.Detail, "content") + ")" + page
	case changes.Permission:
		return "the permissions of signers (" + c.Detail + ") were changed"
	case changes.SignatureAltered:
		return "an earlier signature was removed, replaced or given another appearance: " + field
	case changes.Catalog:
		return "the document's " + c.Detail + " was changed"
	case changes.Encryption:
		return "the encryption was changed"
	case changes.Unreadable:
		return "some objects cannot be read, so it is not known what changed"
	case changes.Unused:
		return "an object that nothing uses was added"
	}
	return fmt.Sprintf("the object %d was changed (%s)%s", c.Object.Number, orElse(c.Detail, "no known role"), page)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// doubtText says why a change leaves a doubt.
func doubtText(c changes.Change, p changes.Permissions) string {
	switch c.Doubt {
	case changes.CoversContent:
		return ", and it lies over what was signed"
	case changes.AppearanceOnly:
		return ", but only what it shows, not its value"
	case changes.ForeignObject:
		return ", with parts that were in the file before"
	case changes.HiddenStructure:
		return ", with words for screen readers that are not on the page"
	case changes.CannotTell:
		return "; what it covers cannot be told"
	}
	if p.Certification == 0 {
		return "; no signer said whether that is permitted"
	}
	return ""
}

// parseDate reads a date of ISO 32000-2 7.9.4, "D:YYYYMMDDHHmmSSOHH'mm".
func parseDate(s string) (time.Time, bool) {
	s = strings.TrimPrefix(s, "D:")
	digits := 0
	for digits < len(s) && digits < 14 && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	if digits < 4 || digits%2 != 0 {
		return time.Time{}, false
	}
	stamp := s[:digits] + "00000101000000"[digits:]
	t, err := time.Parse("20060102150405", stamp)
	if err != nil {
		return time.Time{}, false
	}
	zone := strings.ReplaceAll(s[digits:], "'", "")
	if zone == "" || zone[0] == 'Z' {
		return t, true
	}
	if len(zone) == 3 {
		zone += "00"
	}
	offset, err := time.Parse("-0700", zone)
	if err != nil {
		return time.Time{}, false
	}
	_, seconds := offset.Zone()
	return t.Add(-time.Duration(seconds) * time.Second), true
}
