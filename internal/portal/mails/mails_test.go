package mails_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/mail"
	"absah/internal/portal/mails"
	"absah/internal/portal/pagetest"
	"absah/internal/store/db"
)

// refuser is a mail server that refuses, or cannot be reached.
type refuser struct{ err error }

func (r refuser) Send(context.Context, string, string, []byte) (mail.Reply, error) {
	return mail.Reply{Code: 250, Text: "OK queued"}, r.err
}

func TestAdministratorSeesWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	h := pagetest.New(t)
	h.Serve(mails.New(h.Store, h.Outbox, h.Clock.Now).Routes())
	admin := h.Person("Adi Contoh", account.Administrator, account.Everywhere)
	reg := h.Submit(h.Applicant("Sari Contoh", h.Unit))
	b := h.Browser(admin)
	b.Get("/admin/surel").Want(t, 200, "Dalam antrean", "@contoh.example")

	id := mailsOf(t, h, reg.ID)[0].ID
	refused := &mail.SendError{Outcome: mail.Permanent, Stage: mail.StageRecipient, Reply: mail.Reply{Code: 550, Text: "5.1.1 no such <mailbox>"}}
	h.Outbox.Transport = refuser{&mail.SendError{Outcome: mail.Temporary, Stage: mail.StageConnect, Err: errors.New("connection refused")}}
	pagetest.Must(t, h.Outbox.Deliver(t.Context(), id))
	b.Get("/admin/surel").Want(t, 200, "dicoba lagi")
	h.Outbox.Transport = refuser{refused}
	pagetest.Must(t, h.Outbox.Deliver(t.Context(), id))
	b.Get("/admin/surel?status=refused").Want(t, 200, "550 5.1.1 no such &lt;mailbox&gt;")
	b.Get("/admin/surel/"+id).Want(t, 200, "Gagal sementara", "Ditolak server", "connection refused", "Kirim ulang")

	b.Post("/admin/surel/"+id+"/kirim-ulang").Want(t, 303)
	b.Get("/admin/surel/"+id).Want(t, 200, "Sudah dikirim ulang", "kembali ke antrean")
	if n := len(mailsOf(t, h, reg.ID)); n != 2 {
		t.Errorf("%d mails after sending one again", n)
	}
	b.Post("/admin/surel/"+id+"/kirim-ulang").Want(t, 303)
	b.Get("/admin/surel/"+id).Want(t, 200, "tidak dapat dikirim ulang")
	b.Get("/admin/surel?status=nonsense&sebelum=x-y").Want(t, 200)
	b.Get("/admin/surel/nonesuch").Want(t, 404)

	people := map[string]audit.Actor{"visitor": {}, "employee": h.Person("Eko Contoh", account.Employee, "")}
	for _, role := range account.GrantableRoles() {
		if role != account.Administrator {
			people[string(role)] = h.Person("Orang Contoh", role, account.Everywhere)
		}
	}
	for who, actor := range people {
		other := h.Browser(actor)
		for _, r := range mails.New(nil, nil, nil).Routes() {
			var form url.Values
			if r.Method == http.MethodPost {
				form = url.Values{}
			}
			got := other.Send(r.Method, strings.ReplaceAll(r.Path, "{id}", id), form).Status
			if got != http.StatusNotFound && (who != "visitor" || got != http.StatusSeeOther) {
				t.Errorf("%s: %s %s answers %d", who, r.Method, r.Path, got)
			}
		}
	}
}

func mailsOf(t *testing.T, h *pagetest.House, id string) []db.Mail {
	t.Helper()
	d, err := h.Reader.Read(t.Context(), h.Reload(id))
	pagetest.Must(t, err)
	var list []db.Mail
	for _, m := range d.Mails {
		list = append(list, m.Mail)
	}
	return list
}
