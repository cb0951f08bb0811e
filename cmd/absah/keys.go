package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"absah/internal/app"
	"absah/internal/clock"
	"absah/internal/keys"
)

type keysCmd struct {
	List       keysListCmd       `cmd:"" help:"List every key with its versions, where it is, and how it is kept."`
	Rotate     keysRotateCmd     `cmd:"" help:"Make the next version of a secret. The server may run; nobody is asked for anything."`
	Encrypt    keysEncryptCmd    `cmd:"" help:"Encrypt the software vault under the passphrase in keys.passphrase_file. Stop the server first."`
	Passphrase keysPassphraseCmd `cmd:"" help:"Give the encrypted software vault another passphrase. Stop the server first."`
}

type keysListCmd struct {
	JSON bool `name:"json" help:"Print one JSON array."`
}

// Help implements kong.HelpProvider.
func (keysListCmd) Help() string {
	return `Example:

    absah keys list`
}

// Run lists.
func (l *keysListCmd) Run(ctx context.Context, c *cli) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	list, err := app.ListKeys(ctx, cfg)
	if err != nil {
		return err
	}
	if l.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(list)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tUSE\tALGORITHM\tVERSIONS\tKEPT\tPUBLIC KEY (SHA-256)")
	for _, d := range list {
		versions := strings.Trim(strings.ReplaceAll(fmt.Sprint(d.Versions), " ", ","), "[]")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Name, d.Use, d.Algorithm, versions, strings.Join(d.Protection, ", "), d.Digest)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(list) > 0 {
		fmt.Printf("\nin %s\n", list[0].Where)
	}
	return nil
}

type keysRotateCmd struct {
	Name string `arg:"" help:"pepper, data, scans, index, attempts; subscriber in a token." enum:"pepper,data,scans,index,attempts,subscriber"`
}

// Help implements kong.HelpProvider.
func (keysRotateCmd) Help() string {
	return `Example:

    absah keys rotate data`
}

// Run rotates.
func (r *keysRotateCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	version, err := app.RotateKey(ctx, cfg, log, clock.System, operator, keys.Name(r.Name))
	if err != nil {
		return err
	}
	then := "What older versions protect stays usable; the server brings it under the new one within the next half hour."
	switch keys.Name(r.Name) {
	case keys.Pepper, keys.Subscriber:
		then = "What older versions protect stays usable; a subscriber's key is sealed anew when its owner next types the passphrase."
	}
	fmt.Printf("%s: version %d. %s\nTake a backup of the vault now.\n", r.Name, version, then)
	return nil
}

type keysEncryptCmd struct{}

// Help implements kong.HelpProvider.
func (keysEncryptCmd) Help() string {
	return `Example:

    absah keys encrypt --config absah.yaml`
}

// Run encrypts.
func (keysEncryptCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	if err := app.EncryptKeys(ctx, cfg, log, clock.System, operator); err != nil {
		return err
	}
	fmt.Println("The vault is encrypted. Backups of the time before hold its keys in the clear, and so may the disk: rotate the secrets where that matters.")
	return nil
}

type keysPassphraseCmd struct {
	NewFile string `help:"File with the new passphrase, or credential:NAME." required:"" placeholder:"FILE"`
}

// Help implements kong.HelpProvider.
func (keysPassphraseCmd) Help() string {
	return `Example:

    absah keys passphrase --new-file passphrase.txt --config absah.yaml`
}

// Run changes the passphrase.
func (p *keysPassphraseCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	if err := app.ChangeKeysPassphrase(ctx, cfg, log, clock.System, operator, p.NewFile); err != nil {
		return err
	}
	fmt.Println("The vault has the new passphrase. Put it where keys.passphrase_file says before the next start.")
	return nil
}
