package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/apiclient"
	"absah/internal/apidoc"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/signing/signingtest"
)

// TestExamplesOfTheReferenceRun: what the reference page shows is run as it
// stands, by a shell with curl, against a whole installation, one example after the
// other: each has to succeed, and later ones use what earlier ones made.
func TestExamplesOfTheReferenceRun(t *testing.T) {
	t.Parallel()
	m := newMinistry(t, apptest.Configure(t.TempDir(), "", 25), 4)
	t.Cleanup(func() { must(t, m.Close()) })
	for _, i := range []int{0, 1, 3} {
		m.issue(i)
	}
	handler, err := m.Handler()
	must(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	_, secret, err := m.Clients.Add(t.Context(), audit.System("test"), "persuratan", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 6000, Enabled: true})
	must(t, err)
	letter, err := signingtest.PDF("Surat Contoh", 1)
	must(t, err)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "surat.pdf"), letter, 0o600))

	base := server.URL + apidoc.Base
	nip := func(i int) string {
		e, err := m.Store.Read().GetEmployee(t.Context(), m.estate.People[i].EmployeeID)
		must(t, err)
		return e.Nip
	}
	e, err := m.Store.Read().GetEmployee(t.Context(), m.estate.People[0].EmployeeID)
	must(t, err)
	values := map[string]string{
		"ABSAH": base, "CLIENT": "persuratan", "SECRET": secret, "NIP": e.Nip, "EMAIL": e.Email, "PASSPHRASE": drillSecret,
		"SECOND": nip(1), "NEWCOMER": nip(2), "FORGETFUL": nip(3),
		"DRAFT": bring(t, base, secret, e.Nip, letter), "OLD": bring(t, base, secret, e.Nip, letter),
	}
	doc, err := apidoc.Load()
	must(t, err)
	for _, o := range doc.Operations {
		out := shell(t, dir, o, values)
		if len(o.Example.Keep) == 0 {
			continue
		}
		answer, err := apidoc.Parse(out)
		if err != nil {
			t.Fatalf("%s answers %.300s", o.ID, out)
		}
		for name, pointer := range o.Example.Keep {
			v, ok := answer.At(pointer)
			if !ok || v.Text() == "" || v.Text() == "null" {
				t.Fatalf("%s: nothing at %s of %.600s", o.ID, pointer, out)
			}
			values[name] = v.Text()
		}
	}
	signed, err := os.ReadFile(filepath.Join(dir, "unduhan.pdf"))
	must(t, err)
	if !bytes.HasPrefix(signed, []byte("%PDF-")) {
		t.Errorf("what was fetched begins with %.20q", signed)
	}
}

// shell runs an example. curl is told to fail where the answer is an error.
func shell(t *testing.T, dir string, o *apidoc.Operation, values map[string]string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", "curl() { command curl --fail-with-body \"$@\"; }\n"+o.Example.Script())
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "no_proxy=*"}
	for name, v := range values {
		cmd.Env = append(cmd.Env, name+"="+v)
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s\n%.1500s%s", o.Method, o.Path, err, o.Example.Script(), out.Bytes(), said.Bytes())
	}
	return out.Bytes()
}

// byProgram signs by the native interface, with a wrong passphrase and the right
// one, under keys whose answers are kept.
func byProgram(h *house, secrets map[string]string) {
	t := h.t
	_, secret, err := h.Clients.Add(t.Context(), audit.System("test"), "persuratan", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 6000, Enabled: true})
	must(t, err)
	secrets["secret of an application"] = secret
	letter, err := signingtest.PDF("Surat Contoh", 1)
	must(t, err)
	base := h.base + apidoc.Base
	id := bring(t, base, secret, markNIP, letter)
	call := func(path, key string, body any, status int) {
		t.Helper()
		b, err := json.Marshal(body)
		must(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, bytes.NewReader(b))
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
		req.SetBasicAuth("persuratan", secret)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		said, err := io.ReadAll(res.Body)
		_ = res.Body.Close() // read to its end
		must(t, err)
		if res.StatusCode != status {
			t.Fatalf("%s: status %d: %.800s", path, res.StatusCode, said)
		}
		search(t, "answer", string(said), map[string]string{"NIK": markNIK, "passphrase": markFresh, "wrong passphrase": markTypo})
	}
	nik := map[string]any{"nik": markNIK}
	call("/people/lookup", "a", nik, http.StatusOK)
	for _, c := range []struct {
		key, passphrase string
		status          int
	}{{"b", markTypo, http.StatusForbidden}, {"b", markTypo, http.StatusForbidden}, {"c", markFresh, http.StatusCreated}} {
		call("/signings", c.key, map[string]any{"signer": nik, "passphrase": c.passphrase, "documents": []any{map[string]any{"id": id}}}, c.status)
	}
	byOthers(h, secret, letter)
}

// byOthers gives a passphrase in every other way in which a program can: in a form, the
// query, JSON and as a PIN, also where the rest of the call is wrong. Each wrong one counts
// as an attempt, whichever door it came through.
func byOthers(h *house, secret string, letter []byte) {
	t := h.t
	call := func(path, kind, authorization, body string, status int, has string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+path, strings.NewReader(body))
		must(t, err)
		req.Header.Set("Content-Type", kind)
		if req.SetBasicAuth("persuratan", secret); authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		said, err := io.ReadAll(res.Body)
		_ = res.Body.Close() // read to its end
		must(t, err)
		if res.StatusCode != status || !strings.Contains(string(said), has) {
			t.Fatalf("%s %s: status %d: %.800s", path[:min(len(path), 30)], kind, res.StatusCode, said)
		}
		search(t, "answer", string(said), map[string]string{"NIK": markNIK, "passphrase": markFresh, "wrong passphrase": markTypo, "secret of the application": secret})
		return string(said)
	}
	parts := func(fields ...string) (string, string) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for i := 0; i+1 < len(fields); i += 2 {
			must(t, w.WriteField(fields[i], fields[i+1]))
		}
		part, err := w.CreateFormFile("file", "surat.pdf")
		must(t, err)
		_, err = part.Write(letter)
		must(t, err)
		must(t, w.Close())
		return w.FormDataContentType(), body.String()
	}
	const asJSON, asForm = "application/json", "application/x-www-form-urlencoded"
	file := base64.StdEncoding.EncodeToString(letter)
	v2 := func(passphrase string) string {
		return `{"nik":"` + markNIK + `","passphrase":"` + passphrase + `","signatureProperties":[{"tampilan":"INVISIBLE"}],"file":["` + file + `"]}`
	}
	query := func(passphrase string) string {
		return "/api/sign/pdf?" + url.Values{"nik": {markNIK}, "passphrase": {passphrase}, "tampilan": {"invisible"}}.Encode()
	}

	// What cannot be read, or lacks something, costs no attempt.
	call("/api/v2/sign/pdf", asJSON, "", `{"nik":"`+markNIK+`","passphrase":"`+markTypo, 400, "4015")
	call("/api/v1/signings", asJSON, "", `{"passphrase":"`+markTypo, 400, "unreadable")
	call("/api/v1/signings", asJSON, "", `{"passphrase":"`+markTypo+`","documents":7}`, 422, "invalid_fields")
	kind, body := parts("nik", markNIK, "passphrase", markTypo, "tampilan", "melayang")
	call("/api/sign/pdf", kind, "", body, 400, "tampilan")
	call("/api/v1/nothing?passphrase="+url.QueryEscape(markTypo), asJSON, "", "{}", 404, "not_found")

	kind, body = parts("nik", markNIK, "passphrase", markTypo, "tampilan", "invisible")
	call("/api/sign/pdf", kind, "", body, 400, "percobaan: 4")
	kind, body = parts()
	call(query(markTypo), kind, "", body, 400, "percobaan: 3")
	call("/api/v2/sign/pdf", asJSON, "", v2(markTypo), 400, "percobaan: 2")
	token := call("/oauth/token?"+url.Values{"client_id": {"persuratan"}, "client_secret": {secret}, "grant_type": {"client_credentials"}}.Encode(), asForm, "", "", 200, "access_token")
	var got struct {
		Token string   `json:"access_token"`
		IDs   []string `json:"credentialIDs"`
	}
	must(t, json.Unmarshal([]byte(token), &got))
	bearer := "Bearer " + got.Token
	must(t, json.Unmarshal([]byte(call("/csc/v1/credentials/list", asJSON, bearer, `{"userID":"`+markNIP+`"}`, 200, "credentialIDs")), &got))
	if len(got.IDs) != 1 {
		t.Fatalf("credentials %v", got.IDs)
	}
	hash := sha256.Sum256(letter)
	authorize := func(passphrase, more string) string {
		return `{"credentialID":"` + got.IDs[0] + `","numSignatures":1,"hash":["` + base64.StdEncoding.EncodeToString(hash[:]) + `"],"PIN":"` + passphrase + `"` + more + `}`
	}
	call("/csc/v1/credentials/authorize", asJSON, bearer, authorize(markFresh, `,"OTP":"`+markTypo+`"`), 400, "The OTP is invalid")
	call("/csc/v1/credentials/authorize", asJSON, bearer, authorize(markTypo, ""), 400, "The PIN is invalid")
	call("/api/v2/sign/pdf", asJSON, "", v2(markFresh), 200, `"file"`) // of five the last
	kind, body = parts()
	call(query(markFresh), kind, "", body, 200, "%PDF-")
	call("/csc/v1/credentials/authorize", asJSON, bearer, authorize(markFresh, ""), 200, "SAD")
}

// bring gives the installation a document and returns its identifier.
func bring(t *testing.T, base, secret, owner string, letter []byte) string {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	must(t, w.WriteField("owner", owner))
	part, err := w.CreateFormFile("file", "surat.pdf")
	must(t, err)
	_, err = part.Write(letter)
	must(t, err)
	must(t, w.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/documents", strings.NewReader(body.String()))
	must(t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.SetBasicAuth("persuratan", secret)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	var out struct {
		ID string `json:"id"`
	}
	must(t, json.NewDecoder(res.Body).Decode(&out))
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("status %d", res.StatusCode)
	}
	return out.ID
}
