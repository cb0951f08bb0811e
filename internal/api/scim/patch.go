package scim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"absah/internal/audit"
	"absah/internal/staff"
)

// operation is one change of a PATCH (RFC 7644 3.5.2).
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

type patchRequest struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

// patch changes what the operations name and leaves the rest.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, who audit.Actor) error {
	var p patchRequest
	if err := read(r, &p); err != nil {
		return err
	}
	if !slices.Contains(p.Schemas, schemaPatch) || len(p.Operations) == 0 || len(p.Operations) > 100 {
		return bad("invalidSyntax", "a PatchOp with 1 to 100 operations is required")
	}
	ctx := r.Context()
	e, err := s.Staff.Employee(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	u, err := s.resource(ctx, e.ID)
	if err != nil {
		return err
	}
	u.Staff.RetirementDate, u.Active = nil, nil // those that are not named stay as they are
	for _, op := range p.Operations {
		if err := change(&u, op); err != nil {
			return err
		}
	}
	d, err := s.data(ctx, u, staff.Data{NIP: e.NIP.String(), UnitID: e.UnitID, TimeZone: e.TimeZone})
	if err != nil {
		return err
	}
	return s.apply(w, r, who, e, d, u)
}

// change applies one operation to a user.
func change(u *user, op operation) error {
	switch strings.ToLower(op.Op) {
	case "add", "replace":
		if op.Path == "" {
			return changeAll(u, op.Value)
		}
		return set(u, op.Path, op.Value)
	case "remove":
		if op.Path == "" {
			return bad("noTarget", "what to remove is not said")
		}
		return set(u, op.Path, json.RawMessage(`""`))
	}
	return bad("invalidSyntax", "an operation is add, replace or remove")
}

// changeAll applies an operation without a path: its value has the attributes.
func changeAll(u *user, raw json.RawMessage) error {
	var attrs map[string]json.RawMessage
	if err := json.Unmarshal(raw, &attrs); err != nil {
		return bad("invalidValue", "the value of an operation without a path has attributes")
	}
	for path, v := range attrs {
		var nested map[string]json.RawMessage
		if json.Unmarshal(v, &nested) == nil && nested != nil {
			for sub, x := range nested {
				sep := "."
				if strings.HasPrefix(path, "urn:") {
					sep = ":"
				}
				if err := set(u, path+sep+sub, x); err != nil {
					return err
				}
			}
			continue
		}
		if err := set(u, path, v); err != nil {
			return err
		}
	}
	return nil
}

// set gives one attribute a value; an empty text removes it.
func set(u *user, path string, raw json.RawMessage) error {
	lower := strings.ToLower(strings.Join(strings.Fields(path), " "))
	lower = strings.TrimPrefix(lower, strings.ToLower(schemaUser)+":")
	if lower == "active" {
		var f flag
		if err := json.Unmarshal(raw, &f); err != nil {
			return bad("invalidValue", "active is true or false")
		}
		u.Active = &f
		return nil
	}
	text, err := textOf(raw)
	if err != nil {
		return err
	}
	enterprisePrefix, staffPrefix := strings.ToLower(schemaEnterprise)+":", strings.ToLower(schemaStaff)+":"
	switch {
	case lower == "username", lower == "externalid" && text != "":
		if text != u.UserName {
			return bad("mutability", "the NIP of an employee does not change")
		}
	case lower == "externalid":
	case lower == "displayname", lower == "name.formatted":
		u.Name, u.DisplayName = &name{Formatted: text}, text
	case lower == "name.givenname", lower == "name.familyname":
		// The whole name is one text here; parts of it come with name.formatted.
	case lower == "title":
		u.Title = text
	case lower == "timezone":
		u.Timezone = text
	case lower == "emails", strings.HasPrefix(lower, "emails[") && strings.HasSuffix(lower, "].value"), lower == "emails.value":
		u.Emails = []value{{Value: text}}
	case lower == "phonenumbers", strings.HasPrefix(lower, "phonenumbers[") && strings.HasSuffix(lower, "].value"), lower == "phonenumbers.value":
		u.Phones = []value{{Value: text}}
	case lower == enterprisePrefix+"department":
		u.Enterprise.Department = text
	case lower == enterprisePrefix+"employeenumber":
		if text != u.UserName {
			return bad("mutability", "the NIP of an employee does not change")
		}
	case lower == staffPrefix+"nik":
		u.Staff.NIK = text
	case lower == staffPrefix+"grade":
		u.Staff.Grade = text
	case lower == staffPrefix+"birthplace":
		u.Staff.BirthPlace = text
	case lower == staffPrefix+"birthdate":
		u.Staff.BirthDate = text
	case lower == staffPrefix+"sex":
		u.Staff.Sex = text
	case lower == staffPrefix+"retirementdate":
		u.Staff.RetirementDate = &text
	case strings.HasPrefix(lower, enterprisePrefix), lower == "locale", lower == "preferredlanguage", lower == "nickname", lower == "usertype":
		// Known to the schemas and of no use here.
	default:
		return bad("invalidPath", "an operation names an attribute that is not kept")
	}
	return nil
}

// textOf is a value as text: a text, or a list of values with one that counts.
func textOf(raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var list []value
	if json.Unmarshal(raw, &list) == nil {
		return first(list), nil
	}
	return "", bad("invalidValue", "the value of an attribute has another form")
}

// config tells what the endpoint can do (RFC 7643 5).
func (s *Server) config(w http.ResponseWriter, _ *http.Request, _ audit.Actor) error {
	no := map[string]any{"supported": false}
	s.answer(w, http.StatusOK, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":   map[string]any{"supported": true}, "bulk": map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": map[string]any{"supported": true, "maxResults": maxCount}, "changePassword": no, "sort": no,
		"etag": map[string]any{"supported": true},
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "Bearer token", "description": "A token for each HR system, entered in the configuration.",
		}},
	})
	return nil
}

func (s *Server) types(w http.ResponseWriter, _ *http.Request, _ audit.Actor) error {
	s.answer(w, http.StatusOK, list(map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": "User", "name": "User", "endpoint": "/Users", "schema": schemaUser,
		"schemaExtensions": []any{
			map[string]any{"schema": schemaEnterprise, "required": true}, map[string]any{"schema": schemaStaff, "required": false},
		},
	}))
	return nil
}

func (s *Server) schemas(w http.ResponseWriter, _ *http.Request, _ audit.Actor) error {
	attribute := func(name, mutability, returned string, required bool) map[string]any {
		return map[string]any{
			"name": name, "type": "string", "multiValued": false, "required": required, "caseExact": true, "mutability": mutability, "returned": returned, "uniqueness": "none",
		}
	}
	schema := func(id, name string, attributes ...any) map[string]any {
		return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, "id": id, "name": name, "attributes": attributes}
	}
	s.answer(w, http.StatusOK, list(
		schema(schemaUser, "User", attribute("userName", "immutable", "always", true), attribute("displayName", "readWrite", "default", false),
			attribute("title", "readWrite", "default", false), attribute("timezone", "readWrite", "default", false)),
		schema(schemaEnterprise, "EnterpriseUser", attribute("employeeNumber", "immutable", "default", false), attribute("department", "readWrite", "default", true)),
		schema(schemaStaff, "StaffUser", attribute("nik", "writeOnly", "never", false), attribute("grade", "readWrite", "default", false),
			attribute("birthPlace", "readWrite", "default", false), attribute("birthDate", "readWrite", "default", false),
			attribute("sex", "readWrite", "default", false), attribute("retirementDate", "readWrite", "default", false)),
	))
	return nil
}

func list(resources ...any) map[string]any {
	return map[string]any{"schemas": []string{schemaList}, "totalResults": len(resources), "startIndex": 1, "itemsPerPage": len(resources), "Resources": resources}
}
