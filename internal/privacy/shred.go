package privacy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Kinds of what is shredded.
const (
	shredEvidence     = "evidence"
	shredRegistration = "registration"
)

// Shredded is one thing that was erased for good.
type Shredded struct{ Kind, ID string }

// note puts what is about to be erased on the list outside of the database,
// durably, before the keys are forgotten: a list with too much on it destroys
// nothing that was to be kept, because only what is being erased gets on it.
func (s *Service) note(list []Shredded) (err error) {
	f, err := os.OpenFile(s.ShredFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open list of what was erased: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "%s %s\n", x.Kind, x.ID)
	}
	if _, err := f.WriteString(b.String()); err != nil {
		return fmt.Errorf("write list of what was erased: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write list of what was erased: %w", err)
	}
	return nil
}

// ReadShredded reads a list as note writes it. Lines that it does not know are
// an error: to leave one out would bring back what was to be forgotten. A last
// line without its end is one whose writing was interrupted, and what it names
// was not erased yet.
func ReadShredded(r io.Reader) ([]Shredded, error) {
	var list []Shredded
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read list of what was erased: %w", err)
		}
		kind, id, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !ok || kind != shredEvidence && kind != shredRegistration || !ident.Valid(id) {
			return nil, fmt.Errorf("read list of what was erased: line %d is none of ours", n)
		}
		list = append(list, Shredded{Kind: kind, ID: id})
	}
}

// Replay erases again, in a database that was restored from a backup, what was
// erased since the backup was made: the keys of files and the data of
// registrations. The list is that of the file and may be longer than what the
// database holds. It returns how many things the backup had brought back.
func Replay(ctx context.Context, s *store.Store, now clock.Clock, list []Shredded) (int, error) {
	brought := 0
	for len(list) > 0 {
		part := list[:min(len(list), 500)]
		list = list[len(part):]
		err := s.InTx(ctx, func(tx *store.Tx) error {
			for _, x := range part {
				var n int64
				var err error
				if x.Kind == shredEvidence {
					n, err = tx.ReplayEvidence(ctx, x.ID)
				} else {
					n, err = tx.ReplayRegistration(ctx, x.ID)
				}
				if err != nil {
					return fmt.Errorf("erase %s %s again: %w", x.Kind, x.ID, err)
				}
				err = tx.InsertShredded(ctx, db.InsertShreddedParams{Kind: x.Kind, ObjectID: x.ID, At: clock.Micros(now()), Why: "replay"})
				if err != nil {
					return fmt.Errorf("note %s %s again: %w", x.Kind, x.ID, err)
				}
				tx.After(func() { brought += int(min(n, 1)) })
			}
			return nil
		})
		if err != nil {
			return brought, err
		}
	}
	return brought, nil
}

// ReplayFile is Replay with the list in a file; no file is an empty list.
func ReplayFile(ctx context.Context, s *store.Store, now clock.Clock, path string) (n int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("open list of what was erased: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	list, err := ReadShredded(f)
	if err != nil {
		return 0, err
	}
	return Replay(ctx, s, now, list)
}
