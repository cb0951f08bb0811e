package privacy

// class says what the export of a person's data does with a column.
type class int

const (
	plain  class = iota // as it is
	moment              // microseconds since 1970, 0 for never: as RFC 3339
	digits              // bytes: in hexadecimal
	opened              // sealed: opened, as text
	held                // left out: it opens something, or stands for the row only
)

// table is one table that holds data about a person, and which rows are theirs.
// Every column has a class; a test fails for one that has none.
type table struct {
	name    string
	where   string // of the rows of employee $1
	order   string
	columns map[string]class
	// context names what a sealed column was sealed for, by the id of its row.
	context map[string]func(id string) string
}

func cols(pairs ...any) map[string]class {
	m := map[string]class{}
	for i := 0; i < len(pairs); i += 2 {
		for _, name := range pairs[i+1].([]string) {
			m[name] = pairs[i].(class)
		}
	}
	return m
}

const ofRegistration = "registration_id in (select id from registration where employee_id = $1)"

const ofAccount = "account_id in (select id from account where employee_id = $1)"

// tables are what is stored about a person, as the export tells it.
var tables = []table{
	{
		name: "employee", where: "id = $1", order: "id",
		columns: cols(plain, []string{"id", "nip", "name", "position", "grade", "unit_id", "email", "phone", "birth_place", "birth_date", "sex", "time_zone", "locale", "active", "version"},
			moment, []string{"created_at", "updated_at"}, opened, []string{"nik_sealed"}, held, []string{"nik_index"}),
		context: map[string]func(string) string{"nik_sealed": func(id string) string { return "employee/" + id + "/nik" }},
	},
	{
		name: "evidence", where: "employee_id = $1", order: "uploaded_at, id",
		columns: cols(plain, []string{"id", "employee_id", "kind", "state", "media_type", "width", "height", "pages", "size", "hints", "uploaded_by"},
			moment, []string{"uploaded_at"}, digits, []string{"sha256", "upload_sha256"}, held, []string{"key_sealed", "thumb_sealed"}),
	},
	{
		name: "evidence_view", where: "owner_id = $1", order: "viewed_at, id",
		columns: cols(plain, []string{"id", "evidence_id", "owner_id", "account_id", "role", "purpose", "reference"}, moment, []string{"viewed_at"}),
	},
	{
		name: "correction", where: "employee_id = $1", order: "submitted_at, id",
		columns: cols(plain, []string{"id", "reference", "employee_id", "state", "claimed_by", "decided_by", "version"}, moment, []string{"submitted_at", "claimed_at", "decided_at"}),
	},
	{
		name: "correction_item", where: "correction_id in (select id from correction where employee_id = $1)", order: "correction_id, field",
		columns: cols(plain, []string{"id", "correction_id", "field", "evidence_id", "state", "reason_code", "reason_text"},
			moment, []string{"decided_at"}, opened, []string{"before_sealed", "after_sealed"}),
		context: map[string]func(string) string{
			"before_sealed": func(id string) string { return "correction_item/" + id + "/before" },
			"after_sealed":  func(id string) string { return "correction_item/" + id + "/after" },
		},
	},
	{
		name: "account", where: "employee_id = $1", order: "id",
		columns: cols(plain, []string{"id", "employee_id", "username", "display_name", "email", "state", "failed", "locale"},
			moment, []string{"locked_until", "last_login_at", "created_at", "updated_at"}, held, []string{"password_hash", "totp_sealed", "totp_step"}),
	},
	{
		name: "role_grant", where: ofAccount, order: "granted_at, id",
		columns: cols(plain, []string{"id", "account_id", "role", "unit_id", "granted_by"}, moment, []string{"granted_at"}),
	},
	{
		name: "role_request", where: ofAccount, order: "asked_at, id",
		columns: cols(plain, []string{"id", "account_id", "role", "unit_id", "state", "reason"}, moment, []string{"asked_at", "decided_at"},
			held, []string{"asked_by", "decided_by"}),
	},
	{
		name: "administrator_end", where: ofAccount, order: "ended_at, id",
		columns: cols(plain, []string{"id", "account_id"}, moment, []string{"ended_at"}, held, []string{"ended_by"}),
	},
	{
		name: "passkey", where: ofAccount, order: "created_at, id",
		columns: cols(plain, []string{"id", "account_id", "name"}, moment, []string{"created_at", "used_at"}, digits, []string{"credential_id"}, held, []string{"data"}),
	},
	{
		name: "session", where: ofAccount, order: "created_at, id",
		columns: cols(plain, []string{"id", "account_id", "state", "factor", "address", "user_agent"},
			moment, []string{"created_at", "seen_at", "expires_at", "revoked_at"}, held, []string{"token_hash"}),
	},
	{
		name: "registration", where: "employee_id = $1", order: "submitted_at, id",
		columns: cols(plain, []string{"id", "reference", "employee_id", "unit_id", "kind", "replaces_id", "status", "claimed_by", "verified_by", "approved_by", "version"},
			moment, []string{"status_since", "submitted_at", "claimed_at", "updated_at", "succeeded_at"}, digits, []string{"snapshot_hash"}, opened, []string{"snapshot"}),
		context: map[string]func(string) string{"snapshot": func(id string) string { return "registration/" + id + "/snapshot" }},
	},
	{
		name: "review", where: "applicant_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "registration_id", "stage", "officer_id", "applicant_id", "verdict", "note"},
			moment, []string{"created_at", "voided_at"}, digits, []string{"snapshot_hash"}),
	},
	{
		name: "review_field", where: "review_id in (select id from review where applicant_id = $1)", order: "review_id, field",
		columns: cols(plain, []string{"review_id", "field", "accepted", "reason_code", "reason_text"}),
	},
	{
		name: "enrol_link", where: ofRegistration, order: "created_at, id",
		columns: cols(plain, []string{"id", "registration_id"}, moment, []string{"created_at", "expires_at", "used_at", "superseded_at", "warned_at"}, held, []string{"token_hash"}),
	},
	{
		name: "acceptance", where: "employee_id = $1", order: "accepted_at, id",
		columns: cols(plain, []string{"id", "registration_id", "employee_id", "kind", "address", "user_agent"}, moment, []string{"accepted_at"}, digits, []string{"text_hash"}),
	},
	{
		name: "credential", where: "employee_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "employee_id", "registration_id", "state", "generation", "algorithm"},
			moment, []string{"created_at", "updated_at"}, digits, []string{"spki"},
			held, []string{"salt", "params_version", "pepper_version", "csr", "box", "row_mac", "attempts"}),
	},
	{
		name: "certificate", where: "employee_id = $1", order: "intended_at, serial",
		columns: cols(plain, []string{"serial", "registration_id", "credential_id", "employee_id", "issuer", "profile", "state", "subject", "revocation_reason", "warned_days"},
			moment, []string{"not_before", "not_after", "intended_at", "issued_at", "revoked_at"}, digits, []string{"der", "spki_hash"}, held, []string{"tbs"}),
	},
	{
		name: "renewal", where: ofRegistration, order: "created_at, registration_id",
		columns: cols(plain, []string{"registration_id", "old_serial"}, moment, []string{"created_at"}, digits, []string{"spki_hash", "proof"}),
	},
	{
		name: "revocation_request", where: "subscriber_id = $1", order: "requested_at, id",
		columns: cols(plain, []string{"id", "registration_id", "serial", "subscriber_id", "state", "reason_code", "reason_text", "requested_by", "decided_by"},
			moment, []string{"requested_at", "decided_at"}),
	},
	{
		name: "life_event", where: "employee_id = $1", order: "opened_at, id",
		columns: cols(plain, []string{"id", "employee_id", "kind", "detail", "outcome"}, moment, []string{"opened_at", "due_at", "told_at", "closed_at"}),
	},
	{
		name: "history", where: ofRegistration, order: "registration_id, seq",
		columns: cols(plain, []string{"registration_id", "seq", "action", "from_status", "to_status", "actor_id", "actor_role", "reason_code", "reason_text", "detail"},
			moment, []string{"at"}, digits, []string{"evidence_hash", "prev_hash", "hash"}),
	},
	{
		name: "mail", where: "employee_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "kind", "locale", "recipient", "subject", "employee_id", "registration_id", "state", "attempts", "reply", "message_id", "resent_as"},
			moment, []string{"next_try_at", "created_at", "finished_at"}, held, []string{"params_sealed"}),
	},
	{
		name: "subject_request", where: "employee_id = $1", order: "opened_at, id",
		columns: cols(plain, []string{"id", "reference", "employee_id", "kind", "state", "answered_by", "outcome"},
			moment, []string{"opened_at", "due_at", "escalated_at", "closed_at"}, opened, []string{"text_sealed", "answer_sealed"}),
		context: map[string]func(string) string{
			"text_sealed":   func(id string) string { return "subject_request/" + id + "/text" },
			"answer_sealed": func(id string) string { return "subject_request/" + id + "/answer" },
		},
	},
	{
		name: "breach_subject", where: "employee_id = $1", order: "breach_id",
		columns: cols(plain, []string{"breach_id", "employee_id", "data"}),
	},
	{
		name: "audit", where: "actor_id in (select id from account where employee_id = $1)", order: "seq",
		columns: cols(plain, []string{"seq", "actor_id", "actor_role", "action", "object_kind", "object_id", "detail"},
			moment, []string{"at"}, digits, []string{"prev_hash", "hash", "salt"}),
	},
	{
		name: "document", where: "owner_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "owner_id", "client_id", "name", "kind", "state", "pages", "encrypted", "shared", "version"}, moment, []string{"created_at", "updated_at"},
			held, []string{"password_sealed"}),
	},
	{
		name: "document_version", where: "document_id in (select id from document where owner_id = $1)", order: "document_id, number",
		columns: cols(plain, []string{"document_id", "number", "blob_id", "size"}, moment, []string{"created_at"}, digits, []string{"sha256"}, held, []string{"key_sealed"}),
	},
	{
		name: "activation", where: "employee_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "credential_id", "employee_id", "account_id", "client_id", "process", "generation"},
			moment, []string{"created_at", "expires_at", "ended_at"}, held, []string{"token_hash"}),
	},
	{
		name: "activation_item", where: "activation_id in (select id from activation where employee_id = $1)", order: "activation_id, position",
		columns: cols(plain, []string{"activation_id", "position", "kind", "document_id", "request", "name", "uses", "signed_as", "decree", "state", "problem"},
			moment, []string{"finished_at"}, digits, []string{"digest"}),
	},
	{
		name: "signature", where: "activation_id in (select id from activation where employee_id = $1)", order: "intended_at, id",
		columns: cols(plain, []string{"id", "activation_id", "position", "place", "credential_id", "serial", "scheme", "state", "document_id", "version", "level"},
			moment, []string{"intended_at", "made_at"}, digits, []string{"hash", "value", "source_sha256"}),
	},
	{
		name: "signing_window", where: "employee_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "employee_id", "account_id", "client_id", "credential_id", "generation", "process", "max_uses", "uses", "digests", "reason"},
			moment, []string{"created_at", "expires_at", "ended_at"}),
	},
	{
		name: "oauth_grant", where: "employee_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "client_id", "account_id", "employee_id", "scope", "credential_id", "activation_id"}, moment, []string{"created_at", "ended_at"}),
	},
	{
		name: "signing_authority", where: "employee_id = $1", order: "entered_at, id",
		columns: cols(plain, []string{"id", "employee_id", "form", "office", "behalf", "decree", "decree_date", "valid_from", "valid_until", "forbidden", "entered_by", "revoked_by"},
			moment, []string{"entered_at", "revoked_at"}),
	},
	{
		name: "workflow", where: "owner_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "document_id", "owner_id", "ordered", "note", "state", "template_id", "template_version", "bulk_id"}, moment, []string{"created_at", "ended_at", "due_at"}),
	},
	{
		name: "workflow_step", where: "employee_id = $1", order: "workflow_id, position",
		columns: cols(plain, []string{"workflow_id", "position", "employee_id", "role", "anchor", "state", "version", "look", "fields"}, moment, []string{"done_at", "reminded_at"}),
	},
	{
		name: "workflow_event", where: "employee_id = $1", order: "workflow_id, seq",
		columns: cols(plain, []string{"workflow_id", "seq", "employee_id", "action", "reason"}, moment, []string{"at"}),
	},
	{
		name: "seal_keeper", where: "employee_id = $1", order: "since, order_id",
		columns: cols(plain, []string{"seal_id", "employee_id", "order_id", "ended_by"}, moment, []string{"since", "ended_at"}),
	},
	{
		name: "seal_order", where: "subject_id = $1", order: "proposed_at, id",
		columns: cols(plain, []string{"id", "seal_id", "kind", "subject_id", "reason_code", "note", "state", "reason", "problem", "serial", "key_name"},
			moment, []string{"proposed_at", "decided_at"}, held, []string{"proposed_by", "decided_by", "csr"}),
	},
	{
		name: "seal_request", where: "requested_by = $1 or decided_by = $1", order: "requested_at, id",
		columns: cols(plain, []string{"id", "seal_id", "requested_by", "note", "state", "decided_by", "reason"},
			moment, []string{"requested_at", "expires_at", "decided_at", "ended_at"}, digits, []string{"digest"}),
	},
	{
		name: "seal_item", where: "request_id in (select id from seal_request where requested_by = $1)", order: "request_id, position",
		columns: cols(plain, []string{"request_id", "position", "document_id", "name", "version", "request", "state", "problem"}, moment, []string{"finished_at"}, digits, []string{"digest"}),
	},
	{
		name: "seal_window", where: "requested_by = $1 or opened_by = $1", order: "requested_at, id",
		columns: cols(plain, []string{"id", "seal_id", "client_id", "state", "requested_by", "lasts", "documents", "opened_by", "used", "ended_by"},
			moment, []string{"asked_at", "requested_at", "opened_at", "expires_at", "ended_at"}, held, []string{"code_hash"}),
	},
	{
		name: "letter_template", where: "maker_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "unit_id", "name", "maker_id", "by_unit", "state", "version"}, moment, []string{"created_at", "updated_at"}),
	},
	{
		name: "letter_template_version", where: "made_by = $1", order: "template_id, number",
		columns: cols(plain, []string{"template_id", "number", "content", "made_by"}, moment, []string{"made_at"}),
	},
	{
		name: "bulk", where: "owner_id = $1", order: "created_at, id",
		columns: cols(plain, []string{"id", "owner_id", "account_id", "name", "template_id", "template_version", "form_id", "state", "report", "done", "total"},
			moment, []string{"created_at", "changed_at", "sent_at"}, held, []string{"sheet_sealed"}),
	},
	{
		name: "bulk_item", where: "bulk_id in (select id from bulk where owner_id = $1)", order: "bulk_id, position",
		columns: cols(plain, []string{"bulk_id", "position", "document_id", "file", "line", "number", "subject", "dated"}),
	},
	{
		name: "bulk_told", where: "employee_id = $1", order: "bulk_id, what",
		columns: cols(plain, []string{"bulk_id", "employee_id", "what"}),
	},
}

// elsewhere are the tables without rows of a person's own, and why.
var elsewhere = map[string]string{
	"unit": "the institution's", "unit_scope": "the institution's", "search_term": "made of employee", "registration_scope": "made of registration",
	"stage_wait": "times without a person", "recovery_code": "hashes of secrets", "invitation": "hashes of secrets",
	"enrol_session": "hashes of secrets", "agreement_text": "texts for everybody; those accepted are in the export as files",
	"crl": "published", "blocked_key": "keys without a person", "audit_head": "of the log", "audit_node": "of the log", "checkpoint": "of the log",
	"log_identity": "of the log", "log_check": "of the log", "mail_attempt": "what the server said to each attempt; mail has the last",
	"staff_import": "files of the institution, forgotten within a day", "limiter": "counters that last a day",
	"authority_certificate": "the authority's own", "approval": "of the officer who signed it", "approval_passkey": "copies of passkey",
	"check_run": "of the authority", "check_problem": "of the authority", "status_event": "published", "revoked_elsewhere": "published",
	"shredded": "identifiers of what is gone", "breach": "the institution's", "practice_statement": "published",
	"seal": "the institution's", "seal_code": "hashes of secrets that last minutes", "seal_use": "of the institution's keys; seal_request and seal_window have who asked for it",
	"incident": "the institution's; what became of a certificate is in certificate and history", "incident_certificate": "made of certificate",
	"trust_anchor": "other authorities", "resealed": "of the keys", "erasure_key": "keys of what backups hold",
	"webhook_endpoint": "addresses of applications", "webhook_event": "identifiers, forgotten after their time",
	"webhook_delivery": "what was sent to applications", "webhook_attempt": "what applications answered",
	"api_client_oauth": "applications", "oauth_secret": "hashes of secrets, forgotten a day after they expire",
	"api_client": "applications", "api_document": "files of applications, fetched once or forgotten within a day",
	"api_answer": "answers to applications, sealed and forgotten within a day", "sandbox_object": "what applications try out, of nobody real, forgotten within a day", "goose_db_version": "of the program",
}
