package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"absah/internal/account"
	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// What must be found nowhere but where it belongs.
const (
	markNIK        = "3171010101909137"
	markEmail      = "penanda.surel@contoh.example"
	markName       = "Penanda Contohwati"
	markNIP        = "199001012015012913"
	markPassword   = "penanda sandi gunung merah 81"
	markWrong      = "penanda salah sungai kering 62"
	markPassphrase = "penanda frasa kuda lompat pagar 77"
	markFresh      = "penanda frasa baru genting basah 19"
	markTypo       = "penanda frasa keliru batu apung 33"
	markWeak       = "penandalemah"
	markScan       = "PENANDA-DI-DALAM-SCAN"
	markRequest    = "penanda permintaan tentang data saya"
	markAnswer     = "penanda jawaban atas permintaan"
)

// A whole journey, with errors and a crash on its way; then everything that
// stays is searched (security W8, I14).
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); journey(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); journey(t, storetest.Postgres(t)) })
}

func journey(t *testing.T, database string) {
	h := open(t, database)
	secrets := map[string]string{
		"NIK": markNIK, "password": markPassword, "wrong password": markWrong, "passphrase": markPassphrase, "new passphrase": markFresh,
		"wrong passphrase": markTypo, "weak passphrase": markWeak, "scan": markScan,
		"request of the subject": markRequest, "answer to the subject": markAnswer,
	}
	pages := administrator(h, secrets)
	pages = append(pages, applicant(h, secrets)...)

	// While it runs (the WAL is there) and in what pages said.
	search(t, "log", h.log.String(), secrets)
	for _, personal := range []string{markEmail, markName, markNIP, strings.ToLower(markName)} {
		if strings.Contains(h.log.String(), personal) {
			t.Errorf("the log holds %q", personal)
		}
	}
	if !strings.Contains(h.log.String(), `"panic"`) {
		t.Error("nothing crashed: the test shows less than it says")
	}
	searchMetrics(t, h, secrets)
	typed := map[string]string{}
	for _, name := range []string{"password", "wrong password", "passphrase", "new passphrase", "wrong passphrase", "weak passphrase"} {
		typed[name] = secrets[name]
	}
	for _, page := range pages {
		search(t, "page", page, typed)
	}
	_, err := h.Transparency.Sign(t.Context()) // exports the log
	must(t, err)
	searchBackup(t, h, secrets)
	backedUpSafely(h, secrets)
	files := 0
	must(t, filepath.WalkDir(h.Config.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		name, _ := filepath.Rel(h.Config.Data, path) // below it
		search(t, name, string(b), secrets)
		for _, personal := range []string{markEmail, markName, markNIP} {
			if strings.HasPrefix(name, "log"+string(filepath.Separator)) && strings.Contains(string(b), personal) {
				t.Errorf("%s holds %q", name, personal)
			}
		}
		for _, magic := range []string{"\xff\xd8\xff\xe0", "JFIF\x00", "\x89PNG\r\n\x1a\n", "%PDF-"} {
			if strings.Contains(string(b), magic) {
				t.Errorf("%s holds %q in the clear", name, magic)
			}
		}
		return err
	}))
	if files < 10 {
		t.Errorf("only %d files were searched", files)
	}
	if database != "" {
		dump, err := exec.CommandContext(t.Context(), "pg_dump", "--dbname", database).Output()
		if err != nil {
			t.Fatalf("pg_dump (package postgresql-client): %v", err)
		}
		if !bytes.Contains(dump, []byte(markNIP)) {
			t.Error("the dump does not hold the employee: it shows nothing")
		}
		search(t, "dump", string(dump), secrets)
	}
}

// searchMetrics looks through what operators' machines read: no secret is in it,
// and nothing about a person.
func searchMetrics(t *testing.T, h *house, secrets map[string]string) {
	t.Helper()
	text := scrape(t, h.App)
	search(t, "metrics", text, secrets)
	personal := []string{markEmail, markName, strings.ToLower(markName), markNIP, "PENANDA", "penanda", "contoh.example", "127.0.0.1"}
	people, err := h.Store.Read().ListCertificates(t.Context(), db.ListCertificatesParams{MaxRows: 10})
	must(t, err)
	for _, c := range people {
		personal = append(personal, c.Serial, c.EmployeeID, c.RegistrationID, c.CredentialID)
	}
	for _, mark := range personal {
		if strings.Contains(text, mark) {
			t.Errorf("the metrics hold %q", mark)
		}
	}
	found := read(t, h.App, text)
	for _, c := range []struct{ name, label, value string }{
		{"absah_certificates_issued_total", "issuer", "ca-issuing"}, {"absah_registrations", "status", "Issue"}, {"absah_mails", "state", "sent"},
		{"absah_passphrase_tests_total", "result", "right"}, {"absah_passphrase_tests_total", "result", "wrong"},
		{"absah_http_requests_total", "class", "5xx"},
	} {
		if value(t, found, c.name, c.label, c.value) < 1 {
			t.Errorf("%s{%s=%q} is 0: the journey is not in what was searched", c.name, c.label, c.value)
		}
	}
}

// searchBackup looks through a backup as its thief could.
func searchBackup(t *testing.T, h *house, secrets map[string]string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	var file, erasure bytes.Buffer
	_, err = app.Backup(t.Context(), h.Config, silent(), outputs(&file, &erasure, id)...)
	must(t, err)
	file.Write(erasure.Bytes())
	search(t, "backup", file.String(), secrets)
	for _, personal := range []string{markEmail, markName, markNIP, "pepper.1.key", "employee"} {
		if strings.Contains(file.String(), personal) {
			t.Errorf("the backup shows %q", personal)
		}
	}
}

// search looks for secrets as they are, as hexadecimal digits, and as hashes
// that anybody could try out.
func search(t *testing.T, where, text string, secrets map[string]string) {
	t.Helper()
	for name, secret := range secrets {
		sum := sha256.Sum256([]byte(secret))
		forms := map[string]string{"": secret, " in hex": hex.EncodeToString([]byte(secret))}
		if name == "NIK" || strings.HasSuffix(name, "password") || strings.HasSuffix(name, "passphrase") {
			forms[" as a plain hash"], forms[" as a plain hash in hex"] = string(sum[:]), hex.EncodeToString(sum[:])
		}
		if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret); name == "TOTP" && err == nil {
			forms[" decoded"], forms[" decoded in hex"] = string(raw), hex.EncodeToString(raw)
		}
		for form, value := range forms {
			if value == "" {
				t.Fatalf("%s: nothing to look for", name)
			}
			if at := strings.Index(text, value); at >= 0 {
				t.Errorf("%s holds the %s%s", where, name, form)
			}
		}
	}
}

// backedUpSafely looks into a backup, closed and opened.
func backedUpSafely(h *house, secrets map[string]string) {
	t := h.t
	identity, err := age.GenerateX25519Identity()
	must(t, err)
	var file, erasure bytes.Buffer
	_, err = app.Backup(t.Context(), h.Config, silent(), outputs(&file, &erasure, identity)...)
	must(t, err)
	closed := map[string]string{"NIP": markNIP, "name": markName, "e-mail": markEmail}
	maps.Copy(closed, secrets)
	search(t, "backup", file.String(), closed)
	plain, err := age.Decrypt(&file, identity)
	must(t, err)
	unpacked, err := gzip.NewReader(plain)
	must(t, err)
	opened, err := io.ReadAll(unpacked)
	must(t, err)
	if !bytes.Contains(opened, []byte(markNIP)) {
		t.Error("the backup does not hold the employee: it shows nothing")
	}
	search(t, "opened backup", string(opened), secrets)
}

// rights is what a subject asks for and takes along. Who takes his data along
// gets the NIK, and nothing that opens anything.
func rights(h *house, b *browser, who audit.Actor, typed map[string]string) {
	t, ctx := h.t, h.t.Context()
	b.post("/data-saya/permintaan", "jenis", "access", "isi", markRequest).want(t, "ask", 303)
	list, err := h.Privacy.Requests(ctx, who.EmployeeID)
	must(t, err)
	must(t, h.Privacy.Answer(ctx, audit.Actor{AccountID: "test:dpo", Role: "administrator"}, list[0].ID, "granted", markAnswer))
	data, err := h.Privacy.Data(ctx, who.EmployeeID)
	must(t, err)
	text, err := json.Marshal(data)
	must(t, err)
	if !bytes.Contains(text, []byte(markNIK)) || !bytes.Contains(text, []byte(markAnswer)) {
		t.Error("the export lacks what it is for")
	}
	search(t, "export", string(text), typed)
	if a := b.post("/data-saya/ekspor").want(t, "export", 200); !strings.HasPrefix(a.body, "PK") {
		t.Error("the export is no ZIP file")
	}
	b.seen = b.seen[:len(b.seen)-1] // the ZIP file is no page
}

// administrator goes the way of the first administrator.
func administrator(h *house, secrets map[string]string) (pages []string) {
	t := h.t
	token, err := h.Accounts.BootstrapAdmin(t.Context())
	must(t, err)
	secrets["administrator's link"] = token
	b := h.browser()
	b.get("/aktivasi/"+token).want(t, "link", 200)
	b.post("/aktivasi/"+token, "password", "pendek").want(t, "weak password", 422)
	b.post("/aktivasi/"+token, "password", markPassword).want(t, "set password", 303)
	b.post("/masuk", "username", account.AdminUsername, "password", markWrong).want(t, "wrong password", 422)
	b.post("/masuk", "username", markWrong, "password", markPassword).want(t, "password in the wrong field", 422)
	b.post("/masuk", "username", account.AdminUsername, "password", markPassword).want(t, "log in", 303)
	secrets["administrator's session"] = b.session()
	page := b.get("/akun/aplikasi").want(t, "app", 200).body
	secret := strings.ReplaceAll(find(t, `<span class="code">([A-Z2-7 ]{39})</span>`, page), " ", "")
	secrets["TOTP"] = secret
	state := find(t, `name="state" value="([^"]+)"`, page)
	b.post("/akun/aplikasi", "state", state, "code", "000000").want(t, "wrong code", 422)
	code, err := account.TOTPCode(secret, h.Clock())
	must(t, err)
	b.post("/akun/aplikasi", "state", state, "code", code).want(t, "code", 303)
	secrets["administrator's second session"] = b.session()
	// What was typed into the field of the user name is shown to who typed it.
	for _, p := range b.seen {
		pages = append(pages, strings.ReplaceAll(p, `value="`+markWrong+`"`, ""))
	}
	return pages
}

// applicant goes the whole way to a certificate and changes the passphrase.
func applicant(h *house, secrets map[string]string) []string {
	t, ctx := h.t, h.t.Context()
	must(t, apptest.Populate(ctx, h.App, 0))
	estate, err := apptest.Find(ctx, h.App)
	must(t, err)
	who := newApplicant(h)
	one, two := estate.Officers[0], estate.Officers[1]
	r, err := h.Enrolment.Submit(ctx, who)
	must(t, err)
	must(t, h.Enrolment.Verify(ctx, one, apptest.Accept(r)))
	h.work()

	b := h.browser()
	m := h.awaitMail("[BSrE] Login Information")
	login := find(t, `/aktivasi/([0-9a-f]{32})`, m.Text)
	secrets["link of Login Information"] = login
	b.post("/aktivasi/"+login, "password", markPassword).want(t, "set password", 303)
	b.post("/masuk", "username", markNIP, "password", markPassword).want(t, "log in", 303)
	secrets["session"] = b.session()

	m = h.awaitMail("[eSign] Pendaftaran Sertifikat Digital")
	token := find(t, `/email/user/enroll/([0-9a-f]{32})`, m.Text)
	secrets["passphrase link"] = token
	link := "/email/user/enroll/" + token
	b.get(link).want(t, "link", 200)
	estimator := h.Enrolment.Estimator
	h.Enrolment.Estimator = nil
	b.post(link, "passphrase", markPassphrase, "konfirmasi", markPassphrase).want(t, "a crash with the passphrase in hand", 500)
	h.Enrolment.Estimator = estimator
	b.post(link, "passphrase", markWeak, "konfirmasi", markWeak).want(t, "weak passphrase", 422)
	b.post(link, "passphrase", markPassphrase, "konfirmasi", markTypo).want(t, "two passphrases", 422)
	b.post(link, "passphrase", markPassphrase, "konfirmasi", markPassphrase).want(t, "set passphrase", 303)
	b.post(link, "passphrase", markFresh, "konfirmasi", markFresh).want(t, "used link", 410)
	page := b.get("/email/user/enroll/perjanjian").want(t, "agreement", 200).body
	b.post("/email/user/enroll/perjanjian", "bahasa", "id",
		"setuju", find(t, `(?s)name="setuju"\s+value="([0-9a-f]{64})"`, page),
		"data_pribadi", find(t, `(?s)name="data_pribadi"\s+value="([0-9a-f]{64})"`, page)).want(t, "accept", 303)
	must(t, h.Enrolment.Approve(ctx, two, apptest.Accept(r)))

	m = h.awaitMail("[BSrE] Certificate Issued")
	if strings.Contains(m.Text+m.HTML, markNIK) {
		t.Error("a mail holds the NIK")
	}
	h.awaitMail("[BSrE] Salinan Perjanjian Pemilik Sertifikat Elektronik")
	pdf := false
	list, err := h.post.List()
	must(t, err)
	for _, s := range list {
		m, err := h.post.Get(s.ID)
		must(t, err)
		for _, a := range m.Attachments {
			pdf = pdf || a.Type == "application/pdf" && strings.HasPrefix(string(a.Data), "%PDF-") && strings.HasSuffix(a.Name, ".pdf")
		}
	}
	if !pdf {
		t.Error("no mail brought the agreement as PDF")
	}

	change := func(old string) answer {
		return b.post("/ds/ubah-pin", "passphrase_lama", old, "passphrase", markFresh, "konfirmasi", markFresh)
	}
	change(markTypo).want(t, "wrong passphrase", 422)
	change(markPassphrase).want(t, "change passphrase", 303)
	b.get("/ds").want(t, "status", 200)
	b.get("/ds/sertifikat").want(t, "certificate", 200)
	b.get("/ds/lengkapi").want(t, "data", 200)
	byProgram(h, secrets)
	rights(h, b, who, map[string]string{
		"password": markPassword, "passphrase": markPassphrase, "new passphrase": markFresh, "wrong passphrase": markTypo,
		"session": secrets["session"], "passphrase link": secrets["passphrase link"],
	})
	return b.seen
}

// newApplicant has scans that went through the pipeline and were accepted.
func newApplicant(h *house) audit.Actor {
	t, ctx := h.t, h.t.Context()
	system := audit.System("test")
	unit, err := h.Staff.CreateUnit(ctx, system, "", "PENANDA", "Unit Penanda Fiktif")
	must(t, err)
	e, err := h.Staff.CreateEmployee(ctx, system, staff.Data{
		NIP: markNIP, NIK: markNIK, Name: markName, Position: "Analis Contoh", Grade: "III/b - Penata Muda Tk. I", UnitID: unit.ID,
		Email: markEmail, BirthPlace: "Kota Rekaan", BirthDate: "1990-01-01", Sex: staff.Female, TimeZone: "WIB",
	})
	must(t, err)
	who := audit.Actor{AccountID: "test:applicant", EmployeeID: e.ID, Role: string(enrolment.Applicant), Address: "127.0.0.1", UserAgent: "test"}
	for i, kind := range []scan.Kind{scan.IDCard, scan.Recommendation, scan.Specimen} {
		_, err := h.Staff.Upload(ctx, who, scan.Input{Kind: kind, Bytes: picture(t, i)})
		must(t, err)
	}
	c, err := h.Staff.OpenCorrection(ctx, e.ID)
	must(t, err)
	hr := staff.Officer{Actor: audit.Actor{AccountID: "test:hr", Role: "hr_officer"}, Scopes: []string{account.Everywhere}}
	estate, err := apptest.Find(context.WithoutCancel(ctx), h.App)
	must(t, err)
	hr.EmployeeID = estate.Officers[3].EmployeeID
	must(t, h.Staff.Claim(ctx, hr, c.ID, false))
	seen, _, err := h.Staff.CorrectionFor(ctx, hr, c.ID)
	must(t, err)
	decisions := map[staff.Field]staff.Decision{}
	for _, item := range seen.Waiting() {
		decisions[item.Field] = staff.Decision{Accept: true}
	}
	must(t, h.Staff.Decide(ctx, hr, c.ID, seen.Version, decisions))
	return who
}

// picture is a JPEG with a comment, as cameras write them.
func picture(t *testing.T, seed int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 1000, 640))
	for i := range m.Pix {
		x, y := i%m.Stride, i/m.Stride
		m.Pix[i] = uint8(x*(seed+3)/7 + y*y/50)
	}
	m.SetGray(seed, seed, color.Gray{Y: 255})
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, m, nil))
	comment := append([]byte{0xff, 0xfe, 0, byte(len(markScan) + 2)}, markScan...)
	return append(append(b.Bytes()[:2:2], comment...), b.Bytes()[2:]...)
}
