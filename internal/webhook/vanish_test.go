package webhook_test

import (
	"context"

	"absah/internal/webhook"
)

// vanished is the sender of a process that ends after its request was sent.
type vanished struct{ webhook.Sender }

func (v vanished) Send(ctx context.Context, m webhook.Message) (webhook.Answer, error) {
	_, _ = v.Sender.Send(ctx, m)
	panic("the process ends here")
}
