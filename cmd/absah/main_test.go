package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asProgram makes the test binary be the program. The name does not begin with
// ABSAH_: those are settings.
const asProgram = "RUN_AS_ABSAH"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// result is what the program left.
type result struct {
	out, err string
	code     int
}

// program runs the program with settings ("ADDR=...", without ABSAH_).
func program(t *testing.T, settings []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := command(ctx, settings, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func command(ctx context.Context, settings []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "ABSAH_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, asProgram+"=1")
	for _, kv := range settings {
		cmd.Env = append(cmd.Env, "ABSAH_"+kv)
	}
	return cmd
}

// want checks the exit status and that the texts were printed, to stdout when
// it is 0 and to stderr otherwise.
func (r result) want(t *testing.T, code int, texts ...string) result {
	t.Helper()
	where := r.out
	if code != 0 {
		where = r.err
	}
	if r.code != code {
		t.Fatalf("exit status %d, want %d\n%s%s", r.code, code, r.out, r.err)
	}
	for _, text := range texts {
		if !strings.Contains(where, text) {
			t.Errorf("no %q in:\n%s", text, where)
		}
	}
	return r
}

// freeAddr is an address where nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // nobody ever came
	return l.Addr().String()
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
