package renewal_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/renewal"
	"absah/internal/staff"
	"absah/internal/staff/stafftest"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

const day = 24 * time.Hour

// certificates stands in for what certificates say: the name at issuance.
type certificates struct {
	names map[string]string // by employee; none: no certificate
}

func (c certificates) Differences(ctx context.Context, q *db.Queries, id string) ([]string, bool, error) {
	name, has := c.names[id]
	e, err := q.GetEmployee(ctx, id)
	if err != nil || !has || e.Name == name {
		return nil, has, err
	}
	return []string{"name"}, true, nil
}

type post struct{ sent []string }

func (p *post) LifeEvent(_ context.Context, tx *store.Tx, _, event string, _ []string, _ time.Time) error {
	tx.After(func() { p.sent = append(p.sent, event) })
	return nil
}

type house struct {
	*stafftest.Set
	t     *testing.T
	svc   *renewal.Service
	certs certificates
	post  *post
}

func each(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := &house{Set: stafftest.New(t, s), t: t, certs: certificates{map[string]string{}}, post: &post{}}
		h.svc = &renewal.Service{
			Store: s, Clock: h.Clock.Now, Log: slog.New(slog.DiscardHandler), Certificates: h.certs, People: h.Service, Courier: h.post,
			Grace: 30 * day, Random: rand.Reader,
		}
		h.Listeners = append(h.Listeners, h.svc)
		f(t, h)
		if _, err := audit.Verify(context.WithoutCancel(t.Context()), s.Read()); err != nil {
			t.Error(err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) rename(name string) {
	h.t.Helper()
	e, err := h.Service.Employee(h.t.Context(), h.Sari.ID)
	must(h.t, err)
	d := e.Data()
	d.Name, d.NIK = name, ""
	_, err = h.UpdateEmployee(h.t.Context(), h.Admin, e.ID, e.Version, d)
	must(h.t, err)
}

func (h *house) watch(want renewal.Watched) {
	h.t.Helper()
	got, err := h.svc.Watch(h.t.Context())
	must(h.t, err)
	if got != want {
		h.t.Errorf("watch did %+v, want %+v", got, want)
	}
}

func (h *house) tasks(want int) []renewal.Task {
	h.t.Helper()
	list, err := h.svc.Tasks(h.t.Context())
	must(h.t, err)
	if len(list) != want {
		h.t.Fatalf("%d tasks, want %d", len(list), want)
	}
	return list
}

func TestAChangeOfTheSubjectIsATask(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		h.rename("Sari Tanpa Sertifikat")
		h.tasks(0)
		h.certs.names[h.Sari.ID] = "Sari Tanpa Sertifikat"
		h.rename("Sari Baru")
		task := h.tasks(1)[0]
		if task.Kind != renewal.SubjectChanged || !slices.Equal(task.Fields, []string{"name"}) || task.Due.Sub(h.Clock.Now()) != 30*day || task.NIP != h.Sari.NIP.String() {
			t.Errorf("task %+v", task)
		}
		h.rename("Sari Lebih Baru") // the time that was given stays
		if again := h.tasks(1)[0]; !again.Due.Equal(task.Due) {
			t.Errorf("due %v, was %v", again.Due, task.Due)
		}
		// Taken back.
		h.rename("Sari Tanpa Sertifikat")
		h.tasks(0)
		// Overdue is told once.
		h.rename("Sari Baru")
		h.watch(renewal.Watched{})
		h.Clock.Advance(31 * day)
		if !h.tasks(1)[0].Late(h.Clock.Now()) {
			t.Error("not late")
		}
		h.watch(renewal.Watched{Reminded: 1})
		h.watch(renewal.Watched{})
		// A new certificate ends it.
		h.certs.names[h.Sari.ID] = "Sari Baru"
		h.watch(renewal.Watched{Closed: 1})
		h.tasks(0)
		if want := []string{"subject_changed", "subject_changed", "overdue"}; !slices.Equal(h.post.sent, want) {
			t.Errorf("mails %v", h.post.sent)
		}
		// And so does the end of the certificate.
		h.rename("Sari Lagi")
		delete(h.certs.names, h.Sari.ID)
		h.watch(renewal.Watched{Closed: 1})
	})
}

func TestRetirement(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		set := func(date string) {
			t.Helper()
			must(t, h.svc.SetRetirement(ctx, h.Admin, h.Sari.ID, date))
		}
		if err := h.svc.SetRetirement(ctx, h.Admin, h.Sari.ID, "31-01-2027"); !errors.Is(err, renewal.ErrDate) {
			t.Errorf("a bad date: %v", err)
		}
		if err := h.svc.SetRetirement(ctx, h.Admin, "none", "2027-01-31"); !errors.Is(err, staff.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		set("")
		set("2027-01-31")
		set("2027-01-31")
		if got, err := h.svc.Retirement(ctx, h.Sari.ID); err != nil || got != "2027-01-31" {
			t.Errorf("%q, %v", got, err)
		}
		set("2026-12-31")
		set("")
		h.tasks(0)
		set("2026-12-31")
		due := h.tasks(1)[0].Due
		if want := time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC); !due.Equal(want) { // midnight in WIB
			t.Errorf("due %v, want %v", due, want)
		}
		h.Clock.Advance(due.Add(-time.Second).Sub(h.Clock.Now()))
		h.watch(renewal.Watched{})
		h.Clock.Advance(time.Second)
		h.watch(renewal.Watched{Left: 1})
		if e, err := h.Service.Employee(ctx, h.Sari.ID); err != nil || e.Active {
			t.Errorf("still in service: %v", err)
		}
		h.tasks(0)
		h.watch(renewal.Watched{})
		if want := []string{"retirement", "retirement", "retirement"}; !slices.Equal(h.post.sent, want) {
			t.Errorf("mails %v", h.post.sent)
		}
	})
}
