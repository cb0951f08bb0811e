package confine_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"absah/internal/confine"
)

// found is what a child tells of itself.
type found struct {
	Refused map[string]bool // what was tried; whether it was refused for want of rights
	Read    string          // of the file that it was given
	Sum     int
	Peak    int64
}

// tries is what a child that was taken over would do. path is of a file that any
// process of this user may read, address of a server that answers.
func tries(path, address string) map[string]func() error {
	return map[string]func() error{
		"open a file":                   func() error { _, err := os.Open(path); return err },
		"look at a file":                func() error { _, err := os.Stat(path); return err },
		"list a directory":              func() error { _, err := os.ReadDir(filepath.Dir(path)); return err },
		"remove a file":                 func() error { return os.Remove(path) },
		"make a file":                   func() error { return os.WriteFile(path+".new", nil, 0o600) },
		"connect":                       func() error { _, err := net.Dial("tcp", address); return err },
		"make a local socket":           func() error { _, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
		"start a program":               func() error { return exec.Command("/bin/true").Run() },
		"replace itself":                func() error { return unix.Exec("/bin/true", []string{"true"}, nil) },
		"signal its parent":             func() error { return unix.Kill(os.Getppid(), 0) },
		"signal a thread of its parent": func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) },
		"trace its parent":              func() error { return unix.PtraceAttach(os.Getppid()) },
		"make a file in memory":         func() error { _, err := unix.MemfdCreate("x", 0); return err },
	}
}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "confined" {
		os.Exit(confined())
	}
	os.Exit(m.Run())
}

// confined is the child: it does what readers do, and tries what they never may.
func confined() int {
	if confine.Here(confine.Limits{Memory: 512 << 20, Heap: 64 << 20, CPU: 10 * time.Second}) != nil {
		return confine.ExitUnlimited
	}
	var to [2]string
	if err := json.NewDecoder(os.Stdin).Decode(&to); err != nil {
		return 4
	}
	b, err := io.ReadAll(os.NewFile(confine.FileDescriptor, "document"))
	if err != nil {
		return 4
	}
	f := found{Refused: map[string]bool{}, Read: string(b)}
	for name, try := range tries(to[0], to[1]) {
		f.Refused[name] = errors.Is(try(), unix.EPERM)
	}
	// Threads, timers, garbage and its collection go on.
	var wg sync.WaitGroup
	parts := make([]int, 4)
	for i := range parts {
		wg.Go(func() {
			runtime.LockOSThread()
			time.Sleep(time.Millisecond)
			parts[i] = len(make([]byte, 1<<20))
		})
	}
	wg.Wait()
	runtime.GC()
	for _, n := range parts {
		f.Sum += n
	}
	f.Peak = confine.Peak()
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		return 4
	}
	return 0
}

// TestNoWayOut: a child reads what it was given, and reaches no file, no network,
// no program and no other process.
func TestNoWayOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	self, err := confine.Self("confined")
	if err != nil {
		t.Fatal(err)
	}
	p, err := confine.NewPool(self, 1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	p.Wall = time.Minute
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("the document"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	question, err := json.Marshal([2]string{path, l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Run(t.Context(), question, r)
	if err != nil {
		t.Fatal(err)
	}
	var f found
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	for name, refused := range f.Refused {
		if !refused {
			t.Errorf("a child may %s", name)
		}
	}
	if len(f.Refused) != len(tries("", "")) || f.Read != "the document" || f.Sum != 4<<20 || f.Peak < 1<<20 {
		t.Errorf("the child tells %+v", f)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file: %v", err)
	}
}
