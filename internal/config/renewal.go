package config

import (
	"slices"
	"time"
)

// Renewal says how certificates are renewed, and what happens when what they
// say is no longer so.
type Renewal struct {
	Window    time.Duration `yaml:"window" env:"WINDOW"`       // before the end, in which one can be renewed
	Checks    string        `yaml:"checks" env:"CHECKS"`       // of data that did not change: none, second or both
	Supersede bool          `yaml:"supersede" env:"SUPERSEDE"` // the old certificate is revoked when the new one is issued
	// SubjectGrace is how long a certificate may name what is no longer so.
	SubjectGrace time.Duration `yaml:"subject_grace" env:"SUBJECT_GRACE"`
	// RecommendationAge is how old a letter of recommendation may be for a
	// registration; 0: of any age.
	RecommendationAge time.Duration `yaml:"recommendation_age" env:"RECOMMENDATION_AGE"`
}

func defaultRenewal() Renewal {
	return Renewal{Window: 60 * 24 * time.Hour, Checks: "none", SubjectGrace: 30 * 24 * time.Hour}
}

func (r Renewal) check(bad func(wrong bool, key, want string)) {
	const year = 366 * 24 * time.Hour
	bad(r.Window < 7*24*time.Hour || r.Window > year, "renewal.window", "must be 168h to 8784h")
	bad(!slices.Contains([]string{"none", "second", "both"}, r.Checks), "renewal.checks", "must be none, second or both")
	bad(r.SubjectGrace < 24*time.Hour || r.SubjectGrace > year, "renewal.subject_grace", "must be 24h to 8784h")
	bad(r.RecommendationAge != 0 && (r.RecommendationAge < 30*24*time.Hour || r.RecommendationAge > 10*year), "renewal.recommendation_age", "must be 720h to 87840h, or 0")
}
