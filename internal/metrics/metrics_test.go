package metrics_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"absah/internal/metrics"
	"absah/internal/metrics/metricstest"
)

func write(t *testing.T, p *metrics.Page, families ...*metrics.Family) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, families); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageIsText004(t *testing.T) {
	t.Parallel()
	mails := &metrics.Family{Name: "x_mails", Help: "Mails: a \\ and\na line.", Type: metrics.Gauge, Labels: []metrics.Label{{Name: "state", Values: []string{"sent", `q"u\o` + "\nte"}}}}
	free := &metrics.Family{Name: "x_free_bytes", Help: "Free.", Type: metrics.Gauge}
	none := &metrics.Family{Name: "x_none", Help: "Nothing.", Type: metrics.Counter}
	took := &metrics.Family{Name: "x_took_seconds", Help: "Time.", Type: metrics.Histogram, Labels: []metrics.Label{{Name: "door", Values: []string{"a"}}}}
	times := metrics.NewTimes(.5, 1)
	for _, s := range []float64{.25, .5, .75, 7} {
		times.Observe("a", s)
	}
	p, more := metrics.NewPage(), metrics.NewPage()
	p.Add(mails, 3, "sent")
	p.Add(mails, 1, `q"u\o`+"\nte")
	more.Add(free, 1.5e12)
	times.To(more, took)
	p.Merge(more)
	times.Observe("a", 100) // after the copy
	want := `# HELP x_mails Mails: a \\ and\na line.
# TYPE x_mails gauge
x_mails{state="sent"} 3
x_mails{state="q\"u\\o\nte"} 1
# HELP x_free_bytes Free.
# TYPE x_free_bytes gauge
x_free_bytes 1.5e+12
# HELP x_took_seconds Time.
# TYPE x_took_seconds histogram
x_took_seconds_bucket{door="a",le="0.5"} 2
x_took_seconds_bucket{door="a",le="1"} 3
x_took_seconds_bucket{door="a",le="+Inf"} 4
x_took_seconds_sum{door="a"} 8.5
x_took_seconds_count{door="a"} 4
`
	got := write(t, p, mails, free, none, took)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	families, err := metricstest.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if families["x_mails"].Samples[1].Labels["state"] != `q"u\o`+"\nte" {
		t.Error("a label does not come back as it was")
	}
}

// What was not declared never becomes a label, and is counted all the same.
func TestUnknownValuesBecomeOther(t *testing.T) {
	t.Parallel()
	f := &metrics.Family{Name: "x_total", Help: "X.", Type: metrics.Counter, Labels: []metrics.Label{{Name: "route", Values: []string{"GET /"}}}}
	var c metrics.Count
	c.Inc("GET /")
	c.Inc("GET /email/user/enroll/0123456789abcdef")
	c.Inc("GET /199001012015012913")
	p := metrics.NewPage()
	c.To(p, f)
	got := write(t, p, f)
	if strings.Contains(got, "0123456789abcdef") || strings.Contains(got, "1990") || !strings.Contains(got, "x_total{route=\"other\"} 2\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestWrongNumberOfLabelsIsAFault(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a sample without its label was taken")
		}
	}()
	metrics.NewPage().Add(&metrics.Family{Name: "x", Labels: []metrics.Label{{Name: "a"}}}, 1)
}

func TestCountsFromManySides(t *testing.T) {
	t.Parallel()
	var c metrics.Count
	times := metrics.NewTimes(1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				c.Inc("a")
				times.Observe("a", .5)
				c.To(metrics.NewPage(), &metrics.Family{Labels: []metrics.Label{{Name: "l"}}})
			}
		})
	}
	wg.Wait()
	f := &metrics.Family{Name: "x_total", Help: "X.", Type: metrics.Counter, Labels: []metrics.Label{{Name: "l", Values: []string{"a"}}}}
	p := metrics.NewPage()
	c.To(p, f)
	if got := write(t, p, f); !strings.HasSuffix(got, "x_total{l=\"a\"} 800\n") {
		t.Errorf("got\n%s", got)
	}
}

// The parser that judges pages refuses what Prometheus refuses.
func TestParserIsStrict(t *testing.T) {
	t.Parallel()
	head := "# HELP x X.\n# TYPE x gauge\n"
	for name, text := range map[string]string{
		"no end of line":         head + "x 1",
		"no type":                "x 1\n",
		"another family's name":  head + "y 1\n",
		"twice":                  head + "x 1\nx 2\n",
		"no value":               head + "x\n",
		"no number":              head + "x one\n",
		"label without quotes":   head + "x{a=b} 1\n",
		"label without end":      head + "x{a=\"b} 1\n",
		"bad escape":             head + "x{a=\"\\q\"} 1\n",
		"label name":             head + "x{1a=\"b\"} 1\n",
		"label twice":            head + "x{a=\"b\",a=\"c\"} 1\n",
		"family twice":           head + "x 1\n" + head + "x{a=\"b\"} 1\n",
		"type that is none":      "# HELP x X.\n# TYPE x number\nx 1\n",
		"metric name":            "# HELP 1x X.\n# TYPE 1x gauge\n1x 1\n",
		"counter without _total": "# HELP x X.\n# TYPE x counter\nx 1\n",
		"negative counter":       "# HELP x_total X.\n# TYPE x_total counter\nx_total -1\n",
		"histogram that falls":   "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 1\n",
		"histogram without +Inf": "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_sum 1\nx_count 1\n",
		"count that differs":     "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_sum 1\nx_count 2\n",
		"blank line":             head + "\nx 1\n",
	} {
		if _, err := metricstest.Parse(text); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}
