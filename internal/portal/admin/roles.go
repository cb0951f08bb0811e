package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// waitingRole is a role that waits for another administrator, as one of them
// sees it.
type waitingRole struct {
	db.OpenRoleRequestsRow
	Mine bool // the viewer asked for it
	Self bool // it is for the viewer
}

func waitingFor(v *account.Viewer, rows []db.OpenRoleRequestsRow) []waitingRole {
	out := make([]waitingRole, len(rows))
	for i, r := range rows {
		out[i] = waitingRole{OpenRoleRequestsRow: r, Mine: r.AskedBy == v.Account.ID, Self: r.AccountID == v.Account.ID}
	}
	return out
}

func (w waitingRole) href() string { return "/admin/akun/" + w.AccountID }

func (w waitingRole) action() string { return w.href() + "/permintaan-peran/" + w.ID }

// scope is the unit of a role.
func (w waitingRole) scope(ctx context.Context) string {
	if !w.UnitID.Valid {
		return i18n.T(ctx, "accounts.all_units")
	}
	return w.UnitCode + " · " + w.UnitName
}

// decide is the second administrator's part, or the first one taking it back.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx, v, id := r.Context(), web.ViewerOf(r.Context()), r.PathValue("request")
	asked, err := p.store.Read().GetRoleRequest(ctx, id)
	if store.IsNotFound(err) || err == nil && asked.AccountID != r.PathValue("id") {
		return web.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read what role is asked for: %w", err)
	}
	var message string
	switch web.Value(r, "aksi") {
	case "setuju":
		message, err = "accounts.wait.confirmed", p.accounts.ConfirmRole(ctx, v, id)
	case "tolak":
		message, err = "accounts.wait.refused", p.accounts.RefuseRole(ctx, v, id, web.Value(r, "alasan"))
	case "tarik":
		message, err = "accounts.wait.withdrawn", p.accounts.WithdrawRole(ctx, v, id)
	default:
		return web.ErrBadRequest
	}
	for _, problem := range []struct {
		err error
		key string
	}{
		{account.ErrOwnRequest, "accounts.wait.own"}, {account.ErrNotThen, "accounts.wait.not_then"}, {account.ErrDecided, "accounts.wait.decided"},
		{account.ErrReason, "accounts.wait.reason"}, {account.ErrTaken, "accounts.granted_already"},
		{account.ErrConflictingRoles, "accounts.conflict"}, {account.ErrNeedsEmployee, "accounts.needs_employee"},
	} {
		if errors.Is(err, problem.err) {
			web.Flash(w, r, ui.Danger, problem.key)
			return p.back(w, r)
		}
	}
	return p.act(w, r, err, message)
}
