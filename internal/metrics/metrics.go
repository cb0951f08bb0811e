// Package metrics writes numbers in Prometheus' text format 0.0.4. What may be
// written is declared beforehand: the families and, for each label, every value
// that it can have. Nothing that a stranger sends can therefore become a label.
package metrics

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ContentType is that of a Page.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Type says how the samples of a family change.
type Type string

// The types of families.
const (
	Counter   Type = "counter" // only grows, and begins again at 0 with a process or a restored database
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Other stands for every value of a label that was not declared.
const Other = "other"

// Label is a name and all values that stand under it, beside Other.
type Label struct {
	Name   string
	Values []string
}

// Family is what is measured: absah_mails{state}.
type Family struct {
	Name   string // with the base unit, as Prometheus' naming has it
	Help   string
	Type   Type
	Labels []Label
}

// sample is one measurement. Of a histogram only spread is used.
type sample struct {
	labels []string
	value  float64
	spread *Spread
}

// Page holds samples. It is not safe for concurrent use.
type Page struct{ samples map[*Family][]sample }

// NewPage returns an empty page.
func NewPage() *Page { return &Page{samples: map[*Family][]sample{}} }

// Add puts a sample down, with a value for every label of the family. It panics
// when there are more or fewer: a fault of the program. A sample whose labels are
// there already is added up with it, as several values may be Other.
func (p *Page) Add(f *Family, value float64, labels ...string) {
	s := sample{labels: f.known(labels), value: value}
	for i, have := range p.samples[f] {
		if slices.Equal(have.labels, s.labels) {
			p.samples[f][i].value += value
			return
		}
	}
	p.samples[f] = append(p.samples[f], s)
}

// AddSpread puts a histogram down.
func (p *Page) AddSpread(f *Family, s *Spread, labels ...string) {
	p.samples[f] = append(p.samples[f], sample{labels: f.known(labels), spread: s})
}

// known are the values, with Other for those that were not declared.
func (f *Family) known(values []string) []string {
	if len(values) != len(f.Labels) {
		panic(fmt.Sprintf("metrics: %s has %d labels, not %d", f.Name, len(f.Labels), len(values)))
	}
	out := slices.Clone(values)
	for i, v := range out {
		if !slices.Contains(f.Labels[i].Values, v) {
			out[i] = Other
		}
	}
	return out
}

// Merge takes over the samples of a page whose families are others.
func (p *Page) Merge(from *Page) {
	for f, s := range from.samples {
		p.samples[f] = append(p.samples[f], s...)
	}
}

// Write writes those of the families that have samples, in their order.
func (p *Page) Write(to io.Writer, families []*Family) error {
	w := bufio.NewWriter(to)
	for _, f := range families {
		samples := p.samples[f]
		if len(samples) == 0 {
			continue
		}
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.Name, helpText.Replace(f.Help), f.Name, f.Type)
		for _, s := range samples {
			if s.spread == nil {
				line(w, f.Name, f.pairs(s.labels), s.value)
				continue
			}
			for i, n := range s.spread.upTo {
				line(w, f.Name+"_bucket", append(f.pairs(s.labels), [2]string{"le", number(s.spread.bound(i))}), float64(n))
			}
			line(w, f.Name+"_sum", f.pairs(s.labels), s.spread.sum)
			line(w, f.Name+"_count", f.pairs(s.labels), float64(s.spread.upTo[len(s.spread.upTo)-1]))
		}
	}
	return w.Flush()
}

func (f *Family) pairs(values []string) [][2]string {
	var out [][2]string
	for i, v := range values {
		out = append(out, [2]string{f.Labels[i].Name, v})
	}
	return out
}

var (
	helpText  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelText = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// line writes a sample; w remembers what went wrong.
func line(w *bufio.Writer, name string, labels [][2]string, value float64) {
	text := name
	for i, l := range labels {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		text += sep + l[0] + `="` + labelText.Replace(l[1]) + `"`
	}
	if len(labels) > 0 {
		text += "}"
	}
	_, _ = w.WriteString(text + " " + number(value) + "\n") // Flush tells
}

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64) // NaN is NaN
}
