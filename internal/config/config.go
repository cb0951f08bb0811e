// Package config reads the one configuration of Absah: a YAML file, overridden
// by environment variables, checked as a whole before anything starts.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"go.yaml.in/yaml/v4"
)

// EnvPrefix begins the name of every environment variable that overrides a key:
// ABSAH_DATABASE_URL is database.url.
const EnvPrefix = "ABSAH_"

// Config is everything that an operator decides. Every duration is written as
// Go writes them: 72h, 15m.
type Config struct {
	Data           string   `yaml:"data" env:"DATA"`                       // directory of database, files and keys
	Addr           string   `yaml:"addr" env:"ADDR"`                       // HOST:PORT to listen on
	BaseURL        string   `yaml:"base_url" env:"BASE_URL"`               // how browsers reach it; every link in a mail begins so
	TrustedProxies []string `yaml:"trusted_proxies" env:"TRUSTED_PROXIES"` // networks whose X-Forwarded-For counts

	Database   Database   `yaml:"database" envPrefix:"DATABASE_"`
	Identity   Identity   `yaml:"identity" envPrefix:"IDENTITY_"`
	Mail       Mail       `yaml:"mail" envPrefix:"MAIL_"`
	Blobs      Blobs      `yaml:"blobs" envPrefix:"BLOBS_"`
	Roles      []string   `yaml:"roles" env:"ROLES"` // what this process runs: portal, worker, ca, pki; empty: all
	Keys       Keys       `yaml:"keys" envPrefix:"KEYS_"`
	CA         CA         `yaml:"ca" envPrefix:"CA_"`
	Passphrase Passphrase `yaml:"passphrase" envPrefix:"PASSPHRASE_"`
	Policy     Policy     `yaml:"policy" envPrefix:"POLICY_"`
	Verify     Verify     `yaml:"verify" envPrefix:"VERIFY_"`
	TSA        TSA        `yaml:"tsa" envPrefix:"TSA_"`
	Renewal    Renewal    `yaml:"renewal" envPrefix:"RENEWAL_"`
	Privacy    Privacy    `yaml:"privacy" envPrefix:"PRIVACY_"`
	SCIM       SCIM       `yaml:"scim" envPrefix:"SCIM_"`
	Webhooks   Webhooks   `yaml:"webhooks" envPrefix:"WEBHOOKS_"`
	Windows    Windows    `yaml:"windows" envPrefix:"WINDOWS_"`
	Metrics    Metrics    `yaml:"metrics" envPrefix:"METRICS_"`
	Shutdown   Shutdown   `yaml:"shutdown" envPrefix:"SHUTDOWN_"`
	Log        Log        `yaml:"log" envPrefix:"LOG_"`

	Transparency Transparency `yaml:"transparency" envPrefix:"TRANSPARENCY_"`
}

// Database says where the data are.
type Database struct {
	URL string `yaml:"url" env:"URL"` // postgres://... or a path; empty: absah.db in the data directory
}

// Identity is the name under which the installation appears. A fresh one has a
// demo identity; real names are the operator's to enter.
type Identity struct {
	Product      string `yaml:"product" env:"PRODUCT"`           // name in the header
	Organisation string `yaml:"organisation" env:"ORGANISATION"` // whose installation it is
	RAShort      string `yaml:"ra_short" env:"RA_SHORT"`         // in [brackets] before subjects of the registration authority
	IssuerShort  string `yaml:"issuer_short" env:"ISSUER_SHORT"` // in [brackets] before subjects of the issuer
	IssuerName   string `yaml:"issuer_name" env:"ISSUER_NAME"`   // legal name of the certification authority
	DeskName     string `yaml:"service_desk" env:"SERVICE_DESK"` // name of the service desk
	DeskEmail    string `yaml:"service_desk_email" env:"SERVICE_DESK_EMAIL"`
	DeskPhone    string `yaml:"service_desk_phone" env:"SERVICE_DESK_PHONE"`
}

// Mail says how mail goes out.
type Mail struct {
	Host         string        `yaml:"host" env:"HOST"`
	Port         int           `yaml:"port" env:"PORT"`
	Security     string        `yaml:"security" env:"SECURITY"` // starttls, tls, or none (loopback only)
	User         string        `yaml:"user" env:"USER"`
	PasswordFile string        `yaml:"password_file" env:"PASSWORD_FILE"`
	CAFile       string        `yaml:"ca_file" env:"CA_FILE"` // PEM of the server's CA, when the system does not know it
	From         string        `yaml:"from" env:"FROM"`
	FromName     string        `yaml:"from_name" env:"FROM_NAME"`
	Timeout      time.Duration `yaml:"timeout" env:"TIMEOUT"`
}

// Blobs says where sealed scans are kept.
type Blobs struct {
	Kind          string `yaml:"kind" env:"KIND"` // disk or s3
	Endpoint      string `yaml:"endpoint" env:"ENDPOINT"`
	Bucket        string `yaml:"bucket" env:"BUCKET"`
	Region        string `yaml:"region" env:"REGION"`
	Prefix        string `yaml:"prefix" env:"PREFIX"`
	AccessKey     string `yaml:"access_key" env:"ACCESS_KEY"`
	SecretKeyFile string `yaml:"secret_key_file" env:"SECRET_KEY_FILE"`
	TLS           bool   `yaml:"tls" env:"TLS"`
}

// CA names the hierarchy and what its certificates say.
type CA struct {
	Country       string `yaml:"country" env:"COUNTRY"`
	Organisation  string `yaml:"organisation" env:"ORGANISATION"`
	RootName      string `yaml:"root_name" env:"ROOT_NAME"`
	IssuingName   string `yaml:"issuing_name" env:"ISSUING_NAME"`
	PolicyOID     string `yaml:"policy_oid" env:"POLICY_OID"`
	Years         int    `yaml:"years" env:"YEARS"`     // validity of subscriber certificates
	PKIURL        string `yaml:"pki_url" env:"PKI_URL"` // where OCSP, CRLs and CA certificates are reached; base_url when empty
	SubscriberKey string `yaml:"subscriber_key" env:"SUBSCRIBER_KEY"`
	AtOnce        int    `yaml:"at_once" env:"AT_ONCE"`               // certificates that are worked on at once
	CRLShards     int    `yaml:"crl_shards" env:"CRL_SHARDS"`         // lists that certificates are divided into: 1, 2, 4, 8 or 16
	CRLDeltaFrom  int    `yaml:"crl_delta_from" env:"CRL_DELTA_FROM"` // entries from which delta CRLs follow the complete list; 0: never
	Certified     bool   `yaml:"certified" env:"CERTIFIED"`           // the government recognises it (PSrE): its signatures are certified ones

	Profiles Profiles `yaml:"profiles" envPrefix:"PROFILES_"`
}

// Verify says whose signatures the public verification page believes, beside
// those of this installation's own authority.
type Verify struct {
	Trust []string `yaml:"trust" env:"TRUST"` // PEM files of other authorities' root certificates
}

// Passphrase is what a passphrase must be.
type Passphrase struct {
	MinLength int `yaml:"min_length" env:"MIN_LENGTH"`
	MinScore  int `yaml:"min_score" env:"MIN_SCORE"` // of 0 to 4
}

// Policy is what the registration authority decides.
type Policy struct {
	LinkValidity      time.Duration `yaml:"link_validity" env:"LINK_VALIDITY"`
	LinkLogin         bool          `yaml:"link_login" env:"LINK_LOGIN"`
	LinksPerDay       int           `yaml:"links_per_day" env:"LINKS_PER_DAY"`
	ResetNeedsOfficer bool          `yaml:"reset_needs_officer" env:"RESET_NEEDS_OFFICER"`
	Approval          string        `yaml:"approval" env:"APPROVAL"` // whose approvals need a signature by passkey: passkey (all), auto (officers with a pinned one), account (none)

	// RevocationNeedsSecond: what one officer wants revoked is suspended until a second one confirms.
	RevocationNeedsSecond bool `yaml:"revocation_needs_second" env:"REVOCATION_NEEDS_SECOND"`
}

// Log says what is logged.
type Log struct {
	Level  string `yaml:"level" env:"LEVEL"`   // debug, info, warn, error
	Format string `yaml:"format" env:"FORMAT"` // text or json
}

// Default is the configuration that an empty file means.
func Default() Config {
	return Config{
		Data: "data", Addr: "127.0.0.1:8080", BaseURL: "http://127.0.0.1:8080",
		Identity: Identity{
			Product: "Absah", Organisation: "Instansi Contoh", RAShort: "Absah", IssuerShort: "Absah CA Demo",
			IssuerName: "Absah CA Demo (tidak tersertifikasi)", DeskName: "Service Desk", DeskEmail: "servicedesk@contoh.example",
		},
		Mail:  Mail{Host: "127.0.0.1", Port: 25, Security: "none", From: "absah@contoh.example", FromName: "Absah", Timeout: 30 * time.Second},
		Blobs: Blobs{Kind: "disk", TLS: true},
		Keys:  defaultKeys(),
		CA: CA{
			Country: "ID", Organisation: "Instansi Contoh", RootName: "Absah Demo Root CA", IssuingName: "Absah Demo Issuing CA 1",
			PolicyOID: "2.25.7260.1.1", Years: 2, SubscriberKey: "ecdsa-p256", AtOnce: 128, CRLShards: 1, CRLDeltaFrom: 10_000,
			Profiles: defaultProfiles(),
		},
		Passphrase: Passphrase{MinLength: 12, MinScore: 3},
		Policy:     Policy{LinkValidity: 72 * time.Hour, LinksPerDay: 3, RevocationNeedsSecond: true, Approval: "auto"},
		TSA:        defaultTSA(),
		Renewal:    defaultRenewal(),
		Privacy:    defaultPrivacy(),
		Webhooks:   defaultWebhooks(),
		Windows:    defaultWindows(),
		Shutdown:   defaultShutdown(),
		Log:        Log{Level: "info", Format: "text"},
	}
}

// Load reads the file at path (none when empty), then the environment over it,
// fills what is open with Default and checks the whole.
func Load(path string, environ []string) (Config, error) {
	c := Default()
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if err := Decode(b, &c); err != nil {
			return c, fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := overlay(&c, environ); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// Decode reads YAML over what c holds. A key that Absah does not know is an
// error that names it and its line.
func Decode(b []byte, c *Config) error {
	dec, err := yaml.NewLoader(bytes.NewReader(b), yaml.WithKnownFields())
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := dec.Load(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read configuration: %w", err)
	}
	return nil
}

// reserved are variables with our prefix that are not keys of Config.
var reserved = []string{"TEST_POSTGRES", "TEST_POSTGRES_DIR", "TEST_POSTGRES_PORT", "LONG", "CONFIG"}

func overlay(c *Config, environ []string) error {
	vars := map[string]string{}
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		if name, ok := strings.CutPrefix(k, EnvPrefix); ok && !slices.Contains(reserved, name) {
			vars[k] = v
		}
	}
	known, err := env.GetFieldParamsWithOptions(c, env.Options{Prefix: EnvPrefix})
	if err != nil {
		return fmt.Errorf("read environment: %w", err)
	}
	for k := range vars {
		if !slices.ContainsFunc(known, func(p env.FieldParams) bool { return p.Key == k }) {
			return fmt.Errorf("read environment: %s is not a setting", k)
		}
	}
	if err := env.ParseWithOptions(c, env.Options{Prefix: EnvPrefix, Environment: vars}); err != nil {
		return fmt.Errorf("read environment: %w", err)
	}
	return nil
}

// Error says which key is wrong and what it should be.
type Error struct{ Key, Want string }

func (e *Error) Error() string { return e.Key + ": " + e.Want }

var oid = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]*)){2,}$`)

// Validate checks every key and reports all that are wrong, each as *Error.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, key, want string) {
		if wrong {
			errs = append(errs, &Error{key, want})
		}
	}
	bad(c.Data == "", "data", "must name a directory")
	_, port, err := net.SplitHostPort(c.Addr)
	bad(err != nil || !isPort(port), "addr", "must be HOST:PORT")
	u, err := url.Parse(c.BaseURL)
	bad(err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil,
		"base_url", "must be https://HOST or http://HOST:PORT without a path")
	bad(err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()), "base_url", "must be https unless the host is this machine")
	for i, p := range c.TrustedProxies {
		_, err := netip.ParsePrefix(p)
		bad(err != nil, fmt.Sprintf("trusted_proxies[%d]", i), "must be a network such as 10.0.0.0/8")
	}
	for key, v := range map[string]string{
		"identity.product": c.Identity.Product, "identity.organisation": c.Identity.Organisation, "identity.ra_short": c.Identity.RAShort,
		"identity.issuer_short": c.Identity.IssuerShort, "identity.issuer_name": c.Identity.IssuerName, "identity.service_desk": c.Identity.DeskName,
		"ca.organisation": c.CA.Organisation, "ca.root_name": c.CA.RootName, "ca.issuing_name": c.CA.IssuingName,
	} {
		bad(strings.TrimSpace(v) == "" || len([]rune(v)) > 64 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' }),
			key, "must be a text of 1 to 64 characters on one line")
	}
	bad(c.Identity.DeskEmail != "" && !isAddress(c.Identity.DeskEmail), "identity.service_desk_email", "must be an e-mail address or empty")
	bad(c.Mail.Host == "", "mail.host", "must name the SMTP server")
	bad(!isPort(strconv.Itoa(c.Mail.Port)), "mail.port", "must be 1 to 65535")
	bad(!slices.Contains([]string{"starttls", "tls", "none"}, c.Mail.Security), "mail.security", "must be starttls, tls or none")
	bad(c.Mail.Host != "" && c.Mail.Security == "none" && !isLoopback(c.Mail.Host), "mail.security", "must be starttls or tls unless mail.host is this machine")
	bad(c.Mail.User != "" && c.Mail.PasswordFile == "", "mail.password_file", "must name a file when mail.user is set")
	bad(!isAddress(c.Mail.From), "mail.from", "must be an e-mail address")
	bad(c.Mail.Timeout < time.Second || c.Mail.Timeout > 10*time.Minute, "mail.timeout", "must be 1s to 10m")
	bad(!slices.Contains([]string{"disk", "s3"}, c.Blobs.Kind), "blobs.kind", "must be disk or s3")
	bad(c.Blobs.Kind == "s3" && (c.Blobs.Endpoint == "" || c.Blobs.Bucket == ""), "blobs.endpoint", "and blobs.bucket must be set for s3")
	c.Keys.check(bad)
	bad(!regexp.MustCompile(`^[A-Z]{2}$`).MatchString(c.CA.Country), "ca.country", "must be two capital letters such as ID")
	bad(!oid.MatchString(c.CA.PolicyOID), "ca.policy_oid", "must be an object identifier such as 2.25.7260.1.1")
	bad(c.CA.Years < 1 || c.CA.Years > 3, "ca.years", "must be 1 to 3")
	bad(c.CA.AtOnce < 1 || c.CA.AtOnce > 256, "ca.at_once", "must be 1 to 256")
	bad(c.CA.PKIURL != "" && !isHTTP(c.CA.PKIURL), "ca.pki_url", "must be http://HOST or https://HOST without a path, or empty")
	bad(!slices.Contains([]string{"ecdsa-p256", "rsa-3072"}, c.CA.SubscriberKey), "ca.subscriber_key", "must be ecdsa-p256 or rsa-3072")
	bad(c.Passphrase.MinLength < 8 || c.Passphrase.MinLength > 64, "passphrase.min_length", "must be 8 to 64")
	bad(c.Passphrase.MinScore < 2 || c.Passphrase.MinScore > 4, "passphrase.min_score", "must be 2 to 4")
	bad(c.Policy.LinkValidity < time.Hour || c.Policy.LinkValidity > 30*24*time.Hour, "policy.link_validity", "must be 1h to 720h")
	bad(c.Policy.LinksPerDay < 1 || c.Policy.LinksPerDay > 20, "policy.links_per_day", "must be 1 to 20")
	bad(!slices.Contains([]int{1, 2, 4, 8, 16}, c.CA.CRLShards), "ca.crl_shards", "must be 1, 2, 4, 8 or 16")
	bad(c.CA.CRLDeltaFrom < 0, "ca.crl_delta_from", "must be 0 or more")
	c.TSA.check(bad)
	c.CA.Profiles.check(bad)
	c.checkRoles(bad)
	c.Transparency.check(bad)
	c.Renewal.check(bad)
	c.Privacy.check(bad)
	c.SCIM.check(bad)
	c.Webhooks.check(bad)
	c.Windows.check(bad)
	c.Shutdown.check(bad)
	c.Metrics.check(c.Addr, bad)
	bad(!slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level", "must be debug, info, warn or error")
	bad(!slices.Contains([]string{"text", "json"}, c.Log.Format), "log.format", "must be text or json")
	return errors.Join(errs...)
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}

func isHTTP(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.User == nil
}

func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// DatabaseURL is where the data are, with the default filled in.
func (c Config) DatabaseURL() string {
	if c.Database.URL != "" {
		return c.Database.URL
	}
	return filepath.Join(c.Data, "absah.db")
}

// PKIURL is where relying parties reach the authority.
func (c Config) PKIURL() string {
	if c.CA.PKIURL != "" {
		return c.CA.PKIURL
	}
	return c.BaseURL
}

// Path is a file or folder in the data directory.
func (c Config) Path(name string) string { return filepath.Join(c.Data, name) }
