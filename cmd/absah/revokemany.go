package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"absah/internal/app"
	"absah/internal/enrolment"
)

type revokeManyCmd struct {
	Reason string `required:"" help:"Why: key_compromise, affiliation_changed, superseded, cessation, privilege_withdrawn." placeholder:"REASON"`
	Note   string `required:"" help:"What happened, for the owners and for the record." placeholder:"TEXT"`

	Issuer       string `help:"Of this issuing CA, such as ca-issuing." placeholder:"NAME"`
	IssuedFrom   string `help:"Issued at or after." placeholder:"TIME"`
	IssuedBefore string `help:"Issued before." placeholder:"TIME"`
	Algorithm    string `help:"With keys of this algorithm." placeholder:"ecdsa-p256|rsa-3072"`
	Unit         string `help:"Of employees of this unit and those below it." placeholder:"CODE"`
	Serials      string `help:"Those in this file alone, one serial number a line in hexadecimal." placeholder:"FILE" type:"existingfile"`
	All          bool   `help:"All that are valid."`

	Yes bool `help:"Do it. Without, the certificates are only listed."`
}

// Help implements kong.HelpProvider.
func (revokeManyCmd) Help() string {
	return `Without --yes it prints the serial numbers of the certificates that are concerned, changes nothing and ends with exit status 1.

Examples:

    absah ca revoke-many --reason superseded --note "Cacat algoritme" --algorithm rsa-3072
    absah ca revoke-many --reason superseded --note "Cacat algoritme" --algorithm rsa-3072 --yes`
}

// Run revokes, or says what it would revoke.
func (r *revokeManyCmd) Run(ctx context.Context, c *cli) error {
	if _, ok := enrolment.RevokeReasons[r.Reason]; !ok {
		return fmt.Errorf("--reason %s: %w", r.Reason, enrolment.ErrReason)
	}
	i, err := r.incident()
	if err != nil {
		return err
	}
	return c.inside(ctx, func(a *app.App) error { return r.revoke(ctx, a, i) })
}

func (r *revokeManyCmd) revoke(ctx context.Context, a *app.App, i enrolment.Incident) error {
	if r.Unit != "" {
		unit, err := a.Store.Read().GetUnitByCode(ctx, r.Unit)
		if err != nil {
			return fmt.Errorf("--unit %s: %w", r.Unit, err)
		}
		i.UnitID = unit.ID
	}
	who, why := enrolment.Checker{Actor: operator}, enrolment.Revocation{Code: r.Reason, Text: r.Note}
	after, n := "", 0
	for {
		rows, err := a.Enrolment.Concerned(ctx, i, after)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Serial
			if !r.Yes {
				n++
				fmt.Println(row.Serial)
				continue
			}
			done, err := a.Enrolment.RevokeConcerned(ctx, who, row.RegistrationID, why)
			if err != nil {
				return fmt.Errorf("%d are revoked; at %s: %w; run the command again to go on", n, row.Serial, err)
			}
			if done {
				n++
				fmt.Println(row.Serial)
			}
		}
		if len(rows) == 0 {
			break
		}
	}
	if !r.Yes {
		fmt.Fprintf(os.Stderr, "%d certificates are concerned.\n", n)
		return errOnlySaid
	}
	fmt.Fprintf(os.Stderr, "%d certificates are revoked; OCSP says so, the next list follows, and their owners are told by mail.\n", n)
	return nil
}

func (r *revokeManyCmd) incident() (enrolment.Incident, error) {
	i := enrolment.Incident{Issuer: r.Issuer, Algorithm: r.Algorithm}
	var err error
	if i.IssuedFrom, err = moment("--issued-from", r.IssuedFrom); err != nil {
		return i, err
	}
	if i.IssuedBefore, err = moment("--issued-before", r.IssuedBefore); err != nil {
		return i, err
	}
	if r.Serials != "" {
		if i.Serials, err = serialsIn(r.Serials); err != nil {
			return i, err
		}
	}
	chosen := r.Issuer+r.IssuedFrom+r.IssuedBefore+r.Algorithm+r.Unit+r.Serials != ""
	if chosen == r.All {
		return i, fmt.Errorf("%w: give a filter, or --all", enrolment.ErrNoFilter)
	}
	return i, nil
}

// moment reads a time or a day, which begins at midnight UTC.
func moment(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: %q is no time such as 2026-11-28 or 2026-11-28T09:00:00+07:00", flag, s)
}

func serialsIn(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--serials: %w", err)
	}
	var out []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		s := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(lines.Text()), ":", ""))
		if s == "" {
			continue
		}
		if strings.Trim(s, "0123456789abcdef") != "" {
			err = fmt.Errorf("--serials: %q is no serial number", s)
			break
		}
		out = append(out, s)
	}
	if err = errors.Join(err, lines.Err(), f.Close()); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--serials: %w", enrolment.ErrNoFilter)
	}
	return out, nil
}
