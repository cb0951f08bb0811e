package config

import (
	"fmt"
	"slices"
	"strings"
)

// The roles that a process may have.
var roles = []string{"portal", "worker", "ca", "pki"}

// Profiles say what the certificates of the authority itself say; those of
// subscribers follow from the keys of CA.
type Profiles struct {
	Root    AuthorityProfile `yaml:"root" envPrefix:"ROOT_"`
	Issuing AuthorityProfile `yaml:"issuing" envPrefix:"ISSUING_"`
	OCSP    ServiceProfile   `yaml:"ocsp" envPrefix:"OCSP_"`
	TSA     ServiceProfile   `yaml:"tsa" envPrefix:"TSA_"`
	Seal    SealProfile      `yaml:"seal" envPrefix:"SEAL_"`
}

// AuthorityProfile is that of a CA.
type AuthorityProfile struct {
	Algorithm string `yaml:"algorithm" env:"ALGORITHM"` // of the key
	Years     int    `yaml:"years" env:"YEARS"`
}

// ServiceProfile is that of a service that the authority certifies for itself.
type ServiceProfile struct {
	Algorithm string `yaml:"algorithm" env:"ALGORITHM"` // of the key
	Days      int    `yaml:"days" env:"DAYS"`
	PolicyOID string `yaml:"policy_oid" env:"POLICY_OID"` // ca.policy_oid when empty
}

// SealProfile is that of the institution's seal.
type SealProfile struct {
	Name           string `yaml:"name" env:"NAME"`                       // common name; ca.organisation when empty
	OrganisationID string `yaml:"organisation_id" env:"ORGANISATION_ID"` // such as NTRID-123 (ETSI EN 319 412-1 5.1.4); may be empty
	Algorithm      string `yaml:"algorithm" env:"ALGORITHM"`
	Days           int    `yaml:"days" env:"DAYS"`
	PolicyOID      string `yaml:"policy_oid" env:"POLICY_OID"`
}

func defaultProfiles() Profiles {
	return Profiles{
		Root: AuthorityProfile{Algorithm: "ecdsa-p384", Years: 20}, Issuing: AuthorityProfile{Algorithm: "ecdsa-p256", Years: 10},
		OCSP: ServiceProfile{Algorithm: "ecdsa-p256", Days: 30}, TSA: ServiceProfile{Algorithm: "ecdsa-p256", Days: 6 * 365},
		Seal: SealProfile{Algorithm: "ecdsa-p256", Days: 2 * 365},
	}
}

func (p Profiles) check(bad func(wrong bool, key, want string)) {
	key := func(what string) string { return "ca.profiles." + what }
	for what, alg := range map[string]string{
		"root": p.Root.Algorithm, "issuing": p.Issuing.Algorithm, "ocsp": p.OCSP.Algorithm, "tsa": p.TSA.Algorithm, "seal": p.Seal.Algorithm,
	} {
		bad(!slices.Contains([]string{"ecdsa-p256", "ecdsa-p384", "rsa-3072"}, alg), key(what+".algorithm"), "must be ecdsa-p256, ecdsa-p384 or rsa-3072")
	}
	bad(p.Root.Years < 2 || p.Root.Years > 30, key("root.years"), "must be 2 to 30")
	bad(p.Issuing.Years < 1 || p.Issuing.Years >= p.Root.Years, key("issuing.years"), "must be at least 1 and less than those of the root")
	bad(p.OCSP.Days < 2 || p.OCSP.Days > 92, key("ocsp.days"), "must be 2 to 92: nobody can revoke a responder")
	bad(p.TSA.Days < 30 || p.TSA.Days > 3653, key("tsa.days"), "must be 30 to 3653")
	bad(p.Seal.Days < 30 || p.Seal.Days > 1827, key("seal.days"), "must be 30 to 1827")
	for what, o := range map[string]string{"ocsp": p.OCSP.PolicyOID, "tsa": p.TSA.PolicyOID, "seal": p.Seal.PolicyOID} {
		bad(o != "" && !oid.MatchString(o), key(what+".policy_oid"), "must be an object identifier or empty")
	}
	for what, text := range map[string]string{"seal.name": p.Seal.Name, "seal.organisation_id": p.Seal.OrganisationID} {
		bad(strings.TrimSpace(text) != text || len([]rune(text)) > 64, key(what), "must be a text of at most 64 characters, or empty")
	}
}

// checkRoles checks which parts of Absah a process runs.
func (c Config) checkRoles(bad func(wrong bool, key, want string)) {
	for i, r := range c.Roles {
		bad(!slices.Contains(roles, r), fmt.Sprintf("roles[%d]", i), "must be one of "+strings.Join(roles, ", "))
	}
	bad(len(c.Roles) > 0 && len(c.Roles) < len(roles) && !strings.HasPrefix(c.Database.URL, "postgres"),
		"roles", "run apart on PostgreSQL only (database.url): an SQLite file has one process")
	bad(!slices.Contains([]string{"passkey", "account", "auto"}, c.Policy.Approval), "policy.approval", "must be passkey, account or auto")
}
