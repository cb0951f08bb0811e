package demo

import (
	"context"
	"errors"
	"fmt"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/seal"
)

// institution is whom the seal of the demo stands for.
var institution = ca.Institution{Name: "Segel Direktorat Jenderal Rekaan", Organisation: "Direktorat Jenderal Rekaan", ID: "GO:ID-REKAAN-01"}

// makeSeal has two administrators make a seal that two subscribers keep.
func (t *teller) makeSeal(ctx context.Context) error {
	var admins, keepers []audit.Actor
	for i, p := range t.people {
		actor := t.actors[i]
		switch {
		case p.story == storyIssued && len(keepers) < 2:
			keepers = append(keepers, actor)
		case len(p.roles) > 0 && p.roles[0].role == account.Administrator:
			actor.Role = string(account.Administrator)
			admins = append(admins, actor)
		}
	}
	if len(admins) < 2 || len(keepers) < 2 {
		return errors.New("nobody to make or keep a seal")
	}
	id, err := t.Seals.Propose(ctx, admins[0], institution, "Untuk surat edaran dan pengumuman.")
	if err != nil {
		return err
	}
	for _, k := range keepers {
		if err := t.Seals.Order(ctx, admins[0], id, seal.Order{Kind: seal.NameKeeper, Keeper: k.EmployeeID}); err != nil {
			return err
		}
	}
	orders, err := t.Seals.Orders(ctx, id)
	if err != nil {
		return err
	}
	for _, o := range orders {
		if err := t.Seals.Approve(ctx, admins[1], o.ID); err != nil {
			return err
		}
		if err := t.Authority.SealJob(ctx, o.ID); err != nil {
			return fmt.Errorf("certify the seal: %w", err)
		}
	}
	return nil
}
