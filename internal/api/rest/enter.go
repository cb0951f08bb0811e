package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/audit"
)

// enter tells who calls: HTTP Basic (RFC 7617) or an access token (RFC 6750).
func (d *door) enter(ctx context.Context, w http.ResponseWriter, c *call) error {
	address := d.Address(c.request)
	if wait := d.wrong.Wait(address); wait > 0 {
		return problem("too_many_requests").after(wait)
	}
	client, budget, err := d.admit(ctx, c.request, address)
	quota.Tell(w, budget)
	var often *apiclient.RateError
	switch {
	case errors.Is(err, apiclient.ErrCredential):
		if c.request.Header.Get("Authorization") != "" {
			d.wrong.Count(address)
		}
		return unauthorized()
	case errors.Is(err, apiclient.ErrFrom):
		return problem("wrong_address")
	case errors.As(err, &often):
		return problem("too_many_requests").after(often.After)
	case err != nil:
		return err
	}
	c.client, c.actor = client, client.Actor(address)
	switch {
	case c.route.scope != "" && !client.May(c.route.scope):
		return problem("missing_scope").say("Izin yang diperlukan: "+string(c.route.scope), "The scope that is needed: "+string(c.route.scope))
	case client.Sandbox && !c.route.sandbox:
		return problem("not_in_sandbox")
	}
	return nil
}

func (d *door) admit(ctx context.Context, r *http.Request, address string) (*apiclient.Client, apiclient.Budget, error) {
	if user, secret, ok := r.BasicAuth(); ok {
		return d.Clients.Authenticate(ctx, user, secret, address)
	}
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if d.Token == nil || !strings.EqualFold(kind, "Bearer") || token == "" {
		return nil, apiclient.Budget{}, apiclient.ErrCredential
	}
	id, err := d.Token(ctx, token)
	if err != nil {
		return nil, apiclient.Budget{}, err
	}
	return d.Clients.Admit(ctx, id, address)
}

// behalf is the application acting for an employee.
func (c *call) behalf(employeeID string) audit.Actor {
	a := c.actor
	a.EmployeeID = employeeID
	return a
}
