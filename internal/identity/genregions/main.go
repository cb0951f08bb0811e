// Command genregions makes internal/identity/regions.txt from the CSV files of
// the npm package idn-area-data. How to run it is in REGIONS.md.
package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

func main() {
	data := flag.String("data", "package/data", "directory with provinces.csv, regencies.csv and districts.csv")
	out := flag.String("out", "regions.txt", "file to write")
	flag.Parse()
	if err := run(*data, *out); err != nil {
		fmt.Fprintln(os.Stderr, "genregions:", err)
		os.Exit(1)
	}
}

func run(data, out string) error {
	var lines []string
	provinces, err := read(data, "provinces.csv", "code", "name")
	if err != nil {
		return err
	}
	for _, p := range provinces {
		lines = append(lines, p[0]+" "+p[1])
	}
	districts, err := read(data, "districts.csv", "code", "regency_code")
	if err != nil {
		return err
	}
	of := map[string][]int{}
	for _, d := range districts {
		n, err := strconv.Atoi(strings.TrimPrefix(d[0], d[1]+"."))
		if err != nil || n < 0 || n > 99 {
			return fmt.Errorf("districts.csv: code %q", d[0])
		}
		of[d[1]] = append(of[d[1]], n)
	}
	regencies, err := read(data, "regencies.csv", "code", "name")
	if err != nil {
		return err
	}
	for _, r := range regencies {
		if len(of[r[0]]) == 0 {
			return fmt.Errorf("regency %s has no district", r[0])
		}
		lines = append(lines, strings.ReplaceAll(r[0], ".", "")+" "+r[1]+": "+ranges(of[r[0]]))
	}
	sort.Strings(lines)
	head := "# Derived from idn-area-data; Open Database License 1.0; see REGIONS.md\n"
	return os.WriteFile(out, []byte(head+strings.Join(lines, "\n")+"\n"), 0o644)
}

// read returns the two named columns of a CSV file.
func read(dir, name, col1, col2 string) ([][2]string, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: not CSV: %w", name, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: has no head", name)
	}
	at := map[string]int{}
	for i, h := range rows[0] {
		at[h] = i
	}
	i, ok1 := at[col1]
	j, ok2 := at[col2]
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("%s: no column %s or %s", name, col1, col2)
	}
	var list [][2]string
	for _, row := range rows[1:] {
		list = append(list, [2]string{row[i], row[j]})
	}
	return list, nil
}

// ranges writes numbers as "01-18,20".
func ranges(list []int) string {
	sort.Ints(list)
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := fmt.Sprintf("%02d", list[i])
		if j > i {
			part += fmt.Sprintf("-%02d", list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ",")
}
