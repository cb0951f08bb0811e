package mail

// SigningCode tells a signer that an application wants to sign documents with a
// code. The code is on the page, once the passphrase was entered there; it is in no
// mail.
type SigningCode struct {
	Application string `json:"application"`
	Documents   int    `json:"documents"`
	Page        Path   `json:"page"`
}

// Kind implements Params.
func (SigningCode) Kind() Kind { return KindSigningCode }

func (p *SigningCode) value() Params { return *p }

func (p SigningCode) compose(l *letter) {
	if p.Documents < 1 {
		l.fail("%w: a code for no documents", ErrParams)
	}
	l.need("application", p.Application)
	l.para("intro")
	l.fact("application", p.Application)
	l.show()
	l.steps("open", "look", "give")
	l.button("button", p.Page)
	l.notice("not_you")
}
