package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	if err := Default().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestEveryWrongKeyIsNamed(t *testing.T) {
	t.Parallel()
	for key, spoil := range map[string]func(*Config){
		"data":                        func(c *Config) { c.Data = "" },
		"addr":                        func(c *Config) { c.Addr = "8080" },
		"base_url":                    func(c *Config) { c.BaseURL = "http://absah.example" },
		"trusted_proxies[0]":          func(c *Config) { c.TrustedProxies = []string{"10.0.0.1"} },
		"identity.product":            func(c *Config) { c.Identity.Product = " " },
		"identity.organisation":       func(c *Config) { c.Identity.Organisation = strings.Repeat("x", 65) },
		"identity.ra_short":           func(c *Config) { c.Identity.RAShort = "a\r\nBcc: x" },
		"identity.issuer_short":       func(c *Config) { c.Identity.IssuerShort = "" },
		"identity.issuer_name":        func(c *Config) { c.Identity.IssuerName = "" },
		"identity.service_desk":       func(c *Config) { c.Identity.DeskName = "" },
		"identity.service_desk_email": func(c *Config) { c.Identity.DeskEmail = "x" },
		"metrics.addr":                func(c *Config) { c.Metrics.Addr = "localhost" },
		"mail.host":                   func(c *Config) { c.Mail.Host = "" },
		"mail.port":                   func(c *Config) { c.Mail.Port = 0 },
		"mail.security":               func(c *Config) { c.Mail.Host = "smtp.example"; c.Mail.Security = "none" },
		"mail.password_file":          func(c *Config) { c.Mail.User = "u" },
		"mail.from":                   func(c *Config) { c.Mail.From = "Name <a@b.example>" },
		"mail.timeout":                func(c *Config) { c.Mail.Timeout = 0 },
		"blobs.kind":                  func(c *Config) { c.Blobs.Kind = "tape" },
		"blobs.endpoint":              func(c *Config) { c.Blobs.Kind = "s3" },
		"keys.kind":                   func(c *Config) { c.Keys.Kind = "cloud" },
		"keys.passphrase_file":        func(c *Config) { c.Keys = token(c.Keys); c.Keys.PassphraseFile = "x" },
		"keys.module":                 func(c *Config) { c.Keys = token(c.Keys); c.Keys.Module = "" },
		"keys.token_label":            func(c *Config) { c.Keys = token(c.Keys); c.Keys.TokenLabel = strings.Repeat("x", 33) },
		"keys.pin_file":               func(c *Config) { c.Keys = token(c.Keys); c.Keys.PINFile = "" },
		"keys.sessions":               func(c *Config) { c.Keys.Sessions = 0 },
		"keys.subscribers":            func(c *Config) { c.Keys.Subscribers = "token" },
		"keys.pepper_rounds":          func(c *Config) { c.Keys.PepperRounds = 2 },
		"ca.country":                  func(c *Config) { c.CA.Country = "Indonesia" },
		"ca.organisation":             func(c *Config) { c.CA.Organisation = "" },
		"ca.root_name":                func(c *Config) { c.CA.RootName = "" },
		"ca.issuing_name":             func(c *Config) { c.CA.IssuingName = "" },
		"ca.policy_oid":               func(c *Config) { c.CA.PolicyOID = "1.2" },
		"ca.years":                    func(c *Config) { c.CA.Years = 10 },
		"ca.at_once":                  func(c *Config) { c.CA.AtOnce = 0 },
		"ca.pki_url":                  func(c *Config) { c.CA.PKIURL = "ldap://pki.example" },
		"ca.subscriber_key":           func(c *Config) { c.CA.SubscriberKey = "rsa-1024" },
		"passphrase.min_length":       func(c *Config) { c.Passphrase.MinLength = 6 },
		"passphrase.min_score":        func(c *Config) { c.Passphrase.MinScore = 1 },
		"policy.link_validity":        func(c *Config) { c.Policy.LinkValidity = time.Minute },
		"policy.links_per_day":        func(c *Config) { c.Policy.LinksPerDay = 0 },
		"webhooks.networks[0]":        func(c *Config) { c.Webhooks.Networks = []string{"10.0.0.1"} },
		"webhooks.timeout":            func(c *Config) { c.Webhooks.Timeout = 0 },
		"webhooks.retention":          func(c *Config) { c.Webhooks.Retention = time.Hour },
		"log.level":                   func(c *Config) { c.Log.Level = "loud" },
		"log.format":                  func(c *Config) { c.Log.Format = "xml" },
	} {
		c := Default()
		spoil(&c)
		err := c.Validate()
		var e *Error
		if !errors.As(err, &e) || e.Key != key {
			t.Errorf("%s: Validate = %v", key, err)
		}
		if strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: one fault gives several errors: %v", key, err)
		}
	}
}

// token is a valid section of a token.
func token(k Keys) Keys {
	k.Kind, k.Module, k.TokenLabel, k.PINFile, k.Subscribers = "pkcs11", "/usr/lib/token.so", "absah", "pin", "token"
	return k
}

func TestTokenIsValid(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Keys = token(c.Keys)
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	c.Keys.Kind, c.Keys.Subscribers = "file", "software"
	var e *Error
	if err := c.Validate(); !errors.As(err, &e) || e.Key != "keys.kind" {
		t.Errorf("a token's settings without one: %v", err)
	}
}

func TestFileThenEnvironment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "absah.yaml")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("addr: 127.0.0.1:9000\nmail:\n  port: 2525\npolicy:\n  link_validity: 48h\n")
	c, err := Load(path, []string{"ABSAH_MAIL_PORT=587", "ABSAH_DATABASE_URL=postgres://db/absah", "PATH=/bin", "ABSAH_LONG=1"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:9000" || c.Mail.Port != 587 || c.Policy.LinkValidity != 48*time.Hour || c.DatabaseURL() != "postgres://db/absah" {
		t.Errorf("Load = %+v", c)
	}
	write("mail:\n  hots: smtp.example\n")
	if _, err := Load(path, nil); err == nil || !strings.Contains(err.Error(), "hots") {
		t.Errorf("unknown key: %v, want an error that names it", err)
	}
	write("")
	if _, err := Load(path, nil); err != nil {
		t.Errorf("empty file: %v", err)
	}
	if _, err := Load(path, []string{"ABSAH_MAIL_PROT=1"}); err == nil || !strings.Contains(err.Error(), "ABSAH_MAIL_PROT") {
		t.Errorf("unknown variable: %v, want an error that names it", err)
	}
	if _, err := Load(path, []string{"ABSAH_MAIL_PORT=many"}); err == nil {
		t.Error("a port of words is taken")
	}
	if _, err := Load(filepath.Join(t.TempDir(), "absent.yaml"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
}

func TestMetricsAreOnLoopbackUnlessSaid(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"": "", "9464": "127.0.0.1:9464", ":9464": "127.0.0.1:9464", "10.1.2.3:9464": "10.1.2.3:9464", "0.0.0.0:9464": "0.0.0.0:9464", "[::1]:9464": "[::1]:9464",
	} {
		c := Default()
		c.Metrics.Addr = addr
		if got := c.Metrics.Listen(); got != want || c.Validate() != nil {
			t.Errorf("metrics.addr %q listens on %q, want %q; %v", addr, got, want, c.Validate())
		}
	}
	for _, addr := range []string{"8080", ":8080", "127.0.0.1:8080", "host:", "70000", "a:b:c"} {
		c := Default()
		c.Metrics.Addr = addr
		if c.Validate() == nil {
			t.Errorf("metrics.addr %q was taken", addr)
		}
	}
}
