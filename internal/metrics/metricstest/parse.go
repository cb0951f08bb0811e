// Package metricstest reads pages of package metrics as strictly as the format
// allows: whatever it takes, Prometheus takes.
package metricstest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Sample is one line.
type Sample struct {
	Name   string // with _bucket, _sum or _count in a histogram
	Labels map[string]string
	Value  float64
}

// Family is what stands below one TYPE.
type Family struct {
	Name, Help, Type string
	Samples          []Sample
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	types      = []string{"counter", "gauge", "histogram"}
	errFormat  = errors.New("not in text format 0.0.4")
)

// Parse reads a page. Each family has HELP, TYPE and its samples in one group.
func Parse(text string) (map[string]*Family, error) {
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("%w: the last line does not end", errFormat)
	}
	out := map[string]*Family{}
	var now *Family
	seen := map[string]bool{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		var err error
		if name, help, ok := strings.Cut(strings.TrimPrefix(lines[i], "# HELP "), " "); ok && strings.HasPrefix(lines[i], "# HELP ") {
			if i+1 == len(lines) || out[name] != nil {
				return nil, fmt.Errorf("%w: line %d: %s", errFormat, i+1, name)
			}
			i++
			kind, found := strings.CutPrefix(lines[i], "# TYPE "+name+" ")
			now = &Family{Name: name, Help: help, Type: kind}
			if !found || !slices.Contains(types, kind) || !metricName.MatchString(name) || kind == "counter" && !strings.HasSuffix(name, "_total") {
				err = fmt.Errorf("%w: %s", errFormat, lines[i])
			}
			out[name] = now
		} else {
			err = now.sample(lines[i], seen)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	for _, f := range out {
		if err := f.histogram(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *Family) sample(line string, seen map[string]bool) error {
	at := strings.LastIndexByte(line, ' ')
	if f == nil || at < 0 || seen[line[:at]] {
		return fmt.Errorf("%w: %q", errFormat, line)
	}
	seen[line[:at]] = true
	value, err := strconv.ParseFloat(line[at+1:], 64)
	if err != nil || f.Type == "counter" && value < 0 {
		return fmt.Errorf("%w: the value of %q", errFormat, line)
	}
	name, rest, labelled := strings.Cut(line[:at], "{")
	s := Sample{Name: name, Labels: map[string]string{}, Value: value}
	ending, ok := strings.CutPrefix(name, f.Name)
	if !ok || f.Type != "histogram" && ending != "" || f.Type == "histogram" && !slices.Contains([]string{"_bucket", "_sum", "_count"}, ending) {
		return fmt.Errorf("%w: %q is not of %s", errFormat, name, f.Name)
	}
	if labelled {
		if err := s.labels(rest); err != nil {
			return err
		}
	}
	f.Samples = append(f.Samples, s)
	return nil
}

// labels reads what stands after the opening brace.
func (s *Sample) labels(text string) error {
	for {
		name, rest, ok := strings.Cut(text, `="`)
		if _, twice := s.Labels[name]; !ok || twice || !metricName.MatchString(name) {
			return fmt.Errorf("%w: label %q", errFormat, text)
		}
		var value strings.Builder
		i := 0
		for ; i < len(rest) && rest[i] != '"'; i++ {
			c := rest[i]
			if c == '\\' {
				i++
				known := strings.IndexByte(`\"n`, append([]byte(rest), 0)[i])
				if known < 0 {
					return fmt.Errorf("%w: escape in %q", errFormat, text)
				}
				c = "\\\"\n"[known]
			}
			value.WriteByte(c)
		}
		if i >= len(rest) {
			return fmt.Errorf("%w: label %q does not end", errFormat, name)
		}
		s.Labels[name] = value.String()
		switch text = rest[i+1:]; {
		case text == "}":
			return nil
		case !strings.HasPrefix(text, ","):
			return fmt.Errorf("%w: after label %q", errFormat, name)
		}
		text = text[1:]
	}
}

// histogram checks that buckets rise to +Inf and agree with the count.
func (f *Family) histogram() error {
	if f.Type != "histogram" {
		return nil
	}
	last, ended, count := map[string]float64{}, map[string]bool{}, map[string]float64{}
	for _, s := range f.Samples {
		others := maps.Clone(s.Labels)
		delete(others, "le")
		key := fmt.Sprint(others)
		switch s.Name {
		case f.Name + "_bucket":
			if s.Value < last[key] || ended[key] {
				return fmt.Errorf("%w: the buckets of %s do not rise", errFormat, f.Name)
			}
			last[key], ended[key] = s.Value, s.Labels["le"] == "+Inf"
		case f.Name + "_count":
			count[key] = s.Value
		}
	}
	for key, n := range last {
		if !ended[key] || count[key] != n {
			return fmt.Errorf("%w: %s%s has no whole count", errFormat, f.Name, key)
		}
	}
	return nil
}
