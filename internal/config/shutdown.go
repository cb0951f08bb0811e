package config

import "time"

// Shutdown says how a process that is told to stop ends.
type Shutdown struct {
	// Drain is how long it goes on answering while /readyz says that it stops, so
	// that a load balancer has turned away before it closes.
	Drain time.Duration `yaml:"drain" env:"DRAIN"`
	// Grace is how long what runs may take from then on: requests and jobs.
	Grace time.Duration `yaml:"grace" env:"GRACE"`
}

func defaultShutdown() Shutdown { return Shutdown{Grace: 30 * time.Second} }

func (s Shutdown) check(bad func(wrong bool, key, want string)) {
	bad(s.Drain < 0 || s.Drain > 5*time.Minute, "shutdown.drain", "must be 0s to 5m")
	bad(s.Grace < time.Second || s.Grace > 5*time.Minute, "shutdown.grace", "must be 1s to 5m")
}
