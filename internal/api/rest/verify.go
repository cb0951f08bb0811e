package rest

import (
	"bytes"
	"context"
	"net/http"

	"absah/internal/verification"
)

// verify judges a PDF and forgets it, POST /verifications.
func (d *door) verify(ctx context.Context, c *call) (*answer, error) {
	doc, err := verification.Take(bytes.NewReader(c.file))
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	a, err := d.Verifier.Judge(ctx, doc, []byte(c.form["password"]))
	if err != nil {
		return nil, err
	}
	b, err := a.JSON(c.fileName())
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, kind: "application/json", body: b}, nil
}
