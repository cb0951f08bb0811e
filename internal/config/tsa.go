package config

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// TSA says how timestamps are issued, and by what their clock is judged.
type TSA struct {
	Name   string `yaml:"name" env:"NAME"`     // common name in the certificate
	Policy string `yaml:"policy" env:"POLICY"` // object identifier under which tokens are issued
	// Servers are NTP servers that confirm the machine's clock, HOST or HOST:PORT;
	// three or more let one of them be wrong. Empty: the operator answers for it.
	Servers   []string      `yaml:"servers" env:"SERVERS"`
	Quorum    int           `yaml:"quorum" env:"QUORUM"`         // how many of them must agree; 0: more than half
	MaxOffset time.Duration `yaml:"max_offset" env:"MAX_OFFSET"` // from UTC at which timestamps stop
	// Accuracy is what tokens state when no server confirms the clock.
	Accuracy time.Duration `yaml:"accuracy" env:"ACCURACY"`
}

func defaultTSA() TSA {
	return TSA{Name: "Absah Demo TSA 1", Policy: "2.25.7260.1.2", MaxOffset: 500 * time.Millisecond, Accuracy: 10 * time.Second}
}

func (t TSA) check(bad func(wrong bool, key, want string)) {
	bad(strings.TrimSpace(t.Name) == "" || len([]rune(t.Name)) > 64, "tsa.name", "must be a text of 1 to 64 characters")
	bad(!oid.MatchString(t.Policy), "tsa.policy", "must be an object identifier such as 2.25.7260.1.2")
	for i, s := range t.Servers {
		host := s
		if h, port, err := net.SplitHostPort(s); err == nil {
			host = h
			bad(!isPort(port), fmt.Sprintf("tsa.servers[%d]", i), "must be HOST or HOST:PORT")
		}
		bad(host == "" || strings.ContainsAny(host, " /\t"), fmt.Sprintf("tsa.servers[%d]", i), "must be HOST or HOST:PORT")
	}
	n := len(t.Servers)
	bad(t.Quorum != 0 && (t.Quorum > n || 2*t.Quorum <= n), "tsa.quorum", "must be more than half of tsa.servers, or 0")
	bad(t.MaxOffset < 10*time.Millisecond || t.MaxOffset > 10*time.Second, "tsa.max_offset", "must be 10ms to 10s")
	bad(t.Accuracy < time.Second || t.Accuracy > 10*time.Minute, "tsa.accuracy", "must be 1s to 10m")
}
