package app_test

import (
	"crypto"
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/app"
	"absah/internal/metrics"
	"absah/internal/metrics/metricstest"
)

// declared is everything that is told: name, type and labels. Whoever adds a line
// asks first whether every value of its labels is of a set that strangers cannot
// add to, and names nobody.
var declared = strings.Fields(`
	absah_up|gauge|part absah_build_info|gauge|version,goversion,fips absah_role_info|gauge|role
	absah_http_requests_total|counter|door,route,class absah_http_request_duration_seconds|histogram|door
	absah_jobs|gauge|kind,state absah_jobs_oldest_waiting_seconds|gauge|
	absah_mails|gauge|state absah_registrations|gauge|status absah_webhook_deliveries|gauge|state
	absah_certificates_issued_total|counter|issuer absah_certificates_revoked|gauge|issuer
	absah_crl_this_update_timestamp_seconds|gauge|issuer absah_crl_next_update_timestamp_seconds|gauge|issuer absah_crl_entries|gauge|issuer
	absah_ocsp_answers_total|counter|kind absah_timestamps_total|counter|result absah_clock_state|gauge|state absah_clock_offset_seconds|gauge|
	absah_signatures|gauge|state absah_seal_uses|gauge|state absah_activations_open|gauge| absah_activation_windows_open|gauge|
	absah_passphrase_tests_total|counter|result absah_data_free_bytes|gauge| absah_blob_store_free_bytes|gauge|
	absah_backup_timestamp_seconds|gauge| absah_check_timestamp_seconds|gauge| absah_check_problems|gauge|
	absah_log_checkpoint_timestamp_seconds|gauge| absah_log_size|gauge| absah_log_intact|gauge|kind
	go_goroutines|gauge| go_memory_heap_objects_bytes|gauge| go_memory_total_bytes|gauge| go_gc_cycles_total|counter|
	process_cpu_seconds_total|counter| process_resident_memory_bytes|gauge| process_start_time_seconds|gauge| process_open_fds|gauge|`)

// labelValue is how values of labels look: words of ours, patterns of routes and
// versions. Long numbers and identifiers do not.
var (
	labelValue = regexp.MustCompile(`^([a-zA-Z0-9_.+: -]{1,40}|(GET|POST|PUT|PATCH|DELETE) (/[a-zA-Z0-9_.{}$-]*)+)$`)
	longNumber = regexp.MustCompile(`[0-9]{6,}|[0-9a-f]{16,}`)
)

func scrape(t *testing.T, a *app.App) string {
	t.Helper()
	rec := httptest.NewRecorder()
	a.Metrics().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != metrics.ContentType {
		t.Fatalf("metrics: %d %s", rec.Code, rec.Header().Get("Content-Type"))
	}
	return rec.Body.String()
}

// read parses a page and holds it to what is declared.
func read(t *testing.T, a *app.App, text string) map[string]*metricstest.Family {
	t.Helper()
	found, err := metricstest.Parse(text)
	must(t, err)
	byName := map[string]*metrics.Family{}
	for _, f := range a.Families() {
		byName[f.Name] = f
	}
	for name, f := range found {
		want := byName[name]
		if want == nil {
			t.Errorf("%s is not declared", name)
			continue
		}
		for _, s := range f.Samples {
			for label, value := range s.Labels {
				i := slices.IndexFunc(want.Labels, func(l metrics.Label) bool { return l.Name == label })
				if label == "le" && f.Type == "histogram" {
					continue
				}
				bounded := i >= 0 && slices.Contains(want.Labels[i].Values, value)
				if !bounded && (label != "route" || value != metrics.Other) {
					t.Errorf("%s{%s=%q}: the value is of no fixed set", name, label, value)
				}
			}
		}
	}
	return found
}

// value sums up the samples with these labels.
func value(t *testing.T, found map[string]*metricstest.Family, name string, labels ...string) (sum float64) {
	t.Helper()
	hit := false
	if f := found[name]; f != nil {
	next:
		for _, s := range f.Samples {
			for i := 0; i < len(labels); i += 2 {
				if s.Labels[labels[i]] != labels[i+1] {
					continue next
				}
			}
			hit, sum = true, sum+s.Value
		}
	}
	if !hit {
		t.Errorf("%s%v is missing", name, labels)
	}
	return sum
}

func TestMetricsAreThoseDeclared(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	docs, err := os.ReadFile("../../docs/operations.md")
	must(t, err)
	var have []string
	for _, f := range h.Families() {
		var labels []string
		for _, l := range f.Labels {
			labels = append(labels, l.Name)
			for _, v := range l.Values {
				if !labelValue.MatchString(v) || longNumber.MatchString(v) {
					t.Errorf("%s{%s=%q}: is that a word of ours?", f.Name, l.Name, v)
				}
			}
			if len(l.Values) == 0 || len(l.Values) > 500 {
				t.Errorf("%s has %d values of %s", f.Name, len(l.Values), l.Name)
			}
		}
		have = append(have, f.Name+"|"+string(f.Type)+"|"+strings.Join(labels, ","))
		if !strings.Contains(string(docs), "`"+f.Name) {
			t.Errorf("docs/operations.md does not explain %s", f.Name)
		}
		if f.Help == "" || !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%s says nothing about itself", f.Name)
		}
	}
	slices.Sort(have)
	want := slices.Sorted(slices.Values(declared))
	if !slices.Equal(have, want) {
		t.Errorf("told:\n%s\ndeclared:\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

func TestMetricsTellWhatHappens(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	b := h.browser()
	b.get("/masuk")
	b.get("/aktivasi/0123456789abcdef0123456789abcdef")
	b.get("/199001012015012913/berkas-rahasia")
	call := func(path, kind, body string) {
		t.Helper()
		res, err := http.Post(h.base+path, kind, strings.NewReader(body))
		must(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		must(t, err)
		must(t, res.Body.Close())
	}
	call("/pki/ocsp", "application/ocsp-request", "nothing")
	call("/tsa", "application/timestamp-query", "nothing")
	call("/api/v1/documents", "application/json", "{}")
	_, err := h.Stamper.Timestamp(t.Context(), crypto.SHA256, make([]byte, 32))
	must(t, err)
	must(t, app.NoteBackup(h.Config, time.Unix(1_800_000_000, 0)))

	text := scrape(t, h.App)
	found := read(t, h.App, text)
	for _, s := range found["absah_up"].Samples {
		if s.Value != 1 {
			t.Errorf("%v is down", s.Labels)
		}
	}
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"absah_http_requests_total", []string{"door", "portal", "route", "GET /masuk", "class", "2xx"}, 1},
		{"absah_http_requests_total", []string{"door", "portal", "route", "other", "class", "4xx"}, 1},
		{"absah_http_requests_total", []string{"door", "rest", "route", "POST /api/v1/documents", "class", "4xx"}, 1},
		{"absah_http_requests_total", []string{"door", "ocsp"}, 1},
		{"absah_http_requests_total", []string{"door", "tsa"}, 1},
		{"absah_ocsp_answers_total", []string{"kind", "failed"}, 1},
		{"absah_timestamps_total", []string{"result", "issued"}, 1},
		{"absah_timestamps_total", []string{"result", "refused"}, 1},
		{"absah_clock_state", []string{"state", "unguarded"}, 1},
		{"absah_backup_timestamp_seconds", nil, 1_800_000_000},
		{"absah_registrations", []string{"status", "New"}, 0},
		{"absah_certificates_issued_total", nil, 0},
		{"absah_signatures", []string{"state", "made"}, 0},
		{"absah_activations_open", nil, 0},
	} {
		if got := value(t, found, c.name, c.labels...); got != c.want {
			t.Errorf("%s%v = %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	for _, secret := range []string{"0123456789abcdef", "199001012015012913", "berkas-rahasia"} {
		if strings.Contains(text, secret) {
			t.Errorf("a path is told: %s", secret)
		}
	}
	for _, name := range []string{"absah_data_free_bytes", "absah_blob_store_free_bytes", "process_resident_memory_bytes", "go_memory_total_bytes"} {
		if value(t, found, name) <= 0 {
			t.Errorf("%s is not above 0", name)
		}
	}
}

// The public address has no metrics, and the operators' one nothing else.
func TestMetricsAreNotPublic(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	if h.Config.Metrics.Addr == "" {
		t.Fatal("metrics are off: this shows nothing")
	}
	for _, path := range []string{"/metrics", "/metrics/", "/pki/metrics", "/log/metrics", "/api/v1/metrics"} {
		if a := h.browser().get(path); a.status != http.StatusNotFound && a.status != http.StatusUnauthorized || strings.Contains(a.body, "absah_up") {
			t.Errorf("%s answers %d", path, a.status)
		}
	}
	stop, err := h.ServeMetrics(t.Context())
	must(t, err)
	defer func() { must(t, stop()) }()
	addr := regexp.MustCompile(`"metrics are served","addr":"(127\.0\.0\.1:\d+)"`).FindStringSubmatch(h.log.String())
	if addr == nil {
		t.Fatal("the log does not say where metrics are served")
	}
	for path, want := range map[string]int{"/metrics": 200, "/": 404, "/masuk": 404, "/healthz": 404} {
		res, err := http.Get("http://" + addr[1] + path)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		must(t, err)
		must(t, res.Body.Close())
		if res.StatusCode != want || strings.Contains(string(body), "absah_up") != (want == 200) {
			t.Errorf("%s answers %d, want %d", path, res.StatusCode, want)
		}
	}
}

// One part that fails is told, and the rest is there.
func TestMetricsWithoutATable(t *testing.T) {
	t.Parallel()
	h := open(t, "")
	d, err := sql.Open("sqlite", h.Config.Path("absah.db"))
	must(t, err)
	_, err = d.ExecContext(t.Context(), "alter table webhook_delivery rename to was_webhook_delivery")
	must(t, err)
	must(t, d.Close())
	found := read(t, h.App, scrape(t, h.App))
	for part, want := range map[string]float64{"tables": 0, "database": 1, "jobs": 1, "process": 1} {
		if got := value(t, found, "absah_up", "part", part); got != want {
			t.Errorf("absah_up{part=%q} is %v, want %v", part, got, want)
		}
	}
	if found["absah_mails"] != nil {
		t.Error("a part that failed tells a part of it")
	}
}
