package i18n

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Zone is one of the three time zones of Indonesia. None has had daylight
// saving time since 1964, so a fixed distance from UTC is exact for everything
// that Absah dates.
type Zone string

// The zones, under the names by which people know them.
const (
	WIB  Zone = "WIB"  // UTC+7: Sumatra, Java, West and Central Kalimantan
	WITA Zone = "WITA" // UTC+8: Bali, Nusa Tenggara, South, East and North Kalimantan, Sulawesi
	WIT  Zone = "WIT"  // UTC+9: Maluku, Papua
)

// Zones lists the zones from west to east.
func Zones() []Zone { return []Zone{WIB, WITA, WIT} }

// ParseZone returns the zone named s, and false when s names none of the three.
func ParseZone(s string) (Zone, bool) {
	switch z := Zone(strings.ToUpper(s)); z {
	case WIB, WITA, WIT:
		return z, true
	}
	return WIB, false
}

// Location is the zone for package time.
func (z Zone) Location() *time.Location {
	hours := 7
	switch z {
	case WITA:
		hours = 8
	case WIT:
		hours = 9
	}
	return time.FixedZone(string(z), hours*60*60)
}

// monthKeys are the texts of the months; T takes whole keys so that the test
// that looks for unused and missing texts sees them.
func monthKey(m time.Month, short bool) string {
	if short {
		return "date.short." + strconv.Itoa(int(m))
	}
	return "date.month." + strconv.Itoa(int(m))
}

// Date is the day of t in the zone of ctx: "23 November 2026". The zero time is
// the empty string.
func Date(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(ZoneOf(ctx).Location())
	return strconv.Itoa(local.Day()) + " " + T(ctx, monthKey(local.Month(), false)) + " " + strconv.Itoa(local.Year())
}

// ShortDate is Date with the month cut to three letters, for tables: "23 Nov 2026".
func ShortDate(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(ZoneOf(ctx).Location())
	return strconv.Itoa(local.Day()) + " " + T(ctx, monthKey(local.Month(), true)) + " " + strconv.Itoa(local.Year())
}

// CivilDate writes a calendar day that has no zone, such as a date of birth: it
// reads the day of t as it stands, without moving it.
func CivilDate(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.Itoa(t.Day()) + " " + T(ctx, monthKey(t.Month(), false)) + " " + strconv.Itoa(t.Year())
}

// Clock is the time of day with its zone: "14.05 WIB" in Indonesian, where the
// spelling rules (EYD V) want a full stop, "14:05 WIB" in English.
func Clock(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	zone := ZoneOf(ctx)
	layout := "15.04"
	if LangOf(ctx) == English {
		layout = "15:04"
	}
	return t.In(zone.Location()).Format(layout) + " " + string(zone)
}

// DateTime is the moment t in the zone of ctx: "23 November 2026 pukul 14.05 WIB".
func DateTime(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return T(ctx, "date.at", "date", Date(ctx, t), "clock", Clock(ctx, t))
}

// ShortDateTime is DateTime for tables: "23 Nov 2026 14.05 WIB".
func ShortDateTime(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ShortDate(ctx, t) + " " + Clock(ctx, t)
}

// Since says how far t lies from now in one unit: "baru saja", "3 jam yang
// lalu", and for a moment to come "dalam 2 hari". The zero time is the empty string.
func Since(ctx context.Context, now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := now.Sub(t)
	if d < 0 {
		if d > -time.Minute {
			return T(ctx, "date.soon")
		}
		return T(ctx, "date.in", "span", largest(ctx, -d))
	}
	if d < time.Minute {
		return T(ctx, "date.now")
	}
	return T(ctx, "date.ago", "span", largest(ctx, d))
}

const day = 24 * time.Hour

// units are the spans in which people count, longest first.
var units = [...]struct {
	key  string
	span time.Duration
}{
	{"date.years", 365 * day},
	{"date.months", 30 * day},
	{"date.days", day},
	{"date.hours", time.Hour},
	{"date.minutes", time.Minute},
	{"date.seconds", time.Second},
}

func largest(ctx context.Context, d time.Duration) string {
	for _, u := range units {
		if n := int(d / u.span); n > 0 {
			return N(ctx, u.key, n)
		}
	}
	return N(ctx, "date.seconds", 0)
}

// Duration says how long d is in at most two neighbouring units, rounded down:
// "2 jam 15 menit", "3 hari". Under one second it is "kurang dari satu detik".
// A negative d is written as its size.
func Duration(ctx context.Context, d time.Duration) string {
	if d < 0 {
		d = -d
	}
	if d < time.Second {
		return T(ctx, "date.instant")
	}
	for i, u := range units {
		n := d / u.span
		if n == 0 {
			continue
		}
		text := N(ctx, u.key, int(n))
		if i+1 < len(units) {
			next := units[i+1]
			if rest := int(d % u.span / next.span); rest > 0 {
				text += " " + N(ctx, next.key, rest)
			}
		}
		return text
	}
	return ""
}

// Number writes n with the language's separator of thousands: 1.234.567 in
// Indonesian, 1,234,567 in English.
func Number(ctx context.Context, n int64) string {
	separator := "."
	if LangOf(ctx) == English {
		separator = ","
	}
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// Decimal writes f with the given number of places and the language's decimal
// sign: 1,5 in Indonesian, 1.5 in English.
func Decimal(ctx context.Context, f float64, places int) string {
	text := strconv.FormatFloat(f, 'f', places, 64)
	if LangOf(ctx) == English {
		return text
	}
	return strings.Replace(text, ".", ",", 1)
}

// Bytes writes a size of n bytes in the unit that suits it, in steps of 1000
// (SI): "820 B", "250 KB", "1,4 MB".
func Bytes(ctx context.Context, n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1_000_000:
		return Number(ctx, (n+500)/1000) + " KB"
	case n < 1_000_000_000:
		return tenths(ctx, (n+50_000)/100_000) + " MB"
	}
	return tenths(ctx, (n+50_000_000)/100_000_000) + " GB"
}

// tenths writes n/10, without a decimal when it is whole: "5", "5,2".
func tenths(ctx context.Context, n int64) string {
	if n%10 == 0 {
		return Number(ctx, n/10)
	}
	return Decimal(ctx, float64(n)/10, 1)
}
