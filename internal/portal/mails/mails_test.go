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
	"absah/internal/portal/dossier/dossiertest"
	"absah/internal/portal/mails"
	"absah/internal/portal/portaltest"
	"absah/internal/store/db"
)

// refuser is a mail server that refuses, or cannot be reached.
type refuser struct{ err error }

func (r refuser) Send(context.Context, string, string, []byte) (mail.Reply, error) {
	return mail.Reply{Code: 250, Text: "OK queued"}, r.err
}

func TestAdministratorSeesWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	h := dossiertest.New(t)
	srv := h.Serve(mails.New(h.Store, h.Outbox, h.Clock.Now).Routes())
	admin := h.Person("Adi Contoh", account.Administrator, account.Everywhere)
	reg := h.Submit(h.Applicant("Sari Contoh", h.Unit))
	b := h.Browser(srv, admin)
	b.Get("/admin/surel").Want(t, "queued", 200, "Dalam antrean", "@contoh.example")

	id := mailsOf(t, h, reg.ID)[0].ID
	refused := &mail.SendError{Outcome: mail.Permanent, Stage: mail.StageRecipient, Reply: mail.Reply{Code: 550, Text: "5.1.1 no such <mailbox>"}}
	h.Outbox.Transport = refuser{&mail.SendError{Outcome: mail.Temporary, Stage: mail.StageConnect, Err: errors.New("connection refused")}}
	portaltest.Must(t, h.Outbox.Deliver(t.Context(), id))
	b.Get("/admin/surel").Want(t, "waiting", 200, "dicoba lagi")
	h.Outbox.Transport = refuser{refused}
	portaltest.Must(t, h.Outbox.Deliver(t.Context(), id))
	b.Get("/admin/surel?status=refused").Want(t, "refused", 200, "550 5.1.1 no such &lt;mailbox&gt;")
	b.Get("/admin/surel/"+id).Want(t, "one mail", 200, "Gagal sementara", "Ditolak server", "connection refused", "Kirim ulang")

	b.Post("/admin/surel/"+id+"/kirim-ulang").Want(t, "resend", 303)
	b.Get("/admin/surel/"+id).Want(t, "resent", 200, "Sudah dikirim ulang", "kembali ke antrean")
	if n := len(mailsOf(t, h, reg.ID)); n != 2 {
		t.Errorf("%d mails after sending one again", n)
	}
	b.Post("/admin/surel/"+id+"/kirim-ulang").Want(t, "resend twice", 303)
	b.Get("/admin/surel/"+id).Want(t, "flash", 200, "tidak dapat dikirim ulang")
	b.Get("/admin/surel?status=nonsense&sebelum=x-y").Want(t, "nonsense", 200)
	b.Get("/admin/surel/nonesuch").Want(t, "no such mail", 404)

	people := map[string]audit.Actor{"visitor": {}, "employee": h.Person("Eko Contoh", account.Employee, "")}
	for _, role := range account.GrantableRoles() {
		if role != account.Administrator {
			people[string(role)] = h.Person("Orang Contoh", role, account.Everywhere)
		}
	}
	for who, actor := range people {
		other := h.Browser(srv, actor)
		for _, r := range mails.New(nil, nil, nil).Routes() {
			var form url.Values
			if r.Method == http.MethodPost {
				form = url.Values{}
			}
			got := other.Do(r.Method, strings.ReplaceAll(r.Path, "{id}", id), form).Status
			if got != http.StatusNotFound && (who != "visitor" || got != http.StatusSeeOther) {
				t.Errorf("%s: %s %s answers %d", who, r.Method, r.Path, got)
			}
		}
	}
}

func mailsOf(t *testing.T, h *dossiertest.House, id string) []db.Mail {
	t.Helper()
	d, err := h.Reader.Read(t.Context(), h.Reload(id))
	portaltest.Must(t, err)
	var list []db.Mail
	for _, m := range d.Mails {
		list = append(list, m.Mail)
	}
	return list
}
