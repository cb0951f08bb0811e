// Package fetchtest has what tests of connections need.
package fetchtest

import (
	"context"
	"net"
	"net/netip"
	"testing"
)

// Names answers every question with these addresses, one after another, so that a
// name changes its meaning between two questions.
func Names(t testing.TB, addresses ...string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		b := make([]byte, 1500)
		for n := 0; ; {
			size, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			q := b[:size]
			end := 12
			for q[end] != 0 {
				end += int(q[end]) + 1
			}
			question := q[12 : end+5]
			answer := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
			if question[len(question)-3] == 1 { // type A
				ip := netip.MustParseAddr(addresses[n%len(addresses)]).As4()
				n++
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, ip[:]...)
			}
			if _, err := pc.WriteTo(answer, from); err != nil {
				return
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}
