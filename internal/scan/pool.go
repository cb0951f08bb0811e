package scan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// WorkerCommand is the argument with which the program runs WorkerMain.
const WorkerCommand = "scan-worker"

// Pool is a Processor that runs each file in a child process of its own. It is
// safe for concurrent use.
type Pool struct {
	// Wall is how long a child may take in all, Wait how long a file waits for
	// its turn before it is refused as Busy. Set them before the first use.
	Wall time.Duration
	Wait time.Duration

	command []string
	slots   chan struct{}
}

// NewPool returns a pool of size children at once. command runs WorkerMain;
// see Self.
func NewPool(command []string, size int) (*Pool, error) {
	if len(command) == 0 || size < 1 {
		return nil, errors.New("pool of scan workers: no command or no size")
	}
	return &Pool{Wall: 10 * time.Second, Wait: 10 * time.Second, command: command, slots: make(chan struct{}, size)}, nil
}

// Self is the command that runs this program again as a worker.
func Self() ([]string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	return []string{path, WorkerCommand}, nil
}

// Process implements Processor.
func (p *Pool) Process(ctx context.Context, in Input) (Result, error) {
	if !in.Kind.Valid() {
		return Result{}, fmt.Errorf("process scan: unknown kind %q", in.Kind)
	}
	if _, refused := precheck(in); refused != nil {
		return Result{}, refused
	}
	if err := p.enter(ctx); err != nil {
		return Result{}, err
	}
	defer func() { <-p.slots }()
	b, err := p.run(ctx, in)
	if err != nil {
		return Result{}, err
	}
	res, err := decodeResponse(b)
	var refused *Error
	switch {
	case errors.As(err, &refused):
		return Result{}, refused
	case err != nil:
		return Result{}, &Error{Code: Unprocessable, cause: err}
	}
	res.SHA256 = sha256.Sum256(res.Bytes)
	res.UploadSHA256 = sha256.Sum256(in.Bytes)
	if res.SHA256 == res.UploadSHA256 {
		// Re-encoding always changes something. If not, do not store it.
		return Result{}, &Error{Code: Unprocessable, cause: errors.New("the worker gave the upload back")}
	}
	return res, nil
}

// enter takes a place in the pool.
func (p *Pool) enter(ctx context.Context) error {
	timer := time.NewTimer(p.Wait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return refuse(Busy)
	case <-ctx.Done():
		return fmt.Errorf("wait for a scan worker: %w", ctx.Err())
	}
}

// run gives the file to a child and returns its answer.
func (p *Pool) run(ctx context.Context, in Input) ([]byte, error) {
	question, err := encodeRequest(in)
	if err != nil {
		return nil, fmt.Errorf("ask scan worker: %w", err)
	}
	wall, cancel := context.WithTimeout(ctx, p.Wall)
	defer cancel()
	out := &bounded{limit: maxResponse}
	cmd := exec.CommandContext(wall, p.command[0], p.command[1:]...)
	cmd.Env = []string{} // nothing of ours: no address of the database, no secret
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(question)
	cmd.Stdout = out // stderr goes nowhere: it might quote the file
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start scan worker: %w", err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("run scan worker: %w", ctx.Err())
	case err == nil:
		return out.b.Bytes(), nil
	case wall.Err() != nil:
		return nil, &Error{Code: Unprocessable, cause: fmt.Errorf("it took longer than %s", p.Wall)}
	case errors.As(err, &exit) && exit.ExitCode() == exitNoLimit:
		return nil, errors.New("run scan worker: it cannot limit itself")
	}
	// The error names an exit status or a signal, and nothing of the file.
	return nil, &Error{Code: Unprocessable, cause: err}
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
