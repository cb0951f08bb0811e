package fetch

import "context"

// Relay gets one CRL (RFC 5280 4.2.1.13), or the answer to one OCSPRequest when
// there is a body (RFC 6960 A.1), within the bounds of the Client, for a process
// that has no connection of its own. What comes is not looked at.
func (c *Client) Relay(ctx context.Context, address string, body []byte) ([]byte, error) {
	what, get := "CRL", func() ([]byte, error) {
		answer, err := c.get(ctx, address, "application/pkix-crl")
		return decode(answer, "X509 CRL"), err
	}
	if body != nil {
		what, get = "OCSP response", func() ([]byte, error) { return c.ask(ctx, address, body) }
	}
	answer, err := get()
	if err != nil {
		return nil, &Error{what, plain(address), err}
	}
	return answer, nil
}
