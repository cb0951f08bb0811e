package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/mail/mailbox"
)

// TestDoctorSeesWhatIsDue: beside a server that works all is well; then what it lives
// by grows old, one thing after the other.
func TestDoctorSeesWhatIsDue(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), freeAddr(t)
	post, err := mailbox.Open(t.TempDir(), "127.0.0.1:0", clock.System)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = post.Close() })
	settings := []string{"ADDR=" + addr, fmt.Sprintf("MAIL_PORT=%d", post.Addr().Port)}
	program(t, settings, "init", "--data", dir).want(t, 0)
	_, stop := start(t, settings, "--data", dir)
	db := openSQLite(t, dir)
	for count(t, db, "select count(*) from crl where state = 'published'") == 0 {
		if t.Context().Err() != nil {
			t.Fatal("no list is published")
		}
		time.Sleep(50 * time.Millisecond) // until the test's own limit
	}
	f := examine(t, settings, dir)
	f.ok(t, "timestamps", "gives timestamps")
	f.ok(t, "services", "is renewed before")
	f.ok(t, "jobs", "failed for good")
	f.ok(t, "backup", "the installation is new")
	f.ok(t, "lists", "until")
	stop()

	past := time.Now().Add(-8 * 24 * time.Hour)
	for _, q := range []string{
		`update crl set next_update = ` + fmt.Sprint(past.UnixMicro()),
		`insert into river_job (args, kind, max_attempts, queue, state, scheduled_at) values ('{"handler":"mail.send"}', 'absah', 3, 'default', 'available', '` +
			past.UTC().Format("2006-01-02 15:04:05.000") + `')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	write(t, filepath.Join(dir, "last-backup"), past.UTC().Format(time.RFC3339)+"\n")
	services, err := filepath.Glob(filepath.Join(dir, "ca", "ca-tsa-*.crt"))
	if err != nil || len(services) == 0 {
		t.Fatal("no certificate of the TSA", err)
	}
	if err := os.WriteFile(services[len(services)-1], ending(t), 0o600); err != nil {
		t.Fatal(err)
	}
	f = examine(t, settings, dir)
	f.fails(t, "timestamps", "/tsa", "start the pki role")
	f.fails(t, "lists", "relying parties refuse", "start the ca role")
	f.fails(t, "jobs", "mail.send", "start the worker")
	f.fails(t, "backup", "the last backup is too old", "absah backup")
	f.fails(t, "services", "ca-tsa", "start the ca role")
}

// ending is a certificate of which a day of a hundred is left.
func ending(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Fiktif"},
		NotBefore: time.Now().Add(-99 * 24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
