package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"time"

	"absah/internal/app"
	"absah/internal/clock"
)

type caCmd struct {
	Ceremony   ceremonyCmd   `cmd:"" help:"Hold the ceremony that a file describes: keys, certificates and CRLs of the authority."`
	Transcript transcriptCmd `cmd:"" help:"Check the transcript of a ceremony by the certificate of the CA that signed it."`
	Passkey    passkeyCmd    `cmd:"" help:"Officers' passkeys, by which the ca role knows who approved."`
	RevokeMany revokeManyCmd `cmd:"" help:"Revoke many certificates after an incident: those that a filter chooses."`
	Split      splitCmd      `cmd:"" help:"Make a data directory for every role, each with its own keys alone."`
}

type ceremonyCmd struct {
	File string `arg:"" help:"What is to be done (YAML); see docs/ceremony.md." type:"existingfile"`
	Yes  bool   `help:"Do it. Without, it is only said what would be done."`
}

// errOnlySaid makes the exit status tell that nothing was done.
var errOnlySaid = errors.New("nothing was done; to do it, add --yes")

// Help implements kong.HelpProvider.
func (ceremonyCmd) Help() string {
	return `Without --yes it prints what would be done, does nothing and ends with exit status 1.

Examples:

    absah ca ceremony root.yaml
    absah ca ceremony root.yaml --yes`
}

// Run holds a ceremony, or says what it would be.
func (c *ceremonyCmd) Run(ctx context.Context) error {
	held, err := app.Ceremony(ctx, c.File, clock.System, c.Yes, func(sentence string) { fmt.Println("- " + sentence) })
	for _, name := range held.Outputs {
		fmt.Println("made " + name)
	}
	if held.Transcript != "" {
		fmt.Println("transcript " + held.Transcript)
	}
	if err == nil && !c.Yes {
		return errOnlySaid
	}
	return err
}

type transcriptCmd struct {
	File        string `arg:"" help:"Transcript." type:"existingfile"`
	Certificate string `required:"" help:"Certificate of the CA that signed it, in DER or PEM." type:"existingfile" placeholder:"FILE"`
}

// Help implements kong.HelpProvider.
func (transcriptCmd) Help() string {
	return `Example:

    absah ca transcript transcript.jsonl --certificate ca-root.crt`
}

// Run checks a transcript and prints it.
func (t *transcriptCmd) Run() error {
	lines, err := app.VerifyTranscript(t.File, t.Certificate)
	if err != nil {
		return err
	}
	for _, l := range lines {
		fmt.Printf("%s  %-9s  %s  %s\n", l.At.Format(time.RFC3339), l.What, l.Name, l.SHA256)
	}
	fmt.Println("The transcript is whole, and signed by this certificate's key.")
	return nil
}

type passkeyCmd struct {
	List  passkeyListCmd `cmd:"" help:"List the officers' passkeys with their fingerprints."`
	Pin   pinCmd         `cmd:"" help:"Make the ca role know a passkey, after comparing its fingerprint with its owner."`
	Unpin unpinCmd       `cmd:"" help:"Make the ca role forget a passkey."`
}

type passkeyListCmd struct{}

// Help implements kong.HelpProvider.
func (passkeyListCmd) Help() string {
	return `Example:

    absah ca passkey list`
}

// Run lists.
func (passkeyListCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	list, err := app.Passkeys(ctx, cfg, log)
	if err != nil {
		return err
	}
	for _, w := range list {
		state := "waiting"
		if w.Pinned {
			state = "pinned"
		}
		fmt.Printf("%s  %-7s  %s  %s  %s (%s)\n", w.Fingerprint(), state, w.NIP, w.Username, w.Name, w.Label)
	}
	return nil
}

type pinCmd struct {
	Fingerprint string `arg:"" help:"As its owner reads it out, and as the list shows it."`
}

// Help implements kong.HelpProvider.
func (pinCmd) Help() string {
	return `Example:

    absah ca passkey pin 12ab-34cd-56ef-7890-1234`
}

// Run pins.
func (p *pinCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	by := "unknown"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	w, err := app.PinPasskey(ctx, cfg, log, p.Fingerprint, by)
	if err != nil {
		return err
	}
	fmt.Printf("The ca role knows passkey %s as that of %s, NIP %s.\n", w.Fingerprint(), w.Name, w.NIP)
	return nil
}

type unpinCmd struct {
	Fingerprint string `arg:"" help:"As the list shows it."`
}

// Help implements kong.HelpProvider.
func (unpinCmd) Help() string {
	return `Example:

    absah ca passkey unpin 12ab-34cd-56ef-7890-1234`
}

// Run forgets.
func (u *unpinCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	if err := app.UnpinPasskey(ctx, cfg, log, u.Fingerprint); err != nil {
		return err
	}
	fmt.Println("The ca role knows it no more.")
	return nil
}

type splitCmd struct {
	Into string `arg:"" help:"Directory below which they are made." type:"path"`
}

// Help implements kong.HelpProvider.
func (splitCmd) Help() string {
	return `Example:

    absah ca split peran --config absah.yaml`
}

// Run divides an installation whose parts shall run apart.
func (s *splitCmd) Run(_ context.Context, c *cli) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	made, err := app.Split(cfg, s.Into)
	for _, dir := range made {
		fmt.Println(dir)
	}
	return err
}
