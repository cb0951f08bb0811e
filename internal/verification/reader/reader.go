// Package reader is the child process that reads what strangers bring to be
// verified: with little memory and time and without a connection to anywhere. It
// is a package of its own so that such a process has nothing of the service in it
// and starts in a few milliseconds.
package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"absah/internal/confine"
	"absah/pades/certpath"
	"absah/pades/validation"
)

// Trust is whom to believe, and what is known of revocations.
type Trust struct {
	Anchors []TrustAnchor
	CRLs    [][]byte // DER
	Hosts   []string // servers that may be asked about revocation, lower-case
}

// TrustAnchor is the certificate of an authority that is believed.
type TrustAnchor struct {
	DER    []byte
	Sunset time.Time // signatures proven to be later are not believed; zero is the end of the certificate
	// Certified: signatures below it are certified ones (tersertifikasi), because it
	// belongs to a provider that the government recognises.
	Certified bool
}

// Limits of the child process and its messages.
const (
	maxQuestion = 256 << 20 // CRLs of a nation
	MaxAnswer   = 16 << 20
)

// Limits bound the child.
func Limits() confine.Limits {
	return confine.Limits{Memory: 768 << 20, Heap: 256 << 20, CPU: 20 * time.Second}
}

// Command is the argument with which the program runs Main.
const Command = "verify-worker"

// Task is what the child process reads on stdin.
type Task struct {
	Trust
	Time     time.Time
	Password []byte
	Size     int64
	Known    []Answered // what servers of authorities answered
	Last     bool       // nobody will be asked any more
}

// Reply is what it writes to stdout.
type Reply struct {
	Report  *validation.Report
	Chains  [][][]byte
	Missing []Question
	Memory  int64 // largest resident set of the child, bytes
}

// exitBroken is the exit status of a child that could not read the task or write
// the reply.
const exitBroken = 4

// Main is the child process: it limits itself, judges the document behind
// confine.FileDescriptor and returns the exit status. It must be all that its
// process does, for the limits stay.
func Main(stdin io.Reader, stdout io.Writer) int {
	if err := confine.Here(Limits()); err != nil {
		return confine.ExitUnlimited
	}
	found, err := answer(stdin, os.NewFile(confine.FileDescriptor, "document"))
	if err != nil {
		return exitBroken
	}
	if err := json.NewEncoder(stdout).Encode(found); err != nil {
		return exitBroken
	}
	return 0
}

func answer(stdin io.Reader, document io.ReaderAt) (*Reply, error) {
	var q Task
	if err := json.NewDecoder(io.LimitReader(stdin, maxQuestion)).Decode(&q); err != nil {
		return nil, fmt.Errorf("read the question: %w", err)
	}
	var anchors []*certpath.Anchor
	for _, anchor := range q.Anchors {
		c, err := certpath.ParseCertificate(anchor.DER)
		if err != nil {
			return nil, fmt.Errorf("read an anchor: %w", err)
		}
		a := certpath.NewAnchor(c)
		a.Certified = anchor.Certified
		if !anchor.Sunset.IsZero() && (a.Sunset.IsZero() || anchor.Sunset.Before(a.Sunset)) {
			a.Sunset = anchor.Sunset
		}
		anchors = append(anchors, a)
	}
	var crls []*certpath.CRL
	for _, der := range q.CRLs {
		l, err := certpath.ParseCRL(der)
		if err != nil {
			return nil, fmt.Errorf("read a CRL: %w", err)
		}
		crls = append(crls, l)
	}
	trust, err := certpath.NewValidator(certpath.Config{Anchors: anchors})
	if err != nil {
		return nil, fmt.Errorf("take the anchors: %w", err)
	}
	outside := newRelay(q.Hosts, q.Known)
	source := certpath.Sources(certpath.NewArchive(nil, crls, nil), outside)
	v, err := validation.New(validation.Config{Trust: trust, Source: source, Now: func() time.Time { return q.Time }})
	if err != nil {
		return nil, err
	}
	report, err := v.Validate(context.Background(), document, q.Size, validation.Options{Password: q.Password})
	if err != nil {
		return nil, err
	}
	r := &Reply{Report: report}
	for _, s := range report.Signatures {
		r.Chains = append(r.Chains, s.Chain)
	}
	if !q.Last {
		r.Missing = outside.missing
	}
	r.Memory = confine.Peak()
	return r, nil
}
