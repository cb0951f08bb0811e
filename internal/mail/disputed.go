package mail

import "time"

// CertificateDisputed says that an employee reported a certificate as not asked
// for: to the service desk, which looks into it, and to the employee.
type CertificateDisputed struct {
	Serial string    `json:"serial"`
	At     time.Time `json:"at"`
	Desk   bool      `json:"desk,omitempty"` // to the service desk
	Page   Path      `json:"page"`
}

// Kind implements Params.
func (CertificateDisputed) Kind() Kind { return KindCertificateDisputed }

func (p *CertificateDisputed) value() Params { return *p }

func (p CertificateDisputed) compose(l *letter) {
	l.need("serial", p.Serial)
	l.para("intro")
	l.fact("serial", p.Serial)
	l.fact("sent_at", l.when(p.At))
	l.show()
	l.para("after")
	l.button("button", p.Page)
	if !p.Desk {
		l.notice("not_you")
	}
}
