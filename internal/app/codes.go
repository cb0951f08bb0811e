package app

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"absah/internal/api/esign"
	"absah/internal/apiclient"
	"absah/internal/outbox"
	"absah/internal/signing"
)

// codes asks signers for the codes with which applications sign. It implements
// esign.Codes.
type codes struct {
	clients *apiclient.Service
	signing *signing.Service
	mails   *outbox.Codes
}

var _ esign.Codes = codes{}

// AskCode implements esign.Codes.
func (c codes) AskCode(ctx context.Context, client *apiclient.Client, employeeID string, n int) error {
	o, err := c.clients.OAuth(ctx, client.ID)
	if err != nil {
		return fmt.Errorf("look whether windows may be opened: %w", err)
	}
	if c.signing.CodeLifeFor(o.Window) == 0 {
		return esign.ErrNoCodes
	}
	s, err := c.signing.Standing(ctx, employeeID)
	if err != nil {
		return err
	}
	if s.Err != nil {
		return s.Err
	}
	q := url.Values{"aplikasi": {client.ID}, "jumlah": {strconv.Itoa(n)}}
	return c.mails.Ask(ctx, client.ID, client.Name, employeeID, n, q.Encode())
}
