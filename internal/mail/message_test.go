package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// With the names of the guide's operators the subjects are the guide's, in both
// languages.
func TestSubjectsOfTheGuide(t *testing.T) {
	t.Parallel()
	id := DemoIdentity(testURL)
	id.RAShort, id.IssuerShort, id.IssuerLegalName = "eSign", "BSrE", "Penerbit Uji"
	id.Demo = false
	r := newRenderer(t, id)
	want := map[Kind]string{
		KindEnrolLink:         "[eSign] Pendaftaran Sertifikat Digital",
		KindLoginInformation:  "[BSrE] Login Information",
		KindCertificateIssued: "[BSrE] Certificate Issued",
	}
	found := map[Kind]bool{}
	for _, lang := range Langs() {
		for _, m := range Samples(lang) {
			w, ok := want[m.Params.Kind()]
			if !ok {
				continue
			}
			found[m.Params.Kind()] = true
			out, err := r.Render(m, Head{"<a@b.example>", testDate})
			if err != nil {
				t.Fatal(err)
			}
			if out.Subject != w || !strings.Contains(string(out.Raw), "\r\nSubject: "+w+"\r\n") {
				t.Errorf("%v in %s: subject %q, want %q", m, lang, out.Subject, w)
			}
		}
	}
	if len(found) != len(want) {
		t.Errorf("found %v", found)
	}
}

// A fresh installation claims to be nobody else.
func TestDemoIdentityIsVisible(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, DemoIdentity(testURL))
	for _, lang := range Langs() {
		for _, m := range Samples(lang) {
			out, err := r.Render(m, Head{"<a@b.example>", testDate})
			if err != nil {
				t.Fatal(err)
			}
			all := out.Subject + out.Text + out.HTML
			for _, name := range []string{"BSrE", "BSSN", "Balai", "Kemenkeu", "Kementerian", "eSign"} {
				if strings.Contains(all, name) {
					t.Errorf("%v in %s names %s", m, lang, name)
				}
			}
			if !strings.HasPrefix(out.Subject, "[Absah Demo] ") || !strings.HasPrefix(out.Text, "*** ") {
				t.Errorf("%v in %s is not marked as a demonstration", m, lang)
			}
		}
	}
}

// What every message owes its reader (Indonesian sample for the words).
func TestEveryMessageTells(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, DemoIdentity(testURL))
	links := regexp.MustCompile(`https?://[^\s"<]+`)
	kinds := map[Kind]bool{}
	for _, m := range Samples(Indonesian) {
		kinds[m.Params.Kind()] = true
		out, err := r.Render(m, Head{"<a@b.example>", testDate})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"Pengguna Yth., " + m.To.Name, m.To.NIKLast4, "e-mail otomatis", "bantuan@absah.example"}
		if strings.Contains(out.HTML, `class="button"`) {
			want = append(want, "copy dan paste URL")
		}
		text := strings.Join(strings.Fields(out.Text), " ")
		for _, w := range want {
			if !strings.Contains(text, w) || !strings.Contains(out.HTML, w) {
				t.Errorf("%v does not say %q", m, w)
			}
		}
		for _, s := range []string{out.Text, out.HTML} {
			for _, l := range links.FindAllString(s, -1) {
				if !strings.HasPrefix(l, testURL+"/") {
					t.Errorf("%v links to %s", m, l)
				}
			}
		}
		for _, no := range []string{"<img", "<script", "@import", "url(", "Pegguna", "undefined", "<no value>", "%!"} {
			if strings.Contains(out.HTML, no) || strings.Contains(out.Text, no) {
				t.Errorf("%v holds %q", m, no)
			}
		}
		if !strings.Contains(out.HTML, `<html lang="id"`) || strings.Count(out.HTML, "<h1") != 1 {
			t.Errorf("%v: language or heading missing", m)
		}
	}
	if len(kinds) != 34 {
		t.Errorf("samples of %d kinds, want all 34", len(kinds))
	}
}

func TestExpiryInTheRecipientsZone(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, DemoIdentity(testURL))
	expires := time.Date(2027, time.December, 31, 16, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		lang Lang
		zone Zone
		want string
	}{
		{Indonesian, WIB, "Jumat, 31 Desember 2027, pukul 23.30 WIB"},
		{Indonesian, WITA, "Sabtu, 1 Januari 2028, pukul 00.30 WITA"},
		{Indonesian, WIT, "Sabtu, 1 Januari 2028, pukul 01.30 WIT"},
		{Indonesian, "", "Jumat, 31 Desember 2027, pukul 23.30 WIB"},
		{English, WITA, "Saturday, 1 January 2028, 00:30 WITA (UTC+8)"},
		{"", WIB, "Jumat, 31 Desember 2027, pukul 23.30 WIB"},
	} {
		m := Message{
			Recipient{Name: "A", Email: "a@b.example", Lang: tt.lang, Zone: tt.zone},
			EnrolLink{strings.Repeat("0", 32), PurposeFirst, expires, "B", ""},
		}
		out, err := r.Render(m, Head{"<a@b.example>", testDate})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.HTML, strings.ReplaceAll(tt.want, "+", "&#43;")) {
			t.Errorf("%s %s: %q is missing", tt.lang, tt.zone, tt.want)
		}
		if !strings.Contains(strings.Join(strings.Fields(out.Text), " "), tt.want) {
			t.Errorf("%s %s: %q is missing in the text", tt.lang, tt.zone, tt.want)
		}
	}
}

func TestQueueForm(t *testing.T) {
	t.Parallel()
	for _, m := range Samples(Indonesian) {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var got Message
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(m, got) {
			t.Errorf("%v came back changed: %s", m, b)
		}
	}
	// The form that messages of the first release have in the queue.
	const old = `{"kind":"enrol_link","to":{"name":"A","email":"a@b.example","nik_last4":"1234","lang":"id","zone":"WIB"},` +
		`"params":{"token":"00000000000000000000000000000000","purpose":"first","expires":"2027-05-05T06:00:00Z","asked_by":"B"}}`
	var m Message
	if err := json.Unmarshal([]byte(old), &m); err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(m); err != nil || string(b) != old {
		t.Errorf("form changed: %s, %v", b, err)
	}
	for _, bad := range []string{
		`{"kind":"love_letter","to":{"name":"A","email":"a@b.example"},"params":{}}`,
		`{"kind":"enrol_link","to":{"name":"A","email":"a@b.example"},"params":{"new_field":1}}`,
		`{"kind":"enrol_link","cc":"x","to":{"name":"A","email":"a@b.example"},"params":{}}`,
		`{"kind":"enrol_link","to":{"name":"A","email":"a@b.example"}}`,
	} {
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("accepted %s", bad)
		}
	}
	if err := json.Unmarshal([]byte(`{"kind":"x"}`), &m); !errors.Is(err, ErrKind) {
		t.Errorf("error = %v, want ErrKind", err)
	}
	if _, err := json.Marshal(Message{}); err == nil {
		t.Error("a message without parameters has no form")
	}
}

// Neither printing nor errors show what a message holds.
func TestMessagesKeepTheirSecrets(t *testing.T) {
	t.Parallel()
	m := Samples(Indonesian)[0]
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("queued", "mail", m)
	s := fmt.Sprintf("%v %+v %#v %s ", m, m, m, m) + log.String()
	bad := m
	p := m.Params.(EnrolLink)
	p.Token += "0"
	bad.Params = p
	_, err := newRenderer(t, DemoIdentity(testURL)).Render(bad, Head{"<a@b.example>", testDate})
	if !errors.Is(err, ErrParams) {
		t.Fatalf("error = %v", err)
	}
	s += err.Error()
	for _, secret := range []string{"00112233", "Citra", "0417", "instansi"} {
		if strings.Contains(s, secret) {
			t.Errorf("%q in %s", secret, s)
		}
	}
}

func TestRefusedMessages(t *testing.T) {
	t.Parallel()
	r := newRenderer(t, DemoIdentity(testURL))
	to := Recipient{Name: "A", Email: "a@b.example"}
	ok := CertificateExpiring{"01", testDate, 3, "/c"}
	with := func(f func(*Recipient)) Recipient { x := to; f(&x); return x }
	address := func(s string) Message { return Message{with(func(r *Recipient) { r.Email = s }), ok} }
	page := func(p Path) Message { return Message{to, CertificateExpiring{"01", testDate, 3, p}} }
	agreement := func(f func(*AgreementCopy)) Message {
		for _, m := range Samples(Indonesian) {
			if a, is := m.Params.(AgreementCopy); is {
				f(&a)
				return Message{to, a}
			}
		}
		panic("no sample")
	}
	head := Head{"<a@b.example>", testDate}
	tests := []struct {
		name string
		m    Message
		head Head
		want error
	}{
		{"no parameters", Message{To: to}, head, ErrParams},
		{"no name", Message{with(func(r *Recipient) { r.Name = "\u202e\x00" }), ok}, head, ErrParams},
		{"language", Message{with(func(r *Recipient) { r.Lang = "fr" }), ok}, head, ErrParams},
		{"zone", Message{with(func(r *Recipient) { r.Zone = "CET" }), ok}, head, ErrParams},
		{"whole NIK", Message{with(func(r *Recipient) { r.NIKLast4 = "3171234567890123" }), ok}, head, ErrParams},
		{"address with CRLF", address("a@b.example\r\nBcc: c@d.example"), head, ErrAddress},
		{"address with NUL", address("a\x00@b.example"), head, ErrAddress},
		{"two addresses", address("a@b.example,c@d.example"), head, ErrAddress},
		{"quoted local part", address(`"a b"@c.example`), head, ErrAddress},
		{"address not ASCII", address("é@c.example"), head, ErrAddress},
		{"address without domain", address("a@"), head, ErrAddress},
		{"long address", address(strings.Repeat("a", 250) + "@b.example"), head, ErrAddress},
		{"other host", page("https://evil.example/"), head, ErrParams},
		{"other host without scheme", page("//evil.example/"), head, ErrParams},
		{"no path", page(""), head, ErrParams},
		{"path with space", page("/a b"), head, ErrParams},
		{"path with quote", page(`/a"b`), head, ErrParams},
		{"path with backslash", page(`/\evil.example`), head, ErrParams},
		{"no time", Message{to, CertificateExpiring{"01", time.Time{}, 3, "/c"}}, head, ErrParams},
		{"no serial", Message{to, CertificateExpiring{"", testDate, 3, "/c"}}, head, ErrParams},
		{"negative days", Message{to, CertificateExpiring{"01", testDate, -1, "/c"}}, head, ErrParams},
		{"upper-case token", Message{to, EnrolLink{strings.Repeat("A", 32), PurposeFirst, testDate, "B", ""}}, head, ErrParams},
		{"purpose", Message{to, EnrolLink{strings.Repeat("a", 32), "fun", testDate, "B", ""}}, head, ErrParams},
		{"nobody asked", Message{to, EnrolLink{strings.Repeat("a", 32), PurposeFirst, testDate, " ", ""}}, head, ErrParams},
		{"no findings", Message{to, RegistrationReturned{"r", "b", testDate, nil, "/p"}}, head, ErrParams},
		{"finding without reason", Message{to, RegistrationReturned{"r", "b", testDate, []Finding{{Field: "nik"}}, "/p"}}, head, ErrParams},
		{"rejected without reason", Message{to, CorrectionDecided{"b", testDate, []Decision{{Field: "nik"}}, "/p"}}, head, ErrParams},
		{"nothing waits", Message{to, OfficerDigest{Page: "/p"}}, head, ErrParams},
		{"agreement missing", agreement(func(a *AgreementCopy) { a.Document = nil }), head, ErrParams},
		{"another agreement", agreement(func(a *AgreementCopy) { a.Document = []byte("%PDF-other") }), head, ErrParams},
		{"file name", agreement(func(a *AgreementCopy) { a.FileName = "a\"\r\n.pdf" }), head, ErrParams},
		{"Message-ID without brackets", Message{to, ok}, Head{"a@b.example", testDate}, ErrParams},
		{"Message-ID with CRLF", Message{to, ok}, Head{"<a@b.example\r\nX: y>", testDate}, ErrParams},
		{"no date", Message{to, ok}, Head{"<a@b.example>", time.Time{}}, ErrParams},
	}
	if _, err := r.Render(Message{to, ok}, head); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for _, tt := range tests {
		if _, err := r.Render(tt.m, tt.head); !errors.Is(err, tt.want) {
			t.Errorf("%s: error = %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestIdentityCheck(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Identity){
		"no name":             func(id *Identity) { id.SenderName = "" },
		"bracket":             func(id *Identity) { id.RAShort = "a] b" },
		"line break":          func(id *Identity) { id.IssuerShort = "a\r\nBcc: b" },
		"sender":              func(id *Identity) { id.SenderAddress = "nobody" },
		"desk unreachable":    func(id *Identity) { id.ServiceDesk.Email, id.ServiceDesk.Phone = "", "" },
		"desk address":        func(id *Identity) { id.ServiceDesk.Email = "a b@c.example" },
		"desk phone":          func(id *Identity) { id.ServiceDesk.Phone = "1\n2" },
		"base without scheme": func(id *Identity) { id.BaseURL = "absah.example" },
		"base with path":      func(id *Identity) { id.BaseURL = "https://absah.example/app" },
		"base with query":     func(id *Identity) { id.BaseURL = "https://absah.example/?a" },
		"base with user":      func(id *Identity) { id.BaseURL = "https://a:b@absah.example" },
		"base of a script":    func(id *Identity) { id.BaseURL = "javascript:alert(1)" },
	} {
		id := DemoIdentity(testURL)
		spoil(&id)
		if _, err := NewRenderer(id, nil); !errors.Is(err, ErrIdentity) {
			t.Errorf("%s: error = %v, want ErrIdentity", name, err)
		}
	}
	id := DemoIdentity(testURL + "/")
	if err := id.Check(); err != nil {
		t.Error(err)
	}
	if got := id.MessageID("m1"); got != "<m1@absah.example>" {
		t.Errorf("MessageID = %s", got)
	}
}

// Both languages have the same texts, and none that no message uses.
func TestTextsAreComplete(t *testing.T) {
	t.Parallel()
	id, err := loadTexts(Indonesian, nil)
	if err != nil {
		t.Fatal(err)
	}
	en, err := loadTexts(English, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := slices.Sorted(maps.Keys(id)), slices.Sorted(maps.Keys(en))
	if !slices.Equal(a, b) {
		t.Errorf("texts differ: %v / %v", a, b)
	}
	var src strings.Builder
	for _, file := range []string{"compose.go", "disputed.go", "privacy.go", "suspension.go", "authority.go", "workflow.go", "seal.go", "webhook.go", "signingcode.go", "role.go", "letter.go", "render.go", "texts.go"} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		src.Write(code)
	}
	for _, key := range a {
		group, name, _ := strings.Cut(key, ".")
		switch group {
		case "fields", "roles", "revocations", "securities", "weekdays", "months", "privacy_requests", "privacy_outcomes", "workflow_roles", "seal_refusals":
			continue // chosen by value
		}
		stem := strings.TrimSuffix(name, "_title")
		for _, chosen := range []string{"intro_", "after_"} { // by the event
			if strings.HasPrefix(stem, chosen) {
				stem = chosen
			}
		}
		if !strings.Contains(src.String(), `"`+stem+`"`) && !strings.Contains(src.String(), `"`+group+"."+stem+`"`) {
			t.Errorf("no message uses the text %s", key)
		}
	}
}

func TestOwnTexts(t *testing.T) {
	t.Parallel()
	m := Samples(Indonesian)[0]
	over := fstest.MapFS{"id.yaml": {Data: []byte("enrol_link:\n  request: \"Kalimat kami sendiri, {{.To.Name}}.\"\n")}}
	r, err := NewRenderer(DemoIdentity(testURL), over)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Render(m, Head{"<a@b.example>", testDate})
	if err != nil || !strings.Contains(out.HTML, "Kalimat kami sendiri, Citra Contohwati.") {
		t.Errorf("own text is missing, %v", err)
	}
	for name, text := range map[string]string{
		"unknown text":      "enrol_link:\n  requets: \"x\"\n",
		"unknown parameter": "enrol_link:\n  request: \"{{.P.Password}}\"\n",
		"broken template":   "enrol_link:\n  request: \"{{\"\n",
		"broken file":       "enrol_link: [\n",
	} {
		if _, err := NewRenderer(DemoIdentity(testURL), fstest.MapFS{"id.yaml": {Data: []byte(text)}}); !errors.Is(err, ErrTexts) {
			t.Errorf("%s: error = %v, want ErrTexts", name, err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	r := newRenderer(b, DemoIdentity(testURL))
	m := Samples(Indonesian)[0]
	for b.Loop() {
		if _, err := r.Render(m, Head{"<a@b.example>", testDate}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzMessageJSON(f *testing.F) {
	for _, m := range Samples(English) {
		b, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	r := newRenderer(f, DemoIdentity(testURL))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if json.Unmarshal(b, &m) != nil {
			return
		}
		out, err := r.Render(m, Head{"<a@b.example>", testDate})
		if err != nil {
			return
		}
		checkMail(t, out.Raw, m.To, "<a@b.example>")
	})
}
