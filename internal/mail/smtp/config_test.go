package smtp

import (
	"errors"
	"net"
	"strings"
	"testing"

	gosmtp "github.com/wneessen/go-mail/smtp"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Host: "mail.example"}
	for name, spoil := range map[string]func(*Config){
		"no host":          func(c *Config) { c.Host = "" },
		"host with space":  func(c *Config) { c.Host = "a b" },
		"unknown security": func(c *Config) { c.Security = "ssl" },
		"unknown method":   func(c *Config) { c.Method = "ntlm" },
		"port":             func(c *Config) { c.Port = 70000 },
		"hello name":       func(c *Config) { c.HelloName = "a\r\nMAIL" },
		"lone password":    func(c *Config) { c.Password = "x" },
		"negative timeout": func(c *Config) { c.Timeout = -1 },
		"no connections":   func(c *Config) { c.Connections = -1 },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := New(cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error = %v, want ErrConfig", name, err)
		}
	}
	c, err := New(good)
	if err != nil || c.cfg.Security != StartTLS || c.cfg.Port != 587 {
		t.Errorf("defaults: %v, %v, want STARTTLS on 587", c.cfg, err)
	}
	if c, err := New(Config{Host: "mail.example", Security: TLS}); err != nil || c.cfg.Port != 465 {
		t.Errorf("TLS: port %d, %v, want 465", c.cfg.Port, err)
	}
}

// The password must not cross a network in the clear.
func TestPasswordNeedsEncryption(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		cfg     Config
		offered string
		allowed bool
	}{
		{"PLAIN over the network", Config{Host: "mail.example"}, "PLAIN LOGIN", false},
		{"PLAIN on this machine", Config{Host: "127.0.0.1"}, "PLAIN", true},
		{"PLAIN on localhost", Config{Host: "localhost"}, "PLAIN", true},
		{"PLAIN by permission", Config{Host: "mail.example", InsecureAuth: true}, "PLAIN", true},
		{"CRAM-MD5 over the network", Config{Host: "mail.example"}, "PLAIN CRAM-MD5", true},
		{"nothing offered", Config{Host: "127.0.0.1"}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			here, there := net.Pipe()
			defer here.Close()
			go func() {
				defer there.Close()
				buf := make([]byte, 1024)
				there.Write([]byte("220 hi\r\n"))
				if n, _ := there.Read(buf); !strings.HasPrefix(string(buf[:n]), "EHLO") {
					return
				}
				there.Write([]byte("250-hi\r\n250 AUTH " + tt.offered + "\r\n"))
			}()
			client, err := gosmtp.NewClient(here, tt.cfg.Host)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Hello("localhost"); err != nil {
				t.Fatal(err)
			}
			cfg, err := tt.cfg.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			s := &session{cfg: &cfg, smtp: client}
			if _, err := s.auth(); (err == nil) != tt.allowed {
				t.Errorf("auth: %v, allowed should be %v", err, tt.allowed)
			}
		})
	}
}
