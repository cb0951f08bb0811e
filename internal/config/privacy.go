package config

import (
	"strings"
	"time"
)

// Privacy says for how long personal data are kept, and who answers for them.
// 0 keeps a class for ever.
type Privacy struct {
	OldScans      time.Duration `yaml:"old_scans" env:"OLD_SCANS"`         // rejected and replaced scans, from their upload
	LeaverScans   time.Duration `yaml:"leaver_scans" env:"LEAVER_SCANS"`   // scans of who left, from then
	Registrations time.Duration `yaml:"registrations" env:"REGISTRATIONS"` // data of rejected and cancelled registrations, from their end
	Mails         time.Duration `yaml:"mails" env:"MAILS"`                 // what was sent to whom
	Sessions      time.Duration `yaml:"sessions" env:"SESSIONS"`           // who was signed in from where, from the end
	Views         time.Duration `yaml:"views" env:"VIEWS"`                 // who looked at whose scan
	// Contact is who answers for the protection of personal data, as people
	// reach them; empty: the service desk.
	Contact string `yaml:"contact" env:"CONTACT"`
}

func defaultPrivacy() Privacy {
	const day = 24 * time.Hour
	return Privacy{
		OldScans: 30 * day, LeaverScans: 366 * day, Registrations: 366 * day, Mails: 2 * 366 * day, Sessions: 90 * day, Views: 5 * 366 * day,
	}
}

func (p Privacy) check(bad func(wrong bool, key, want string)) {
	for key, d := range map[string]time.Duration{
		"old_scans": p.OldScans, "leaver_scans": p.LeaverScans, "registrations": p.Registrations, "mails": p.Mails, "sessions": p.Sessions, "views": p.Views,
	} {
		bad(d != 0 && (d < 24*time.Hour || d > 100*366*24*time.Hour), "privacy."+key, "must be 24h to 100 years, or 0 for ever")
	}
	bad(len([]rune(p.Contact)) > 200 || strings.ContainsFunc(p.Contact, func(r rune) bool { return r < ' ' }), "privacy.contact", "must be a text of at most 200 characters on one line")
}
