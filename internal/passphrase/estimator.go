package passphrase

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"absah/internal/clock"
)

//go:embed zxcvbn.bundle.js
var bundle []byte

//go:embed meter.js
var meter []byte

// Bundle returns the estimator as a JavaScript file: the program that the
// server runs, and the script of the browser's worker. Do not change it.
func Bundle() []byte { return bundle }

// MeterJS returns the ES module that shows the estimate while a person types.
// Its head tells what markup it expects. Do not change it.
func MeterJS() []byte { return meter }

const (
	// timeLimit ends an estimate that takes too long. None known does.
	timeLimit = 2 * time.Second
	// callStack bounds recursion within the program.
	callStack = 2000
	// queue is how many may wait for an engine, waitLimit how long. An
	// estimate takes a hundredth of a second.
	queue     = 64
	waitLimit = 2 * time.Second
)

var (
	// ErrTimeout says that an estimate took too long.
	ErrTimeout = errors.New("the estimate of the passphrase took too long")
	// ErrBusy says that too many passphrases are being judged at this moment.
	// Try again later.
	ErrBusy = errors.New("too many passphrases are being judged at once")
)

// Estimator tells how hard passphrases are to guess. It is safe for concurrent
// use; as many estimates run at once as it has engines, the others wait.
type Estimator struct {
	policy  Policy
	limit   time.Duration // timeLimit, but in tests on busy machines
	wait    time.Duration // waitLimit, but in tests on busy machines
	waiting atomic.Int64
	now     clock.Clock
	program *goja.Program
	engines chan *engine // nil entries are engines yet to be made
}

// NewEstimator makes an estimator with that many engines, at least one. The
// first is made now (a third of a second, about 30 MB), the others when they
// are first needed.
func NewEstimator(policy Policy, now clock.Clock, engines int) (*Estimator, error) {
	if err := policy.Validate(); err != nil {
		return nil, err
	}
	program, err := goja.Compile("zxcvbn.bundle.js", string(bundle), true)
	if err != nil {
		return nil, fmt.Errorf("compile the passphrase estimator: %w", err)
	}
	e := &Estimator{policy: policy, limit: timeLimit, wait: waitLimit, now: now, program: program, engines: make(chan *engine, max(engines, 1))}
	first, err := newEngine(program)
	if err != nil {
		return nil, err
	}
	e.engines <- first
	for len(e.engines) < cap(e.engines) {
		e.engines <- nil
	}
	return e, nil
}

// SetLimit gives every estimate d to wait and d of work instead of two seconds
// each, for tests on machines that are slow or busy. Call it before the first
// estimate.
func (e *Estimator) SetLimit(d time.Duration) { e.limit, e.wait = d, d }

// Policy returns what the estimator's rules demand.
func (e *Estimator) Policy() Policy { return e.policy }

// Estimate judges a passphrase. own are words that its owner is known by, from
// Owner.Words. It fails with ErrBusy when too many wait already or none of the
// engines was free for two seconds, with ErrTimeout after two seconds of work,
// and with the context's error when that ends first.
//
// The engine keeps a copy of the passphrase until its garbage is collected.
func (e *Estimator) Estimate(ctx context.Context, secret *Secret, own []string) (Strength, error) {
	vm, err := e.engine(ctx)
	if err != nil {
		return Strength{}, err
	}
	defer func() { e.engines <- vm }()
	if vm == nil {
		made, err := newEngine(e.program)
		if err != nil {
			return Strength{}, err
		}
		vm = made
	}
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	s, err := vm.run(ctx, secret, own, e.now().Year())
	if err != nil {
		return Strength{}, err
	}
	s.Rules = e.policy.rules(s)
	return s, nil
}

// engine takes an engine out of the pool; nil is one yet to be made.
func (e *Estimator) engine(ctx context.Context) (*engine, error) {
	select {
	case vm := <-e.engines:
		return vm, nil
	default:
	}
	defer e.waiting.Add(-1)
	if e.waiting.Add(1) > queue {
		return nil, ErrBusy
	}
	patience := time.NewTimer(e.wait)
	defer patience.Stop()
	select {
	case vm := <-e.engines:
		return vm, nil
	case <-patience.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the passphrase estimator: %w", ctx.Err())
	}
}

// engine is one JavaScript machine with the program loaded. One goroutine may
// use it at a time.
type engine struct {
	vm       *goja.Runtime
	estimate goja.Callable
	encode   goja.Callable
}

func newEngine(program *goja.Program) (*engine, error) {
	vm := goja.New()
	vm.SetMaxCallStackSize(callStack)
	if _, err := vm.RunProgram(program); err != nil {
		return nil, fmt.Errorf("load the passphrase estimator: %w", err)
	}
	estimate, ok := goja.AssertFunction(vm.Get("absahEstimate"))
	if !ok {
		return nil, errors.New("load the passphrase estimator: it has no function absahEstimate")
	}
	encode, ok := goja.AssertFunction(vm.Get("JSON").ToObject(vm).Get("stringify"))
	if !ok {
		return nil, errors.New("load the passphrase estimator: the engine has no JSON.stringify")
	}
	return &engine{vm: vm, estimate: estimate, encode: encode}, nil
}

func (e *engine) run(ctx context.Context, secret *Secret, own []string, year int) (Strength, error) {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		e.vm.Interrupt(ErrTimeout)
		close(interrupted)
	})
	list := make([]any, len(own))
	for i, w := range own {
		list[i] = w
	}
	result, err := e.estimate(goja.Undefined(), e.vm.ToValue(string(secret.Bytes())), e.vm.NewArray(list...), e.vm.ToValue(year))
	var text goja.Value
	if err == nil {
		text, err = e.encode(goja.Undefined(), result)
	}
	if !stop() {
		<-interrupted // else it would hit whoever comes next
		e.vm.ClearInterrupt()
	}
	var late *goja.InterruptedError
	if errors.As(err, &late) || err == nil && ctx.Err() != nil {
		return Strength{}, ErrTimeout // also when the interrupt came after the end
	}
	if err != nil {
		// The text of an exception may quote the passphrase.
		return Strength{}, errors.New("estimate passphrase: the estimator failed")
	}
	var out struct {
		Score   int
		Guesses float64
		Seconds float64
		Unit    string
		N       int
		Length  int
		Own     bool
	}
	if err := json.Unmarshal([]byte(text.String()), &out); err != nil {
		return Strength{}, fmt.Errorf("estimate passphrase: read the result: %w", err)
	}
	return Strength{
		Score: out.Score, Guesses: out.Guesses, CrackSeconds: out.Seconds,
		Crack: Span{Unit: out.Unit, N: out.N}, Length: out.Length, MostlyOwn: out.Own,
	}, nil
}
