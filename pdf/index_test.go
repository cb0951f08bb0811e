package pdf_test

import (
	"context"
	"fmt"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// TestManyRevisions keeps a model of what each of forty revisions holds and looks
// at every object through every view.
func TestManyRevisions(t *testing.T) {
	const revisions, numbers = 40, 30
	f := pdftest.New("1.7")
	f.Body()
	f.Table(pdftest.Trailer)
	type state map[int]string
	history := []state{{}}
	homes := []map[int]int{{}}
	for r := 1; r < revisions; r++ {
		now, home := state{}, map[int]int{}
		for k, v := range history[r-1] {
			now[k], home[k] = v, homes[r-1][k]
		}
		var members []pdftest.Member
		for k := 10; k < 10+numbers; k++ {
			switch (k*7 + r*r*3) % 11 {
			case 0, 1:
				now[k], home[k] = fmt.Sprintf("plain %d of %d", k, r), r
				f.Object(k, "("+now[k]+")")
			case 2:
				if r%2 == 0 {
					now[k], home[k] = fmt.Sprintf("member %d of %d", k, r), r
					members = append(members, pdftest.Member{Number: k, Body: "(" + now[k] + ")"})
				}
			case 3:
				if now[k] != "" {
					delete(now, k)
					delete(home, k)
					f.Free(k)
				}
			}
		}
		if r%2 == 0 {
			f.ObjectStream(100+r, members...)
			f.XrefStream(200+r, pdftest.Trailer, r%4 == 0)
		} else {
			f.Table(pdftest.Trailer)
		}
		history, homes = append(history, now), append(homes, home)
	}
	d := open(t, f.Bytes())
	if n := len(d.Revisions()); n != revisions {
		t.Fatalf("%d revisions", n)
	}
	for r := revisions - 1; r >= 0; r-- {
		v := d.At(r)
		seen := 0
		for ref, loc := range v.Objects() {
			k := int(ref.Number)
			if k < 10 || k >= 10+numbers {
				continue
			}
			seen++
			if loc.Revision != homes[r][k] {
				t.Errorf("revision %d: object %d is of revision %d, want %d", r, k, loc.Revision, homes[r][k])
			}
		}
		if seen != len(history[r]) {
			t.Errorf("revision %d: %d objects, want %d", r, seen, len(history[r]))
		}
		for k := 10; k < 10+numbers; k++ {
			o, err := v.Object(pdf.Ref{Number: uint32(k)})
			want, exists := history[r][k]
			if err != nil || (o != nil) != exists || exists && o != pdf.String(want) {
				t.Errorf("revision %d: object %d is %v, %v, want %q", r, k, o, err, want)
			}
			if loc, ok := v.Locate(pdf.Ref{Number: uint32(k)}); ok != exists || exists && loc.Revision != homes[r][k] {
				t.Errorf("revision %d: object %d is located at %+v, %v", r, k, loc, ok)
			}
		}
	}
	if a := d.Anomalies(); len(a) > 0 {
		t.Errorf("anomalies: %v", a)
	}
}

func TestObjectZeroIsNull(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Object(0, "(never)")
	f.Table(pdftest.Trailer)
	if o, err := open(t, f.Bytes()).Object(pdf.Ref{}); o != nil || err != nil {
		t.Errorf("0 0 R is %v, %v", o, err)
	}
}

func TestExternalStreamsAreSeenByScan(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Stream(10, "/F (other.bin)", []byte("x"))
	f.Object(11, "<< /Type /Annot /F 4 >>")
	f.Table(pdftest.Trailer)
	d := open(t, f.Bytes())
	if err := d.Scan(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := d.Anomalies(); len(got) != 1 || got[0].Kind != pdf.StreamExternal {
		t.Errorf("anomalies: %+v", got)
	}
}
