package config

import "time"

// Windows says how long subscribers may let an application sign without their
// passphrase in every call. Each application needs to be allowed it as well.
type Windows struct {
	Max time.Duration `yaml:"max" env:"MAX"` // 0: nobody may
}

func defaultWindows() Windows { return Windows{Max: time.Hour} }

func (w Windows) check(bad func(wrong bool, key, want string)) {
	bad(w.Max != 0 && (w.Max < time.Minute || w.Max > 24*time.Hour), "windows.max", "must be 1m to 24h, or 0 for none")
}

// Life is Max as signing.Config.WindowLife has it.
func (w Windows) Life() time.Duration {
	if w.Max == 0 {
		return -1
	}
	return w.Max
}
