package mail

import "time"

// CertificateSuspended tells that a certificate is on hold for the time being.
type CertificateSuspended struct {
	Serial  string    `json:"serial"`
	At      time.Time `json:"at"`
	AskedBy string    `json:"asked_by"`
	Reason  string    `json:"reason"` // in words
	Note    string    `json:"note,omitempty"`
	// Asked is set when an officer wants the certificate revoked and a second one
	// still has to decide.
	Asked bool `json:"asked,omitempty"`
	Page  Path `json:"page"`
}

// CertificateReleased tells that a suspension has ended.
type CertificateReleased struct {
	Serial string    `json:"serial"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Note   string    `json:"note,omitempty"`
	Page   Path      `json:"page"`
}

// Kind implements Params.
func (CertificateSuspended) Kind() Kind { return KindCertificateSuspended }

// Kind implements Params.
func (CertificateReleased) Kind() Kind { return KindCertificateReleased }

func (p *CertificateSuspended) value() Params { return *p }
func (p *CertificateReleased) value() Params  { return *p }

func (p CertificateSuspended) compose(l *letter) {
	l.need("serial", p.Serial)
	l.need("asked_by", p.AskedBy)
	l.para("intro")
	l.fact("serial", p.Serial)
	l.fact("suspended_at", l.when(p.At))
	l.fact("reason", p.Reason)
	l.fact("note", p.Note)
	l.fact("asked_by", p.AskedBy)
	l.show()
	l.blocks = append(l.blocks, block{Para: l.say("after", p.Asked)})
	l.button("button", p.Page)
	l.notice("not_you")
}

func (p CertificateReleased) compose(l *letter) {
	l.need("serial", p.Serial)
	l.para("intro")
	l.fact("serial", p.Serial)
	l.fact("released_at", l.when(p.At))
	l.fact("note", p.Note)
	l.fact("released_by", p.By)
	l.show()
	l.button("button", p.Page)
	l.notice("not_you")
}
