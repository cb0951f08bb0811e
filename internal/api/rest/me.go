package rest

import (
	"context"
	"net/http"

	"absah/internal/signing"
	"absah/internal/verification"
)

type applicationBody struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Info        string     `json:"info"`
	Sandbox     bool       `json:"sandbox"`
	Scopes      []string   `json:"scopes"`
	Unit        *string    `json:"unit"`
	Networks    []string   `json:"networks"`
	Rate        int        `json:"rate_per_minute"`
	CreatedAt   string     `json:"created_at"`
	BeforeUntil *string    `json:"secret_before_until"`
	Limits      limitsBody `json:"limits"`
}

type limitsBody struct {
	Document     int64 `json:"document_bytes"`
	Batch        int   `json:"documents_per_signing"`
	Places       int   `json:"places_per_document"`
	Verification int64 `json:"verification_bytes"`
	Steps        int   `json:"workflow_steps"`
}

// me tells an application who it is, GET /me.
func (d *door) me(ctx context.Context, c *call) (*answer, error) {
	a := c.client
	body := applicationBody{
		ID: a.ID, Name: a.Name, Info: a.Info, Sandbox: a.Sandbox, Scopes: []string{}, Networks: []string{}, Rate: a.Rate,
		CreatedAt: moment(a.CreatedAt), BeforeUntil: maybe(a.Rotating),
		Limits: limitsBody{d.Signing.Limits.FileBytes, d.Signing.Limits.Batch, d.Signing.Limits.Places, verification.MaxBytes, signing.MaxSteps},
	}
	if a.Unit != "" {
		u, err := d.Clients.UnitOf(ctx, *a)
		if err != nil {
			return nil, err
		}
		body.Unit = &u.Code
	}
	for _, s := range a.Scopes {
		body.Scopes = append(body.Scopes, string(s))
	}
	for _, n := range a.Networks {
		body.Networks = append(body.Networks, n.String())
	}
	return ok(body)
}

// document is the contract itself, GET /openapi.json.
func (d *door) document(context.Context, *call) (*answer, error) {
	a := &answer{status: http.StatusOK, kind: "application/openapi+json", body: d.doc.JSON}
	return a.set("Cache-Control", "public, max-age=300"), nil
}
