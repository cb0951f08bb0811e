package mail

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
	"time"

	"go.yaml.in/yaml/v4"
)

//go:embed templates
var builtin embed.FS

// ErrTexts is wrapped by the errors of text files: a text that is missing or
// does not work.
var ErrTexts = errors.New("mail texts")

// texts are the texts of one language, by name: "enrol_link.intro".
type texts map[string]*template.Template

// loadTexts reads <lang>.yaml of the program and lays the one of over on it.
func loadTexts(lang Lang, over fs.FS) (texts, error) {
	t := texts{}
	b, err := builtin.ReadFile("templates/" + string(lang) + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read mail texts: %w", err)
	}
	if err := t.add(lang, b, false); err != nil {
		return nil, err
	}
	if over == nil {
		return t, nil
	}
	b, err = fs.ReadFile(over, string(lang)+".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read mail texts: %w", err)
	}
	return t, t.add(lang, b, true)
}

// add parses a file of two levels, group and name, each text a template. With
// known, every text must replace one that exists.
func (t texts) add(lang Lang, b []byte, known bool) error {
	var groups map[string]map[string]string
	if err := yaml.Load(b, &groups, yaml.WithKnownFields()); err != nil {
		return fmt.Errorf("%w in %s.yaml: %w", ErrTexts, lang, err)
	}
	for group, entries := range groups {
		for name, text := range entries {
			key := group + "." + name
			if known && t[key] == nil {
				return fmt.Errorf("%w: %s.yaml has the unknown text %s", ErrTexts, lang, key)
			}
			tmpl, err := template.New(key).Option("missingkey=error").Parse(text)
			if err != nil {
				return fmt.Errorf("%w in %s.yaml: %w", ErrTexts, lang, err)
			}
			t[key] = tmpl
		}
	}
	return nil
}

// say executes a text as one clean line.
func (t texts) say(key string, data any) (string, error) {
	tmpl := t[key]
	if tmpl == nil {
		return "", fmt.Errorf("%w: no text %s", ErrTexts, key)
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, data); err != nil {
		return "", fmt.Errorf("%w: %w", ErrTexts, err)
	}
	return clean(b.String()), nil
}

// date is what the text "time.when" is made from.
type date struct {
	Weekday, Month string
	Day, Year      int
	Clock, Zone    string
	Hour, Minute   int
	Offset         int // hours ahead of UTC
}

// when writes a moment in zone z.
func (t texts) when(at time.Time, z Zone) (string, error) {
	at = at.In(z.location())
	weekday, err := t.say(fmt.Sprintf("weekdays.d%d", at.Weekday()), nil)
	if err != nil {
		return "", err
	}
	month, err := t.say(fmt.Sprintf("months.m%d", at.Month()), nil)
	if err != nil {
		return "", err
	}
	_, offset := at.Zone()
	return t.say("time.when", date{
		Weekday: weekday, Month: month, Day: at.Day(), Year: at.Year(),
		Clock: at.Format("15:04"), Zone: string(z), Hour: at.Hour(), Minute: at.Minute(), Offset: offset / 3600,
	})
}

// span writes a duration roughly, in minutes, hours or days, rounded up.
func (t texts) span(d time.Duration) (string, error) {
	up := func(unit time.Duration) int { return int((d + unit - 1) / unit) }
	switch {
	case d <= time.Hour:
		return t.say("time.minutes", max(up(time.Minute), 1))
	case d <= 24*time.Hour:
		return t.say("time.hours", up(time.Hour))
	}
	return t.say("time.days", up(24*time.Hour))
}
