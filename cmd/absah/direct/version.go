package direct

import (
	"crypto/fips140"
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Help implements kong.HelpProvider.
func (versionCmd) Help() string {
	return `Example:

    absah version`
}

// Run prints the version: of the module, or of the commit that it was built of.
func (versionCmd) Run() error {
	version := "development"
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			version = v
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				version += " " + s.Value
			}
		}
	}
	_, err := fmt.Printf("absah %s %s %s/%s%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, fips())
	return err
}

// fips names the cryptographic module in FIPS 140-3 mode.
func fips() string {
	if !fips140.Enabled() {
		return ""
	}
	return " FIPS 140-3 module " + fips140.Version()
}
