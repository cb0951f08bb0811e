package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/age"

	"absah/internal/app"
	"absah/internal/backup"
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
}

// errUsage says which flags belong together.
var errUsage = errors.New("give --to and --recipient, and --keys-recipient with --keys-to")

// Run backs up.
func (b *backupWriteCmd) Run(ctx context.Context, c *cli) (err error) {
	if b.To == "" || len(b.Recipient) == 0 || (b.KeysTo == "") != (len(b.KeysRecipient) == 0) {
		return errUsage
	}
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	outputs := []backup.Output{{Parts: []string{backup.PartData, backup.PartKeys}}}
	if outputs[0].Recipients, err = recipients(b.Recipient); err != nil {
		return err
	}
	files := []string{b.To}
	if b.KeysTo != "" {
		keys, err := recipients(b.KeysRecipient)
		if err != nil {
			return err
		}
		outputs[0].Parts = []string{backup.PartData}
		outputs = append(outputs, backup.Output{Parts: []string{backup.PartKeys}, Recipients: keys})
		files = append(files, b.KeysTo)
	}
	var made []*newFile
	defer func() {
		for _, f := range made {
			err = errors.Join(err, f.discard())
		}
	}()
	for i, name := range files {
		f, err := createNew(name)
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
	return nil
}

// newFile is a file that appears under its name when it is whole.
type newFile struct {
	*bufio.Writer
	f    *os.File
	name string
}

func createNew(name string) (*newFile, error) {
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(os.ErrExist, err))
	}
	f, err := os.OpenFile(name+".part", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write backup: %w", err)
	}
	return &newFile{bufio.NewWriterSize(f, 1<<20), f, name}, nil
}

// keep makes the file durable under its name.
func (n *newFile) keep() error {
	err := n.Flush()
	if err == nil {
		err = n.f.Sync()
	}
	if err = errors.Join(err, n.f.Close()); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	n.f = nil
	// Link fails when the name exists; rename would replace a backup.
	if err := os.Link(n.name+".part", n.name); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return os.Remove(n.name + ".part")
}

// discard removes what did not become whole.
func (n *newFile) discard() error {
	if n.f == nil {
		return nil
	}
	return errors.Join(n.f.Close(), os.Remove(n.name+".part"))
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
	From      []string `help:"Backup, or both files of one." type:"existingfile" placeholder:"FILE"`
	Identity  []string `help:"File of identities that open it." type:"existingfile" placeholder:"FILE"`
	CRL       []string `name:"crl" help:"Certificate revocation list that was published since: what it revokes stays revoked, and numbers go on above its own." type:"existingfile" placeholder:"FILE"`
	Drill     bool     `help:"Restore into a temporary directory, look whether it serves, and remove it."`
	Reconcile bool     `help:"The database was put back by other means: bring it into agreement with the export of the log."`
}

var errRestoreUsage = errors.New("give --from and --identity, or --reconcile")

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
	var files []io.Reader
	for _, name := range r.From {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("open backup: %w", err)
		}
		defer func() { _ = f.Close() }() // nothing was written
		files = append(files, bufio.NewReaderSize(f, 1<<20))
	}
	began := time.Now()
	if r.Drill {
		out, n, err := app.Drill(ctx, cfg, log, identities, files...)
		if err != nil {
			return err
		}
		fmt.Printf("The backup of %s serves: %d acts in the log, all verified; %d certificates; %d blobs. Restored in %s.\n",
			out.At.Format(time.RFC3339), out.LogSize, n, out.Blobs, time.Since(began).Round(time.Millisecond))
		return nil
	}
	out, err := app.Restore(ctx, cfg, log, lists, identities, files...)
	if err != nil {
		return err
	}
	fmt.Printf("Restored the backup of %s into %s: %d acts in the log, %d blobs, %d files.\n", out.At.Format(time.RFC3339), cfg.Data, out.LogSize, out.Blobs, out.Files)
	told(out)
	fmt.Println("Wrong passphrases since the backup are not counted any more; registrations stand where they stood. Start with: absah serve; then: absah doctor")
	return nil
}

// told says what a reconciliation did.
func told(out app.Restored) {
	f := out.Found
	if f.Rows == 0 && f.Revocations == 0 {
		fmt.Println("Nothing is known to have happened since.")
		return
	}
	fmt.Printf("Since then, by the log and the lists: %d acts, brought back into the log; %d revocations made again, %d registrations ended by them.\n", f.Rows, f.Revocations, out.Settled)
	fmt.Printf("%d registrations stand again where they stood, %d are gone; %d certificates are gone and revoked.\n", f.Back, f.Gone, len(f.Lost))
	fmt.Printf("%d links voided, %d sessions ended, %d accounts disabled and %d roles taken again, %d scans erased again.\n",
		f.Links, f.SessionsEnded, f.Disabled, f.RolesRevoked, f.Erased)
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
