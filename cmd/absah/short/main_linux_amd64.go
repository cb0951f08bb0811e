// Command short is the part of absah that signs and verifies, without the service.
// It is not used by itself: cmd/join puts it into the file of the whole program, and
// the first instructions choose between the two (decision 28).
package main

import (
	"fmt"
	"os"

	_ "absah/cmd/absah/direct" // runs the command, and ends the program
)

// main is reached when the command line asks for what only the whole program has.
func main() {
	link(entry)
	fmt.Fprintln(os.Stderr, "absah: this part of the program only signs and verifies")
	os.Exit(1)
}

// link keeps what nobody calls in the program.
//
//go:noinline
func link(func()) {}

// entry is where a joined program begins, before any of Go runs: the stack is as
// execve(2) leaves it. It goes on in this program for absah sign and verify and for
// the processes that read files of strangers, and in the whole one for everything
// else, also for the flags of absah sign that need it: --tsa, --p12 and --level.
func entry()
