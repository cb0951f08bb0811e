// Command absah is the whole of Absah in one program.
package main

import (
	"os"

	"absah/cmd/absah/direct"
)

// cli is the command line. It is a contract: other programs call it.
type cli struct {
	Serve   serveCmd   `cmd:"" group:"Installation:" help:"Run Absah: the portal, the worker and the authority."`
	Init    initCmd    `cmd:"" group:"Installation:" help:"Prepare a data directory for production and invite its first administrator."`
	Doctor  doctorCmd  `cmd:"" group:"Installation:" help:"Check the installation and say how to mend what fails."`
	Migrate migrateCmd `cmd:"" group:"Installation:" help:"Bring the schema of the database up to date."`
	Backup  backupCmd  `cmd:"" group:"Installation:" help:"Write all of a running installation into one encrypted file."`
	Restore restoreCmd `cmd:"" group:"Installation:" help:"Make an installation of a backup, rehearse that, or bring a database that was put back into agreement with the log."`
	Staff   staffCmd   `cmd:"" group:"People and applications:" help:"Units and employees."`
	Client  clientCmd  `cmd:"" group:"People and applications:" help:"Applications that call the interfaces for programs."`
	Audit   auditCmd   `cmd:"" group:"Record and incidents:" help:"The log of everything that was done: verify, export, prove."`
	Breach  breachCmd  `cmd:"" group:"Record and incidents:" help:"What has to be done when personal data came into wrong hands: who is concerned, and the letters."`
	Keys    keysCmd    `cmd:"" group:"Keys and authority:" help:"The keys of the installation: list, rotate, encrypt."`
	CA      caCmd      `cmd:"" group:"Keys and authority:" name:"ca" help:"The certification authority: ceremonies, officers' passkeys, roles that run apart."`
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
