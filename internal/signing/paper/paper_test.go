package paper_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"absah/internal/confine"
	"absah/internal/signing/paper"
	"absah/internal/signing/signingtest"
	"absah/pades/appearance"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case paper.Command:
			os.Exit(paper.Main(os.Stdin, os.Stdout))
		case "tight": // with less memory than the file below takes
			os.Exit(paper.MainWithin(confine.Limits{Memory: 48 << 20, Heap: 40 << 20, CPU: 20 * time.Second}, os.Stdin, os.Stdout))
		case "endless": // with less time than it takes
			if confine.Here(confine.Limits{Memory: 512 << 20, Heap: 64 << 20, CPU: time.Second}) != nil {
				os.Exit(confine.ExitUnlimited)
			}
			for n := 0; ; n++ {
				if n < 0 {
					os.Exit(0)
				}
			}
		case "liar":
			os.Stdout.WriteString(`{"Answer":{"Pages":3,"Sizes":[{"Width":1,"Height":1}]}}`)
			os.Exit(0)
		case "mumbling":
			os.Stdout.WriteString("%PDF")
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func pool(t *testing.T, command string) *paper.Pool {
	t.Helper()
	self, err := confine.Self(command)
	if err != nil {
		t.Fatal(err)
	}
	p, err := paper.NewPool(self, 2)
	if err != nil {
		t.Fatal(err)
	}
	p.Wall, p.Wait = 2*time.Minute, 2*time.Minute // a busy machine is no reason to fail
	return p
}

func letter(t *testing.T, pages int) []byte {
	t.Helper()
	b, err := signingtest.PDF("Hal surat", pages)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// locked encrypts a letter by another program.
func locked(t *testing.T, user, owner string, more ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, letter(t, 2), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--encrypt", user, owner, "256"}, more...)
	if b, err := exec.CommandContext(t.Context(), "qpdf", append(args, "--", in, out)...).CombinedOutput(); err != nil {
		t.Fatalf("qpdf: %v\n%s", err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestChildAndProcessAgree: what a child says is what is said in this process, for
// files that are read and for those that are not.
func TestChildAndProcessAgree(t *testing.T) {
	t.Parallel()
	box := appearance.Box{X: 60, Y: 50, Width: 120, Height: 40, Origin: appearance.TopLeft}
	at := func(p paper.Place) paper.Question { return paper.Question{Sizes: true, Places: []paper.Place{p}} }
	for name, c := range map[string]struct {
		file []byte
		q    paper.Question
		want error
		says func(a *paper.Answer) bool
	}{
		"letter": {letter(t, 3), paper.Question{Sizes: true}, nil, func(a *paper.Answer) bool {
			return a.Pages == 3 && !a.Encrypted && len(a.Sizes) == 3 && a.Sizes[2].Width > 595 && a.Sizes[2].Height < 842
		}},
		"over text":      {letter(t, 1), at(paper.Place{Page: 1, Box: box}), nil, func(a *paper.Answer) bool { return len(a.Overlaps) == 1 && a.Overlaps[0].Text == "Hal surat" }},
		"over an anchor": {letter(t, 2), at(paper.Place{Anchor: "${ttd}", Box: box}), nil, func(a *paper.Answer) bool { return len(a.Overlaps) == 0 }},
		"locked":         {locked(t, "buka", "pemilik"), paper.Question{Password: []byte("buka")}, nil, func(a *paper.Answer) bool { return a.Pages == 2 && a.Encrypted && a.Locked && !a.ReadOnly }},
		"locked for signing": {locked(t, "", "pemilik", "--modify=none"), paper.Question{}, nil, func(a *paper.Answer) bool {
			return a.Pages == 2 && a.Encrypted && !a.Locked && a.ReadOnly && a.AsksToSign
		}},
		"owner of it":  {locked(t, "", "pemilik", "--modify=none"), paper.Question{Password: []byte("pemilik")}, nil, func(a *paper.Answer) bool { return !a.ReadOnly && a.AsksToSign }},
		"no password":  {locked(t, "buka", "pemilik"), paper.Question{}, paper.ErrPassword, nil},
		"wrong one":    {locked(t, "buka", "pemilik"), paper.Question{Password: []byte("salah")}, paper.ErrPassword, nil},
		"no PDF":       {[]byte("halo"), paper.Question{}, paper.ErrNotPDF, nil},
		"damaged":      {[]byte("%PDF-1.7\nnothing"), paper.Question{}, new(paper.DamagedError), nil},
		"no such page": {letter(t, 1), at(paper.Place{Page: 2, Box: box}), new(paper.PlaceError), nil},
		"no anchor":    {letter(t, 1), at(paper.Place{Anchor: "tidak ada", Box: box}), new(paper.PlaceError), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, err := paper.Here{}.Read(t.Context(), c.file, c.q)
			child, err2 := pool(t, paper.Command).Read(t.Context(), c.file, c.q)
			if !reflect.DeepEqual(here, child) || fmt.Sprint(err) != fmt.Sprint(err2) {
				t.Errorf("here %+v, %v; a child %+v, %v", here, err, child, err2)
			}
			var damaged, wantDamaged *paper.DamagedError
			var place, wantPlace *paper.PlaceError
			switch {
			case c.want == nil:
				if err != nil || !c.says(here) {
					t.Errorf("%+v, %v", here, err)
				}
			case errors.As(c.want, &wantDamaged) && errors.As(err2, &damaged), errors.As(c.want, &wantPlace) && errors.As(err2, &place):
			case !errors.Is(err2, c.want):
				t.Errorf("%v, want %v", err2, c.want)
			}
		})
	}
}

// bomb is a page of very much text, packed into a few kilobytes.
func bomb(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("BT /F1 9 Tf 72 700 Td (Bayar satu juta rupiah) Tj ET\n", 1000)
	for range 700 {
		if _, err := z.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	var at []int
	add := func(o string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), o)
	}
	b.WriteString("%PDF-1.7\n")
	add("<< /Type /Catalog /Pages 2 0 R >>")
	add("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>")
	add(fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", packed.Len(), packed.String()))
	add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

// TestWhatEatsMemoryAndTime: a file that takes more than one may ends its own
// child and nothing else; the next file is read.
func TestWhatEatsMemoryAndTime(t *testing.T) {
	t.Parallel()
	file := bomb(t)
	if len(file) > 200_000 {
		t.Fatalf("the file has %d bytes", len(file))
	}
	q := paper.Question{Places: []paper.Place{{Page: 1, Box: appearance.Box{X: 60, Y: 50, Width: 120, Height: 40}}}}
	for _, command := range []string{paper.Command, "tight", "endless", "liar", "mumbling"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := pool(t, command)
			asked := q
			asked.Sizes = command == "liar"
			if a, err := p.Read(t.Context(), file, asked); !errors.Is(err, paper.ErrTooHard) {
				t.Errorf("%+v, %v", a, err)
			}
			if command != paper.Command && command != "tight" {
				return
			}
			if a, err := p.Read(t.Context(), letter(t, 2), paper.Question{}); err != nil || a.Pages != 2 {
				t.Errorf("the next file: %+v, %v", a, err)
			}
		})
	}
}

// TestBusy: who waits too long for a child is told to come again.
func TestBusy(t *testing.T) {
	t.Parallel()
	p := pool(t, paper.Command)
	p.Wait = time.Millisecond
	for range 2 {
		release, err := p.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
	if _, err := p.Read(t.Context(), letter(t, 1), paper.Question{}); !errors.Is(err, paper.ErrBusy) {
		t.Errorf("%v", err)
	}
}
