package mail

import (
	"context"
	"errors"
	"fmt"
)

// Transport hands rendered messages to a mail server.
type Transport interface {
	// Send offers one message to the server for one recipient. from and to are
	// bare addresses, raw is a complete message (RFC 5322) with CRLF lines.
	//
	// A nil error means that the server took the responsibility for the
	// message; Reply holds its words. Every other outcome is a *SendError, and
	// NextTry says what to do with it.
	Send(ctx context.Context, from, to string, raw []byte) (Reply, error)
}

// Reply is what a mail server answered, fit to be stored and shown to people:
// no control characters and at most 500 characters of text.
type Reply struct {
	// Code is the reply code (RFC 5321 4.2.1), for example 250 or 451, or 0
	// when the words are not the server's.
	Code int
	// Text is the server's text with its enhanced status code (RFC 3463), if
	// it sent one.
	Text string
}

// Outcome says what is known about a message that was not accepted.
type Outcome string

// The outcomes of an attempt that was not accepted.
const (
	// Temporary: the message was not accepted, a later attempt may succeed.
	Temporary Outcome = "temporary"
	// Permanent: the server refuses this message or this recipient for good.
	Permanent Outcome = "permanent"
	// Unknown: the whole message was sent but the answer was lost. The
	// recipient may have it. A repetition bears the same Message-ID, so the
	// two can be told to be one.
	Unknown Outcome = "unknown"
)

// Stage names the step of an attempt that failed.
type Stage string

// The stages of an attempt, in their order.
const (
	// StageMessage is before the server: an address or a message that no
	// server could take.
	StageMessage Stage = "message"
	// StageConnect is the connection and the server's greeting.
	StageConnect Stage = "connect"
	// StageTLS is the start of encryption and the server's certificate.
	StageTLS Stage = "tls"
	// StageAuth is the log-in at the server.
	StageAuth Stage = "auth"
	// StageSender is the server's answer to the sender (MAIL FROM).
	StageSender Stage = "sender"
	// StageRecipient is the server's answer to the recipient (RCPT TO).
	StageRecipient Stage = "recipient"
	// StageData is the message itself up to the server's last answer.
	StageData Stage = "data"
)

// SendError is an attempt that ended without the server's acceptance.
type SendError struct {
	Outcome Outcome
	Stage   Stage
	// Reply holds the server's words; Code is 0 when it said nothing.
	Reply Reply
	// Err is the cause on our side (time out, connection refused), or nil.
	Err error
}

// Error gives stage, outcome and the words, but never an address.
func (e *SendError) Error() string {
	switch {
	case e.Reply.Code != 0:
		return fmt.Sprintf("send mail: %s at %s: %d %s", e.Outcome, e.Stage, e.Reply.Code, e.Reply.Text)
	case e.Err != nil:
		return fmt.Sprintf("send mail: %s at %s: %v", e.Outcome, e.Stage, e.Err)
	}
	return fmt.Sprintf("send mail: %s at %s: %s", e.Outcome, e.Stage, e.Reply.Text)
}

// Unwrap returns the cause on our side.
func (e *SendError) Unwrap() error { return e.Err }

// Service reports whether the failure is about the mail server and not about
// this one message: every other message would meet it too.
func (e *SendError) Service() bool {
	switch e.Stage {
	case StageConnect, StageTLS, StageAuth, StageSender:
		return e.Outcome == Temporary
	}
	return e.Reply.Code == 421 // "closing transmission channel", at any stage
}

// OutcomeOf returns the outcome that err carries. An error of another kind
// (a cancelled context before the attempt) is Temporary: nothing was sent.
func OutcomeOf(err error) Outcome {
	var se *SendError
	if errors.As(err, &se) {
		return se.Outcome
	}
	return Temporary
}
