package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"absah/pdf"
)

// BenchmarkProcess times whole processes over the same files: absah, what merely
// copies and hashes, and other programs that are installed. Compare rows of one
// run. peak-MiB is the largest resident set.
func BenchmarkProcess(b *testing.B) {
	dir := b.TempDir()
	s := newSignatory(b)
	program := filepath.Join(dir, "absah")
	build := exec.Command("../../scripts/build-program", program)
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	for _, size := range []struct {
		name    string
		objects int
		padding int
	}{{"30KB", 20, 28 << 10}, {"11MB-63000-objects", 63_000, 0}, {"72MB-46000-objects", 46_000, 66 << 20}, {"100MB", 600, 100 << 20}} {
		in, out := filepath.Join(dir, size.name+".pdf"), filepath.Join(dir, size.name+"-signed.pdf")
		if err := os.WriteFile(in, large(size.objects, size.padding), 0o600); err != nil {
			b.Fatal(err)
		}
		sign := append(append([]string{program}, s.pem()...), in, out)
		verify := []string{program, "verify", "--trust", s.path("chain.pem"), out}
		for _, c := range []struct {
			name string
			args []string
			ok   []int
		}{
			{"sign/absah", sign, []int{0}},
			{"sign/floor-cp", []string{"cp", in, filepath.Join(dir, "copy.pdf")}, []int{0}},
			{"sign/floor-openssl-dgst", []string{"openssl", "dgst", "-sha256", in}, []int{0}},
			{"verify/absah", verify, []int{0}},
			{"verify/mutool", []string{"mutool", "sign", "-v", out}, []int{0, 1}},
			{"verify/pdfsig", []string{"pdfsig", "-nocert", out}, []int{0, 1}},
		} {
			if _, err := exec.LookPath(c.args[0]); err != nil {
				b.Logf("%s is not installed", c.args[0])
				continue
			}
			b.Run(size.name+"/"+c.name, func(b *testing.B) { measure(b, c.args, c.ok) })
		}
	}
}

// measure runs the command. Its largest resident set is told by GNU time, where
// that is installed: what the kernel tells of a child counts its parent too.
func measure(b *testing.B, args []string, ok []int) {
	_, err := exec.LookPath(gnuTime)
	timed := err == nil
	if timed {
		args = append([]string{gnuTime, "-f", "%M", "--"}, args...)
	}
	var peak float64
	for b.Loop() {
		cmd := exec.Command(args[0], args[1:]...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if cmd.ProcessState == nil {
			b.Fatal(err)
		}
		if !slices.Contains(ok, cmd.ProcessState.ExitCode()) {
			b.Fatalf("%v: %v\n%s", args, err, &stderr)
		}
		lines := strings.Fields(stderr.String())
		if timed && len(lines) > 0 {
			kib, err := strconv.ParseFloat(lines[len(lines)-1], 64)
			if err != nil {
				b.Fatalf("read the memory of %v: %v", args, err)
			}
			peak = max(peak, kib/1024)
		}
	}
	if timed {
		b.ReportMetric(peak, "peak-MiB")
	}
}

const gnuTime = "/usr/bin/time"

// large is a document of objects, and of a stream of padding bytes.
func large(objects, padding int) []byte {
	var f bytes.Buffer
	f.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	var at []int
	add := func(o pdf.Object) {
		at = append(at, f.Len())
		fmt.Fprintf(&f, "%d 0 obj\n", len(at))
		f.Write(pdf.AppendObject(nil, o))
		f.WriteString("\nendobj\n")
	}
	ref := func(n uint32) pdf.Ref { return pdf.Ref{Number: n} }
	add(pdf.Dict{{Key: "Type", Value: pdf.Name("Catalog")}, {Key: "Pages", Value: ref(2)}})
	add(pdf.Dict{{Key: "Type", Value: pdf.Name("Pages")}, {Key: "Kids", Value: pdf.Array{ref(3)}}, {Key: "Count", Value: pdf.Integer(1)}})
	add(pdf.Dict{{Key: "Type", Value: pdf.Name("Page")}, {Key: "Parent", Value: ref(2)},
		{Key: "MediaBox", Value: pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(595), pdf.Integer(842)}}})
	add(&pdf.Stream{Dict: pdf.Dict{{Key: "Length", Value: pdf.Integer(padding)}}, Data: bytes.Repeat([]byte{'x'}, padding)})
	for len(at) < objects {
		add(pdf.Dict{{Key: "Type", Value: pdf.Name("StructElem")}, {Key: "S", Value: pdf.Name("Span")}, {Key: "P", Value: ref(2)},
			{Key: "Alt", Value: pdf.String(strings.Repeat("kata ", 20))}})
	}
	start := f.Len()
	fmt.Fprintf(&f, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, a := range at {
		fmt.Fprintf(&f, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&f, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return f.Bytes()
}
