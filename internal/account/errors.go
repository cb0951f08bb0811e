package account

import (
	"errors"
	"time"
)

var (
	// ErrNotFresh says that the viewer proved who he is too long ago for what
	// he wants to do now.
	ErrNotFresh = errors.New("the sign-in is not fresh enough")
	// ErrCredentials is the one answer to a wrong password, an unknown user, a
	// locked, disabled or not yet activated account.
	ErrCredentials = errors.New("user name or password is wrong")
	// ErrCode says that a second factor was wrong, used before, or that too
	// many wrong ones locked the account.
	ErrCode = errors.New("the code is wrong")
	// ErrNoSession says that a session token opens nothing (any more).
	ErrNoSession = errors.New("no such session")
	// ErrBusy says that too many passwords are being checked at the moment.
	ErrBusy = errors.New("too many passwords to check at once")
	// ErrNoLink says that a one-time link never existed.
	ErrNoLink = errors.New("no such link")
	// ErrDeadLink says that a one-time link was used, replaced or has expired.
	ErrDeadLink = errors.New("the link is no longer valid")
	// ErrNotAllowed says that the viewer may not do this.
	ErrNotAllowed = errors.New("not allowed")
	// ErrNotFound says that there is no such account, role or passkey.
	ErrNotFound = errors.New("no such object of an account")
	// ErrSelf says that an administrator tried to change his own rights.
	ErrSelf = errors.New("nobody changes his own rights")
	// ErrNeedsEmployee says that the role is for employees only.
	ErrNeedsEmployee = errors.New("the role needs an account of an employee")
	// ErrConflictingRoles says that one person may not hold both roles.
	ErrConflictingRoles = errors.New("the roles exclude each other")
	// ErrLastAdministrator says that nobody could administer any more.
	ErrLastAdministrator = errors.New("the last administrator stays")
	// ErrLastFactor says that the viewer's roles ask for a second factor and
	// this is the last.
	ErrLastFactor = errors.New("the last second factor stays")
	// ErrTaken says that the user name belongs to somebody else.
	ErrTaken = errors.New("the user name is taken")
	// ErrPending says that the role was asked for already and waits.
	ErrPending = errors.New("the role waits for another administrator already")
	// ErrOwnRequest says that who asked for a role wants to confirm it.
	ErrOwnRequest = errors.New("another administrator decides")
	// ErrNotThen says that the viewer was no active administrator when the role
	// was asked for, or is none now.
	ErrNotThen = errors.New("no administrator when it was asked")
	// ErrDecided says that what was asked for waits no longer.
	ErrDecided = errors.New("decided already")
	// ErrAloneTooSoon says that the other administrator is gone for too short a
	// time to give powerful roles without one.
	ErrAloneTooSoon = errors.New("the other administrator left a short while ago")
	// ErrReason says that a reason is missing or too long.
	ErrReason = errors.New("a reason is needed")
	// ErrBootstrapped says that there is an administrator already.
	ErrBootstrapped = errors.New("there is an administrator already")
	// ErrPasskey says that the answer of an authenticator is not right.
	ErrPasskey = errors.New("the passkey was not accepted")
	// ErrNoPasskeys says that the installation's address cannot have passkeys.
	ErrNoPasskeys = errors.New("passkeys need a host name")
)

// The rules of a password.
const (
	RuleShort    = "short"    // fewer than Policy.MinPassword characters
	RuleLong     = "long"     // more than 1024 bytes
	RulePersonal = "personal" // made of the owner's own data
	RuleGuessed  = "guessed"  // the meter's score is below Policy.MinScore
)

// WeakError says which rule a new password breaks.
type WeakError struct{ Rule string }

// Error implements error.
func (e *WeakError) Error() string { return "the password is refused: " + e.Rule }

// DeadLink says why a one-time link no longer works. It matches ErrDeadLink.
type DeadLink struct {
	Purpose Purpose
	Why     LinkState
	At      time.Time // when it was used, replaced or ran out
}

// Error implements error.
func (e *DeadLink) Error() string { return "the link is no longer valid: " + string(e.Why) }

// Is makes errors.Is(err, ErrDeadLink) true.
func (e *DeadLink) Is(target error) bool { return target == ErrDeadLink }
