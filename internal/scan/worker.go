package scan

import (
	"errors"
	"io"

	"absah/internal/confine"
)

// The exit statuses of a worker.
const (
	exitOK     = 0 // it answered, also when it refused the file
	exitBroken = 4 // it could not read the question or write the answer
)

// WorkerMain is the child process of a Pool: it limits itself, reads one file
// from stdin, writes the answer to stdout and returns the exit status. It must
// be all that its process does, for the limits stay.
func WorkerMain(stdin io.Reader, stdout io.Writer) int {
	if err := confine.Here(limitsOfWorker); err != nil {
		return confine.ExitUnlimited
	}
	in, err := decodeRequest(stdin)
	if err != nil {
		return exitBroken
	}
	res, err := process(in, standard)
	var refused *Error
	if err != nil && !errors.As(err, &refused) {
		return exitBroken
	}
	b, err := encodeResponse(res, refused)
	if err != nil {
		return exitBroken
	}
	if _, err := stdout.Write(b); err != nil {
		return exitBroken
	}
	return exitOK
}
