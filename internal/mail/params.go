package mail

import "time"

// Path is the path of a portal page, with a leading slash. The link of a mail
// is Identity.BaseURL + Path; other characters than those of a plain path and
// query are refused.
type Path string

// Field names a datum of an employee in texts: "nik", "name", "email", "nip",
// "position", "unit", "grade", "birth_date", "birth_place", "sex", "phone", "id_card",
// "recommendation", "specimen". Another value is shown as it is.
type Field string

// Finding is an officer's remark on one field. Reason and Note are in the
// recipient's language.
type Finding struct {
	Field  Field  `json:"field,omitempty"`
	Reason string `json:"reason"`
	Note   string `json:"note,omitempty"`
}

// Purpose says why a link to set a passphrase is sent.
type Purpose string

// The purposes of a link.
const (
	PurposeFirst  Purpose = "first"  // after the first check
	PurposeResend Purpose = "resend" // replaces a link sent before
	PurposeReset  Purpose = "reset"  // Reset PIN: a new key and certificate
	PurposeRenew  Purpose = "renew"  // before the certificate expires
)

// EnrolLink carries the link that sets the passphrase, BaseURL +
// /email/user/enroll/ + Token (the guide's "Pendaftaran Sertifikat Digital").
type EnrolLink struct {
	Token     string    `json:"token"` // 32 lower-case hexadecimal digits
	Purpose   Purpose   `json:"purpose"`
	Expires   time.Time `json:"expires"`
	AskedBy   string    `json:"asked_by"` // who had it sent: officer's name or office
	Reference string    `json:"reference,omitempty"`
}

// LoginInformation tells how to reach the subscriber portal (the guide's
// "Login Information"). It never holds a password.
type LoginInformation struct {
	UserName   string    `json:"user_name"`
	Activation Path      `json:"activation"` // one-time page, with its secret
	Expires    time.Time `json:"expires"`
	AskedBy    string    `json:"asked_by"`
}

// CertificateIssued is the guide's "Certificate Issued".
type CertificateIssued struct {
	Subject   string    `json:"subject"` // common name
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Page      Path      `json:"page"` // where it can be downloaded
}

// RegistrationReceived confirms Registrasi DS.
type RegistrationReceived struct {
	Reference   string    `json:"reference"`
	SubmittedAt time.Time `json:"submitted_at"`
	// UsualWait is the median wait for the first check; 0 when unknown. It may
	// be left out of the queue and filled in before rendering.
	UsualWait time.Duration `json:"usual_wait,omitempty"`
	Page      Path          `json:"page"`
}

// RegistrationReturned asks the applicant to mend what the officer found.
type RegistrationReturned struct {
	Reference string    `json:"reference"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Findings  []Finding `json:"findings"`
	Page      Path      `json:"page"`
}

// RegistrationRejected ends a registration. Findings give the reasons.
type RegistrationRejected struct {
	Reference string    `json:"reference"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Findings  []Finding `json:"findings"`
	Page      Path      `json:"page"`
}

// RegistrationInvalidated says that a check no longer counts because data
// changed after it, and that the registration goes back to the officers. Fields
// may be empty when it is not known which.
type RegistrationInvalidated struct {
	Reference string    `json:"reference"`
	Fields    []Field   `json:"fields"`
	At        time.Time `json:"at"`
	Page      Path      `json:"page"`
}

// LinkExpiring reminds of a link that was not used. Only the hash of a link is
// kept, so the reminder cannot repeat it: Page is where a new one is asked for.
type LinkExpiring struct {
	SentAt  time.Time `json:"sent_at"`
	Expires time.Time `json:"expires"`
	Page    Path      `json:"page"`
}

// ResetRequested announces that Reset PIN was asked for. The link itself comes
// as an EnrolLink; Cancel is where the owner stops it.
type ResetRequested struct {
	At      time.Time `json:"at"`
	AskedBy string    `json:"asked_by"`
	Address string    `json:"address,omitempty"` // network address of the request
	// Waits is set when an officer must agree before the link is sent.
	Waits  bool `json:"waits,omitempty"`
	Cancel Path `json:"cancel"`
}

// PassphraseChanged announces that a passphrase was changed with the old one.
type PassphraseChanged struct {
	At      time.Time `json:"at"`
	Address string    `json:"address,omitempty"`
	Page    Path      `json:"page"` // the subscriber's certificate
}

// Revocation is why a certificate was revoked (RFC 5280 5.3.1).
type Revocation string

// The reasons shown to people; another value is shown as it is.
const (
	RevocationUnspecified          Revocation = "unspecified"
	RevocationKeyCompromise        Revocation = "keyCompromise"
	RevocationAffiliationChanged   Revocation = "affiliationChanged"
	RevocationSuperseded           Revocation = "superseded"
	RevocationCessationOfOperation Revocation = "cessationOfOperation"
	RevocationPrivilegeWithdrawn   Revocation = "privilegeWithdrawn"
)

// CertificateRevoked announces a revocation.
type CertificateRevoked struct {
	Serial  string     `json:"serial"`
	At      time.Time  `json:"at"`
	Reason  Revocation `json:"reason"`
	AskedBy string     `json:"asked_by"`
	Note    string     `json:"note,omitempty"`
	Page    Path       `json:"page"`
}

// KeyDestroyed tells that a key was destroyed and its certificate revoked after
// too many wrong passphrases. Page is where a reset is asked for.
type KeyDestroyed struct {
	Serial string    `json:"serial"`
	At     time.Time `json:"at"`
	// InDay is set when twenty wrong ones within a day were the cause, not ten
	// in a row.
	InDay bool `json:"in_day,omitempty"`
	Page  Path `json:"page"`
}

// CertificateExpiring says that a certificate ends soon. Days is the number of full days left.
type CertificateExpiring struct {
	Serial   string    `json:"serial"`
	NotAfter time.Time `json:"not_after"`
	Days     int       `json:"days"`
	Page     Path      `json:"page"`
}

// AgreementCopy brings the accepted agreement as PDF.
type AgreementCopy struct {
	Version    string    `json:"version"`
	AcceptedAt time.Time `json:"accepted_at"`
	SHA256     string    `json:"sha256"` // of the PDF, in hexadecimal digits
	FileName   string    `json:"file_name"`
	// Document is the PDF. It may be left out of the queue and filled in
	// before rendering, which refuses to go without it.
	Document []byte `json:"document,omitempty"`
	Page     Path   `json:"page"`
}

// CorrectionSubmitted confirms a change of data to the employee.
type CorrectionSubmitted struct {
	Fields      []Field   `json:"fields"`
	Unit        string    `json:"unit"` // the HR unit that decides
	SubmittedAt time.Time `json:"submitted_at"`
	Page        Path      `json:"page"`
}

// WaitingCorrection is one line of a CorrectionDigest.
type WaitingCorrection struct {
	Employee string    `json:"employee"`
	Fields   []Field   `json:"fields"`
	Since    time.Time `json:"since"`
}

// CorrectionDigest tells an HR unit officer which changes wait for him. Total
// may exceed the listed ones.
type CorrectionDigest struct {
	Unit    string              `json:"unit"`
	Total   int                 `json:"total"`
	Waiting []WaitingCorrection `json:"waiting"`
	Page    Path                `json:"page"`
}

// Decision is the HR unit's word on one field.
type Decision struct {
	Field    Field  `json:"field"`
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"`
}

// CorrectionDecided tells the employee what became of a change.
type CorrectionDecided struct {
	By        string     `json:"by"`
	At        time.Time  `json:"at"`
	Decisions []Decision `json:"decisions"`
	Page      Path       `json:"page"`
}

// AccountInvitation lets a new member of staff, or the first administrator, in.
// Roles are "administrator", "registration_officer", "hr_officer",
// "service_desk", "auditor", "employee"; another value is shown as it is.
type AccountInvitation struct {
	UserName   string    `json:"user_name"`
	Roles      []string  `json:"roles"`
	InvitedBy  string    `json:"invited_by"`
	Activation Path      `json:"activation"`
	Expires    time.Time `json:"expires"`
}

// LoginLocked announces that log-in was locked after wrong attempts.
type LoginLocked struct {
	At       time.Time `json:"at"`
	Attempts int       `json:"attempts"`
	Until    time.Time `json:"until"` // zero: until someone unlocks it
	Address  string    `json:"address,omitempty"`
	Page     Path      `json:"page"`
}

// OfficerDigest tells a registration officer what waits.
type OfficerDigest struct {
	First  int       `json:"first"`           // waiting for the first check
	Second int       `json:"second"`          // waiting for the second check
	Mine   int       `json:"mine"`            // claimed by the recipient
	Oldest time.Time `json:"oldest,omitzero"` // since when the oldest waits
	Page   Path      `json:"page"`
}

// PasswordReset brings a one-time link to set a new log-in password, because
// somebody said that it was forgotten.
type PasswordReset struct {
	UserName string    `json:"user_name"`
	Link     Path      `json:"link"` // one-time page, with its secret
	At       time.Time `json:"at"`
	Expires  time.Time `json:"expires"`
}

// SecurityChanged announces that what opens an account changed. What is
// "password", "totp_added", "totp_removed", "passkey_added", "passkey_removed",
// "recovery_renewed", "factors_reset" or "address".
type SecurityChanged struct {
	What string    `json:"what"`
	At   time.Time `json:"at"`
	Page Path      `json:"page"`
}
