package ca

import "testing"

func TestIssue(t *testing.T) {
	w := newWorld(t)
	c := w.issue(t, w.issuer(t))
	t.Log(c.Subject)
}
