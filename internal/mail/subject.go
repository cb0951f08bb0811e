package mail

import "fmt"

// Subject gives the subject that the mail of m will have, without what is only
// filled in before it is sent. The errors are those of Render.
func (r *Renderer) Subject(m Message) (string, error) {
	if m.To.Lang == "" {
		m.To.Lang = Indonesian
	}
	if m.To.Zone == "" {
		m.To.Zone = WIB
	}
	if err := m.check(); err != nil {
		return "", fmt.Errorf("render %v: %w", m, err)
	}
	l := &letter{texts: r.texts[m.To.Lang], group: string(m.Params.Kind()), view: view{Identity: r.identity, To: m.To, P: m.Params}}
	subject := truncate(l.say("subject", nil), 200)
	if l.err != nil {
		return "", fmt.Errorf("render %v: %w", m, l.err)
	}
	return subject, nil
}
