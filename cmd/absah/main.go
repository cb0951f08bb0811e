// Command absah is the whole of Absah in one program.
package main

import (
	"os"

	"absah/cmd/absah/direct"
)

// cli is the command line. It is a contract: other programs call it.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run Absah: the portal, the worker and the authority."`
	Init    initCmd    `cmd:"" help:"Prepare a data directory for production and invite its first administrator."`
	Doctor  doctorCmd  `cmd:"" help:"Check the installation and say how to mend what fails."`
	Migrate migrateCmd `cmd:"" help:"Bring the schema of the database up to date."`
	Staff   staffCmd   `cmd:"" help:"Units and employees."`
	Audit   auditCmd   `cmd:"" help:"The log of everything that was done: verify, export, prove."`
	Backup  backupCmd  `cmd:"" help:"Write all of a running installation into one encrypted file."`
	Restore restoreCmd `cmd:"" help:"Make an installation of a backup, rehearse that, or bring a database that was put back into agreement with the log."`
	Keys    keysCmd    `cmd:"" help:"The keys of the installation: list, rotate, encrypt."`
	CA      caCmd      `cmd:"" name:"ca" help:"The certification authority: ceremonies, officers' passkeys, roles that run apart."`
	Client  clientCmd  `cmd:"" help:"Applications that call the interfaces for programs."`
	Breach  breachCmd  `cmd:"" help:"What has to be done when personal data came into wrong hands: who is concerned, and the letters."`
	direct.Commands
	direct.Settings
}

// main runs the commands of the service. Those of package direct have ended the
// program by now, unless they need what is initialised late, or a flag stands
// before their name.
func main() {
	var c cli
	os.Exit(direct.Run(&c, os.Args[1:], late()))
}
