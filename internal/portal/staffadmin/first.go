package staffadmin

import (
	"context"
	"fmt"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

// firstSteps is what a new installation still needs before anybody can
// register, as a task list; nothing once all of it is there.
func (p *Pages) firstSteps(ctx context.Context, units int) ([]ui.Task, error) {
	q := p.Staff.Store.Read()
	employees, err := q.CountEmployees(ctx)
	if err != nil {
		return nil, fmt.Errorf("count employees: %w", err)
	}
	have := map[account.Role]int{}
	for _, role := range []account.Role{account.Administrator, account.HROfficer, account.RegistrationOfficer} {
		holders, err := q.RoleHolders(ctx, string(role))
		if err != nil {
			return nil, fmt.Errorf("find who has the role %s: %w", role, err)
		}
		people := map[string]bool{}
		for _, h := range holders {
			people[h.ID] = true
		}
		have[role] = len(people)
	}
	var tasks []ui.Task
	open := false
	for _, s := range []struct {
		key, href string
		done      bool
	}{
		{"administrators", "/admin/akun/baru", have[account.Administrator] >= 2},
		{"units", "/admin/unit", units > 0},
		{"employees", "/admin/impor", employees > 0},
		{"hr", "/admin/akun", have[account.HROfficer] >= 1},
		{"officers", "/admin/akun", have[account.RegistrationOfficer] >= 2},
	} {
		t := ui.Task{
			Title: i18n.T(ctx, "staffadmin.first."+s.key), Hint: i18n.T(ctx, "staffadmin.first."+s.key+"_hint"), Href: s.href,
			Status: i18n.T(ctx, "staffadmin.first.open"), Tone: ui.Neutral,
		}
		if s.done {
			t.Status, t.Tone = i18n.T(ctx, "staffadmin.first.done"), ui.Success
		}
		open = open || !s.done
		tasks = append(tasks, t)
	}
	if !open {
		return nil, nil
	}
	return tasks, nil
}
