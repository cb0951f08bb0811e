//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

// TestOnlyFiles: a pipe that nobody writes into is refused, not waited for, and
// nothing is put in the place of a pipe or a device.
func TestOnlyFiles(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	pipe := s.path("pipe.pdf")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	const says = "not a regular file"
	for _, name := range []string{pipe, s.dir, os.DevNull} {
		program(t, nil, append(s.pem(), name, s.path("out.pdf"))...).want(t, 1, says)
		program(t, nil, append(s.pem(), "--out-dir", s.path("out"), name)...).want(t, 1, says)
		if r := program(t, nil, "verify", name, s.path("letter.pdf")); r.code != 2 || r.out == "" {
			t.Errorf("verify %s: exit status %d\n%s%s", name, r.code, r.out, r.err)
		}
	}
	program(t, nil, append(s.pem(), s.path("letter.pdf"), pipe)...).want(t, 1, says)
	if info, err := os.Stat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe was replaced: %v, %v", info, err)
	}
}
