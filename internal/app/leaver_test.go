package app_test

import (
	"crypto/sha256"
	"testing"

	"absah/internal/app/apptest"
	"absah/internal/store"
)

// The authority finds that no check was about somebody who has left: the hash
// that it compares with those of both officers is of nothing.
func TestAuthorityKnowsLeavers(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	ctx := t.Context()
	must(t, apptest.Populate(ctx, h.App, 1))
	estate, err := apptest.Find(ctx, h.App)
	must(t, err)
	who := estate.People[0]
	snap, err := h.Staff.Snapshot(ctx, h.Store.Read(), who.EmployeeID)
	must(t, err)
	subject, hash, err := h.CertificateSubject(ctx, who.EmployeeID)
	if err != nil || hash != snap.Hash() || subject.Name != snap.Name {
		t.Fatalf("an employee: %+v, %v", subject, err)
	}
	must(t, h.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `update employee set active = $1 where id = $2`, false, who.EmployeeID)
		return err
	}))
	subject, hash, err = h.CertificateSubject(ctx, who.EmployeeID)
	if err != nil || hash != [sha256.Size]byte{} || subject.Name != "" {
		t.Errorf("a leaver: %+v, %v", subject, err)
	}
}
