package outbox

import (
	"context"
	"sync"
	"time"

	"absah/internal/mail"
	"absah/internal/store"
)

// Codes writes the mails that ask signers for codes.
type Codes struct {
	*Outbox

	mu   sync.Mutex
	last map[string]time.Time // by application and signer
}

// codePause is between two mails of one application to one signer: an application
// that asks again and again floods nobody's mailbox.
const codePause = time.Minute

// PageCode is where a signer makes a code.
const PageCode = "/dokumen/aplikasi/kode"

// Ask tells a signer that an application wants to sign so many documents; query
// fills the page in. Within a minute the same is asked once.
func (c *Codes) Ask(ctx context.Context, clientID, client, employeeID string, documents int, query string) error {
	now, key := c.Clock(), clientID+"/"+employeeID
	c.mu.Lock()
	recent := now.Sub(c.last[key]) < codePause
	if !recent {
		for k, at := range c.last {
			if now.Sub(at) >= codePause {
				delete(c.last, k)
			}
		}
		if c.last == nil {
			c.last = map[string]time.Time{}
		}
		c.last[key] = now
	}
	c.mu.Unlock()
	if recent {
		return nil
	}
	return c.Store.InTx(ctx, func(tx *store.Tx) error {
		to, _, err := c.recipient(ctx, tx, employeeID)
		if err != nil || to.Email == "" {
			return err
		}
		_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: mail.SigningCode{
			Application: client, Documents: documents, Page: mail.Path(PageCode + "?" + query),
		}}, About{EmployeeID: employeeID})
		return err
	})
}
