package sign_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/sign"
	"absah/internal/signing"
)

// sendOne uploads a file as the script of the page does, which sends each by itself.
func (r *room) sendOne(name string, file []byte, pairs ...string) (pagetest.Answer, map[string]string) {
	r.T.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		pagetest.Must(r.T, w.WriteField(pairs[i], pairs[i+1]))
	}
	part, err := w.CreateFormFile("dokumen", name)
	pagetest.Must(r.T, err)
	_, err = part.Write(file)
	pagetest.Must(r.T, err)
	pagetest.Must(r.T, w.Close())
	q := httptest.NewRequest(http.MethodPost, pagetest.Base+sign.Base, &body)
	q.Header.Set("Content-Type", w.FormDataContentType())
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	q.Header.Set("Accept", "application/json")
	a := r.b.Do(q)
	said := map[string]string{}
	if err := json.Unmarshal([]byte(a.Body), &said); err != nil {
		r.T.Fatalf("status %d, %v: %s", a.Status, err, a.Body)
	}
	return a, said
}

// TestEachFileByItself: a file that was sent by itself is there, is not there twice
// when it is sent again because the answer was lost, and is refused in words.
func TestEachFileByItself(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	letter := pdf(t, "Surat A")
	a, said := r.sendOne("a.pdf", letter)
	if a.Want(t, 200); said["next"] != sign.Base || len(r.documents()) != 1 {
		t.Errorf("%v, %d documents", said, len(r.documents()))
	}
	if _, said = r.sendOne("a.pdf", letter, "lagi", "ya", "sudah", "1"); said["next"] != sign.Base || len(r.documents()) != 1 {
		t.Errorf("sent again: %v, %d documents", said, len(r.documents()))
	}
	r.b.Get(sign.Base).Want(t, 200, "2 dokumen diunggah", "data-each")
	// The same file under another name, or chosen once more by the person, or long
	// after, is another document.
	r.sendOne("b.pdf", letter, "lagi", "ya")
	r.sendOne("a.pdf", letter)
	if n := len(r.documents()); n != 3 {
		t.Errorf("%d documents, want 3", n)
	}
	r.Clock.Advance(2 * time.Hour)
	r.b = r.Browser(r.j.Applicant)
	r.sendOne("b.pdf", letter, "lagi", "ya")
	if n := len(r.documents()); n != 4 {
		t.Errorf("%d documents, want 4", n)
	}
	a, said = r.sendOne("c.pdf", []byte("halo"))
	if a.Want(t, 422); said["next"] != "" || !strings.Contains(said["problem"], "c.pdf") || !strings.Contains(said["problem"], "PDF") {
		t.Errorf("no PDF: %v", said)
	}
	if n := len(r.documents()); n != 4 {
		t.Errorf("%d documents after a refusal", n)
	}
}

// TestTheOutcomeIsFoundAgain: whoever lost the line while signing sees on the list of
// documents how it ended, and what was not signed comes first.
func TestTheOutcomeIsFoundAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.send(map[string][]byte{"satu.pdf": pdf(t, "Satu")})
	r.b.Get(sign.Base).WantNo(t, "Lihat hasil tiap dokumen")
	batch := r.b.PostForm(sign.Base+"/tandatangan/kirim", r.confirm(form(r.documents()), pagetest.Good)).Want(t, http.StatusSeeOther).Location
	pagetest.Must(t, r.signing.Wait(t.Context()))
	r.b.Get(sign.Base).Want(t, 200, "1 dokumen ditandatangani", "Lihat hasil tiap dokumen", batch)
	r.Clock.Advance(31 * time.Minute)
	r.b = r.Browser(r.j.Applicant)
	r.b.Get(sign.Base).Want(t, 200).WantNo(t, "Lihat hasil tiap dokumen")
}

// TestTheListSaysWhoIsMissing: a document on its way is not called signed, and one
// that was rejected does not look untouched.
func TestTheListSaysWhoIsMissing(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.sendOne("jalan.pdf", pdf(t, "Jalan"))
	d := r.documents()[0]
	other := r.Employee("Orang Lainnya", "199505052019031005")
	me := audit.Actor{EmployeeID: r.j.Applicant.EmployeeID}
	pagetest.Must(t, r.signing.StartWorkflow(t.Context(), me, signing.NewWorkflow{Document: d.ID, Steps: []signing.Step{
		{EmployeeID: me.EmployeeID, Role: signing.SignRole}, {EmployeeID: other.EmployeeID, Role: signing.SignRole},
	}}))
	for _, path := range []string{sign.Base, sign.Base + "/berkas/" + d.ID} {
		r.b.Get(path).Want(t, 200, "Menunggu 2 penanda tangan")
	}
	pagetest.Must(t, r.signing.Reject(t.Context(), audit.Actor{EmployeeID: other.EmployeeID}, d.ID, "Salah tanggal"))
	for _, path := range []string{sign.Base, sign.Base + "/berkas/" + d.ID} {
		r.b.Get(path).Want(t, 200, "Ditolak").WantNo(t, "Menunggu 2", "Belum ditandatangani")
	}
}
