package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// EnrolPath is where the link to set a passphrase leads; the token follows.
const EnrolPath = "/email/user/enroll/"

func (p EnrolLink) compose(l *letter) {
	if len(p.Token) != 32 || strings.Trim(p.Token, "0123456789abcdef") != "" {
		l.fail("%w: the token is not 32 hexadecimal digits", ErrParams)
	}
	switch p.Purpose {
	case PurposeFirst, PurposeResend, PurposeReset, PurposeRenew:
	default:
		l.fail("%w: unknown purpose of the link", ErrParams)
	}
	l.need("asked_by", p.AskedBy)
	l.para("intro_" + string(p.Purpose))
	l.para("request")
	l.button("button", Path(EnrolPath+p.Token))
	l.fact("expires", l.when(p.Expires))
	l.fact("uses", l.common("common.once", nil))
	l.fact("asked_by", p.AskedBy)
	l.fact("reference", p.Reference)
	l.show()
	l.para("browser")
	l.para("after")
	l.notice("not_you")
}

func (p LoginInformation) compose(l *letter) {
	l.need("user_name", p.UserName)
	l.need("asked_by", p.AskedBy)
	l.para("intro")
	l.para("request")
	l.button("button", p.Activation)
	l.fact("user_name", p.UserName)
	l.fact("expires", l.when(p.Expires))
	l.fact("uses", l.common("common.once", nil))
	l.fact("asked_by", p.AskedBy)
	l.show()
	l.para("no_password")
	l.notice("not_you")
}

func (p CertificateIssued) compose(l *letter) {
	l.need("serial", p.Serial)
	l.para("intro")
	l.button("button", p.Page)
	l.fact("subject", p.Subject)
	l.fact("serial", p.Serial)
	l.fact("issuer", l.view.IssuerLegalName)
	l.fact("valid_from", l.when(p.NotBefore))
	l.fact("valid_until", l.when(p.NotAfter))
	l.show()
	l.para("check")
	l.notice("not_you")
}

func (p RegistrationReceived) compose(l *letter) {
	l.need("reference", p.Reference)
	l.para("intro")
	l.steps("step_check", "step_link", "step_issue")
	l.fact("reference", p.Reference)
	l.fact("submitted_at", l.when(p.SubmittedAt))
	if p.UsualWait > 0 && l.err == nil {
		s, err := l.texts.span(p.UsualWait)
		if err != nil {
			l.fail("%w", err)
		}
		l.fact("usual_wait", s)
	}
	l.show()
	l.button("button", p.Page)
	l.notice("not_you")
}

func (p RegistrationReturned) compose(l *letter) {
	l.need("by", p.By)
	l.para("intro")
	l.findings(p.Findings)
	l.para("request")
	l.button("button", p.Page)
	l.fact("reference", p.Reference)
	l.fact("checked_by", p.By)
	l.fact("at", l.when(p.At))
	l.show()
}

func (p RegistrationRejected) compose(l *letter) {
	l.need("by", p.By)
	l.para("intro")
	l.findings(p.Findings)
	l.para("request")
	l.button("button", p.Page)
	l.fact("reference", p.Reference)
	l.fact("decided_by", p.By)
	l.fact("at", l.when(p.At))
	l.show()
}

func (p RegistrationInvalidated) compose(l *letter) {
	l.need("reference", p.Reference)
	l.para("intro")
	l.fact("changed", l.fields(p.Fields))
	l.fact("at", l.when(p.At))
	l.fact("reference", p.Reference)
	l.show()
	l.para("after")
	l.button("button", p.Page)
	l.notice("not_you")
}

func (p LinkExpiring) compose(l *letter) {
	l.para("intro")
	l.fact("sent_at", l.when(p.SentAt))
	l.fact("expires", l.when(p.Expires))
	l.show()
	l.para("request")
	l.button("button", p.Page)
	l.notice("not_you")
}

func (p ResetRequested) compose(l *letter) {
	l.need("asked_by", p.AskedBy)
	l.para("intro")
	l.fact("asked_by", p.AskedBy)
	l.fact("at", l.when(p.At))
	l.fact("address", p.Address)
	l.show()
	l.para("after")
	l.steps("step_revoke", "step_new", "step_old")
	l.notice("not_you")
	l.button("button", p.Cancel)
}

func (p PassphraseChanged) compose(l *letter) {
	l.para("intro")
	l.fact("at", l.when(p.At))
	l.fact("address", p.Address)
	l.show()
	l.para("after")
	l.notice("not_you")
	l.button("button", p.Page)
}

func (p CertificateRevoked) compose(l *letter) {
	l.need("serial", p.Serial)
	l.need("asked_by", p.AskedBy)
	l.para("intro")
	l.fact("serial", p.Serial)
	l.fact("revoked_at", l.when(p.At))
	l.fact("reason", l.label("revocations", string(p.Reason)))
	l.fact("note", p.Note)
	l.fact("asked_by", p.AskedBy)
	l.show()
	l.para("after")
	l.button("button", p.Page)
	l.notice("not_you")
}

func (p KeyDestroyed) compose(l *letter) {
	l.need("serial", p.Serial)
	l.para("intro")
	l.fact("cause", l.say("cause", p.InDay))
	l.fact("serial", p.Serial)
	l.fact("revoked_at", l.when(p.At))
	l.show()
	l.para("request")
	l.button("button", p.Page)
	l.para("after")
	l.notice("not_you")
}

func (p CertificateExpiring) compose(l *letter) {
	l.need("serial", p.Serial)
	if p.Days < 0 {
		l.fail("%w: the days left are negative", ErrParams)
	}
	l.para("intro")
	l.fact("serial", p.Serial)
	l.fact("valid_until", l.when(p.NotAfter))
	l.show()
	l.para("request")
	l.button("button", p.Page)
	l.para("after")
}

func (p AgreementCopy) compose(l *letter) {
	l.need("version", p.Version)
	sum := sha256.Sum256(p.Document)
	switch {
	case !bytes.HasPrefix(p.Document, []byte("%PDF-")):
		l.fail("%w: the agreement is missing or no PDF", ErrParams)
	case !strings.EqualFold(p.SHA256, hex.EncodeToString(sum[:])):
		l.fail("%w: the agreement is not the document that was accepted", ErrParams)
	case !fileName(p.FileName):
		l.fail("%w: the file name of the agreement", ErrParams)
	}
	l.attached = append(l.attached, attachment{p.FileName, "application/pdf", p.Document})
	l.para("intro")
	l.fact("version", p.Version)
	l.fact("accepted_at", l.when(p.AcceptedAt))
	l.fact("file", p.FileName)
	l.fact("sha256", p.SHA256)
	l.show()
	l.para("after")
	l.button("button", p.Page)
	l.notice("not_you")
}

// fileName reports whether s can name an attachment in every mail program and
// header: ASCII letters, digits, space, '-', '_' and '.', not at the start.
func fileName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return s != "" && len(s) <= 100 && strings.IndexByte(letters, s[0]) >= 0 && strings.Trim(s, letters+" -_.") == ""
}

func (p CorrectionSubmitted) compose(l *letter) {
	l.need("unit", p.Unit)
	if len(p.Fields) == 0 {
		l.fail("%w: no fields", ErrParams)
	}
	l.para("intro")
	l.fact("changed", l.fields(p.Fields))
	l.fact("unit", p.Unit)
	l.fact("submitted_at", l.when(p.SubmittedAt))
	l.show()
	l.para("after")
	l.button("button", p.Page)
	l.notice("not_you")
}

func (p CorrectionDigest) compose(l *letter) {
	l.need("unit", p.Unit)
	if p.Total < 1 || len(p.Waiting) > p.Total {
		l.fail("%w: the number of waiting corrections", ErrParams)
	}
	l.para("intro")
	var items []item
	for _, w := range p.Waiting {
		items = append(items, item{Term: clean(w.Employee), Text: l.fields(w.Fields), Detail: l.say("since", l.when(w.Since))})
	}
	l.items(items)
	if more := p.Total - len(p.Waiting); more > 0 && len(p.Waiting) > 0 {
		l.blocks = append(l.blocks, block{Para: l.say("more", more)})
	}
	l.button("button", p.Page)
	l.para("after")
}

// Outcome words of a CorrectionDecided, for its texts.
func (p CorrectionDecided) count(accepted bool) (n int) {
	for _, d := range p.Decisions {
		if d.Accepted == accepted {
			n++
		}
	}
	return n
}

// AllAccepted reports whether no field was rejected.
func (p CorrectionDecided) AllAccepted() bool { return p.count(false) == 0 }

// AllRejected reports whether no field was accepted.
func (p CorrectionDecided) AllRejected() bool { return p.count(true) == 0 }

func (p CorrectionDecided) compose(l *letter) {
	l.need("by", p.By)
	if len(p.Decisions) == 0 {
		l.fail("%w: no decisions", ErrParams)
	}
	l.para("intro")
	var items []item
	for _, d := range p.Decisions {
		it := item{Term: l.label("fields", string(d.Field)), Mark: "yes", Text: l.say("accepted", nil), Detail: clean(d.Reason)}
		if !d.Accepted {
			it.Mark, it.Text = "no", l.say("rejected", nil)
			l.need("reason of a rejected field", d.Reason)
		}
		items = append(items, it)
	}
	l.items(items)
	l.fact("decided_by", p.By)
	l.fact("at", l.when(p.At))
	l.show()
	l.para("after")
	l.button("button", p.Page)
}

func (p AccountInvitation) compose(l *letter) {
	l.need("user_name", p.UserName)
	l.need("invited_by", p.InvitedBy)
	roles := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		roles[i] = l.label("roles", r)
	}
	l.para("intro")
	l.para("request")
	l.button("button", p.Activation)
	l.fact("user_name", p.UserName)
	l.fact("roles", strings.Join(roles, ", "))
	l.fact("invited_by", p.InvitedBy)
	l.fact("expires", l.when(p.Expires))
	l.fact("uses", l.common("common.once", nil))
	l.show()
	l.para("second_factor")
	l.notice("not_you")
}

func (p LoginLocked) compose(l *letter) {
	l.para("intro")
	l.fact("at", l.when(p.At))
	if p.Until.IsZero() {
		l.fact("locked_until", l.say("until_unlocked", nil))
	} else {
		l.fact("locked_until", l.when(p.Until))
	}
	l.fact("address", p.Address)
	l.show()
	l.para("after")
	l.button("button", p.Page)
	l.notice("not_you")
}

// Waiting is the number of registrations that wait for any check.
func (p OfficerDigest) Waiting() int { return p.First + p.Second }

func (p OfficerDigest) compose(l *letter) {
	if p.First < 0 || p.Second < 0 || p.Mine < 0 || p.Waiting() == 0 {
		l.fail("%w: the numbers of waiting registrations", ErrParams)
	}
	l.para("intro")
	l.fact("first_check", l.common("common.count", p.First))
	l.fact("second_check", l.common("common.count", p.Second))
	l.fact("mine", l.common("common.count", p.Mine))
	if !p.Oldest.IsZero() {
		l.fact("oldest", l.when(p.Oldest))
	}
	l.show()
	l.button("button", p.Page)
	l.para("after")
}

func (p PasswordReset) compose(l *letter) {
	l.need("user_name", p.UserName)
	l.para("intro")
	l.button("button", p.Link)
	l.fact("user_name", p.UserName)
	l.fact("at", l.when(p.At))
	l.fact("expires", l.when(p.Expires))
	l.fact("uses", l.common("common.once", nil))
	l.show()
	l.notice("not_you")
}

func (p SecurityChanged) compose(l *letter) {
	l.para("intro")
	l.fact("changed", l.label("securities", p.What))
	l.fact("at", l.when(p.At))
	l.show()
	l.button("button", p.Page)
	l.notice("not_you")
}
