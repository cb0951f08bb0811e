package verify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/account"
	"absah/internal/confine"
	"absah/internal/portal/auth"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/verify"
	"absah/internal/printout/printouttest"
	"absah/internal/store/db"
	"absah/internal/verification"
	"absah/pades"
	"absah/pades/validation"
)

// house is an installation with the verification pages, whose seal is a key of
// the test.
func house(t *testing.T) (*pagetest.House, *verification.Service, *verification.Reports, *x509.Certificate) {
	t.Helper()
	h := pagetest.New(t)
	self, err := confine.Self(verification.WorkerCommand)
	pagetest.Must(t, err)
	pool, err := verification.NewPool(self, 1)
	pagetest.Must(t, err)
	pool.Wall = 2 * time.Minute
	anchors := &verification.Anchors{Store: h.Store, Accounts: h.Accounts, Clock: h.Clock.Now}
	s := &verification.Service{Pool: pool, Clock: func() time.Time { return time.Now() }, Trust: func(ctx context.Context) (verification.Trust, error) {
		var trust verification.Trust
		list, err := anchors.List(ctx)
		for _, a := range list {
			trust.Anchors = append(trust.Anchors, verification.TrustAnchor{DER: a.Certificate, Sunset: a.Sunset})
		}
		return trust, err
	}}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	pagetest.Must(t, err)
	seal := certify(t, &x509.Certificate{Subject: pkix.Name{CommonName: "Segel Contoh"}, KeyUsage: x509.KeyUsageContentCommitment}, key)
	reports := &verification.Reports{Vault: h.Vault, Clock: time.Now, Seal: func(ctx context.Context, pdf []byte) ([]byte, error) {
		signer, err := pades.NewSigner(pades.SignerConfig{Key: key, Certificate: seal})
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		_, err = pades.Sign(ctx, bytes.NewReader(pdf), int64(len(pdf)), &out, signer, pades.Options{Certify: pades.CertifyNone})
		return out.Bytes(), err
	}}
	h.Serve(auth.New(h.Accounts, h.Clock.Now).Routes(), verify.New(verify.Config{Service: s, Reports: reports, Anchors: anchors, Clock: h.Clock.Now}).Routes())
	return h, s, reports, seal
}

func certify(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(3), time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	pagetest.Must(t, err)
	made, err := x509.ParseCertificate(der)
	pagetest.Must(t, err)
	return made
}

func root(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	pagetest.Must(t, err)
	return certify(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, key)
}

func encode(certificates ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// upload sends the form with a certificate.
func upload(b *pagetest.Browser, path string, file []byte, pairs ...string) pagetest.Answer {
	return sendFile(b, path, "certificate", file, pairs...)
}

func sendFile(b *pagetest.Browser, path, field string, file []byte, pairs ...string) pagetest.Answer {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		w.WriteField(pairs[i], pairs[i+1])
	}
	if file != nil {
		part, _ := w.CreateFormFile(field, "berkas")
		part.Write(file)
	}
	w.Close()
	r := httptest.NewRequest(http.MethodPost, pagetest.Base+path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

func TestAdministratorsSayWhomToBelieve(t *testing.T) {
	t.Parallel()
	h, _, _, _ := house(t)
	boss := h.Person("Kepala Contoh", account.Administrator, account.Everywhere)
	b := h.SignIn(boss)
	b.Get("/admin/kepercayaan").Want(t, 200, "Belum ada penerbit lain")
	c := root(t, "Induk <b>Contoh</b>")
	weak := certifyWeak(t)
	for name, bad := range map[string]struct {
		file  []byte
		pairs []string
		want  string
	}{
		"no file":           {nil, []string{"note", "Keputusan 1"}, "Pilih berkas sertifikat induk"},
		"no certificate":    {[]byte("halo"), []string{"note", "Keputusan 1"}, "bukan sertifikat PEM atau DER"},
		"two":               {encode(c, root(t, "Lain")), []string{"note", "Keputusan 1"}, "lebih dari satu sertifikat"},
		"no authority":      {encode(sign(t).cert), []string{"note", "Keputusan 1"}, "bukan sertifikat induk"},
		"weak":              {encode(weak), []string{"note", "Keputusan 1"}, "terlalu lemah"},
		"no reason":         {encode(c), []string{"note", " "}, "Isikan alasan"},
		"a day that is not": {encode(c), []string{"note", "Keputusan 1", "sunset", "2027-02-30"}, "Isikan tanggal"},
		"an address":        {encode(c), []string{"note", "Keputusan 1", "hosts", "http://10.0.0.1/"}, "tanpa http://"},
	} {
		t.Run(name, func(t *testing.T) {
			a := upload(b, "/admin/kepercayaan", bad.file, bad.pairs...)
			a.Want(t, 422, bad.want)
			if note := bad.pairs[1]; strings.TrimSpace(note) != "" && !a.Has(note) {
				t.Error("what was typed is lost")
			}
		})
	}
	upload(b, "/admin/kepercayaan", c.Raw, "note", "Keputusan 12", "sunset", "2031-05-04", "hosts", "ocsp.contoh.example").Want(t, 303)
	list := b.Get("/admin/kepercayaan").Want(t, 200, "Induk &lt;b&gt;Contoh", "Keputusan 12", "Penerbit ditambahkan").WantNo(t, "<b>Contoh")
	path := regexp.MustCompile(`/admin/kepercayaan/[0-9a-z]+`).FindString(list.Body)
	sum := sha256.Sum256(c.Raw)
	b.Get(path).Want(t, 200, hex.EncodeToString(sum[:]), "Kepala Contoh", `value="2031-05-04"`, "ocsp.contoh.example")
	b.Post(path, "note", "", "sunset", "", "hosts", "x").Want(t, 422, "Isikan alasan", "nama server")
	list.Want(t, 200, "Tidak tercatat sebagai PSrE")
	b.Post(path, "note", "Keputusan 13", "sunset", "", "hosts", "", "certified", "ya").Want(t, 303)
	b.Get("/admin/kepercayaan").Want(t, 200, "PSrE yang diakui").WantNo(t, "Tidak tercatat")
	b.Get(path).Want(t, 200, "Keputusan 13", `name="sunset" type="date" value=""`).WantNo(t, "Keputusan 12")
	b.Post(path+"/cabut").Want(t, 303)
	b.Get("/admin/kepercayaan").Want(t, 200, "Belum ada penerbit lain", "Kepercayaan dicabut")
	b.Get(path).Want(t, 404)
	// What was withdrawn can be believed again.
	upload(b, "/admin/kepercayaan", encode(c), "note", "Keputusan 14").Want(t, 303)
	b.Get("/admin/kepercayaan").Want(t, 200, "Keputusan 14")
	var acts []string
	rows, err := h.Store.Read().ListAudit(t.Context(), db.ListAuditParams{MaxRows: 1000})
	pagetest.Must(t, err)
	for _, r := range rows {
		if r.ObjectID == hex.EncodeToString(sum[:]) {
			acts = append(acts, r.Action)
		}
	}
	if got := strings.Join(acts, " "); got != "trust.add trust.change trust.withdraw trust.add" {
		t.Errorf("recorded: %s", got)
	}
}

// certifyWeak is a root that an RSA key of 1024 bits and SHA-1 signed.
func certifyWeak(t *testing.T) *x509.Certificate {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "openssl", "req", "-x509", "-newkey", "rsa:2048", "-sha1", "-nodes", "-days", "2", "-subj", "/CN=Lemah Contoh",
		"-keyout", filepath.Join(dir, "key"), "-out", filepath.Join(dir, "cert")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "cert"))
	pagetest.Must(t, err)
	block, _ := pem.Decode(b)
	c, err := x509.ParseCertificate(block.Bytes)
	pagetest.Must(t, err)
	return c
}

func TestOnlyAdministratorsDo(t *testing.T) {
	t.Parallel()
	h, _, _, _ := house(t)
	for _, role := range []account.Role{account.Auditor, account.RegistrationOfficer} {
		b := h.SignIn(h.Person("Orang Contoh", role, account.Everywhere))
		b.Get("/admin/kepercayaan").Want(t, 404)
		upload(b, "/admin/kepercayaan", encode(root(t, "Induk Contoh")), "note", "Keputusan").Want(t, 404)
	}
	// An administrator who signed in long ago proves himself first.
	b := h.SignIn(h.Person("Kepala Contoh", account.Administrator, account.Everywhere))
	for range 3 { // without a pause that would end the session
		h.Clock.Advance(h.Accounts.Policy.Fresh/2 + time.Minute)
		b.Get("/admin/kepercayaan").Want(t, 200)
	}
	a := upload(b, "/admin/kepercayaan", encode(root(t, "Induk Contoh")), "note", "Keputusan")
	if a.Status != 303 || !strings.HasPrefix(a.Location, "/akun/konfirmasi?next=") {
		t.Errorf("%d to %s", a.Status, a.Location)
	}
	b.Get("/admin/kepercayaan").Want(t, 200, "Belum ada penerbit lain")
}

var tokenField = regexp.MustCompile(`name="laporan" value="([^"]+)"`)

// TestReports: anybody has the answer as JSON and as a sealed PDF, and nobody has
// a report of what was not found out here.
func TestReports(t *testing.T) {
	t.Parallel()
	h, service, reports, seal := house(t)
	s := sign(t)
	changed := bytes.Replace(s.file, []byte("MediaBox"), []byte("MediaBux"), 1)
	v := h.Visitor()
	page := sendFile(v, verify.Path, "dokumen", changed).Want(t, 200, "Tidak sah", "Unduh laporan PDF")
	token := tokenField.FindStringSubmatch(page.Body)[1]

	a := sendFile(v, verify.Path+"/laporan", "", nil, "laporan", token, "jenis", "json").Want(t, 200)
	var got struct {
		File, SHA256, Verdict string
		Size                  int64
		Signatures            []struct{ Verdict, SubIndication string }
	}
	pagetest.Must(t, json.Unmarshal([]byte(a.Body), &got))
	sum := sha256.Sum256(changed)
	if got.Verdict != "invalid" || got.SHA256 != hex.EncodeToString(sum[:]) || got.Size != int64(len(changed)) || len(got.Signatures) != 1 || got.Signatures[0].SubIndication != "HASH_FAILURE" {
		t.Errorf("%+v", got)
	}

	for lang, words := range map[string][]string{"id": {"Laporan verifikasi dokumen", "Tidak sah", "diubah setelahnya"}, "en": {"Document verification report", "Not valid", "changed afterwards"}} {
		v.SetCookie("absah_lang", lang)
		a = sendFile(v, verify.Path+"/laporan", "", nil, "laporan", token, "jenis", "pdf").Want(t, 200)
		file := filepath.Join(t.TempDir(), "report.pdf")
		pagetest.Must(t, os.WriteFile(file, []byte(a.Body), 0o600))
		text, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").Output()
		pagetest.Must(t, err)
		for _, w := range append(words, hex.EncodeToString(sum[:8]), "Siti Contoh", "HASH_FAILURE") {
			if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), w) {
				t.Errorf("%s: the report lacks %q:\n%s", lang, w, text)
			}
		}
		if dir := os.Getenv("ABSAH_KEEP"); dir != "" {
			pagetest.Must(t, os.WriteFile(filepath.Join(dir, "report-"+lang+".pdf"), []byte(a.Body), 0o600))
		}
		if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", file).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %v\n%s", err, out)
		}
		// Its seal leaves it what it claims to be.
		for _, wrong := range printouttest.Check([]byte(a.Body)) {
			t.Errorf("%s: %s", lang, wrong)
		}
		// The report is verified as any document is, by who believes its seal.
		d, err := verification.Take(strings.NewReader(a.Body))
		pagetest.Must(t, err)
		service.Trust = func(context.Context) (verification.Trust, error) {
			return verification.Trust{Anchors: []verification.TrustAnchor{{DER: seal.Raw}}}, nil
		}
		answer, err := service.Judge(t.Context(), d, nil)
		pagetest.Must(t, err)
		pagetest.Must(t, d.Close())
		if answer.Verdict != validation.Valid || answer.Signatures[0].Signer.Subject != "CN=Segel Contoh" {
			t.Errorf("the report is %s, %+v", answer.Verdict, answer.Signatures)
		}
	}
	v.SetCookie("absah_lang", "id")

	forged := []byte(token)
	forged[len(forged)/2] ^= 1
	for name, bad := range map[string]string{"none": "", "nonsense": "abc", "forged": string(forged)} {
		t.Run(name, func(t *testing.T) {
			sendFile(v, verify.Path+"/laporan", "", nil, "laporan", bad, "jenis", "pdf").Want(t, 422, "lebih dari 24 jam atau tidak lengkap")
		})
	}
	reports.Clock = func() time.Time { return time.Now().Add(verification.ReportAge + time.Minute) }
	sendFile(v, verify.Path+"/laporan", "", nil, "laporan", token, "jenis", "json").Want(t, 422, "lebih dari 24 jam")
}
