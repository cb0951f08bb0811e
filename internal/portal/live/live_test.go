package live

import (
	"sync"
	"testing"
)

func TestOnlySubscribersOfTheKeyAreTold(t *testing.T) {
	t.Parallel()
	var h Hub
	a, stopA := h.Subscribe("a")
	b, stopB := h.Subscribe("b")
	defer stopB()
	h.Publish("nobody")
	h.Notify("a", "registration")
	h.Publish("a") // one piece of news with the one before
	select {
	case <-a:
	default:
		t.Error("the subscriber was not told")
	}
	select {
	case <-a:
		t.Error("news that nobody read came twice")
	case <-b:
		t.Error("another key was told")
	default:
	}
	stopA()
	stopA()
	h.Publish("a")
	select {
	case <-a:
		t.Error("told after the end")
	default:
	}
	if len(h.subs) != 1 {
		t.Errorf("%d keys are left, want 1", len(h.subs))
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var h Hub
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			news, stop := h.Subscribe("a")
			defer stop()
			h.Publish("a")
			<-news
		})
	}
	wg.Wait()
	if len(h.subs) != 0 {
		t.Error("subscriptions are left")
	}
}
