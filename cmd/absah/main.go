// Command absah is the whole of Absah in one program.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"absah/internal/scan"
	"absah/internal/verification"
)

// cli is the command line. It is a contract: other programs call it.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run Absah: the portal, the worker and the authority."`
	Init    initCmd    `cmd:"" help:"Prepare a data directory for production and invite its first administrator."`
	Doctor  doctorCmd  `cmd:"" help:"Check the installation and say how to mend what fails."`
	Migrate migrateCmd `cmd:"" help:"Bring the schema of the database up to date."`
	Staff   staffCmd   `cmd:"" help:"Units and employees."`
	Sign    signCmd    `cmd:"" help:"Sign PDF files by PAdES."`
	Verify  verifyCmd  `cmd:"" help:"Judge the signatures of PDF files, offline."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Config string `help:"Configuration file (YAML)." env:"ABSAH_CONFIG" type:"path" placeholder:"FILE"`
	Data   string `help:"Directory of database, files and keys; overrides the configuration." type:"path" placeholder:"DIR"`
}

func main() {
	// What strangers sent is read in a child process of this program, which has
	// no other part of it.
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case scan.WorkerCommand:
			os.Exit(scan.WorkerMain(os.Stdin, os.Stdout))
		case verification.WorkerCommand:
			os.Exit(verification.WorkerMain(os.Stdin, os.Stdout))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	k := kong.Parse(&c,
		kong.Name("absah"), kong.UsageOnError(),
		kong.Description("Registration of employees for a Digital Signature, and the certification authority behind it."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&c),
	)
	if err := k.Run(); err != nil {
		var status exitStatus
		if errors.As(err, &status) {
			os.Exit(int(status))
		}
		fmt.Fprintln(os.Stderr, "absah: "+err.Error())
		os.Exit(1)
	}
}
