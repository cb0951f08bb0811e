package config

import (
	"net/url"
	"regexp"
)

// Transparency says how the log of everything that was done is signed.
type Transparency struct {
	// Origin names the log in its checkpoints, for good: HOST/log of base_url
	// when empty. Once the first checkpoint is signed a change has no effect.
	Origin string `yaml:"origin" env:"ORIGIN"`
	// Dir is where checkpoints and rows are exported; the folder log of the data
	// directory when empty. Put it on another machine's disk than the database:
	// who can put back an older database should not be able to put back this.
	Dir string `yaml:"dir" env:"DIR"`
}

var origin = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]*(/[A-Za-z0-9._-]+)*$`)

func (t Transparency) check(bad func(wrong bool, key, want string)) {
	bad(t.Origin != "" && (!origin.MatchString(t.Origin) || len(t.Origin) > 100), "transparency.origin", "must be a name such as sign.contoh.example/log, or empty")
}

// LogOrigin is the name of the log.
func (c Config) LogOrigin() string {
	if c.Transparency.Origin != "" {
		return c.Transparency.Origin
	}
	if u, err := url.Parse(c.BaseURL); err == nil && u.Host != "" {
		return u.Host + "/log"
	}
	return "absah/log"
}

// LogDir is the directory of the log's export.
func (c Config) LogDir() string {
	if c.Transparency.Dir != "" {
		return c.Transparency.Dir
	}
	return c.Path("log")
}
