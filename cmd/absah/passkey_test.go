package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"regexp"
	"testing"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// An officer reads the fingerprint of his passkey out, and whoever sits at the
// ca role's machine pins it.
func TestPinPasskey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program(t, nil, "init", "--data", dir).want(t, 0)
	ctx := t.Context()
	a, err := app.Open(ctx, apptest.Configure(dir, "", 25), app.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := apptest.Populate(ctx, a, 1); err != nil {
		t.Fatal(err)
	}
	estate, err := apptest.Find(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	n := &town{t: t, cookies: map[string]string{}}
	n.signIn(a, estate.Officers[0].EmployeeID, "registration_officer")
	// The COSE_Key of the generator of P-256 (RFC 9053 7.1.1).
	key, err := hex.DecodeString("a5010203262001215820" + "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
		"225820" + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
	if err != nil {
		t.Fatal(err)
	}
	err = a.Store.InTx(ctx, func(tx *store.Tx) error {
		holders, err := tx.RoleHolders(ctx, "registration_officer")
		if err != nil {
			return err
		}
		return tx.InsertPasskey(ctx, db.InsertPasskeyParams{ID: ident.New(), AccountID: holders[0].ID, CredentialID: []byte("0123456789abcdef"),
			Data: fmt.Sprintf(`{"publicKey":%q}`, base64.StdEncoding.EncodeToString(key)), Name: "Kunci kantor", CreatedAt: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	list := program(t, nil, "ca", "passkey", "list", "--data", dir).want(t, 0, "waiting", "Petugas Fiktif 0", "Kunci kantor")
	mark := regexp.MustCompile(`[0-9a-f]{4}(-[0-9a-f]{4}){4}`).FindString(list.out)
	program(t, nil, "ca", "passkey", "pin", "0000-0000-0000-0000-0000", "--data", dir).want(t, 1, "no officer has a passkey with this fingerprint")
	program(t, nil, "ca", "passkey", "pin", mark, "--data", dir).want(t, 0, mark, "Petugas Fiktif 0")
	program(t, nil, "ca", "passkey", "list", "--data", dir).want(t, 0, mark+"  pinned")
	program(t, nil, "ca", "passkey", "unpin", mark, "--data", dir).want(t, 0)
	program(t, nil, "ca", "passkey", "unpin", mark, "--data", dir).want(t, 1, "no officer")
	program(t, nil, "ca", "passkey", "list", "--data", dir).want(t, 0, mark+"  waiting")
}
