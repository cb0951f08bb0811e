package ca

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/durable"
	"absah/internal/store"
	"absah/internal/store/db"
)

// JobPublishCRL is the kind of the job that publishes the lists of the CA whose
// name is the job's ID; the handler is Authority.PublishCRL.
const JobPublishCRL = "ca.crl"

// bigList is the size from which the octets of a list that was replaced are not
// kept in the database.
const bigList = 1 << 20

// errOvertaken says that another process published a list of the same kind
// meanwhile; ours might say less.
var errOvertaken = errors.New("another list was published meanwhile")

// PublishCRL makes and publishes what tells of a change: the next complete list
// of a CA by name or, where delta CRLs follow it, the next delta, and the shards
// that changed. It is a store.Handler: it may run at any time and any number of
// times, and the number grows with every list. The number is reserved durably
// before the signature; it is above all numbers in the database, in the journal
// and in the files, so that a restored database does not repeat one. After
// publication the list is read back.
func (a *Authority) PublishCRL(ctx context.Context, name string) error {
	signer, ok := a.crls[name]
	if !ok {
		return fmt.Errorf("publish CRL of %q: %w", name, ErrNotEstablished)
	}
	complete, err := a.head(ctx, name, whole)
	if err != nil {
		return err
	}
	var due []part
	switch {
	case !a.followed(name, complete):
		due = append(due, whole)
	case a.due(complete, name, whole):
		due = append(due, whole, delta)
	default:
		latest, err := a.head(ctx, name, delta)
		if err != nil {
			return err
		}
		if latest.Number < complete.Number { // the complete list does not point to it yet
			due = append(due, whole)
		}
		due = append(due, delta)
	}
	shards, err := a.shards(ctx, name)
	if err != nil {
		return err
	}
	changed, err := a.changed(ctx, name, shards)
	if err != nil {
		return err
	}
	return a.publish(ctx, signer, append(due, changed...))
}

// followed reports whether delta CRLs follow the complete list.
func (a *Authority) followed(name string, complete db.LatestListHeadRow) bool {
	return a.cfg.Lists.DeltaFrom > 0 && name != string(RootCA) && complete.Entries >= int64(a.cfg.Lists.DeltaFrom)
}

// shards lists the shards of a CA: those of today and of every number before.
func (a *Authority) shards(ctx context.Context, name string) ([]part, error) {
	if name == string(RootCA) {
		return nil, nil
	}
	known, err := a.cfg.Store.Read().ListsOf(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read lists of %s: %w", name, err)
	}
	numbers := map[int]bool{}
	if a.cfg.Lists.Shards > 1 {
		numbers[a.cfg.Lists.Shards] = true
	}
	for _, p := range known {
		if _, n, ok := part(p).shard(); ok {
			numbers[n] = true
		}
	}
	var out []part
	for _, n := range []int{2, 4, 8, 16} {
		for k := 0; numbers[n] && k < n; k++ {
			out = append(out, shardPart(k, n))
		}
	}
	return out, nil
}

// changed lists the shards whose certificates changed since their last list,
// and those that have none.
func (a *Authority) changed(ctx context.Context, name string, shards []part) ([]part, error) {
	var out []part
	q := a.cfg.Store.Read()
	last, err := q.LastStatusEvent(ctx)
	if err != nil {
		return nil, fmt.Errorf("read status events: %w", err)
	}
	for _, p := range shards {
		head, err := a.head(ctx, name, p)
		if err != nil {
			return nil, err
		}
		if head.Number == 0 {
			out = append(out, p)
			continue
		}
		events, err := q.StatusEventsOf(ctx, db.StatusEventsOfParams{Issuer: name, After: head.Upto, Upto: last})
		if err != nil {
			return nil, fmt.Errorf("read status events: %w", err)
		}
		k, n, _ := p.shard()
		for _, e := range events {
			if shardOf(e.Serial, n) == k {
				out = append(out, p)
				break
			}
		}
	}
	return out, nil
}

// head is the latest list without its octets; its number is 0 when there is
// none.
func (a *Authority) head(ctx context.Context, name string, p part) (db.LatestListHeadRow, error) {
	row, err := a.cfg.Store.Read().LatestListHead(ctx, db.LatestListHeadParams{Issuer: name, List: string(p)})
	if store.IsNotFound(err) {
		return db.LatestListHeadRow{}, nil
	}
	if err != nil {
		return row, fmt.Errorf("read CRL of %s: %w", listName(name, p), err)
	}
	return row, nil
}

func (a *Authority) due(head db.LatestListHeadRow, name string, p part) bool {
	life := p.life(name)
	left := clock.FromMicros(head.NextUpdate).Sub(a.cfg.Clock())
	return head.Number == 0 || left <= life/2 || left > life
}

func (a *Authority) publish(ctx context.Context, signer *CRLSigner, due []part) error {
	for _, p := range due {
		err := errOvertaken
		for i := 0; i < 20 && errors.Is(err, errOvertaken); i++ {
			err = a.tryPublish(ctx, signer, p)
		}
		if err != nil {
			return fmt.Errorf("publish CRL of %s: %w", listName(signer.name, p), err)
		}
	}
	return nil
}

// draft is a list on its way.
type draft struct {
	part   part
	spec   CRLSpec
	before int64 // number of the list that it replaces
	upto   int64 // status event that it knows last
	since  int64 // of a delta: status event that the complete list knows last
}

func (a *Authority) tryPublish(ctx context.Context, signer *CRLSigner, p part) error {
	name := signer.name
	d, err := a.reserve(ctx, name, p)
	if err != nil {
		return err
	}
	if j := a.cfg.Status.journal(); j != nil {
		if err := j.TakeNumber(name, d.spec.Number); errors.Is(err, ErrCRLNumber) {
			return errOvertaken
		} else if err != nil {
			return err
		}
	}
	der, n, err := signer.build(ctx, d.spec, a.entries(ctx, name, d))
	if err != nil {
		return err
	}
	err = a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := audit.TakeTurn(ctx, tx); err != nil {
			return err
		}
		now, err := tx.LatestListHead(ctx, db.LatestListHeadParams{Issuer: name, List: string(p)})
		if err != nil && !store.IsNotFound(err) {
			return err
		}
		if now.Number != d.before {
			return errOvertaken
		}
		done, err := tx.PublishList(ctx, db.PublishListParams{Issuer: name, Number: d.spec.Number, Der: der, Entries: int64(n)})
		if err != nil {
			return err
		}
		if done != 1 {
			return fmt.Errorf("number %d is not reserved: %w", d.spec.Number, ErrCRLNumber)
		}
		_, err = tx.ForgetLists(ctx, db.ForgetListsParams{Issuer: name, List: string(p), Number: d.before, Octets: bigList})
		if err != nil {
			return err
		}
		err = audit.Record(ctx, tx, a.cfg.Clock(), audit.System("ca"), audit.Entry{
			Action: "crl.publish", ObjectKind: "crl", ObjectID: listName(name, p),
			Detail: map[string]string{"number": strconv.FormatInt(d.spec.Number, 10), "der_sha256": hexHash(der)},
		})
		if err != nil {
			return err
		}
		// In our turn at the audit record, so that no other process replaces
		// the file by an older list. Should the commit fail, the file is ahead
		// of the database, and the next number above both.
		return a.crlFile(listName(name, p), CRL{DER: der, Number: d.spec.Number})
	})
	if err != nil {
		return fmt.Errorf("number %d: %w", d.spec.Number, err)
	}
	a.cfg.Log.InfoContext(ctx, "CRL published", "list", listName(name, p), "number", d.spec.Number, "entries", n, "octets", len(der))
	return nil
}

// reserve takes the next number and notes in the same transaction what has
// happened so far; the entries are read after that, so that a list of a higher
// number never says less. Processes take turns.
func (a *Authority) reserve(ctx context.Context, name string, p part) (draft, error) {
	d := draft{part: p}
	floor, err := a.floor(name)
	if err != nil {
		return d, err
	}
	err = a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		d = draft{part: p}
		if err := audit.TakeTurn(ctx, tx); err != nil {
			return err
		}
		now := a.cfg.Clock()
		err := audit.Record(ctx, tx, now, audit.System("ca"), audit.Entry{Action: "crl.intend", ObjectKind: "crl", ObjectID: listName(name, p)})
		if err != nil {
			return err
		}
		read := func(p part) (db.LatestListHeadRow, error) {
			row, err := tx.LatestListHead(ctx, db.LatestListHeadParams{Issuer: name, List: string(p)})
			if store.IsNotFound(err) {
				return row, nil
			}
			return row, err
		}
		before, err := read(p)
		if err != nil {
			return fmt.Errorf("read the list before: %w", err)
		}
		if d.upto, err = tx.LastStatusEvent(ctx); err != nil {
			return fmt.Errorf("read status events: %w", err)
		}
		d.before = before.Number
		d.spec = CRLSpec{ThisUpdate: now.Truncate(time.Second), Size: int(before.Entries) + 1024}
		d.spec.NextUpdate = d.spec.ThisUpdate.Add(p.life(name))
		complete := a.cfg.Profile.For(name).CRLURL
		switch _, _, shard := p.shard(); {
		case shard:
			d.spec.DistributionPoint = listURL(complete, p)
		case p == delta:
			base, err := read(whole)
			if err != nil {
				return fmt.Errorf("read the complete list: %w", err)
			}
			if base.Number == 0 {
				return fmt.Errorf("a delta without a complete list: %w", ErrCRLNumber)
			}
			d.spec.Base, d.since, d.spec.Size = base.Number, base.Upto, int(d.upto-base.Upto)
		case a.followed(name, before):
			d.spec.Freshest = listURL(complete, delta)
		}
		d.spec.Number, err = tx.ReserveCRL(ctx, db.ReserveCRLParams{
			Issuer: name, Floor: floor, ThisUpdate: clock.Micros(d.spec.ThisUpdate), NextUpdate: clock.Micros(d.spec.NextUpdate),
			List: string(p), Upto: d.upto, Base: d.spec.Base,
		})
		if err != nil {
			return fmt.Errorf("reserve number: %w", err)
		}
		return nil
	})
	return d, err
}

// floor is the highest number of a CA that is known outside the database.
func (a *Authority) floor(name string) (int64, error) {
	var floor int64
	if j := a.cfg.Status.journal(); j != nil {
		floor = j.Number(name)
	}
	files, err := filepath.Glob(filepath.Join(a.cfg.Hierarchy.Dir, name+"*.crl"))
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		list := strings.TrimSuffix(filepath.Base(f), ".crl")
		if IssuerOfList(list) != name {
			continue
		}
		n, err := a.crlFileNumber(list)
		if err != nil {
			return 0, err
		}
		floor = max(floor, n)
	}
	return floor, nil
}

func (a *Authority) crlPath(list string) string {
	return filepath.Join(a.cfg.Hierarchy.Dir, list+".crl")
}

// crlFileNumber is the number of the list in the file, 0 when there is none.
func (a *Authority) crlFileNumber(list string) (int64, error) {
	der, err := os.ReadFile(a.crlPath(list))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return CRLNumber(der)
}

// crlFile puts a list where file servers find it, and reads it back.
func (a *Authority) crlFile(list string, crl CRL) error {
	n, err := a.crlFileNumber(list)
	if err != nil {
		return err
	}
	if n > crl.Number {
		return nil // a newer list was signed and published meanwhile
	}
	if err := durable.Replace(a.crlPath(list), crl.DER, fileMode); err != nil {
		return err
	}
	back, err := os.ReadFile(a.crlPath(list))
	if err != nil {
		return err
	}
	if !bytes.Equal(back, crl.DER) {
		return fmt.Errorf("read back %s.crl: %w", list, ErrCRLNumber)
	}
	return nil
}

// Upkeep does what is due by the clock: it renews the certificates of the
// services, tells which passkeys are pinned, and publishes CRLs that have lived half their life. Run it every
// few minutes and once at start.
func (a *Authority) Upkeep(ctx context.Context) error {
	err := errors.Join(a.Renew(ctx), a.tellPins(ctx), a.adoptRootCRL(ctx))
	for name := range a.crls {
		err = errors.Join(err, a.publishIfDue(ctx, name))
	}
	return err
}

// publishIfDue publishes the lists of a CA that have lived half their life.
func (a *Authority) publishIfDue(ctx context.Context, name string) error {
	parts := []part{whole}
	complete, err := a.head(ctx, name, whole)
	if err != nil {
		return err
	}
	if a.followed(name, complete) {
		parts = append(parts, delta)
	}
	shards, err := a.shards(ctx, name)
	if err != nil {
		return err
	}
	var due []part
	for _, p := range append(parts, shards...) {
		head, err := a.head(ctx, name, p)
		if err != nil {
			return err
		}
		if a.due(head, name, p) || (p == delta && len(due) > 0) { // a delta is to the newest list
			due = append(due, p)
		}
	}
	return a.publish(ctx, a.crls[name], due)
}

// Rehearse shows that the authority could issue now (Issuer.Rehearse).
func (a *Authority) Rehearse() error { return a.issuer.Rehearse() }

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
