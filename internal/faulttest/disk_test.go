package faulttest

import (
	"errors"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// disk is a file system of its own that can be filled. Where this process may
// not mount one, files that cannot grow any more stand in for it.
type disk struct {
	t       *testing.T
	dir     string
	mounted bool
}

// diskSize is what an installation with a few people needs, and some more.
const diskSize = "size=96m"

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{t: t, dir: t.TempDir()}
	err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, diskSize)
	switch {
	case err == nil:
		d.mounted = true
		t.Cleanup(func() {
			if err := syscall.Unmount(d.dir, 0); err != nil {
				t.Errorf("unmount: %v", err)
			}
		})
	case errors.Is(err, syscall.EPERM):
		t.Log("no file system can be mounted here: files that cannot grow stand in for a full one")
		signal.Ignore(syscall.SIGXFSZ)
		t.Cleanup(func() { d.free(); signal.Reset(syscall.SIGXFSZ) })
	default:
		t.Fatal(err)
	}
	return d
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves no room.
func (d *disk) fill() {
	d.t.Helper()
	if !d.mounted {
		d.limit(0)
		return
	}
	f, err := os.Create(d.ballast())
	must(d.t, err)
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatalf("the disk is not full: %v", err)
	}
	must(d.t, f.Close())
}

// free gives the room back.
func (d *disk) free() {
	d.t.Helper()
	if !d.mounted {
		d.limit(math.MaxUint64)
		return
	}
	must(d.t, os.Remove(d.ballast()))
}

func (d *disk) limit(n uint64) {
	d.t.Helper()
	must(d.t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: math.MaxUint64}))
}
