package direct

import "os"

// init is the one place of the program where work is done in an init. Packages are
// initialised in the order of their import paths as far as what they import allows
// (The Go Programming Language Specification, Program initialization), so this
// comes before nearly all that only the service imports. TestDirectStart in
// cmd/absah holds that.
func init() {
	// Here the goroutine is bound to its thread, which makes each switch to
	// another one dear; the command gets one of its own.
	done := make(chan bool)
	go func() {
		if status, mine := run(os.Args[1:], os.Stdin, os.Stdout); mine {
			os.Exit(status)
		}
		close(done)
	}()
	<-done
}
