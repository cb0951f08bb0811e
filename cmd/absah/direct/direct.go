// Package direct holds the commands that need nothing of the service: signing,
// verifying, the version, and the child processes that read files of
// others. They run before the packages of the service are initialised (decision 14):
// linters, databases, pages and their texts cost 14 ms and 20 MiB that such a
// process has no use for.
package direct

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"absah/internal/scan"
	"absah/internal/signing/paper"
	"absah/internal/verification/reader"
	"absah/pades/certpath"
	"absah/pades/tsp"
)

// Commands are those for people. The whole command line embeds them, so that its
// help tells of them.
type Commands struct {
	Sign    signCmd    `cmd:"" group:"PDF files, without an installation:" help:"Sign PDF files by PAdES."`
	Verify  verifyCmd  `cmd:"" group:"PDF files, without an installation:" help:"Judge the signatures of PDF files, offline."`
	Version versionCmd `cmd:"" group:"This program:" help:"Print the version."`
}

// Settings are the flags of every command.
type Settings struct {
	Config string `group:"Which installation:" help:"Configuration file (YAML)." env:"ABSAH_CONFIG" type:"path" placeholder:"FILE"`
	Data   string `group:"Which installation:" help:"Directory of database, files and keys; overrides the configuration." type:"path" placeholder:"DIR"`
}

// Late is what signing may need of packages that are initialised late, because of
// what they import or how their import paths sort. Signatures that need it are made
// from main.
type Late struct {
	// Timestamper is the time-stamping authority at an address.
	Timestamper func(url string) (tsp.Timestamper, error)
	// Evidence asks authorities for certificates and their status.
	Evidence func() certpath.Source
	// PKCS12 opens a file of key and certificates.
	PKCS12 func(file []byte, password string) (key any, certificate *x509.Certificate, chain []*x509.Certificate, err error)
}

// Run runs the command line that grammar describes, a pointer to a struct as kong
// wants it, and returns the exit status.
func Run(grammar any, args []string, late Late) int {
	status, _ := runIf(grammar, args, late, func() bool { return true })
	return status
}

// runIf runs the command when wanted agrees with what was read into grammar.
func runIf(grammar any, args []string, late Late, wanted func() bool) (status int, ran bool) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	usage := kong.ShortUsageOnError()
	if len(args) == 0 { // who says nothing wants to know what there is to say
		usage = kong.UsageOnError()
	}
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	k := kong.Must(grammar,
		kong.Name("absah"), usage,
		kong.Description("Electronic signatures for an institution: employees register, two officers check, an authority of its own certifies; people and programs sign, anybody verifies."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(grammar, late),
	)
	command, err := k.Parse(asked(args))
	k.FatalIfErrorf(err)
	if !wanted() {
		return 0, false
	}
	if err := command.Run(); err != nil {
		var status ExitStatus
		if errors.As(err, &status) {
			return int(status), true
		}
		fmt.Fprintln(os.Stderr, "absah: "+err.Error())
		return 1, true
	}
	return 0, true
}

// asked puts --help for the word help before the name of a command.
func asked(args []string) []string {
	if len(args) > 0 && args[0] == "help" {
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// run runs the command that args ask for, when it is one of this package and needs
// nothing of Late.
func run(args []string, stdin io.Reader, stdout io.Writer) (status int, mine bool) {
	if len(args) == 0 {
		return 0, false
	}
	switch args[0] {
	case scan.WorkerCommand:
		return scan.WorkerMain(stdin, stdout), true
	case reader.Command:
		return reader.Main(stdin, stdout), true
	case paper.Command:
		return paper.Main(stdin, stdout), true
	case "sign", "verify", "version":
		var c struct {
			Commands
			Settings
		}
		return runIf(&c, args, Late{}, func() bool { return !c.Sign.needsLate() })
	}
	return 0, false
}
