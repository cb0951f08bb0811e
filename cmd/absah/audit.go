package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/store/db"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Verify the log of everything that was done: of this installation, or an export, offline."`
	Export auditExportCmd `cmd:"" help:"Write the log into a directory, or what the directory lacks of it."`
	Prove  auditProveCmd  `cmd:"" help:"Print a proof that a row is in the log, or that the log continues an earlier one."`
}

type auditVerifyCmd struct {
	Export string   `help:"Verify the export in this directory; nothing else is read." type:"existingdir" placeholder:"DIR"`
	Since  []string `help:"Checkpoint that a witness kept; the log must continue it." type:"existingfile" placeholder:"FILE"`
	Key    string   `help:"Verifier key that a witness kept (NAME+HASH+KEY, or a file of it); without it the one in the export is believed." placeholder:"KEY"`
}

// Help implements kong.HelpProvider.
func (auditVerifyCmd) Help() string {
	return `Exit status: 0 when the log is whole, 1 when anything is wrong.

Examples:

    absah audit verify --config absah.yaml
    absah audit verify --export log-salinan --key verifier.key --since checkpoint.txt`
}

// Run verifies. The exit status is 1 when something is wrong.
func (v *auditVerifyCmd) Run(ctx context.Context, c *cli) error {
	if v.Export != "" {
		key, err := v.key(func() (note.Verifier, error) { return audit.ReadKey(v.Export) })
		if err != nil {
			return err
		}
		since, err := readSince(v.Since, key)
		if err != nil {
			return err
		}
		found, err := audit.VerifyExport(v.Export, key, since...)
		if err != nil {
			return err
		}
		report(found.Tree, key, v.Key == "", len(since))
		return nil
	}
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	return app.WithLog(ctx, cfg, log, func(l *audit.Log) error {
		key, err := v.key(func() (note.Verifier, error) { return l.Verifier(ctx) })
		if err != nil {
			return err
		}
		since, err := readSince(v.Since, key)
		if err != nil {
			return err
		}
		if _, err := l.Verify(ctx, since...); err != nil {
			return err
		}
		tree, err := audit.Head(ctx, l.Store.Read())
		if err != nil {
			return err
		}
		report(tree, key, false, len(since))
		return nil
	})
}

func report(tree tlog.Tree, key note.Verifier, believed bool, since int) {
	fmt.Printf("The log %s is whole: %d rows, root %x.\n", key.Name(), tree.N, tree.Hash[:])
	if since > 0 {
		fmt.Printf("It continues the %d checkpoints that were given.\n", since)
	}
	if believed {
		fmt.Println("The key was that of the export itself; give the one that a witness kept by --key.")
	}
}

// key is the one that was given, or else.
func (v *auditVerifyCmd) key(otherwise func() (note.Verifier, error)) (note.Verifier, error) {
	if v.Key == "" {
		return otherwise()
	}
	text := v.Key
	if !strings.Contains(text, "+") {
		b, err := os.ReadFile(text)
		if err != nil {
			return nil, fmt.Errorf("read verifier key: %w", err)
		}
		text = string(b)
	}
	return audit.ParseVerifier(text)
}

func readSince(files []string, key note.Verifier) (out []audit.Checkpoint, err error) {
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read checkpoint: %w", err)
		}
		c, err := audit.ReadCheckpoint(b, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		out = append(out, c)
	}
	return out, nil
}

type auditExportCmd struct {
	To string `arg:"" help:"Directory." type:"path"`
}

// Help implements kong.HelpProvider.
func (auditExportCmd) Help() string {
	return `It also prints the verifier key, which a witness keeps elsewhere.

Example:

    absah audit export log-salinan --config absah.yaml`
}

// Run exports.
func (e *auditExportCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	return app.WithLog(ctx, cfg, log, func(l *audit.Log) error {
		found, err := l.Export(ctx, e.To)
		if err != nil {
			return err
		}
		key, err := l.Verifier(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%d rows, root %x\nverifier key %s\n", found.Tree.N, found.Tree.Hash[:], key)
		return nil
	})
}

type auditProveCmd struct {
	Row  int64  `help:"Prove that this row is in the log." placeholder:"N" xor:"what" required:""`
	From string `help:"Prove that the log continues this checkpoint." type:"existingfile" placeholder:"FILE" xor:"what" required:""`
}

// errProof says that a proof of ours does not hold, which only a changed
// database can cause.
var errProof = errors.New("the proof does not hold")

// Help implements kong.HelpProvider.
func (auditProveCmd) Help() string {
	return `The proof is JSON; it was checked before it is printed.

Examples:

    absah audit prove --row 4711
    absah audit prove --from checkpoint.txt`
}

// Run prints a proof as JSON, after it was checked against the checkpoint.
func (p *auditProveCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	return app.WithLog(ctx, cfg, log, func(l *audit.Log) error {
		latest, err := l.Latest(ctx)
		if err != nil {
			return err
		}
		out := map[string]any{"checkpoint": latest.Note, "size": latest.Tree.N, "root": latest.Tree.Hash[:]}
		if p.From != "" {
			err = p.continues(ctx, l, latest, out)
		} else {
			err = p.included(ctx, l, latest, out)
		}
		if err != nil {
			return err
		}
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	})
}

func (p *auditProveCmd) included(ctx context.Context, l *audit.Log, latest audit.Checkpoint, out map[string]any) error {
	proof, err := audit.NewProofs(l.Store.Read()).Inclusion(ctx, latest.Tree, p.Row)
	if err != nil {
		return err
	}
	leaf, err := l.Store.Read().AuditLeaves(ctx, db.AuditLeavesParams{After: p.Row - 1, Until: p.Row})
	if err != nil || len(leaf) != 1 {
		return fmt.Errorf("read row %d: %w", p.Row, errors.Join(err, errProof))
	}
	if err := tlog.CheckRecord(proof, latest.Tree.N, latest.Tree.Hash, p.Row-1, tlog.RecordHash(leaf[0].Hash)); err != nil {
		return errors.Join(errProof, err)
	}
	out["row"], out["leaf"], out["proof"] = p.Row, []byte(leaf[0].Hash), proof
	return nil
}

func (p *auditProveCmd) continues(ctx context.Context, l *audit.Log, latest audit.Checkpoint, out map[string]any) error {
	key, err := l.Verifier(ctx)
	if err != nil {
		return err
	}
	since, err := readSince([]string{p.From}, key)
	if err != nil {
		return err
	}
	old := since[0].Tree
	proof, err := audit.NewProofs(l.Store.Read()).Consistency(ctx, old.N, latest.Tree)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, latest.Tree.N, latest.Tree.Hash, old.N, old.Hash); err != nil {
		return errors.Join(errProof, err)
	}
	out["from"], out["proof"] = old.N, proof
	return nil
}
