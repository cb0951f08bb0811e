package apptest

import (
	"sync"
	"time"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/passphrase"
)

// estimator judges the passphrases of every installation of a test's process.
var estimator = sync.OnceValues(func() (*passphrase.Estimator, error) {
	e, err := passphrase.NewEstimator(passphrase.DefaultPolicy(), clock.System, 2)
	if err == nil {
		e.SetLimit(time.Minute) // the race detector makes estimates slow
	}
	return e, err
})

// Shortcuts gives tests about all the rest passwords and passphrases that cost
// nothing, judged by the usual policy.
func Shortcuts() (app.Shortcuts, error) {
	e, err := estimator()
	return app.Shortcuts{
		Sealing: []credential.Option{credential.Cheap()}, Passwords: account.HashParams{MemoryKiB: 16, Passes: 1, Lanes: 1}, Estimator: e,
	}, err
}
