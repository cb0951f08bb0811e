package scim

import (
	"fmt"
	"strings"
)

// term is one comparison of a filter.
type term struct{ column, value string }

// filter is a conjunction of comparisons by eq: what clients ask to find the
// employee that they mean (RFC 7644 3.4.2.2).
type filter []term

// attributes are those that a filter may name, in lower case, and their columns.
var attributes = map[string]string{
	"id": "e.id", "username": "e.nip", "externalid": "e.nip", "emails": "e.email", "emails.value": "e.email", `emails[type eq "work"].value`: "e.email",
	"active": "e.active", "displayname": "e.name", "name.formatted": "e.name",
	strings.ToLower(schemaEnterprise) + ":employeenumber": "e.nip",
}

// parseFilter reads a filter; the empty one selects everybody.
func parseFilter(text string) (filter, error) {
	var f filter
	rest := strings.TrimSpace(text)
	for rest != "" {
		at, value, after, err := comparison(rest)
		if err != nil {
			return nil, err
		}
		column, ok := attributes[strings.ToLower(at)]
		if !ok {
			return nil, bad("invalidFilter", "a filter may compare id, userName, externalId, emails, displayName, employeeNumber and active")
		}
		if column == "e.email" {
			value = strings.ToLower(value) // as it is stored
		}
		if column == "e.active" && value != "true" && value != "false" {
			return nil, bad("invalidFilter", "active is true or false")
		}
		f = append(f, term{column, value})
		if len(f) > 5 {
			return nil, bad("tooMany", "the filter has too many parts")
		}
		if after == "" {
			return f, nil
		}
		word, more, _ := strings.Cut(after, " ")
		if !strings.EqualFold(word, "and") || strings.TrimSpace(more) == "" {
			return nil, bad("invalidFilter", "parts of a filter are joined by and")
		}
		rest = strings.TrimSpace(more)
	}
	return f, nil
}

// comparison reads ATTRIBUTE eq VALUE and returns what follows.
func comparison(text string) (attribute, value, rest string, err error) {
	lower := strings.ToLower(text)
	at := strings.Index(lower, " eq ")
	// An attribute may itself hold a comparison: emails[type eq "work"].value
	if open := strings.IndexByte(text, '['); open >= 0 && open < at {
		shut := strings.IndexByte(text, ']')
		if shut < at {
			return "", "", "", bad("invalidFilter", "the filter is malformed")
		}
		next := strings.Index(lower[shut:], " eq ")
		if next < 0 {
			return "", "", "", bad("invalidFilter", "a filter compares by eq")
		}
		at = shut + next
	}
	if at < 1 {
		return "", "", "", bad("invalidFilter", "a filter compares by eq")
	}
	attribute = strings.Join(strings.Fields(text[:at]), " ")
	rest = strings.TrimSpace(text[at+len(" eq "):])
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		end := strings.IndexByte(quoted, '"')
		if end < 0 || strings.Contains(quoted[:end], `\`) {
			return "", "", "", bad("invalidFilter", "a text of the filter does not end, or escapes")
		}
		return attribute, quoted[:end], strings.TrimSpace(quoted[end+1:]), nil
	}
	value, rest, _ = strings.Cut(rest, " ")
	if value == "" {
		return "", "", "", bad("invalidFilter", "the filter compares with nothing")
	}
	return attribute, value, strings.TrimSpace(rest), nil
}

// sql is the condition of the filter.
func (f filter) sql() (string, []any) {
	if len(f) == 0 {
		return "1 = 1", nil
	}
	var parts []string
	var args []any
	for _, t := range f {
		if t.column == "e.active" {
			args = append(args, t.value == "true")
		} else {
			args = append(args, t.value)
		}
		parts = append(parts, fmt.Sprintf("%s = $%d", t.column, len(args)))
	}
	return strings.Join(parts, " and "), args
}
