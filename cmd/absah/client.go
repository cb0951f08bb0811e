package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"absah/internal/apiclient"
	"absah/internal/app"
)

type clientCmd struct {
	Add     clientAddCmd     `cmd:"" help:"Let an application call, and print its secret once."`
	List    clientListCmd    `cmd:"" help:"List the applications."`
	Unit    clientUnitCmd    `cmd:"" help:"Bind an application to a unit: it knows the people there and below only."`
	Rotate  clientRotateCmd  `cmd:"" help:"Give an application a new secret; the one before counts for a day."`
	OAuth   clientOAuthCmd   `cmd:"" name:"oauth" help:"Say where an application may send people back to, and how long activation windows for it may be."`
	Disable clientDisableCmd `cmd:"" help:"Refuse an application from its next call on."`
	Enable  clientEnableCmd  `cmd:"" help:"Let an application that was disabled call again."`
}

// withClients opens the installation for one act on its applications.
func (c *cli) withClients(ctx context.Context, act func(s *apiclient.Service) error) error {
	return c.inside(ctx, func(a *app.App) error { return act(a.Clients) })
}

type clientAddCmd struct {
	Name    string   `arg:"" help:"Name of the application, and user name of its credential."`
	Info    string   `help:"What it is, for people." placeholder:"TEXT"`
	From    []string `help:"Networks or addresses that it may call from." placeholder:"NETWORK"`
	Unit    string   `help:"Code of the unit whose people it knows, with those of the units below; without, all." placeholder:"CODE"`
	Scope   []string `help:"What it may do: sign, verify, status, register, webhook, seal." default:"sign,verify,status" placeholder:"SCOPE"`
	Rate    int      `help:"Requests a minute (600)." default:"600" placeholder:"N"`
	Corner  bool     `help:"In API v1, width and height are the upper right corner of the box."`
	Sandbox bool     `help:"Its signatures say SPECIMEN and are worth nothing: for trying out."`
}

// Help implements kong.HelpProvider.
func (clientAddCmd) Help() string {
	return `Examples:

    absah client add persuratan --scope sign,verify,status --from 10.1.0.0/16
    absah client add percobaan --sandbox`
}

// Run adds one.
func (a *clientAddCmd) Run(ctx context.Context, c *cli) error {
	networks, err := apiclient.Networks(strings.Join(a.From, " "))
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	set := apiclient.Settings{Info: a.Info, Networks: networks, Corner: a.Corner, Rate: a.Rate, Enabled: true}
	for _, s := range a.Scope {
		set.Scopes = append(set.Scopes, apiclient.Scope(s))
	}
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	return c.withClients(ctx, func(s *apiclient.Service) error {
		if err := inUnit(ctx, s, a.Unit, &set); err != nil {
			return err
		}
		made, secret, err := s.Add(ctx, operator, a.Name, a.Sandbox, set)
		if err != nil {
			return fmt.Errorf("add %s: %w", a.Name, err)
		}
		fmt.Printf("The application %s calls with HTTP Basic authentication:\n\n  user name  %s\n  password   %s\n\nThe password is shown this once. With the server running, try it (curl asks for the password):\n\n  curl -u %s %s/api/v1/me\n\nEvery call, with examples: %s/pengembang\n",
			made.Name, made.Name, secret, made.Name, cfg.BaseURL, cfg.BaseURL)
		return nil
	})
}

// inUnit binds an application to the unit with a code; to none without.
func inUnit(ctx context.Context, s *apiclient.Service, code string, set *apiclient.Settings) error {
	set.Unit = ""
	if code == "" {
		return nil
	}
	u, err := s.Unit(ctx, code)
	if err != nil {
		return fmt.Errorf("unit %s: %w", code, err)
	}
	set.Unit = u.ID
	return nil
}

type clientListCmd struct{}

// Help implements kong.HelpProvider.
func (clientListCmd) Help() string {
	return `Example:

    absah client list`
}

// Run lists them.
func (clientListCmd) Run(ctx context.Context, c *cli) error {
	return c.withClients(ctx, func(s *apiclient.Service) error {
		list, err := s.List(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tSTATE\tSCOPES\tUNIT\tFROM\tRATE\tLAST CALL")
		for _, one := range list {
			state, from, used, unit := "enabled", "anywhere", "never", "all"
			if one.Unit != "" {
				u, err := s.UnitOf(ctx, one)
				if err != nil {
					return err
				}
				unit = u.Code
			}
			if !one.Enabled {
				state = "disabled"
			}
			if one.Sandbox {
				state += ", sandbox"
			}
			if len(one.Networks) > 0 {
				from = joined(one.Networks)
			}
			if !one.UsedAt.IsZero() {
				used = one.UsedAt.Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d/min\t%s\n", one.Name, state, joined(one.Scopes), unit, from, one.Rate, used)
		}
		return w.Flush()
	})
}

// joined writes a list as a flag takes it.
func joined[T any](list []T) string {
	texts := make([]string, len(list))
	for i, one := range list {
		texts[i] = fmt.Sprint(one)
	}
	return strings.Join(texts, ",")
}

type clientRotateCmd struct {
	Name string `arg:"" help:"Name of the application."`
	Now  bool   `help:"The secret before ends at once."`
}

// Help implements kong.HelpProvider.
func (clientRotateCmd) Help() string {
	return `Examples:

    absah client rotate persuratan
    absah client rotate persuratan --now`
}

// Run rotates the secret of one.
func (r *clientRotateCmd) Run(ctx context.Context, c *cli) error {
	return c.withClients(ctx, func(s *apiclient.Service) error {
		found, err := s.Find(ctx, r.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		grace := apiclient.GracePeriod
		if r.Now {
			grace = 0
		}
		secret, err := s.Rotate(ctx, operator, found.ID, grace)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
		fmt.Printf("password   %s\n", secret)
		return nil
	})
}

type clientUnitCmd struct {
	Name string `arg:"" help:"Name of the application."`
	Code string `arg:"" optional:"" help:"Code of the unit; without, it knows the people of all units."`
}

// Help implements kong.HelpProvider.
func (clientUnitCmd) Help() string {
	return `Examples:

    absah client unit persuratan KPP-01
    absah client unit persuratan`
}

// Run binds one.
func (u *clientUnitCmd) Run(ctx context.Context, c *cli) error {
	return c.withClients(ctx, func(s *apiclient.Service) error {
		found, err := s.Find(ctx, u.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", u.Name, err)
		}
		set := found.Settings()
		if err := inUnit(ctx, s, u.Code, &set); err != nil {
			return err
		}
		if err := s.Change(ctx, operator, found.ID, set); err != nil {
			return err
		}
		knows := "the people of all units"
		if u.Code != "" {
			knows = "the people of " + u.Code + " and of the units below"
		}
		fmt.Printf("%s knows %s.\n", u.Name, knows)
		return nil
	})
}

type clientOAuthCmd struct {
	Name       string         `arg:"" help:"Name of the application."`
	Redirect   []string       `help:"Redirect URIs, exactly as the application sends them, instead of those before." placeholder:"URI" xor:"redirects"`
	NoRedirect bool           `help:"No redirect URIs: ends its consents in the browser." xor:"redirects"`
	Window     *time.Duration `help:"Longest activation window that a subscriber may open for it, such as 2h; 0 for none." placeholder:"DURATION"`
}

// Help implements kong.HelpProvider.
func (clientOAuthCmd) Help() string {
	return `What is not named stays as it is.

Examples:

    absah client oauth persuratan --redirect https://surat.example/kembali --window 2h
    absah client oauth persuratan --no-redirect`
}

// Run decides it for one.
func (o *clientOAuthCmd) Run(ctx context.Context, c *cli) error {
	given, err := apiclient.Redirects(strings.Join(o.Redirect, " "))
	if err != nil {
		return fmt.Errorf("--redirect: %w", err)
	}
	return c.withClients(ctx, func(s *apiclient.Service) error {
		found, err := s.Find(ctx, o.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		set, err := s.OAuth(ctx, found.ID)
		if err != nil {
			return err
		}
		if len(given) > 0 || o.NoRedirect {
			set.Redirects = given
		}
		if o.Window != nil {
			set.Window = *o.Window
		}
		if err := s.SetOAuth(ctx, operator, found.ID, set); err != nil {
			return err
		}
		redirects, window := "none", "none"
		if len(set.Redirects) > 0 {
			redirects = strings.Join(set.Redirects, " ")
		}
		if set.Window > 0 {
			window = set.Window.String()
		}
		fmt.Printf("redirect URIs   %s\nlongest window  %s\n", redirects, window)
		return nil
	})
}

type clientDisableCmd struct {
	Name string `arg:"" help:"Name of the application."`
}

// Help implements kong.HelpProvider.
func (clientDisableCmd) Help() string {
	return `Example:

    absah client disable persuratan`
}

// Run disables one.
func (d *clientDisableCmd) Run(ctx context.Context, c *cli) error {
	return c.switchClient(ctx, d.Name, false)
}

type clientEnableCmd struct {
	Name string `arg:"" help:"Name of the application."`
}

// Help implements kong.HelpProvider.
func (clientEnableCmd) Help() string {
	return `Example:

    absah client enable persuratan`
}

// Run enables one.
func (e *clientEnableCmd) Run(ctx context.Context, c *cli) error {
	return c.switchClient(ctx, e.Name, true)
}

func (c *cli) switchClient(ctx context.Context, name string, on bool) error {
	return c.withClients(ctx, func(s *apiclient.Service) error {
		found, err := s.Find(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		set := found.Settings()
		set.Enabled = on
		if err := s.Change(ctx, operator, found.ID, set); err != nil {
			return err
		}
		state := "disabled: it is refused from now on"
		if on {
			state = "enabled: it may call again"
		}
		fmt.Printf("%s is %s.\n", name, state)
		return nil
	})
}
