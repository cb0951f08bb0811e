package config

import (
	"fmt"
	"net/netip"
	"time"
)

// Webhooks says where applications may have themselves told what happens.
type Webhooks struct {
	// Networks that are not of the public Internet and may be gone to: those in
	// which the institution's own applications are.
	Networks  []string      `yaml:"networks" env:"NETWORKS"`
	PlainHTTP bool          `yaml:"plain_http" env:"PLAIN_HTTP"` // addresses may be http: for development
	CAFile    string        `yaml:"ca_file" env:"CA_FILE"`       // PEM of authorities that are believed beside those of the system
	Timeout   time.Duration `yaml:"timeout" env:"TIMEOUT"`       // of one request
	Retention time.Duration `yaml:"retention" env:"RETENTION"`   // of what was sent
}

func defaultWebhooks() Webhooks {
	return Webhooks{Timeout: 10 * time.Second, Retention: 30 * 24 * time.Hour}
}

func (h Webhooks) check(bad func(wrong bool, key, want string)) {
	for i, n := range h.Networks {
		_, err := netip.ParsePrefix(n)
		bad(err != nil, fmt.Sprintf("webhooks.networks[%d]", i), "must be a network such as 10.0.0.0/8")
	}
	bad(h.Timeout < time.Second || h.Timeout > time.Minute, "webhooks.timeout", "must be 1s to 1m")
	bad(h.Retention < 24*time.Hour || h.Retention > 366*24*time.Hour, "webhooks.retention", "must be 24h to 8784h")
}

// Prefixes are the Networks, which Validate has checked.
func (h Webhooks) Prefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, n := range h.Networks {
		if p, err := netip.ParsePrefix(n); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}
