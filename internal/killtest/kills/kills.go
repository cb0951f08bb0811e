// Package kills is what the tests share that end processes with SIGKILL: how often
// and by which seed, and a child that says what it does until it is killed. The child
// is the test binary itself, which its TestMain tells by an environment variable.
package kills

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// Plan says how often processes are killed for each database and by which seed the
// moments are chosen: ABSAH_KILLS (usual when unset) and ABSAH_SEED (another one each
// time). It logs both, so that a run can be repeated.
func Plan(t *testing.T, usual int) (kills int, seed uint64) {
	t.Helper()
	kills = int(number(t, "ABSAH_KILLS", uint64(usual)))
	seed = number(t, "ABSAH_SEED", uint64(time.Now().UnixNano()))
	t.Logf("%d kills, ABSAH_SEED=%d", kills, seed)
	return kills, seed
}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// Child runs the test binary with env besides the environment and hands each line
// that it writes to said. It kills the process a while (later) after so many lines,
// and fails the test when it ended by itself.
func Child(t *testing.T, env []string, lines int, later time.Duration, said func(line string)) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), env...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(stdout)
	for n := 1; in.Scan(); n++ {
		said(in.Text())
		if n == lines {
			time.Sleep(later)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the process ended by itself: %v\n%s", err, &complaint)
	}
}
