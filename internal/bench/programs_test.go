package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"absah/internal/api/csc"
	"absah/internal/api/esign"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/oauth"
	"absah/internal/signing/signingtest"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// programs is a server with the interfaces for programs, a subscriber with a real
// key (Argon2id at full cost) and an application, over TCP.
type programs struct {
	b          *testing.B
	base       string
	secret     string
	credential string
	letter     []byte
	n          int
	before     time.Duration // processor time until the benchmark began
}

// forPrograms runs a benchmark on both databases.
func forPrograms(b *testing.B, f func(b *testing.B, p *programs)) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			p := newPrograms(b, dsn(b))
			p.before = processors(b)
			f(b, p)
		})
	}
}

// tell reports how many of what were made, by the clock and by the processor: client,
// server and SQLite are this process, PostgreSQL's server is not.
func (p *programs) tell(b *testing.B, each int, what string) {
	used := processors(b) - p.before
	b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), what+"/s")
	b.ReportMetric(float64(b.N*each)/used.Seconds(), what+"/CPU-second")
}

func newPrograms(b *testing.B, dsn string) *programs {
	b.Helper()
	ctx := b.Context()
	st := storetest.Open(b, dsn)
	w, err := signingtest.OpenAtCost(ctx, b.TempDir(), st, clock.System)
	ok(b, err)
	who, err := w.Subscriber(ctx, "Siti Contoh", keys.ECDSAP256)
	ok(b, err)
	clients := &apiclient.Service{Store: st, Clock: clock.System}
	p := &programs{b: b}
	_, p.secret, err = clients.Add(ctx, audit.System("bench"), "klien", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: apiclient.MaxRate, Enabled: true})
	ok(b, err)
	ok(b, st.ReadDB().QueryRowContext(ctx, `select id from credential`).Scan(&p.credential))
	p.letter, err = signingtest.PDF("Surat Contoh", 1)
	ok(b, err)
	address := func(*http.Request) string { return "127.0.0.1" }
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	mux.Handle("/csc/", csc.New(csc.Config{
		Store: st, Clients: clients, Signing: w.Service, Timestamper: w.Config.Timestamper, OAuth: &oauth.Service{Store: st, Clock: clock.System},
		Chain: func() [][]byte { return nil }, BaseURL: "http://127.0.0.1", Name: "Absah", Region: "ID", Address: address, Clock: clock.System, Log: log,
	}))
	mux.Handle("/api/", esign.New(esign.Config{
		Store: st, Clients: clients, Signing: w.Service, Pages: w.Pages, Blobs: w.Config.Blobs, Chain: w.Config.Chain, Address: address, Clock: clock.System, Log: log,
		ByNIK: func(context.Context, *db.Queries, string, string) ([]db.EmployeesByNIKIndexRow, error) {
			return []db.EmployeesByNIKIndexRow{{ID: who.EmployeeID}}, nil
		},
	}))
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	p.base = server.URL
	return p
}

func (p *programs) send(r *http.Request, into any) {
	p.b.Helper()
	resp, err := http.DefaultClient.Do(r)
	ok(p.b, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	ok(p.b, err)
	if resp.StatusCode != http.StatusOK {
		p.b.Fatalf("%s: %d %.300s", r.URL.Path, resp.StatusCode, body)
	}
	if into != nil {
		ok(p.b, json.Unmarshal(body, into))
	}
}

func (p *programs) call(token, method string, body, into any) {
	p.b.Helper()
	raw, err := json.Marshal(body)
	ok(p.b, err)
	r, err := http.NewRequestWithContext(p.b.Context(), http.MethodPost, p.base+method, bytes.NewReader(raw))
	ok(p.b, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	} else {
		r.SetBasicAuth("klien", p.secret)
	}
	p.send(r, into)
}

// BenchmarkProgramsSingle signs one document of one page a call at B-T, with the
// passphrase in the call: each pays the derivation of Argon2id.
func BenchmarkProgramsSingle(b *testing.B) {
	forPrograms(b, func(b *testing.B, p *programs) {
		for b.Loop() {
			var body bytes.Buffer
			m := multipart.NewWriter(&body)
			part, err := m.CreateFormFile("file", "surat.pdf")
			ok(b, err)
			_, err = part.Write(p.letter)
			ok(b, err)
			for k, v := range map[string]string{"nik": "3171010101900001", "passphrase": signingtest.Passphrase, "tampilan": "invisible"} {
				ok(b, m.WriteField(k, v))
			}
			ok(b, m.Close())
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, p.base+"/api/sign/pdf", &body)
			ok(b, err)
			r.Header.Set("Content-Type", m.FormDataContentType())
			r.SetBasicAuth("klien", p.secret)
			p.send(r, nil)
		}
		p.tell(b, 1, "documents")
	})
}

// BenchmarkProgramsBatch signs a hundred documents in one call under one activation.
func BenchmarkProgramsBatch(b *testing.B) {
	forPrograms(b, func(b *testing.B, p *programs) {
		files := make([]string, 100)
		properties := make([]map[string]any, len(files))
		for i := range files {
			files[i], properties[i] = base64.StdEncoding.EncodeToString(p.letter), map[string]any{"tampilan": "INVISIBLE"}
		}
		body := map[string]any{"nik": "3171010101900001", "passphrase": signingtest.Passphrase, "file": files, "signatureProperties": properties}
		for b.Loop() {
			p.call("", "/api/v2/sign/pdf", body, nil)
		}
		p.tell(b, len(files), "documents")
	})
}

// BenchmarkProgramsSignHash authorises a hundred hashes at once and signs them in one
// call of the CSC API (multisign).
func BenchmarkProgramsSignHash(b *testing.B) {
	forPrograms(b, func(b *testing.B, p *programs) {
		const size = 100
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"klien"}, "client_secret": {p.secret}}
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, p.base+"/csc/v2/oauth2/token", strings.NewReader(form.Encode()))
		ok(b, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		var token struct {
			Access string `json:"access_token"`
		}
		p.send(r, &token)
		for b.Loop() {
			var list []string
			for range size {
				p.n++
				sum := sha256.Sum256(fmt.Append(nil, "bench ", p.n))
				list = append(list, base64.StdEncoding.EncodeToString(sum[:]))
			}
			var sad struct{ SAD string }
			p.call(token.Access, "/csc/v2/credentials/authorize", map[string]any{
				"credentialID": p.credential, "numSignatures": size, "hashes": list, "authData": []any{map[string]any{"id": "PIN", "value": signingtest.Passphrase}},
			}, &sad)
			p.call(token.Access, "/csc/v2/signatures/signHash", map[string]any{"credentialID": p.credential, "SAD": sad.SAD, "hashes": list, "signAlgo": "1.2.840.10045.4.3.2"}, nil)
		}
		p.tell(b, size, "signatures")
	})
}
