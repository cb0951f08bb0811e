// Package confine lets child processes of this program read what strangers sent:
// each with little memory and time, without secrets, files or rights, and
// without a word on stderr, which might quote what it reads.
package confine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// Limits are those of a child process.
type Limits struct {
	Memory int64         // bytes that it may map beyond what its empty process has
	Heap   int64         // bytes from where Go collects garbage as hard as it can
	CPU    time.Duration // whole seconds
}

// maxFiles is how many files a child may have open.
const maxFiles = 16

// ExitUnlimited is the exit status of a child that could not limit itself, and
// thus read nothing.
const ExitUnlimited = 5

var (
	// ErrBusy: no child became free in time.
	ErrBusy = errors.New("all child processes are at work")
	// ErrUnlimited: the child could not limit itself.
	ErrUnlimited = errors.New("the child process cannot limit itself")
)

// FailedError says that a child gave no answer: it took too long, needed too much
// memory, or crashed. Its text names an exit status or a signal, and nothing of
// what the child read.
type FailedError struct{ cause error }

func (e *FailedError) Error() string { return "child process: " + e.cause.Error() }
func (e *FailedError) Unwrap() error { return e.cause }

// Pool runs children, a few at once. It is safe for concurrent use.
type Pool struct {
	// Wall is how long a child may take in all, Wait how long a question waits
	// for its turn before ErrBusy. Set them before the first use.
	Wall time.Duration
	Wait time.Duration
	// Watch, if set, is told what each child took of the processor. (Its memory it
	// says itself, see Peak: what the system tells of it counts the parent's too.)
	Watch func(cpu time.Duration)

	command   []string
	maxAnswer int
	slots     chan struct{}
}

// NewPool returns a pool of size children at once, whose answers have at most
// maxAnswer bytes. command runs the child; see Self.
func NewPool(command []string, size, maxAnswer int) (*Pool, error) {
	if len(command) == 0 || size < 1 || maxAnswer < 1 {
		return nil, errors.New("pool of child processes: no command, size or answer")
	}
	return &Pool{Wall: 10 * time.Second, Wait: 10 * time.Second, command: command, maxAnswer: maxAnswer, slots: make(chan struct{}, size)}, nil
}

// Self is the command that runs this program again with one argument.
func Self(argument string) ([]string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	return []string{path, argument}, nil
}

// File copies at most limit bytes of r into a file in memory, to be given to Run.
// The second value is their number; more is io.ErrShortWrite.
func File(r io.Reader, limit int64) (*os.File, int64, error) {
	f, err := memoryFile()
	if err != nil {
		return nil, 0, err
	}
	n, err := io.Copy(f, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = io.ErrShortWrite
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("copy into memory: %w", err)
	}
	return f, n, nil
}

// FileDescriptor is where a child finds the first of Run's files.
const FileDescriptor = 3

// Run gives a child the question on stdin, and files by descriptors from
// FileDescriptor on, and returns what it wrote to stdout. The errors are ErrBusy,
// ErrUnlimited, *FailedError and that of ctx.
func (p *Pool) Run(ctx context.Context, question []byte, files ...*os.File) ([]byte, error) {
	release, err := p.Take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	wall, cancel := context.WithTimeout(ctx, p.Wall)
	defer cancel()
	out := &bounded{limit: p.maxAnswer}
	cmd := exec.CommandContext(wall, p.command[0], p.command[1:]...)
	cmd.Env = []string{} // nothing of ours: no address of the database, no secret
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(question)
	cmd.Stdout = out
	cmd.ExtraFiles = files
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start child process: %w", err)
	}
	err = cmd.Wait()
	if p.Watch != nil {
		p.Watch(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("run child process: %w", ctx.Err())
	case err == nil:
		return out.b.Bytes(), nil
	case wall.Err() != nil:
		return nil, &FailedError{fmt.Errorf("it took longer than %s", p.Wall)}
	case errors.As(err, &exit) && exit.ExitCode() == ExitUnlimited:
		return nil, ErrUnlimited
	}
	return nil, &FailedError{err}
}

// Take takes one of the places of the pool's children until release is called,
// or gives ErrBusy after Wait.
func (p *Pool) Take(ctx context.Context) (release func(), err error) {
	timer := time.NewTimer(p.Wait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-timer.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a child process: %w", ctx.Err())
	}
}

// bounded keeps what is written up to a limit, and fails beyond.
type bounded struct {
	b     bytes.Buffer
	limit int
}

func (w *bounded) Write(p []byte) (int, error) {
	if w.b.Len()+len(p) > w.limit {
		return 0, errors.New("more than " + strconv.Itoa(w.limit) + " bytes")
	}
	return w.b.Write(p)
}
