// Command join makes one program of two: the whole of absah and the part of it that
// signs and verifies (cmd/absah/short). Both lie in one file and, at addresses of
// their own, in the memory of each process, where what is never touched costs
// nothing; the first instructions of a process choose between them (decision 28).
//
//	join WHOLE SHORT OUTPUT
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: join WHOLE SHORT OUTPUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "join:", err)
		os.Exit(1)
	}
}

func run(wholeName, shortName, output string) error {
	whole, err := os.ReadFile(wholeName)
	if err != nil {
		return err
	}
	short, err := os.ReadFile(shortName)
	if err != nil {
		return err
	}
	joined, err := join(whole, short)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", wholeName, shortName, err)
	}
	// A program that runs keeps its file.
	temporary, err := os.CreateTemp(filepath.Dir(output), ".join-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if _, err := temporary.Write(joined); err != nil {
		return fmt.Errorf("write %s: %w", temporary.Name(), err)
	}
	if err := temporary.Chmod(0o755); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return fmt.Errorf("write %s: %w", temporary.Name(), err)
	}
	return os.Rename(temporary.Name(), output)
}
