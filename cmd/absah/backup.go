package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"

	"absah/internal/app"
	"absah/internal/backup"
	"absah/internal/store"
)

type backupCmd struct {
	Write backupWriteCmd `cmd:"" default:"withargs" help:"Write a backup; the installation may run meanwhile."`
	Key   backupKeyCmd   `cmd:"" help:"Make an identity that opens backups, and print its recipient."`
}

type backupWriteCmd struct {
	To            string   `help:"File, which must not exist." type:"path" placeholder:"FILE"`
	Recipient     []string `help:"Who can open it: age1..., or a file of such lines. Each can alone." placeholder:"KEY"`
	KeysTo        string   `help:"Write the keys and the authority into a file of its own, for other people." type:"path" placeholder:"FILE"`
	KeysRecipient []string `help:"Who can open the file of the keys." placeholder:"KEY"`
	ErasureKeys   string   `help:"File of the keys of what can be erased, which each backup replaces: the same for all backups. By default erasure-keys beside the backup." type:"path" placeholder:"FILE"`
	AnotherPlace  bool     `help:"Backups are kept in several places, each with a file of erasure keys that its next backup replaces."`
}

// erasureKeysName is the default name of the file of erasure keys.
const erasureKeysName = "erasure-keys"

// errUsage says which flags belong together.
var errUsage = errors.New("give --to and --recipient, and --keys-recipient with --keys-to")

// Help implements kong.HelpProvider.
func (backupWriteCmd) Help() string {
	return `Examples:

    absah backup --to absah.age --recipient age1... --config absah.yaml
    absah backup --to data.age --recipient data.txt --keys-to keys.age --keys-recipient keys.txt --config absah.yaml`
}

// Run backs up.
func (b *backupWriteCmd) Run(ctx context.Context, c *cli) (err error) {
	if b.To == "" || len(b.Recipient) == 0 || (b.KeysTo == "") != (len(b.KeysRecipient) == 0) {
		return errUsage
	}
	if b.ErasureKeys == "" {
		b.ErasureKeys = filepath.Join(filepath.Dir(b.To), erasureKeysName)
	}
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	outputs := []backup.Output{{Parts: []string{backup.PartErasure}}, {Parts: []string{backup.PartData, backup.PartKeys}}}
	files := []string{b.ErasureKeys, b.To}
	if outputs[1].Recipients, err = recipients(b.Recipient); err != nil {
		return err
	}
	outputs[0].Recipients = outputs[1].Recipients
	if b.KeysTo != "" {
		keys, err := recipients(b.KeysRecipient)
		if err != nil {
			return err
		}
		outputs[1].Parts = []string{backup.PartData}
		outputs = append(outputs, backup.Output{Parts: []string{backup.PartKeys}, Recipients: keys})
		files = append(files, b.KeysTo)
	}
	if err := app.CheckErasureKeys(ctx, cfg, log, b.ErasureKeys, b.AnotherPlace); err != nil {
		return err
	}
	var made []*newFile
	defer func() {
		for _, f := range made {
			err = errors.Join(err, f.discard())
		}
	}()
	for i, name := range files {
		f, err := createNew(name, i == 0)
		if err != nil {
			return err
		}
		made, outputs[i].To = append(made, f), f
	}
	began := time.Now()
	sum, err := app.Backup(ctx, cfg, log, outputs...)
	if err != nil {
		return err
	}
	for _, f := range made {
		if err := f.settle(); err != nil {
			return err
		}
	}
	if err := app.NoteErasureKeys(cfg, b.ErasureKeys); err != nil {
		return err
	}
	for _, f := range made { // the erasure keys first: they are never older than a backup
		if err := f.keep(); err != nil {
			return err
		}
	}
	if err := app.NoteBackup(cfg, sum.At); err != nil {
		log.Warn("the backup is whole, but absah_backup_timestamp_seconds will not tell of it", "error", err)
	}
	var rows int64
	for _, n := range sum.Rows {
		rows += n
	}
	fmt.Printf("Backed up as of %s: %d rows, %d blobs, %d files, the log at %d acts, in %s.\n",
		sum.At.Format(time.RFC3339), rows, sum.Blobs, sum.Files, sum.LogSize, time.Since(began).Round(time.Millisecond))
	fmt.Printf("%d keys of what can be erased are in %s; no backup opens scans and documents without it.\n", sum.ErasureKeys, b.ErasureKeys)
	return nil
}

// newFile is a file that appears under its name when it is whole.
type newFile struct {
	*bufio.Writer
	f       *os.File
	name    string
	replace bool // what has the name
}

// createNew begins a file under a name that is not taken, or, with replace, under
// one that may be.
func createNew(name string, replace bool) (*newFile, error) {
	if _, err := os.Stat(name); !replace && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(os.ErrExist, err))
	}
	f, err := createPart(name + ".part")
	if err != nil {
		return nil, fmt.Errorf("write backup: %w", err)
	}
	return &newFile{Writer: bufio.NewWriterSize(f, 1<<20), f: f, name: name, replace: replace}, nil
}

// errWriting says that another backup writes the same file.
var errWriting = errors.New("another backup is writing it")

// createPart makes a file that is locked while it has no other name. One that a
// crash left is taken away first, and not written over: it may have got its final
// name already, and be somebody's backup.
func createPart(part string) (_ *os.File, err error) {
	left, err := os.OpenFile(part, os.O_WRONLY, 0)
	if err == nil {
		defer func() { err = errors.Join(err, left.Close()) }() // and so unlocked, once the new one is
		if err = lockPart(left); err == nil {
			err = os.Remove(part)
		}
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockPart(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockPart locks a file that was opened by its name. It may have been finished, and
// the name gone or another's, between the opening and the lock.
func lockPart(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s: %w: %w", f.Name(), errWriting, err)
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(f.Name()); err != nil || !os.SameFile(mine, now) {
		return fmt.Errorf("%s: %w", f.Name(), errors.Join(errWriting, err))
	}
	return nil
}

// settle makes the file durable.
func (n *newFile) settle() error {
	err := n.Flush()
	if err == nil {
		err = n.f.Sync()
	}
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// keep gives the file its name.
func (n *newFile) keep() error {
	part := n.f.Name()
	var err error
	if n.replace {
		err = os.Rename(part, n.name)
	} else if err = os.Link(part, n.name); err == nil { // fails when the name exists; rename would replace a backup
		err = os.Remove(part)
	}
	if err = errors.Join(err, n.f.Close()); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	n.f = nil
	dir, err := os.Open(filepath.Dir(n.name))
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// discard removes what did not become whole.
func (n *newFile) discard() error {
	if n.f == nil {
		return nil
	}
	return errors.Join(os.Remove(n.f.Name()), n.f.Close())
}

// recipients reads recipients, and files of them.
func recipients(list []string) (out []age.Recipient, err error) {
	for _, text := range list {
		in := io.Reader(strings.NewReader(text))
		if !strings.HasPrefix(text, "age1") {
			b, err := os.ReadFile(text)
			if err != nil {
				return nil, fmt.Errorf("read recipients: %w", err)
			}
			in = strings.NewReader(string(b))
		}
		found, err := age.ParseRecipients(in)
		if err != nil {
			return nil, fmt.Errorf("read recipients: %w", err)
		}
		out = append(out, found...)
	}
	return out, nil
}

type backupKeyCmd struct {
	File string `arg:"" help:"Where the identity is written; keep it away from this machine." type:"path"`
}

// Help implements kong.HelpProvider.
func (backupKeyCmd) Help() string {
	return `Example:

    absah backup key identity.txt`
}

// Run makes an identity. What it prints is no secret.
func (k *backupKeyCmd) Run() error {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return fmt.Errorf("make identity: %w", err)
	}
	f, err := os.OpenFile(k.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make identity: %w", err)
	}
	_, err = fmt.Fprintf(f, "# recipient: %s\n%s\n", id.Recipient(), id)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make identity: %w", err)
	}
	fmt.Println(id.Recipient())
	return nil
}

type restoreCmd struct {
	From               []string `help:"Backup, or both files of one." type:"existingfile" placeholder:"FILE"`
	ErasureKeys        string   `help:"The newest erasure keys. By default erasure-keys beside the backup." type:"existingfile" placeholder:"FILE"`
	WithoutErasureKeys bool     `help:"The erasure keys are lost: restore all but scans, documents and what was submitted."`
	Identity           []string `help:"File of identities that open it." type:"existingfile" placeholder:"FILE"`
	CRL                []string `name:"crl" help:"Certificate revocation list that was published since: what it revokes stays revoked, and numbers go on above its own." type:"existingfile" placeholder:"FILE"`
	Drill              bool     `help:"Restore into a directory of its own in the data directory, look whether it serves, and remove it."`
	Reconcile          bool     `help:"The database was put back by other means: bring it into agreement with the export of the log."`
}

var errRestoreUsage = errors.New("give --from and --identity, or --reconcile")

// Help implements kong.HelpProvider.
func (restoreCmd) Help() string {
	return `Examples:

    absah restore --from absah.age --identity identity.txt --drill
    absah restore --from absah.age --identity identity.txt --config absah.yaml
    absah restore --reconcile --config absah.yaml`
}

// Run restores.
func (r *restoreCmd) Run(ctx context.Context, c *cli) (err error) {
	if r.Reconcile == (len(r.From) > 0) || len(r.From) > 0 && len(r.Identity) == 0 || r.Reconcile && r.Drill {
		return errRestoreUsage
	}
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	var lists [][]byte
	for _, name := range r.CRL {
		b, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read list: %w", err)
		}
		lists = append(lists, b)
	}
	if r.Reconcile {
		out, err := app.Reconcile(ctx, cfg, log, lists)
		if err != nil {
			return err
		}
		told(out)
		return nil
	}
	identities, err := readIdentities(r.Identity)
	if err != nil {
		return err
	}
	names := slices.Clone(r.From)
	beside := filepath.Join(filepath.Dir(r.From[0]), erasureKeysName)
	if _, err := os.Stat(beside); err == nil && r.ErasureKeys == "" && !r.WithoutErasureKeys {
		r.ErasureKeys = beside
	}
	if r.ErasureKeys != "" {
		names = append(names, r.ErasureKeys)
	}
	var files []io.Reader
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("open backup: %w", err)
		}
		defer func() { _ = f.Close() }() // nothing was written
		files = append(files, bufio.NewReaderSize(f, 1<<20))
	}
	began := time.Now()
	from := app.Origin{Files: files, Identities: identities, Lists: lists, WithoutErasureKeys: r.WithoutErasureKeys}
	if r.Drill {
		out, n, err := app.Drill(ctx, cfg, log, from)
		if err != nil {
			return err
		}
		fmt.Printf("The backup of %s serves: %d acts in the log, all verified; %d certificates; %d blobs. Restored in %s.\n",
			out.At.Format(time.RFC3339), out.LogSize, n, out.Blobs, time.Since(began).Round(time.Millisecond))
		unopened(out, "")
		return nil
	}
	out, err := app.Restore(ctx, cfg, log, from)
	if err != nil {
		return err
	}
	fmt.Printf("Restored the backup of %s into %s: %d acts in the log, %d blobs, %d files.\n", out.At.Format(time.RFC3339), cfg.Data, out.LogSize, out.Blobs, out.Files)
	unopened(out, cfg.Path(app.LostFile))
	told(out)
	fmt.Println("Registrations stand where they stood. Start with: absah serve; then: absah doctor")
	return nil
}

// unopened says what of a backup cannot be opened, and which file lists it.
func unopened(out app.Restored, list string) {
	if len(out.Unopened) == 0 {
		return
	}
	fmt.Printf("Not to be opened, since they were erased or the erasure keys do not have them: %d scans, %d documents, %d uploads, the data of %d registrations.",
		out.Unopened[store.ErasableScan], out.Unopened[store.ErasableDocument], out.Unopened[store.ErasableUpload], out.Unopened[store.ErasableRegistration])
	if list != "" {
		fmt.Printf(" %s lists them.", list)
	}
	fmt.Println()
}

// told says what a reconciliation did.
func told(out app.Restored) {
	f := out.Found
	if f.Rows == 0 && f.Revocations == 0 {
		fmt.Println("Nothing is known to have happened since.")
		return
	}
	fmt.Printf("Since then, by the log and the lists: %d acts, brought back into the log; %d revocations made again, %d registrations ended by them.\n", f.Rows, f.Revocations, out.Settled)
	fmt.Printf("The wrong passphrases since for %d keys count again.\n", f.Recalled)
	if f.Held > 0 {
		fmt.Printf("%d certificates are suspended: their passphrases were changed since, and the ones before open the keys again.\n", f.Held)
	}
	fmt.Printf("%d registrations stand again where they stood, %d are gone; %d certificates are gone and revoked.\n", f.Back, f.Gone, len(f.Lost))
	fmt.Printf("%d links voided, %d sessions ended, %d accounts disabled and %d roles taken again, %d scans, %d documents and the data of %d registrations erased again.\n",
		f.Links, f.SessionsEnded, f.Disabled, f.RolesRevoked, f.Erased, f.Documents, f.Forgotten)
}

func readIdentities(files []string) (out []age.Identity, err error) {
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read identity: %w", err)
		}
		found, err := age.ParseIdentities(strings.NewReader(string(b)))
		clear(b)
		if err != nil {
			// The library's message may repeat the line.
			return nil, fmt.Errorf("read identity: %s holds none that can be read", name)
		}
		out = append(out, found...)
	}
	return out, nil
}
