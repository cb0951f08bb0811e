package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestRevokeMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	program(t, nil, "init", "--data", data).want(t, 0)
	args := []string{"ca", "revoke-many", "--data", data, "--reason", "key_compromise", "--note", "Insiden"}
	program(t, nil, args...).want(t, 1, "give a filter")
	program(t, nil, append(args, "--all", "--issuer", "ca-issuing")...).want(t, 1, "give a filter")
	program(t, nil, "ca", "revoke-many", "--data", data, "--reason", "none", "--note", "x", "--all").want(t, 1, "--reason none")
	program(t, nil, append(args, "--issued-from", "kemarin")...).want(t, 1, "no time")
	serials := write(t, filepath.Join(dir, "serials"), "4A:7F:03\n")
	program(t, nil, append(args, "--serials", serials)...).want(t, 1, "4a7f03")
	program(t, nil, append(args, "--unit", "tidak-ada")...).want(t, 1, "--unit tidak-ada")
	if r := program(t, nil, append(args, "--all")...).want(t, 1, "0 certificates are concerned", "add --yes"); r.out != "" {
		t.Errorf("lists %q", r.out)
	}
	if r := program(t, nil, append(args, "--all", "--yes")...).want(t, 0); !strings.Contains(r.err, "0 certificates are revoked") {
		t.Errorf("says %q", r.err)
	}
}
