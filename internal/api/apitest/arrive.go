// Package apitest is what the tests of the interfaces for programs share.
package apitest

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// late is a body whose first byte waits until the server asks for it (RFC 9110 10.1.1,
// 100-continue), which is after the credential was looked at.
type late struct {
	io.Reader
	first func()
}

func (l *late) Read(p []byte) (int, error) {
	if l.first != nil {
		l.first()
		l.first = nil
	}
	return l.Reader.Read(p)
}

// Arrive sends r with a body that arrives after meanwhile, and so after its credential
// was let in. The answer is closed when the test ends.
func Arrive(t testing.TB, r *http.Request, body io.Reader, meanwhile func()) *http.Response {
	t.Helper()
	r.Body = io.NopCloser(&late{body, meanwhile})
	r.Header.Set("Expect", "100-continue")
	client := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}
