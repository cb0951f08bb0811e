package config

import "slices"

// Keys says where the secrets of the installation are.
type Keys struct {
	Kind           string `yaml:"kind" env:"KIND"`                       // file, or pkcs11: a token
	PassphraseFile string `yaml:"passphrase_file" env:"PASSPHRASE_FILE"` // file: encrypts the files; PATH or credential:NAME
	Module         string `yaml:"module" env:"MODULE"`                   // pkcs11: path of the token's library
	TokenLabel     string `yaml:"token_label" env:"TOKEN_LABEL"`         // pkcs11
	PINFile        string `yaml:"pin_file" env:"PIN_FILE"`               // pkcs11: PATH or credential:NAME
	Sessions       int    `yaml:"sessions" env:"SESSIONS"`               // pkcs11: how many at once
	Subscribers    string `yaml:"subscribers" env:"SUBSCRIBERS"`         // where subscribers' keys are made and used: software, or token
	PepperRounds   int    `yaml:"pepper_rounds" env:"PEPPER_ROUNDS"`     // how often a passphrase asks the pepper in turn
}

// defaultKeys are files that only their owner reads, not encrypted: a
// passphrase that lies beside them would protect nothing.
func defaultKeys() Keys {
	return Keys{Kind: "file", Sessions: 8, Subscribers: "software", PepperRounds: 1}
}

// PepperRounds are the numbers of rounds that keys.pepper_rounds may be.
func PepperRounds() []int { return []int{1, 50, 200, 1000, 5000, 20000} }

// check tells bad what is wrong.
func (k Keys) check(bad func(wrong bool, key, want string)) {
	token := k.Kind == "pkcs11"
	bad(!slices.Contains([]string{"file", "pkcs11"}, k.Kind), "keys.kind", "must be file or pkcs11")
	bad(token && k.PassphraseFile != "", "keys.passphrase_file", "is for keys.kind file; a token has keys.pin_file")
	bad(token && k.Module == "", "keys.module", "must name the library of the token, such as /usr/lib/softhsm/libsofthsm2.so")
	bad(token && (k.TokenLabel == "" || len(k.TokenLabel) > 32), "keys.token_label", "must be the label of the token, 1 to 32 bytes")
	bad(token && k.PINFile == "", "keys.pin_file", "must name a file with the user PIN of the token, or credential:NAME")
	bad(!token && (k.Module != "" || k.TokenLabel != "" || k.PINFile != ""), "keys.kind", "must be pkcs11 when module, token_label or pin_file are set")
	bad(k.Sessions < 1 || k.Sessions > 1000, "keys.sessions", "must be 1 to 1000")
	bad(!slices.Contains([]string{"software", "token"}, k.Subscribers), "keys.subscribers", "must be software or token")
	bad(k.Subscribers == "token" && !token, "keys.subscribers", "must be software unless keys.kind is pkcs11")
	bad(!slices.Contains(PepperRounds(), k.PepperRounds), "keys.pepper_rounds", "must be 1, 50, 200, 1000, 5000 or 20000")
}
