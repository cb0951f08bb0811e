// Package enrolment is the life of a registration (RFC 3647 4.1 to 4.9): from
// the employee's request through two checks by two officers, the passphrase and
// the agreement to the certificate, and on to its end.
//
// The rules stand in one table (Rules). Every method of Service named after
// what people do is one transaction that holds the new status, its row of
// history, its audit row and the mails it causes, or none of them.
package enrolment

import "slices"

// Status is where a registration stands. New, OnSetPassphrase, Enroll and Issue
// are the four of the guide.
type Status string

// The statuses of a registration.
const (
	None            Status = ""                // there is no registration yet
	New             Status = "New"             // submitted; waits for the first check
	OnSetPassphrase Status = "OnSetPassphrase" // first check passed; the subscriber has the link
	Enroll          Status = "Enroll"          // passphrase and agreement given; waits for the second check
	Issuing         Status = "Issuing"         // second check passed; the authority makes the certificate
	Issue           Status = "Issue"           // the certificate exists and is valid
	Returned        Status = "Returned"        // sent back to the applicant with reasons
	Rejected        Status = "Rejected"        // refused; the end
	Cancelled       Status = "Cancelled"       // withdrawn by the applicant, or he left; the end
	Revoked         Status = "Revoked"         // the certificate was revoked; the end
	Expired         Status = "Expired"         // the certificate expired; the end
)

// Statuses lists every status of a registration that exists.
var Statuses = []Status{New, OnSetPassphrase, Enroll, Issuing, Issue, Returned, Rejected, Cancelled, Revoked, Expired}

// Open reports whether s is on the way to a certificate.
func (s Status) Open() bool {
	return slices.Contains([]Status{New, OnSetPassphrase, Enroll, Issuing, Returned}, s)
}

// Shown is the status as the guide names it: what the authority does in
// Issuing takes seconds and has no name of its own there.
func (s Status) Shown() Status {
	if s == Issuing {
		return Enroll
	}
	return s
}

// Action is what somebody does to a registration.
type Action string

// The actions, each a method of Service.
const (
	ActionSubmit        Action = "Submit"
	ActionVerify        Action = "Verify"
	ActionReturn        Action = "Return"
	ActionReject        Action = "Reject"
	ActionCancel        Action = "Cancel"
	ActionSendLink      Action = "SendLink"
	ActionSetPassphrase Action = "SetPassphrase"
	ActionAccept        Action = "Accept"
	ActionApprove       Action = "Approve"
	ActionIssue         Action = "Issue"
	ActionFail          Action = "Fail"
	ActionRefresh       Action = "Refresh"
	ActionInvalidate    Action = "Invalidate"
	ActionChange        Action = "ChangePassphrase"
	ActionRevoke        Action = "Revoke"
	ActionReset         Action = "ResetPIN"
	ActionExpire        Action = "Expire"
	ActionLockOut       Action = "LockOut"
	ActionRenew         Action = "Renew"
	ActionCarry         Action = "Carry"
	ActionSucceed       Action = "Succeed"
	ActionSupersede     Action = "Supersede"

	ActionSuspend           Action = "Suspend"
	ActionReinstate         Action = "Reinstate"
	ActionAskRevocation     Action = "AskRevocation"
	ActionDeclineRevocation Action = "DeclineRevocation"
	ActionLeave             Action = "Leave"
)

// Actions lists every action.
var Actions = []Action{
	ActionSubmit, ActionVerify, ActionReturn, ActionReject, ActionCancel, ActionSendLink, ActionSetPassphrase,
	ActionAccept, ActionApprove, ActionIssue, ActionFail, ActionRefresh, ActionInvalidate, ActionChange,
	ActionRevoke, ActionReset, ActionExpire, ActionLockOut, ActionRenew, ActionCarry, ActionSucceed, ActionSupersede,
	ActionSuspend, ActionReinstate, ActionAskRevocation, ActionDeclineRevocation, ActionLeave,
}

// Role is in what capacity somebody acts on a registration.
type Role string

// The roles. Applicant is the employee whose registration it is; LinkHolder is
// whoever opened the link in his mail.
const (
	Applicant     Role = "employee"
	LinkHolder    Role = "link_holder"
	Officer       Role = "registration_officer"
	ServiceDesk   Role = "service_desk"
	Administrator Role = "administrator"
	HR            Role = "hr_officer"
	Auditor       Role = "auditor"
	System        Role = "system"
)

// Roles lists every role.
var Roles = []Role{Applicant, LinkHolder, Officer, ServiceDesk, Administrator, HR, Auditor, System}

// Rule is one allowed step.
type Rule struct {
	From   Status
	Action Action
	Roles  []Role
	To     Status
}

// rules is the whole state machine. What it does not list is refused.
var rules = []Rule{
	{None, ActionSubmit, []Role{Applicant}, New},
	{Returned, ActionSubmit, []Role{Applicant}, New},

	{New, ActionVerify, []Role{Officer}, OnSetPassphrase},
	{New, ActionReturn, []Role{Officer}, Returned},
	{New, ActionReject, []Role{Officer}, Rejected},
	{New, ActionCancel, []Role{Applicant, System}, Cancelled},
	{New, ActionRefresh, []Role{System}, New},

	{OnSetPassphrase, ActionSendLink, []Role{Applicant, Officer, ServiceDesk}, OnSetPassphrase},
	{OnSetPassphrase, ActionSetPassphrase, []Role{LinkHolder, Applicant}, OnSetPassphrase},
	{OnSetPassphrase, ActionAccept, []Role{LinkHolder, Applicant}, Enroll},
	{OnSetPassphrase, ActionReturn, []Role{Officer}, Returned},
	{OnSetPassphrase, ActionReject, []Role{Officer}, Rejected},
	{OnSetPassphrase, ActionCancel, []Role{Applicant, System}, Cancelled},
	{OnSetPassphrase, ActionInvalidate, []Role{System}, New},

	{Enroll, ActionApprove, []Role{Officer}, Issuing},
	{Enroll, ActionReturn, []Role{Officer}, Returned},
	{Enroll, ActionReject, []Role{Officer}, Rejected},
	{Enroll, ActionCancel, []Role{Applicant, System}, Cancelled},
	{Enroll, ActionInvalidate, []Role{System}, New},

	{Issuing, ActionIssue, []Role{System}, Issue},
	{Issuing, ActionFail, []Role{System}, Enroll},

	{Issue, ActionChange, []Role{Applicant}, Issue},
	{Issue, ActionRevoke, []Role{Applicant, Officer, Administrator}, Revoked},
	{Issue, ActionReset, []Role{Applicant}, Revoked},
	{Issue, ActionExpire, []Role{System}, Expired},
	// Too many wrong passphrases: the key is destroyed, so nobody can use the
	// certificate.
	{Issue, ActionLockOut, []Role{System}, Revoked},

	// A suspension is one of the certificate: the registration stays where it is.
	{Issue, ActionSuspend, []Role{Applicant, Officer, Administrator}, Issue},
	{Issue, ActionReinstate, []Role{Officer, Administrator}, Issue},
	{Issue, ActionAskRevocation, []Role{Officer}, Issue},
	{Issue, ActionDeclineRevocation, []Role{Officer}, Issue},
	{Issue, ActionLeave, []Role{System}, Revoked},

	{Returned, ActionCancel, []Role{Applicant, System}, Cancelled},

	// What follows a ResetPIN is a registration of its own, also where a LockOut
	// ended the one before. It starts at the link when the first check of the old one still stands (policy), and at
	// the beginning when data changed since.
	{None, ActionReset, []Role{Applicant}, OnSetPassphrase},

	// A renewal on data that did not change: the subscriber's old key vouches
	// for the new one, and the first check carries over. With the second one
	// carried over too (policy), the authority is next.
	{None, ActionRenew, []Role{Applicant}, Enroll},
	{Enroll, ActionCarry, []Role{System}, Issuing},
	// What becomes of the old one when its successor is issued (policy): it
	// stays valid to its end, without a key, or is revoked.
	{Issue, ActionSucceed, []Role{System}, Issue},
	{Issue, ActionSupersede, []Role{System}, Revoked},
}

// Next returns where action leads from a status when done in a role.
func Next(from Status, a Action, role Role) (Status, bool) {
	for _, r := range rules {
		if r.From == from && r.Action == a && slices.Contains(r.Roles, role) {
			return r.To, true
		}
	}
	return None, false
}

// Kind says why a registration was made.
type Kind string

// The kinds of registrations.
const (
	Initial Kind = "initial" // Registrasi DS
	Reset   Kind = "reset"   // Reset PIN: new key, new certificate
	Renewal Kind = "renewal" // before expiry, or because the certificate says what is no longer so
)
