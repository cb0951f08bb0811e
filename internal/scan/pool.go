package scan

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"absah/internal/confine"
)

// WorkerCommand is the argument with which the program runs WorkerMain.
const WorkerCommand = "scan-worker"

// Pool is a Processor that runs each file in a child process of its own. It is
// safe for concurrent use.
type Pool struct{ *confine.Pool }

// NewPool returns a pool of size children at once. command runs WorkerMain;
// see Self.
func NewPool(command []string, size int) (*Pool, error) {
	p, err := confine.NewPool(command, size, maxResponse)
	if err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	return &Pool{p}, nil
}

// Self is the command that runs this program again as a worker.
func Self() ([]string, error) { return confine.Self(WorkerCommand) }

// limitsOfWorker bound a worker. The dearest honest file is a progressive JPEG
// of 25 megapixels without subsampling: 300 MB of coefficients, 75 MB of pixels.
var limitsOfWorker = confine.Limits{Memory: 768 << 20, Heap: 512 << 20, CPU: 10 * time.Second}

// Process implements Processor.
func (p *Pool) Process(ctx context.Context, in Input) (Result, error) {
	if !in.Kind.Valid() {
		return Result{}, fmt.Errorf("process scan: unknown kind %q", in.Kind)
	}
	if _, refused := precheck(in); refused != nil {
		return Result{}, refused
	}
	question, err := encodeRequest(in)
	if err != nil {
		return Result{}, fmt.Errorf("ask scan worker: %w", err)
	}
	b, err := p.Run(ctx, question)
	var failed *confine.FailedError
	switch {
	case errors.Is(err, confine.ErrBusy):
		return Result{}, refuse(Busy)
	case errors.As(err, &failed):
		return Result{}, &Error{Code: Unprocessable, cause: err}
	case err != nil:
		return Result{}, fmt.Errorf("run scan worker: %w", err)
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
