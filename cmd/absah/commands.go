package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/demo"
	"absah/internal/staff"
)

// load reads the configuration that the command line and the environment name.
func (c *cli) load() (config.Config, *slog.Logger, error) {
	cfg, err := config.Load(c.Config, os.Environ())
	if err != nil {
		return cfg, nil, err
	}
	cfg = c.override(cfg, "")
	return cfg, newLog(cfg.Log), cfg.Validate()
}

// operator is who works on the machine itself.
var operator = audit.Actor{AccountID: "system:cli", Role: "administrator"}

// site loads the settings of the installation, and says whether it is a demo.
func (c *cli) site() (cfg config.Config, log *slog.Logger, isDemo bool, err error) {
	if cfg, log, err = c.load(); err == nil {
		isDemo, err = app.IsDemo(cfg)
	}
	return cfg, log, isDemo, err
}

// inside runs act in the installation, which may be serving meanwhile when its
// database lets several processes in.
func (c *cli) inside(ctx context.Context, act func(*app.App) error) error {
	cfg, log, isDemo, err := c.site()
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, cfg, app.Options{Log: log, Demo: isDemo})
	if err != nil {
		return err
	}
	return errors.Join(act(a), a.Close())
}

// override puts what the command line says over the configuration, and the role
// whose directory it is where no other is named. A base URL
// that nobody set follows the address to listen on: otherwise the portal would
// refuse everybody who comes by that address.
func (c *cli) override(cfg config.Config, addr string) config.Config {
	if c.Data != "" {
		cfg.Data = c.Data
	}
	if addr != "" {
		cfg.Addr = addr
	}
	if role := app.RoleHere(cfg); len(cfg.Roles) == 0 && role != "" {
		cfg.Roles = []string{string(role)}
	}
	if d := config.Default(); cfg.BaseURL == d.BaseURL && cfg.Addr != d.Addr {
		host, port, err := net.SplitHostPort(cfg.Addr)
		if ip := net.ParseIP(host); err == nil && (host == "localhost" || ip != nil && ip.IsLoopback()) {
			cfg.BaseURL = "http://" + net.JoinHostPort(host, port)
		}
	}
	return cfg
}

func newLog(c config.Log) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	o := &slog.HandlerOptions{Level: levels[c.Level]}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

type serveCmd struct {
	Demo bool     `help:"Make a demo installation with fictional people in the data directory, and run it."`
	Addr string   `help:"Listen here; overrides the configuration." placeholder:"HOST:PORT"`
	Role []string `help:"Run these parts alone: portal, worker, ca, pki (PostgreSQL only); overrides the configuration." placeholder:"ROLE"`
}

// Help implements kong.HelpProvider.
func (serveCmd) Help() string {
	return `Examples:

    absah serve --demo
    absah serve --config absah.yaml
    absah serve --config absah.yaml --role portal,worker`
}

// Run serves until it is told to stop.
func (s *serveCmd) Run(ctx context.Context, c *cli) error {
	app.TuneCollector()
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	cfg = c.override(cfg, s.Addr)
	if len(s.Role) > 0 {
		cfg.Roles = s.Role
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	o := app.Options{Demo: s.Demo, Log: log}
	past := demo.NewClock()
	if s.Demo {
		o.Clock = past.Now
		if cfg, err = demo.Configure(cfg, s.Addr != ""); err != nil {
			return err
		}
		if err := app.PrepareDemo(cfg); err != nil {
			return err
		}
		if err := app.Prepare(ctx, cfg, log, past.Now); err != nil {
			return err
		}
	}
	a, err := app.Open(ctx, cfg, o)
	if err != nil {
		return err
	}
	var guide string
	if s.Demo {
		fmt.Println("Making the people of the demo; this takes a moment the first time ...")
		if guide, err = demo.Populate(ctx, a, past); err != nil {
			return errors.Join(err, a.Close())
		}
	}
	err = a.Serve(ctx, func(addr net.Addr) {
		if addr == nil {
			fmt.Printf("Absah runs as %s\n", strings.Join(cfg.Roles, ", "))
			return
		}
		fmt.Printf("Absah is at %s (listening on %s)\n", cfg.BaseURL, addr)
		fmt.Print(guide)
	})
	return errors.Join(err, a.Close())
}

type initCmd struct{}

// Help implements kong.HelpProvider.
func (initCmd) Help() string {
	return `It prints a link, once, by which the first administrator sets a password.

Example:

    absah init --config absah.yaml`
}

// Run prepares a production directory. The link that it prints is shown once.
func (initCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, isDemo, err := c.site()
	if err != nil {
		return err
	}
	if isDemo {
		return fmt.Errorf("%s: %w", cfg.Data, app.ErrDemo)
	}
	if err := app.Prepare(ctx, cfg, log, clock.System); err != nil {
		return err
	}
	return c.inside(ctx, func(a *app.App) error {
		token, err := a.Accounts.BootstrapAdmin(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("Prepared %s: %s, with the certification authority %q.\n\n", cfg.Data, cfg.Identity.Organisation, cfg.CA.IssuingName)
		if names := cfg.DemoNames(); len(names) > 0 {
			fmt.Printf("These keys still have the values of a trial: %s.\nWhat stands below ca is in the certificates for good: before anybody registers, set it, remove %s and run this again.\n\n",
				strings.Join(names, ", "), cfg.Data)
		}
		until := time.Now().Add(a.Accounts.Policy.InvitationLife).Format("2006-01-02 15:04 MST")
		fmt.Printf("The first administrator, user name %s, sets a password here, once, until %s:\n\n  %s/aktivasi/%s\n\nIf that is too late or the link is lost, run this again. Start Absah with:\n\n  absah serve%[5]s\n\nThen check it with:\n\n  absah doctor%[5]s\n",
			account.AdminUsername, until, cfg.BaseURL, token, c.flags())
		return nil
	})
}

// flags are those that name the same installation to another command.
func (c *cli) flags() string {
	var s string
	for _, f := range [][2]string{{"--config", c.Config}, {"--data", c.Data}} {
		if f[1] != "" {
			s += " " + f[0] + " " + f[1]
		}
	}
	return s
}

type migrateCmd struct{}

// Help implements kong.HelpProvider.
func (migrateCmd) Help() string {
	return `After an upgrade: absah serve refuses a schema that is not its own. Take a backup first.

Example:

    absah migrate --config absah.yaml`
}

// Run migrates.
func (migrateCmd) Run(ctx context.Context, c *cli) error {
	cfg, log, err := c.load()
	if err != nil {
		return err
	}
	n, err := app.Migrate(ctx, cfg, log)
	if err != nil {
		return err
	}
	fmt.Printf("%d steps; the schema is up to date\n", n)
	return nil
}

type staffCmd struct {
	Import importCmd `cmd:"" help:"Add and update employees from a CSV file."`
}

type importCmd struct {
	File   string `arg:"" help:"CSV file." type:"existingfile"`
	DryRun bool   `help:"Check everything and change nothing."`
}

// errRejected makes the exit status tell scripts that nothing was imported.
var errRejected = errors.New("nothing was imported: some rows have errors")

// Help implements kong.HelpProvider.
func (importCmd) Help() string {
	return `All rows are taken, or none: then the rows with errors are printed as CSV and the exit status is 1.

Examples:

    absah staff import pegawai.csv --dry-run
    absah staff import pegawai.csv`
}

// Run imports a file: all of it, or nothing.
func (i *importCmd) Run(ctx context.Context, c *cli) error {
	b, err := os.ReadFile(i.File)
	if err != nil {
		return fmt.Errorf("read %s: %w", i.File, err)
	}
	var report staff.Report
	err = c.inside(ctx, func(a *app.App) error {
		report, err = a.Staff.Import(ctx, operator, b, i.DryRun, progress(os.Stderr))
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println(report.Summary())
	if !report.OK() {
		if _, err := os.Stdout.Write(report.CSV(app.ReportText("id"))); err != nil {
			return err
		}
		return errRejected
	}
	return nil
}

// progress shows how far an import is, on a terminal only.
func progress(f *os.File) func(done, total int64) {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(int64, int64) {}
	}
	return func(done, total int64) {
		_, _ = fmt.Fprintf(f, "\r%d / %d", done, total) // a terminal that is gone needs no progress
		if done == total {
			_, _ = fmt.Fprintln(f)
		}
	}
}

type doctorCmd struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

// errSick makes the exit status tell scripts that something failed.
var errSick = errors.New("some checks failed")

// Help implements kong.HelpProvider.
func (doctorCmd) Help() string {
	return `Exit status: 0 when every check passes, 1 when one fails.

Examples:

    absah doctor --config absah.yaml
    absah doctor --config absah.yaml --json`
}

// Run examines the installation.
func (d *doctorCmd) Run(ctx context.Context, c *cli) error {
	cfg, err := config.Load(c.Config, os.Environ())
	cfg = c.override(cfg, "")
	report := app.Examine(ctx, cfg, err, slog.New(slog.DiscardHandler))
	if d.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return err
		}
	} else {
		fmt.Print(report.Text())
	}
	if !report.Healthy {
		return errSick
	}
	return nil
}
