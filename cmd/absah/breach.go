package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/privacy"
)

type breachCmd struct {
	Report breachReportCmd `cmd:"" help:"Find whom a breach concerns, put it on record, and print the letters to the authority."`
	Tell   breachTellCmd   `cmd:"" help:"Send the letters to everybody whom a breach on record concerns."`
}

type breachReportCmd struct {
	Account  string    `help:"User name of an account that somebody else used." placeholder:"NAME"`
	Scan     []string  `help:"Identifier of a scan that was exposed." placeholder:"ID"`
	AllScans bool      `help:"The store of scans was exposed with the keys to it."`
	Database bool      `help:"A copy of the database was exposed."`
	Since    time.Time `help:"Beginning of the exposure (2026-11-28T08:00:00+07:00)." required:"" placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00"`
	Until    time.Time `help:"Its end." required:"" placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00"`
	Known    time.Time `help:"When it became known: the 3x24 hours start then." required:"" placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00"`
	What     string    `help:"What happened, in words for the letters." required:"" placeholder:"TEXT"`
	Done     string    `help:"What was done about it." required:"" placeholder:"TEXT"`
	JSON     bool      `help:"Print the report with everybody concerned as JSON."`
}

// Help implements kong.HelpProvider.
func (breachReportCmd) Help() string {
	return `The letters to the authority are printed, not sent.

Example:

    absah breach report --database --since 2026-11-28T08:00:00+07:00 --until 2026-11-28T09:00:00+07:00 --known 2026-11-28T10:00:00+07:00 --what "Salinan basis data terunduh" --done "Akses ditutup"`
}

// Run reports. The letters are printed, not sent.
func (b *breachReportCmd) Run(ctx context.Context, c *cli) error {
	return c.inside(ctx, func(a *app.App) error {
		x := privacy.Exposure{
			Scans: b.Scan, AllScans: b.AllScans, Database: b.Database, Since: b.Since, Until: b.Until, KnownAt: b.Known, What: b.What, Done: b.Done,
		}
		if b.Account != "" {
			acc, err := a.Store.Read().GetAccountByUsername(ctx, b.Account)
			if err != nil {
				return fmt.Errorf("find the account %s: %w", b.Account, err)
			}
			x.Account = acc.ID
		}
		r, err := a.Privacy.ReportBreach(ctx, audit.System("command"), x)
		if err != nil {
			return err
		}
		if b.JSON {
			out := json.NewEncoder(os.Stdout)
			out.SetIndent("", "  ")
			return out.Encode(r)
		}
		fmt.Printf("%s: %d people are concerned; subjects and authority have to be told by %s.\n\n", r.Reference, len(r.Subjects), r.DueAt.Format(time.RFC3339))
		for _, lang := range []string{"id", "en"} {
			letter, err := privacy.AuthorityLetter(r, a.Config.Identity.Organisation, a.PrivacyContact(), lang)
			if err != nil {
				return err
			}
			fmt.Printf("%s\n---\n\n", letter)
		}
		fmt.Printf("Send the letters to the people with: absah breach tell %s\n", r.Reference)
		return nil
	})
}

type breachTellCmd struct {
	Reference string `arg:"" help:"Number of the breach (BR-...)."`
}

// Help implements kong.HelpProvider.
func (breachTellCmd) Help() string {
	return `It can be done once for a breach; the worker sends the letters.

Example:

    absah breach tell BR-ABCD-1234`
}

// Run queues the letters; the worker sends them.
func (b *breachTellCmd) Run(ctx context.Context, c *cli) error {
	return c.inside(ctx, func(a *app.App) error {
		n, err := a.Privacy.TellBreach(ctx, audit.System("command"), b.Reference)
		if errors.Is(err, privacy.ErrClosed) {
			return fmt.Errorf("%s: the letters were sent before", b.Reference)
		}
		if err != nil {
			return err
		}
		fmt.Printf("%d letters are queued.\n", n)
		return nil
	})
}
