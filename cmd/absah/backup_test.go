package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/backup"
)

// What an operator does with the log and with backups, by the program itself.
func TestLogAndBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, export, id := filepath.Join(dir, "data"), filepath.Join(dir, "export"), filepath.Join(dir, "id.txt")
	program(t, nil, "init", "--data", data).want(t, 0)
	recipient := write(t, filepath.Join(dir, "recipients.txt"), program(t, nil, "backup", "key", id).want(t, 0, "age1").out)
	program(t, nil, "backup", "key", id).want(t, 1) // an identity is never replaced

	file := filepath.Join(dir, "all.age")
	program(t, nil, "backup", "--data", data, "--to", file, "--recipient", recipient).want(t, 0, "Backed up as of")
	if b, err := os.ReadFile(filepath.Join(data, "last-backup")); err != nil || !strings.HasPrefix(string(b), "20") {
		t.Errorf("what metrics tell of the last backup is %q, %v", b, err)
	}
	program(t, nil, "backup", "--data", data, "--to", file, "--recipient", recipient).want(t, 1)
	program(t, nil, "backup", "--data", data, "--to", filepath.Join(dir, "x.age")).want(t, 1, "--recipient")
	program(t, nil, "restore", "--from", file, "--identity", id, "--drill").want(t, 0, "serves")
	program(t, nil, "restore", "--data", data, "--from", file, "--identity", id).want(t, 1, "something lives here")
	program(t, nil, "restore", "--data", data, "--from", file, "--reconcile").want(t, 1, "--reconcile")

	// Only the newest erasure keys exist: the next backup replaces them, and no other file beside or elsewhere is begun.
	erasure := filepath.Join(dir, "erasure-keys")
	was, err := os.ReadFile(erasure)
	if err != nil || !strings.HasPrefix(string(was), backup.ErasureMark) {
		t.Fatalf("the erasure keys beside the backup: %.30q, %v", was, err)
	}
	write(t, erasure+".part", "what a crash left")
	next, elsewhere := filepath.Join(dir, "next.age"), filepath.Join(t.TempDir(), "erasure-keys")
	again := []string{"backup", "--data", data, "--recipient", recipient, "--to", next}
	program(t, nil, append(again, "--erasure-keys", filepath.Join(dir, "erasure-keys-2"))...).want(t, 1, "another file")
	program(t, nil, append(again, "--erasure-keys", elsewhere)...).want(t, 1, "another file")
	program(t, nil, append(again, "--erasure-keys", file)...).want(t, 1, "not replaced")
	program(t, nil, again...).want(t, 0, "erasure-keys")
	if now, err := os.ReadFile(erasure); err != nil || bytes.Equal(now, was) {
		t.Errorf("the erasure keys were not replaced: %v", err)
	}
	for _, left := range []string{erasure + ".part", next + ".part", elsewhere} {
		if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was left: %v", filepath.Base(left), err)
		}
	}
	again[len(again)-1] = filepath.Join(dir, "third.age")
	program(t, nil, append(again, "--erasure-keys", elsewhere, "--another-place")...).want(t, 0)
	// The newest erasure keys are found beside a backup; without them nobody restores unawares.
	alone := write(t, filepath.Join(t.TempDir(), "all.age"), "")
	if b, err := os.ReadFile(file); err != nil || os.WriteFile(alone, b, 0o600) != nil {
		t.Fatal(err)
	}
	program(t, nil, "restore", "--from", alone, "--identity", id, "--drill").want(t, 1, "erasure keys are missing")
	program(t, nil, "restore", "--from", alone, "--identity", id, "--drill", "--erasure-keys", elsewhere).want(t, 0, "serves")
	program(t, nil, "restore", "--from", alone, "--identity", id, "--drill", "--without-erasure-keys").want(t, 0, "serves")

	two := filepath.Join(dir, "two")
	program(t, nil, "restore", "--data", two, "--from", file, "--identity", id).want(t, 0, "Restored")
	for _, where := range []string{data, two} {
		program(t, nil, "audit", "verify", "--data", where).want(t, 0, "is whole")
	}

	key := program(t, nil, "audit", "export", "--data", data, export).want(t, 0, "verifier key")
	_, vkey, _ := strings.Cut(key.out, "verifier key ")
	vkey = strings.TrimSpace(vkey)
	since := filepath.Join(export, "checkpoint")
	program(t, nil, "audit", "verify", "--export", export, "--key", vkey, "--since", since).want(t, 0, "is whole", "continues")
	program(t, nil, "audit", "verify", "--data", data, "--since", since).want(t, 0, "continues")
	program(t, nil, "audit", "prove", "--data", data, "--row", "1").want(t, 0, `"proof"`)
	program(t, nil, "audit", "prove", "--data", data, "--from", since).want(t, 0, `"proof"`)
	rows := filepath.Join(export, "rows", "000000000001.jsonl")
	b, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	write(t, rows, strings.Replace(string(b), "account.create", "account.forge", 1))
	program(t, nil, "audit", "verify", "--export", export, "--key", vkey).want(t, 1, "was changed")
}

// TestErasureKeysOfAnotherStay: the timer of an installation that was made anew
// where one was lost takes nothing from the backups of the lost one.
func TestErasureKeysOfAnotherStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id := filepath.Join(dir, "id.txt")
	recipient := write(t, filepath.Join(dir, "recipients.txt"), program(t, nil, "backup", "key", id).want(t, 0, "age1").out)
	backUp := func(data, file string) result {
		return program(t, nil, "backup", "--data", filepath.Join(dir, data), "--recipient", recipient, "--to", filepath.Join(dir, file))
	}
	for _, data := range []string{"lost", "anew"} {
		program(t, nil, "init", "--data", filepath.Join(dir, data)).want(t, 0)
	}
	backUp("lost", "1.age").want(t, 0)
	was, err := os.ReadFile(filepath.Join(dir, "erasure-keys"))
	if err != nil {
		t.Fatal(err)
	}
	backUp("anew", "2.age").want(t, 1, "another installation")
	if now, err := os.ReadFile(filepath.Join(dir, "erasure-keys")); err != nil || !bytes.Equal(was, now) {
		t.Errorf("the erasure keys of the other installation were replaced: %v", err)
	}
	// What is restored of a backup goes on with its erasure keys.
	if err := os.RemoveAll(filepath.Join(dir, "lost")); err != nil {
		t.Fatal(err)
	}
	program(t, nil, "restore", "--data", filepath.Join(dir, "lost"), "--from", filepath.Join(dir, "1.age"), "--identity", id).want(t, 0, "Restored")
	backUp("lost", "3.age").want(t, 0)
}

// TestPartsAreNotShared: what a crash left is taken away; what another backup writes,
// or has finished, stays as it is.
func TestPartsAreNotShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	part, name := filepath.Join(dir, "x.part"), filepath.Join(dir, "x")
	first, err := createPart(part)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := createPart(part); !errors.Is(err, errWriting) {
		t.Errorf("two backups write the same file: %v", err)
	}
	late, err := os.OpenFile(part, os.O_WRONLY, 0) // somebody opens it just before it is finished
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.WriteString("whole"); err != nil || os.Link(part, name) != nil || first.Close() != nil {
		t.Fatal(err)
	}
	second, err := createPart(part) // a crash left the name of the part
	if err != nil {
		t.Fatal(err)
	}
	if err := lockPart(late); !errors.Is(err, errWriting) {
		t.Errorf("a finished backup was taken for one that a crash left: %v", err)
	}
	if err := errors.Join(late.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "whole" {
		t.Errorf("a finished backup holds %q, %v", b, err)
	}
}
