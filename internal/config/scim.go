package config

import "strings"

// SCIM says which HR systems may provision employees.
type SCIM struct {
	// Tokens names the file with the bearer token of each HR system, by the
	// system's name: {hris: /etc/absah/hris.token}. Empty: nobody may.
	Tokens map[string]string `yaml:"tokens" env:"TOKENS"`
}

func (s SCIM) check(bad func(wrong bool, key, want string)) {
	for name, file := range s.Tokens {
		wrong := name == "" || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != ""
		bad(wrong, "scim.tokens", "must have names of lower-case letters, digits and -, at most 32")
		bad(file == "", "scim.tokens."+name, "must name a file with a token of at least 32 characters")
	}
}
