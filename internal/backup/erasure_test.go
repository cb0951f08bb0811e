package backup_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"filippo.io/age"

	"absah/internal/backup"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/staff"
	"absah/internal/staff/stafftest"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// archive is an installation with things that can be erased.
type archive struct {
	*house
	*stafftest.Set
	blobs blob.Sealed
	scans map[string]staff.Evidence
	ids   map[string]string // of the other things, by name
}

func newArchive(t *testing.T, s *store.Store) *archive {
	t.Helper()
	x := stafftest.New(t, s)
	a := &archive{Set: x, blobs: x.Blobs, scans: map[string]staff.Evidence{}, ids: map[string]string{}}
	a.house = &house{Source: backup.Source{Store: s, Blobs: x.Blobs.Store, Clock: clock.System, Dir: t.TempDir()}}
	a.scans["kept"], a.scans["gone"] = x.Upload(x.Sari, staff.IDCard, "card"), x.Upload(x.Sari, staff.Specimen, "specimen")
	ctx := t.Context()
	do(t, s, `insert into api_client (id, name, info, secret_hash, previous_hash, previous_until, networks, scopes, corner, sandbox, rate, enabled,
		created_at, created_by, used_at) values ('c', 'c', '', '', '', 0, '', '', false, false, 1, true, 1, '', 0)`)
	for i, name := range []string{"kept", "gone"} {
		reg, doc, upload := ident.New(), ident.New(), ident.New()
		a.ids["registration "+name], a.ids["document "+name], a.ids["upload "+name] = reg, doc, upload
		sealed := a.sealed(t, name)
		must(t, s.InTx(ctx, func(tx *store.Tx) error {
			err := tx.InsertRegistration(ctx, db.InsertRegistrationParams{
				ID: reg, Reference: "DS-" + name, EmployeeID: []string{x.Sari.ID, x.Budi.ID}[i], UnitID: x.Finance.ID, Kind: "initial",
				Status: "Rejected", StatusSince: 1, Snapshot: sealed, SnapshotHash: []byte{1},
			})
			if err != nil {
				return err
			}
			err = tx.InsertDocument(ctx, db.InsertDocumentParams{
				ID: doc, OwnerID: x.Sari.ID, Name: name + ".pdf", Pages: 1, CreatedAt: 1, PasswordSealed: sealed,
			})
			if err != nil {
				return err
			}
			for n := range int64(3) {
				err := tx.InsertDocumentVersion(ctx, db.InsertDocumentVersionParams{
					DocumentID: doc, Number: n + 1, BlobID: ident.New(), KeySealed: a.sealed(t, name+" version"), Size: 1, Sha256: []byte{1}, CreatedAt: 1,
				})
				if err != nil {
					return err
				}
			}
			_, err = tx.Exec(ctx, `insert into api_document (id, client_id, name, blob_id, key_sealed, size, created_at, expires_at)
				values ($1, 'c', $2, $1, $3, 1, 1, 2)`, upload, name, sealed)
			return err
		}))
	}
	return a
}

// sealed is something that only the vault opens.
func (a *archive) sealed(t *testing.T, text string) []byte {
	t.Helper()
	b, err := a.Vault.Seal(t.Context(), keys.Data, []byte(text), nil)
	must(t, err)
	return b
}

// erase erases one of each.
func (a *archive) erase(t *testing.T) {
	t.Helper()
	ctx, doc := t.Context(), a.ids["document gone"]
	must(t, a.house.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ReplayRegistration(ctx, a.ids["registration gone"])
		err = errors.Join(err, tx.EraseEvidence(ctx, a.scans["gone"].ID), tx.EraseDocumentVersions(ctx, doc))
		_, err2 := tx.EraseDocument(ctx, db.EraseDocumentParams{ID: doc, Now: 2})
		_, err3 := tx.Exec(ctx, "delete from api_document where id = $1", a.ids["upload gone"])
		return errors.Join(err, err2, err3)
	}))
}

// secrets are what only the keys of an installation and the erasure keys may
// open: sealed values by the name of their thing.
func (a *archive) secrets(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, e := range store.Erasables() {
		rows, err := a.house.Store.ReadDB().QueryContext(t.Context(), "select "+e.Object+", "+e.Column+" from "+e.Table+" where length("+e.Column+") > 0")
		must(t, err)
		for n := byte('0'); rows.Next(); n++ {
			var id string
			var v []byte
			must(t, rows.Scan(&id, &v))
			out[e.Table+"."+e.Column+" "+id+string(n)] = v
		}
		must(t, errors.Join(rows.Err(), rows.Close()))
	}
	return out
}

// plain is all that a recipient finds in a file.
func plain(t *testing.T, b []byte, who age.Identity) []byte {
	t.Helper()
	b = bytes.TrimPrefix(b, []byte(backup.ErasureMark))
	opened, err := age.Decrypt(bytes.NewReader(b), who)
	must(t, err)
	unpacked, err := gzip.NewReader(opened)
	must(t, err)
	out, err := io.ReadAll(unpacked)
	must(t, err)
	return out
}

// restored restores and tells what could not be opened.
func restored(t *testing.T, dsn string, who age.Identity, without bool, files ...[]byte) (backup.Target, map[string][]string, error) {
	t.Helper()
	target, lost := empty(t, dsn), map[string][]string{}
	target.WithoutErasureKeys = without
	target.Lost = func(kind, id string) error { lost[kind] = append(lost[kind], id); return nil }
	var in []io.Reader
	for _, b := range files {
		in = append(in, bytes.NewReader(b))
	}
	_, err := backup.Restore(t.Context(), target, []age.Identity{who}, in...)
	return target, lost, err
}

// scan opens a scan of a restored installation with the vault of the one that was
// backed up: by all means that anybody has.
func (a *archive) scan(t *testing.T, target backup.Target, name string) error {
	t.Helper()
	e, err := target.Store.Read().GetEvidence(t.Context(), a.scans[name].ID)
	must(t, err)
	m := blob.Meta{ID: e.ID, Owner: e.EmployeeID, Kind: e.Kind}
	b, err := blob.Sealed{Store: target.Blobs, Vault: a.Vault}.Get(t.Context(), m, e.KeySealed)
	if err == nil && len(b) == 0 {
		t.Errorf("the scan %s is empty", name)
	}
	return err
}

// What was erased after a backup cannot be read from it any more once a later
// backup replaced the erasure keys, whatever else one has (security 6, art. 42-44).
func TestErasedIsNotInOldBackups(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, from, to func(testing.TB) string) {
		a, me := newArchive(t, storetest.Open(t, from(t))), identity(t)
		first := a.write(t, me.Recipient())
		before := a.secrets(t)
		if len(before) < 14 {
			t.Fatalf("only %d secrets", len(before))
		}
		a.erase(t)
		left := a.secrets(t)
		a.scans["later"] = a.Upload(a.Budi, staff.IDCard, "later")
		second := a.write(t, me.Recipient())

		opened := plain(t, first.all.Bytes(), me)
		for name, v := range before {
			if bytes.Contains(opened, v) {
				t.Errorf("the backup holds %s in the clear", name)
			}
		}
		// The old backup with the newest erasure keys: what was erased is gone, the rest is as it was.
		target, lost, err := restored(t, to(t), me, false, first.all.Bytes(), second.erasure.Bytes())
		must(t, err)
		if got := (&archive{house: &house{Source: backup.Source{Store: target.Store}}}).secrets(t); !maps.EqualFunc(got, left, bytes.Equal) {
			t.Errorf("%d values were restored, want the %d that were not erased", len(got), len(left))
		}
		want := map[string][]string{
			store.ErasableScan: {a.scans["gone"].ID}, store.ErasableRegistration: {a.ids["registration gone"]},
			store.ErasableDocument: {a.ids["document gone"]}, store.ErasablePassword: {a.ids["document gone"]}, store.ErasableUpload: {a.ids["upload gone"]},
		}
		if !maps.EqualFunc(lost, want, slices.Equal) {
			t.Errorf("cannot be opened: %v, want %v", lost, want)
		}
		if err := a.scan(t, target, "gone"); !errors.Is(err, blob.ErrErased) {
			t.Errorf("the erased scan: %v", err)
		}
		if err := a.scan(t, target, "kept"); err != nil {
			t.Errorf("the other scan: %v", err)
		}
		for query, want := range map[string]int{
			"select count(*) from evidence where state = 'erased'":               1,
			"select count(*) from document where state = 'erased' and name = ''": 1,
			"select count(*) from erasure_key":                                   5, // of what was kept; nothing of what came later
		} {
			if n := count(t, target.Store, query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
		// The restored installation goes on, and its erasure keys open the old backup.
		var third files
		_, err = backup.Write(t.Context(), backup.Source{Store: target.Store, Blobs: target.Blobs, Clock: clock.System, Dir: target.Dir}, third.outputs(&third.all, me.Recipient())...)
		must(t, err)
		again, lost, err := restored(t, to(t), me, false, first.all.Bytes(), third.erasure.Bytes())
		must(t, err)
		if err := a.scan(t, again, "kept"); err != nil || len(lost) != len(want) {
			t.Errorf("after a second restore: %v; cannot be opened: %v", err, lost)
		}
	})
}

// The erasure keys decide, not the moment of the backup.
func TestErasureKeys(t *testing.T) {
	t.Parallel()
	a, me := newArchive(t, storetest.Open(t, storetest.SQLite(t))), identity(t)
	blank := func() string { return filepath.Join(t.TempDir(), "new.db") }
	first := a.write(t, me.Recipient())
	a.erase(t)
	a.scans["later"] = a.Upload(a.Budi, staff.IDCard, "later")
	second := a.write(t, me.Recipient())

	// Those of the time of the backup still open all of it. That is why they are replaced.
	target, lost, err := restored(t, blank(), me, false, first.all.Bytes(), first.erasure.Bytes())
	must(t, err)
	if err := errors.Join(a.scan(t, target, "gone"), a.scan(t, target, "kept")); err != nil || len(lost) > 0 {
		t.Errorf("with its own erasure keys: %v; cannot be opened: %v", err, lost)
	}
	// Older ones open what there was then.
	target, lost, err = restored(t, blank(), me, false, second.all.Bytes(), first.erasure.Bytes())
	must(t, err)
	if err := errors.Join(a.scan(t, target, "kept")); err != nil || !slices.Equal(lost[store.ErasableScan], []string{a.scans["later"].ID}) {
		t.Errorf("with older erasure keys: %v; cannot be opened: %v", err, lost)
	}
	if err := a.scan(t, target, "gone"); !errors.Is(err, blob.ErrErased) {
		t.Errorf("what was erased before the backup: %v", err)
	}
	// Without any, all but that is restored, when somebody says so.
	if _, _, err := restored(t, blank(), me, false, first.all.Bytes()); !errors.Is(err, backup.ErrErasureKeys) {
		t.Errorf("without erasure keys: %v", err)
	}
	target, lost, err = restored(t, blank(), me, true, first.all.Bytes())
	must(t, err)
	for _, name := range []string{"kept", "gone"} {
		if err := a.scan(t, target, name); !errors.Is(err, blob.ErrErased) {
			t.Errorf("without erasure keys the scan %s: %v", name, err)
		}
	}
	for kind, n := range map[string]int{store.ErasableScan: 2, store.ErasableDocument: 2, store.ErasableRegistration: 2, store.ErasablePassword: 2, store.ErasableUpload: 2} {
		if len(lost[kind]) != n {
			t.Errorf("%s that cannot be opened: %v, want %d", kind, lost[kind], n)
		}
	}
	// Another installation's would make everything look erased.
	other := newArchive(t, storetest.Open(t, storetest.SQLite(t))).write(t, me.Recipient())
	if _, _, err := restored(t, blank(), me, true, first.all.Bytes(), other.erasure.Bytes()); !errors.Is(err, backup.ErrForeign) {
		t.Errorf("erasure keys of another installation: %v", err)
	}
	for _, n := range []int{len(backup.ErasureMark), second.erasure.Len() / 2, second.erasure.Len() - 1} {
		target, _, err := restored(t, blank(), me, false, first.all.Bytes(), second.erasure.Bytes()[:n])
		if !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("erasure keys cut after %d: %v", n, err)
		}
		var rows int
		_ = target.Store.ReadDB().QueryRowContext(t.Context(), "select count(*) from audit").Scan(&rows) // no table: none
		if rows > 0 {
			t.Error("a database was made with damaged erasure keys")
		}
	}
	// Backups from before the erasure keys can be restored.
	var old bytes.Buffer
	must(t, backup.WriteVersion1(t.Context(), a.house.Source, &old, me.Recipient()))
	for _, files := range [][][]byte{{old.Bytes()}, {old.Bytes(), second.erasure.Bytes()}} {
		target, lost, err := restored(t, blank(), me, false, files...)
		must(t, err)
		if err := errors.Join(a.scan(t, target, "kept")); err != nil || len(lost) > 0 {
			t.Errorf("a backup of version 1: %v; cannot be opened: %v", err, lost)
		}
	}
}

// What comes or goes while a backup is made is in it, or not to be opened.
func TestErasedAndMadeMeanwhile(t *testing.T) {
	t.Parallel()
	a, me := newArchive(t, storetest.Open(t, storetest.SQLite(t))), identity(t)
	// A scan that comes after the scans were given their keys: with the key of an upload.
	scan := a.scans["kept"].ID
	do(t, a.house.Store, `create trigger meanwhile after insert on erasure_key when new.kind = 'upload' and new.object_id = '`+a.ids["upload kept"]+`'
		begin insert into evidence select 'z' || substr(id, 2), employee_id, kind, 'proposed', media_type, width, height, pages, size, sha256, upload_sha256, hints,
		key_sealed, thumb_sealed, uploaded_by, uploaded_at from evidence where id = '`+scan+`'; end`)
	var f files
	out := busy{during: func() { a.erase(t) }} // the snapshot still sees what is erased now
	_, err := backup.Write(t.Context(), a.house.Source, f.outputs(&out, me.Recipient())...)
	must(t, err)
	target, lost, err := restored(t, filepath.Join(t.TempDir(), "new.db"), me, false, out.Bytes(), f.erasure.Bytes())
	must(t, err)
	if n := count(t, target.Store, "select count(*) from evidence where id = 'z' || substr('"+scan+"', 2) and length(key_sealed) > 0"); n != 1 {
		t.Error("a scan that came while keys were given is lost")
	}
	if !slices.Equal(lost[store.ErasableScan], []string{a.scans["gone"].ID}) {
		t.Errorf("cannot be opened: %v", lost)
	}
	if err := a.scan(t, target, "gone"); !errors.Is(err, blob.ErrErased) {
		t.Errorf("a scan that was erased meanwhile: %v", err)
	}
}

// What the log says was erased is erased again, also in a database that came back
// with its keys.
func TestReconcileErasesAgain(t *testing.T) {
	t.Parallel()
	a, me := newArchive(t, storetest.Open(t, storetest.SQLite(t))), identity(t)
	w := newWorldOf(t, a.house)
	_, err := w.log.Sign(t.Context())
	must(t, err)
	before := a.write(t, me.Recipient())
	w.act(t, "privacy.erase", "evidence", a.scans["gone"].ID, nil)
	w.act(t, "privacy.erase", "registration", a.ids["registration gone"], nil)
	w.act(t, "document.erase", "document", a.ids["document gone"], nil)
	w.act(t, "evidence.upload", "evidence", a.scans["kept"].ID, nil)
	w.act(t, "document.share", "document", a.ids["document kept"], nil)
	_, err = w.log.Sign(t.Context())
	must(t, err)
	s, world := w.restored(t, before, me)
	found, err := backup.Reconcile(t.Context(), s, world, clock.System)
	must(t, err)
	if found.Erased != 1 || found.Forgotten != 1 || found.Documents != 1 {
		t.Errorf("found %+v", found)
	}
	for query, want := range map[string]int{
		"select count(*) from evidence where length(key_sealed) = 0 and state = 'erased'":                                       1,
		"select count(*) from registration where length(snapshot) = 0":                                                          1,
		"select count(*) from document where state = 'erased'":                                                                  1,
		"select count(*) from document_version where length(key_sealed) = 0 and document_id = '" + a.ids["document gone"] + "'": 3,
		"select count(*) from erasure_key where object_id in ('" + a.scans["gone"].ID + "', '" + a.ids["document gone"] + "')":  0,
		"select count(*) from erasure_key where object_id = '" + a.ids["registration kept"] + "'":                               1,
	} {
		if n := count(t, s, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}
