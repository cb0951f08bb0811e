// Package programs kills a server while applications sign through it.
package programs

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/api/csc"
	"absah/internal/api/esign"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/killtest/kills"
	"absah/internal/oauth"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// The child is this program with this variable: DIRECTORY and database.
const variable = "ABSAH_PROGRAMS_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(variable); dir != "" {
		ahead, err := time.ParseDuration(os.Getenv(variable + "_AHEAD"))
		if err == nil {
			err = serve(context.Background(), dir, os.Getenv(variable+"_DB"), leap(ahead), os.Stdout)
		}
		fmt.Fprintln(os.Stderr, "the server ended by itself:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// between is the time between two lives as their clocks see it: a kill while a
// passphrase is tested keeps its key from others for a while, and twenty of them in
// a day would end it.
const between = 2 * time.Hour

// leap is a clock that is ahead.
func leap(by time.Duration) clock.Clock {
	return func() time.Time { return time.Now().Add(by) }
}

// serve is the server: both interfaces for programs over a signing service. It says
// where it listens.
func serve(ctx context.Context, dir, dsn string, now clock.Clock, out io.Writer) error {
	s, err := store.Open(ctx, dsn, nil)
	if err != nil {
		return err
	}
	w, err := signingtest.Open(ctx, dir, s, now)
	if err != nil {
		return err
	}
	if err := w.RecoverAll(ctx); err != nil {
		return err
	}
	clients := &apiclient.Service{Store: s, Clock: now}
	address := func(*http.Request) string { return "127.0.0.1" }
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	mux := http.NewServeMux()
	mux.Handle("/csc/", csc.New(csc.Config{
		Store: s, Clients: clients, Signing: w.Service, Timestamper: w.Config.Timestamper, OAuth: &oauth.Service{Store: s, Clock: now},
		Chain: func() [][]byte { return nil }, BaseURL: "http://127.0.0.1", Name: "Absah", Region: "ID", Address: address, Clock: now, Log: log,
	}))
	mux.Handle("/api/", esign.New(esign.Config{
		Store: s, Clients: clients, Signing: w.Service, Pages: w.Pages, Blobs: w.Config.Blobs, ByNIK: byNIK, Chain: w.Config.Chain, Address: address, Clock: now, Log: log,
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	return http.Serve(l, mux)
}

// byNIK finds the one subscriber by the NIK that the test uses.
func byNIK(context.Context, *db.Queries, string, string) ([]db.EmployeesByNIKIndexRow, error) {
	return []db.EmployeesByNIKIndexRow{{ID: os.Getenv(variable + "_WHO")}}, nil
}

const nik = "3171010101900001"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// usual is how often a server is killed when nobody says otherwise.
const usual = 3

// TestKillsLoseNothingOfPrograms kills the server at any moment while batches of
// hashes and documents come in over HTTP: a use of the key is written down for every
// signature that anybody got, no hash has two values, and no document is half there.
func TestKillsLoseNothingOfPrograms(t *testing.T) {
	n, seed := kills.Plan(t, usual)
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) { run(t, dsn(t), n, rand.New(rand.NewPCG(seed, 1))) })
	}
}

// world is what outlives the servers: the applications' side.
type world struct {
	t          *testing.T
	dir, dsn   string
	who        audit.Actor
	credential string
	secret     string

	mu        sync.Mutex
	values    map[string]string // by hash: what an application was given
	documents map[string]string // SHA-256 of signed documents that were fetched, by what was sent
	calls     int
	round     int
	answered  chan struct{} // a signature was given out in this life
	killed    atomic.Bool   // this life ends
}

func run(t *testing.T, dsn string, n int, r *rand.Rand) {
	ctx := t.Context()
	w := &world{t: t, dir: t.TempDir(), dsn: dsn, values: map[string]string{}, documents: map[string]string{}}
	st := storetest.Open(t, dsn)
	house, err := signingtest.Open(ctx, w.dir, st, clock.System)
	must(t, err)
	w.who, err = house.Subscriber(ctx, "Siti Contohwati", keys.ECDSAP256)
	must(t, err)
	clients := &apiclient.Service{Store: st, Clock: clock.System}
	_, w.secret, err = clients.Add(ctx, audit.System("test"), "klien", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: apiclient.MaxRate, Enabled: true})
	must(t, err)
	must(t, st.ReadDB().QueryRowContext(ctx, `select id from credential`).Scan(&w.credential))
	for range n {
		w.live(r)
	}
	house, err = signingtest.Open(ctx, w.dir, st, leap(time.Duration(w.round+1)*between))
	must(t, err)
	must(t, house.RecoverAll(ctx))
	w.check(house)
}

// live starts a server, lets applications call it, and kills it.
func (w *world) live(r *rand.Rand) {
	w.t.Helper()
	self, err := os.Executable()
	must(w.t, err)
	cmd := exec.CommandContext(w.t.Context(), self)
	cmd.Env = append(os.Environ(), variable+"="+w.dir, variable+"_DB="+w.dsn, variable+"_WHO="+w.who.EmployeeID, variable+"_AHEAD="+(time.Duration(w.round)*between).String())
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	must(w.t, err)
	must(w.t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		w.t.Fatalf("the server does not start: %v\n%s", err, &complaint)
	}
	base := "http://" + strings.TrimSpace(line)
	ctx, stop := context.WithCancel(w.t.Context())
	w.round++
	w.answered = make(chan struct{}, 10_000)
	w.killed.Store(false)
	var applications sync.WaitGroup
	for n := range 3 {
		applications.Go(func() { w.application(ctx, base, w.round*100+n) })
	}
	// After some signatures were given out, and a little: among those of a batch.
	answers, later := 1+r.IntN(24), time.Duration(r.IntN(8_000))*time.Microsecond
	deadline := time.After(time.Minute)
	for range answers {
		select {
		case <-w.answered:
		case <-deadline:
			w.t.Error("the server answers nothing for a minute")
		}
	}
	time.Sleep(later)
	w.killed.Store(true)
	must(w.t, cmd.Process.Kill())
	stop()
	applications.Wait()
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		w.t.Fatalf("the server ended by itself: %v\n%s", err, &complaint)
	}
	http.DefaultClient.CloseIdleConnections()
	if w.t.Failed() {
		w.t.Logf("the server said:\n%s", &complaint)
	}
}

// application calls until its server is gone. Each has a way of its own: hashes that
// come again in every life, new hashes, documents.
func (w *world) application(ctx context.Context, base string, n int) {
	for i := 0; ctx.Err() == nil; i++ {
		var err error
		switch n % 3 {
		case 0:
			err = w.hashes(ctx, base, "sama", 20)
		case 1:
			err = w.hashes(ctx, base, fmt.Sprintf("baru %d %d", n, i), 20)
		default:
			err = w.document(ctx, base, fmt.Sprintf("surat %d %d", n, i))
		}
		var said *answer
		switch {
		case err == nil:
		case errors.As(err, &said) && said.again(): // another life's attempt is counted still, or another application's
			time.Sleep(20 * time.Millisecond)
		case errors.As(err, &said):
			w.t.Errorf("an application is refused: %v", err)
			return
		default: // the server is gone
			if !w.killed.Load() {
				w.t.Errorf("the server broke a call: %v", err)
			}
			return
		}
	}
}

// answer is a refusal in the words of the interface.
type answer struct {
	status int
	text   string
}

func (a *answer) Error() string { return fmt.Sprintf("%d %s", a.status, a.text) }

func (a *answer) again() bool { return a.status == http.StatusServiceUnavailable }

func (w *world) send(ctx context.Context, r *http.Request, into any) ([]byte, error) {
	resp, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.calls++
	w.mu.Unlock()
	if resp.StatusCode != http.StatusOK {
		return nil, &answer{resp.StatusCode, string(b)}
	}
	if strings.Contains(r.URL.Path, "/sign") {
		select {
		case w.answered <- struct{}{}:
		default:
		}
	}
	if into != nil {
		return b, json.Unmarshal(b, into)
	}
	return b, nil
}

func (w *world) call(ctx context.Context, base, token, method string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/csc/v2/"+method, bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	_, err = w.send(ctx, r, into)
	return err
}

// hashes signs a batch under one activation, in several calls.
func (w *world) hashes(ctx context.Context, base, name string, n int) error {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"klien"}, "client_secret": {w.secret}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/csc/v2/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		Access string `json:"access_token"`
	}
	if _, err := w.send(ctx, r, &token); err != nil {
		return err
	}
	var list []string
	for i := range n {
		sum := sha256.Sum256([]byte(name + strconv.Itoa(i)))
		list = append(list, base64.StdEncoding.EncodeToString(sum[:]))
	}
	var sad struct{ SAD string }
	err = w.call(ctx, base, token.Access, "credentials/authorize", map[string]any{
		"credentialID": w.credential, "numSignatures": n, "hashes": list, "authData": []any{map[string]any{"id": "PIN", "value": signingtest.Passphrase}},
	}, &sad)
	if err != nil {
		return err
	}
	const size = 2
	for part := range n / size {
		some := list[part*size : part*size+size]
		var out struct{ Signatures []string }
		err := w.call(ctx, base, token.Access, "signatures/signHash", map[string]any{"credentialID": w.credential, "SAD": sad.SAD, "hashes": some, "signAlgo": "1.2.840.10045.4.3.2"}, &out)
		if err != nil {
			return err
		}
		w.mu.Lock()
		for i, v := range out.Signatures {
			if old := w.values[some[i]]; old != "" && old != v {
				w.t.Errorf("the hash %s has two values", some[i])
			}
			w.values[some[i]] = v
		}
		w.mu.Unlock()
	}
	return nil
}

// document signs a file by the interface of the eSign client service.
func (w *world) document(ctx context.Context, base, name string) error {
	pdf, err := signingtest.PDF(name, 1)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile("file", "surat.pdf")
	if err == nil {
		_, err = part.Write(pdf)
	}
	for k, v := range map[string]string{"nik": nik, "passphrase": signingtest.Passphrase, "tampilan": "invisible"} {
		err = errors.Join(err, m.WriteField(k, v))
	}
	if err := errors.Join(err, m.Close()); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/sign/pdf", &body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.SetBasicAuth("klien", w.secret)
	signed, err := w.send(ctx, r, nil)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(signed)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.documents[fmt.Sprintf("%x", sum)] = name
	if !bytes.HasPrefix(signed, []byte("%PDF-")) || !bytes.Contains(signed, []byte("ETSI.CAdES.detached")) {
		w.t.Errorf("%s: a document came back that is not signed", name)
	}
	return nil
}

// check holds what is there against what applications were given.
func (w *world) check(house *signingtest.World) {
	t, ctx, q := w.t, w.t.Context(), house.DB.ReadDB()
	count := func(query string, args ...any) (n int) {
		t.Helper()
		must(t, q.QueryRowContext(ctx, query, args...).Scan(&n))
		return n
	}
	n, err := house.DB.Read().CountSignatures(ctx)
	must(t, err)
	t.Logf("%d calls, %d hashes, %d documents given out; %d signatures made, %d lost", w.calls, len(w.values), len(w.documents), n.Made, n.Lost)
	if len(w.values) == 0 || len(w.documents) == 0 {
		t.Error("nothing was signed: the test proves nothing")
	}
	for what, query := range map[string]string{
		"signatures on their way":   `select count(*) from signature where state = 'intended'`,
		"made without a value":      `select count(*) from signature where (state = 'made') <> (length(value) > 0)`,
		"items left open":           `select count(*) from activation_item where state in ('unused', 'used')`,
		"activations left open":     `select count(*) from activation where ended_at = 0`,
		"items that lack signature": `select count(*) from activation_item i where i.kind = 'file' and i.state = 'done' and i.uses <> (select count(*) from signature s where s.activation_id = i.activation_id and s.position = i.position and s.state = 'made')`,
		"items that failed signed":  `select count(*) from activation_item i where i.kind = 'file' and i.state = 'failed' and exists (select 1 from signature s where s.activation_id = i.activation_id and s.position = i.position and s.state = 'made')`,
		"hashes done and not made":  `select count(*) from activation_item i where i.kind = 'hash' and i.state = 'done' and not exists (select 1 from signature s where s.hash = i.digest and s.state = 'made')`,
	} {
		if bad := count(query); bad != 0 {
			t.Errorf("%s: %d", what, bad)
		}
	}
	// Every signature that somebody has is written down with this value, and every one
	// that is written down was used for an item.
	for hash, value := range w.values {
		h, err := base64.StdEncoding.DecodeString(hash)
		must(t, err)
		var stored []byte
		must(t, q.QueryRowContext(ctx, `select value from signature where hash = $1 and state = 'made'`, h).Scan(&stored))
		if base64.StdEncoding.EncodeToString(stored) != value {
			t.Errorf("the hash %s has another value in the database", hash)
		}
	}
	files := count(`select count(*) from signature s join activation_item i on i.activation_id = s.activation_id and i.position = s.position where i.kind = 'file' and s.state = 'made'`)
	hashes := count(`select count(*) from signature s join activation_item i on i.activation_id = s.activation_id and i.position = s.position where i.kind = 'hash' and s.state = 'made'`)
	if files < len(w.documents) || hashes < len(w.values) || int64(files+hashes) != n.Made {
		t.Errorf("%d documents and %d hashes were given out, written down are %d and %d of %d", len(w.documents), len(w.values), files, hashes, n.Made)
	}
	// The audit record has each: of files the signed bytes.
	for sum := range w.documents {
		if count(`select count(*) from audit where action = 'file.sign' and detail like $1`, `%"sha256":"`+sum+`"%`) != 1 {
			t.Errorf("the document %s was given out and is not in the record", sum)
		}
	}
	if _, err := audit.Verify(ctx, house.DB.Read()); err != nil {
		t.Error(err)
	}
	w.stored(house)
}

// stored: documents to be fetched later are whole or not there.
func (w *world) stored(house *signingtest.World) {
	t, ctx := w.t, w.t.Context()
	rows, err := house.DB.ReadDB().QueryContext(ctx, `select client_id, blob_id, key_sealed, size from api_document`)
	must(t, err)
	defer func() { must(t, rows.Close()) }()
	found := 0
	for rows.Next() {
		var client, id string
		var key []byte
		var size int
		must(t, rows.Scan(&client, &id, &key, &size))
		b, err := house.Config.Blobs.Get(ctx, blob.Meta{ID: id, Owner: client, Kind: "api_document"}, key)
		if err != nil || len(b) != size || !bytes.HasPrefix(b, []byte("%PDF-")) {
			t.Errorf("a document that waits is %d of %d bytes: %v", len(b), size, err)
		}
		found++
	}
	must(t, rows.Err())
	if found < len(w.documents) {
		t.Errorf("%d documents wait, %d were signed for applications", found, len(w.documents))
	}
}
