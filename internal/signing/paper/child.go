package paper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"absah/internal/confine"
)

// Command is the argument with which the program runs Main.
const Command = "paper-worker"

// Bounds of a child and of its messages.
const (
	maxQuestion = 1 << 20
	maxAnswer   = 16 << 20
	exitBroken  = 4 // it could not read the question or write the answer
)

// Limits bound the child.
func Limits() confine.Limits {
	return confine.Limits{Memory: 512 << 20, Heap: 192 << 20, CPU: 10 * time.Second}
}

// task is what the child reads on stdin; the file is behind confine.FileDescriptor.
type task struct {
	Question
	Size int64
}

// Main is the child process: it limits itself, reads one file and returns the exit
// status. It must be all that its process does, for the limits stay.
func Main(stdin io.Reader, stdout io.Writer) int { return MainWithin(Limits(), stdin, stdout) }

// MainWithin is Main with other limits.
func MainWithin(l confine.Limits, stdin io.Reader, stdout io.Writer) int {
	if err := confine.Here(l); err != nil {
		return confine.ExitUnlimited
	}
	var t task
	if err := json.NewDecoder(io.LimitReader(stdin, maxQuestion)).Decode(&t); err != nil {
		return exitBroken
	}
	answer, err := read(context.Background(), os.NewFile(confine.FileDescriptor, "document"), t.Size, t.Question)
	if err := json.NewEncoder(stdout).Encode(replyOf(answer, err)); err != nil {
		return exitBroken
	}
	return 0
}

// Pool is a Reader that reads each file in a child process of its own. It is safe
// for concurrent use.
type Pool struct{ *confine.Pool }

// NewPool returns a pool of size children at once. command runs Main; see
// confine.Self.
func NewPool(command []string, size int) (*Pool, error) {
	p, err := confine.NewPool(command, size, maxAnswer)
	if err != nil {
		return nil, fmt.Errorf("reading documents: %w", err)
	}
	p.Wall = 20 * time.Second
	return &Pool{p}, nil
}

// Read implements Reader.
func (p *Pool) Read(ctx context.Context, file []byte, q Question) (*Answer, error) {
	question, err := json.Marshal(task{q, int64(len(file))})
	if err != nil {
		return nil, fmt.Errorf("ask the child process: %w", err)
	}
	f, _, err := confine.File(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := p.Run(ctx, question, f)
	var failed *confine.FailedError
	switch {
	case errors.Is(err, confine.ErrBusy):
		return nil, ErrBusy
	case errors.As(err, &failed):
		return nil, fmt.Errorf("%w: %w", ErrTooHard, err)
	case err != nil:
		return nil, fmt.Errorf("read the document: %w", err)
	}
	var r reply
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%w: it answered nonsense", ErrTooHard)
	}
	return r.take(q)
}
