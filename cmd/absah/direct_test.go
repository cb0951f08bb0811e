package main

import (
	"context"
	"strings"
	"testing"
)

// TestDirectStart: the commands of package direct run before what is dear in the
// service is initialised, those of the service after it, and a flag before the
// name of a command changes nothing but that.
func TestDirectStart(t *testing.T) {
	t.Parallel()
	dear := []string{"absah/internal/ca", "absah/internal/store", "absah/internal/portal/ui", "github.com/weppos/publicsuffix-go/publicsuffix", "net/http"}
	initialised := func(args ...string) (out, trace string) {
		cmd := command(context.Background(), nil, args...)
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	direct, early := initialised("version")
	whole, late := initialised("--data", t.TempDir(), "version")
	if direct != whole {
		t.Errorf("%q, and with a flag %q", direct, whole)
	}
	for _, p := range dear {
		line := "init " + p + " @"
		if strings.Contains(early, line) {
			t.Errorf("%s is initialised before absah version runs", p)
		}
		if !strings.Contains(late, line) {
			t.Errorf("%s is initialised in no case: name another package here", p)
		}
	}
	if !strings.Contains(early, "init runtime @") {
		t.Errorf("nothing was traced: %s", early)
	}
}
