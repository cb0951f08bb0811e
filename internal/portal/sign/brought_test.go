package sign_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"absah/internal/portal/pagetest"
	"absah/internal/portal/sign"
	"absah/internal/signing"
)

// TestBroughtDocuments: an owner's list holds what applications brought for him,
// with their names; it is narrowed to one of them, or to what was uploaded here,
// and its pages stay narrowed.
func TestBroughtDocuments(t *testing.T) {
	r := newRoom(t)
	r.b.Get(sign.Base).Want(t, http.StatusOK).WantNo(t, `name="asal"`)
	file := pdf(t, "nota")
	bring := func(name, client string) {
		_, err := r.signing.Upload(t.Context(), r.j.Applicant, signing.Upload{Name: name, Client: client, Body: bytes.NewReader(file)})
		pagetest.Must(t, err)
		r.Clock.Advance(time.Second)
	}
	for i := range 51 {
		bring(fmt.Sprintf("persuratan-%02d.pdf", i), "persuratan")
	}
	bring("arsip.pdf", "arsip")
	bring("sendiri.pdf", "")

	r.b.Get(sign.Base).Want(t, http.StatusOK, "sendiri.pdf", "arsip.pdf", "persuratan-50.pdf", "Dari aplikasi persuratan", "Dari aplikasi arsip", `name="asal"`, "waktu=").WantNo(t, "persuratan-00.pdf")
	r.b.Get(sign.Base+"?asal=portal").Want(t, http.StatusOK, "sendiri.pdf").WantNo(t, "arsip.pdf", "persuratan-50.pdf", "waktu=")
	r.b.Get(sign.Base+"?asal=aplikasi:arsip").Want(t, http.StatusOK, "arsip.pdf").WantNo(t, "sendiri.pdf", "persuratan-50.pdf")
	r.b.Get(sign.Base+"?asal=aplikasi:lain").Want(t, http.StatusOK, "sendiri.pdf", "arsip.pdf")
	first := r.b.Get(sign.Base+"?asal=aplikasi:persuratan").Want(t, http.StatusOK, "persuratan-50.pdf", "persuratan-01.pdf").WantNo(t, "persuratan-00.pdf", "arsip.pdf")
	_, rest, _ := strings.Cut(first.Body, `href="`+sign.Base+`?asal=aplikasi%3Apersuratan&amp;`)
	next, _, found := strings.Cut(rest, `"`)
	if !found {
		t.Fatal("the narrowed list has no next page")
	}
	r.b.Get(sign.Base+"?asal=aplikasi%3Apersuratan&"+strings.ReplaceAll(next, "&amp;", "&")).Want(t, http.StatusOK, "persuratan-00.pdf").WantNo(t, "persuratan-01.pdf", "sendiri.pdf")

	list, err := r.signing.Documents(t.Context(), r.j.Applicant.EmployeeID, "arsip", signing.Position{}, 10)
	pagetest.Must(t, err)
	r.b.Get(sign.Base+"/berkas/"+list[0].ID).Want(t, http.StatusOK, "Dari aplikasi arsip")
	r.Browser(r.Employee("Orang Lainnya", "199505052019031005")).Get(sign.Base).Want(t, http.StatusOK).WantNo(t, "arsip.pdf", `name="asal"`)
}
