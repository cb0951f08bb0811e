package identity

import (
	_ "embed" // the list of regions
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./genregions -data package/data -out regions.txt

// regionsText has a line for each province ("11 ACEH") and for each regency,
// with the last two digits of its districts ("1101 KABUPATEN ...: 01-18").
// Source and licence are in REGIONS.md.
//
//go:embed regions.txt
var regionsText string

type regionTable struct {
	provinces map[string]string   // 2 digits -> name
	regencies map[string]string   // 4 digits -> name
	districts map[string]struct{} // 6 digits
}

// regions is the embedded list, read at its first use.
var regions = sync.OnceValue(func() regionTable {
	t, err := parseRegions(regionsText)
	if err != nil {
		panic("identity: " + err.Error()) // the list is part of the program; a test reads it
	}
	return t
})

func parseRegions(text string) (regionTable, error) {
	t := regionTable{map[string]string{}, map[string]string{}, map[string]struct{}{}}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		code, rest, ok := strings.Cut(line, " ")
		if !ok || !digitsOnly(code) {
			return t, fmt.Errorf("regions, line %d: no code", i+1)
		}
		switch len(code) {
		case 2:
			t.provinces[code] = rest
		case 4:
			name, list, _ := strings.Cut(rest, ": ")
			t.regencies[code] = name
			if err := t.addDistricts(code, list); err != nil {
				return t, fmt.Errorf("regions, line %d: %w", i+1, err)
			}
		default:
			return t, fmt.Errorf("regions, line %d: a code of %d digits", i+1, len(code))
		}
	}
	return t, nil
}

// addDistricts reads a list such as "01-18,20".
func (t regionTable) addDistricts(regency, list string) error {
	for item := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(item, "-")
		if !isRange {
			last = first
		}
		lo, err1 := strconv.Atoi(first)
		hi, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || lo < 0 || lo > hi || hi > 99 {
			return fmt.Errorf("bad districts %q", item)
		}
		for d := lo; d <= hi; d++ {
			t.districts[fmt.Sprintf("%s%02d", regency, d)] = struct{}{}
		}
	}
	return nil
}

// ProvinceName returns the name of the province with that code of 2 digits.
func ProvinceName(code string) (name string, ok bool) {
	name, ok = regions().provinces[code]
	return name, ok
}

// RegencyName returns the name of the regency (kabupaten/kota) with that code
// of 4 digits.
func RegencyName(code string) (name string, ok bool) {
	name, ok = regions().regencies[code]
	return name, ok
}

// DistrictExists reports whether today's list has the district (kecamatan)
// with that code of 6 digits. NIKs of districts since split or moved live on.
func DistrictExists(code string) bool {
	_, ok := regions().districts[code]
	return ok
}
