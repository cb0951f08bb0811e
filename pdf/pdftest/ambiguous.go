package pdftest

import (
	"bytes"
	"fmt"
	"strings"
)

// Ambiguous makes files in which a reader that searches, or one that takes
// another choice, sees something else than one that follows the cross-reference.
// All of them open; Scan must tell of each.
func Ambiguous() []Case {
	shadow := New("1.7")
	shadow.Body()
	shadow.WriteString("4 0 obj\n<< /Length 2 >>\nstream\nBT\nendstream\nendobj\n")
	shadow.Table(Trailer)

	late := sound()
	late.Update()
	late.Offsets = map[int]int64{7: late.Offsets[7]}
	late.Table(Trailer)

	unreachable := sound()
	reached := unreachable.Prev
	unreachable.Update()
	unreachable.Table(Trailer)
	unreachable.Prev = reached
	unreachable.Object(6, "<< /Title (another) >>")
	unreachable.Table(Trailer)

	older := sound()
	at := older.Prev
	older.Update()
	older.Table(Trailer)

	eof := New("1.7")
	eof.Body()
	eof.WriteString("%%EOF\n")
	eof.Table(Trailer)

	conflict := New("1.4")
	conflict.Body()
	conflict.hide(7, 8, 9)
	conflicting := conflict.Bytes()
	entry := []byte("0000000000 00001 f \n0000000000 00001 f \n0000000000 00001 f \n")
	conflicting = bytes.Replace(conflicting, entry, fmt.Appendf(nil, "%010d 00000 n \n0000000000 00001 f \n0000000000 00001 f \n", bytes.Index(conflicting, []byte("6 0 obj"))), 1)

	overlap := sound().Bytes()
	overlap = bytes.Replace(overlap, []byte("trailer"), []byte("4 1\n0000000015 00000 n \ntrailer"), 1)

	generation := bytes.Replace(sound().Bytes(), []byte("5 0 obj"), []byte("5 2 obj"), 1)

	junk := New("1.7")
	junk.Body()
	junk.WriteString("this belongs to nothing\n")
	junk.Table(Trailer)

	comment := New("1.7")
	comment.Body()
	comment.WriteString("%4 0 obj (other) endobj\n")
	comment.Table(Trailer)

	inTable := bytes.Replace(sound().Bytes(), []byte("xref\n0 7\n"), []byte("xref %\n0 7\n"), 1)

	members := New("1.5")
	members.Stream(4, "", []byte(Content))
	members.ObjectStream(7, append(Members(), Member{4, "(not the content)"})...)
	delete(members.members, 4)
	members.XrefStream(8, Trailer, false)

	behind := sound()
	behind.Object(8, "(later)")
	later := behind.Offsets[8]
	b := behind.Bytes()
	points := bytes.Replace(b, fmt.Appendf(nil, "%010d", bytes.Index(b, []byte("6 0 obj"))), fmt.Appendf(nil, "%010d", later), 1)
	behind.Reset()
	behind.Write(points)
	behind.Table(Trailer)

	// The newest section stands before the one that its Prev names.
	order := New("1.7")
	order.Body()
	order.Object(7, "(later)")
	first := order.At()
	table := func(prev string) string {
		f := &File{Offsets: order.Offsets, Prev: -1}
		f.TableEntries()
		return f.String() + fmt.Sprintf("trailer\n<< /Size 8 %s%s >>\n", Trailer, prev)
	}
	n := int64(len(table(fmt.Sprintf(" /Prev %010d", 0))))
	order.WriteString(table(fmt.Sprintf(" /Prev %010d", first+n)))
	order.WriteString(table(""))
	fmt.Fprintf(order, "startxref\n%d\n%%%%EOF\n", first)

	return []Case{
		{Name: "older section behind the newer one", Data: order.Bytes(), Anomalies: []string{"section-order", "tail-mismatch"}},
		{Name: "stream in another file", Data: replace("<<  /Length", "<< /F (other.bin) /Length"), Anomalies: []string{"stream-external"}},
		{Name: "object that no section names", Data: shadow.Bytes(), Anomalies: []string{"object-shadow"}},
		{Name: "newer object that its section does not name", Data: late.Bytes(), Anomalies: []string{"object-shadow"}},
		{Name: "section that no chain leads to", Data: unreachable.Bytes(), Anomalies: []string{"section-unreachable"}},
		{Name: "tail that names an older section", Data: bytes.Replace(older.Bytes(), fmt.Appendf(nil, "startxref\n%d", older.Prev), fmt.Appendf(nil, "startxref\n%d", at), 1), Anomalies: []string{"section-unreachable", "trailing-bytes", "object-shadow"}},
		{Name: "EOF within a revision", Data: eof.Bytes(), Anomalies: []string{"eof-extra"}},
		{Name: "hybrid whose table and stream disagree", Data: conflicting, Anomalies: []string{"hybrid-conflict"}},
		{Name: "subsections that overlap", Data: overlap, Anomalies: []string{"xref-overlap"}},
		{Name: "object of another generation", Data: generation, Anomalies: []string{"generation-mismatch"}},
		{Name: "bytes that belong to nothing", Data: junk.Bytes(), Anomalies: []string{"unaccounted-bytes"}},
		{Name: "object in a comment", Data: comment.Bytes(), Anomalies: []string{"comment-in-structure"}},
		{Name: "comment in a table", Data: inTable, Anomalies: []string{"comment-in-structure"}},
		{Name: "header with a comment", Data: replace("5 0 obj", "5 %\n0 obj"), Anomalies: []string{"comment-in-structure"}},
		{Name: "member that no section names", Data: members.Bytes(), Anomalies: []string{"object-shadow"}},
		{Name: "key twice", Data: replace("/Type /Page /Parent 2 0 R", "/Type /Page /Contents 5 0 R /Parent 2 0 R"), Anomalies: []string{"duplicate-key"}},
		{Name: "two files in one", Data: append(sound().Bytes(), sound().Bytes()...), Anomalies: []string{"header-extra"}},
		{Name: "older entry that points behind its revision", Data: behind.Bytes(), Anomalies: []string{"offset-wrong"}},
		{Name: "page twice", Data: replace("/Kids [3 0 R]", "/Kids [3 0 R 3 0 R]"), Pages: 2, Anomalies: []string{"page-tree"}},
		{Name: "Count that is wrong", Data: replace("/Count 1", "/Count 2"), Anomalies: []string{"page-tree"}},
		{Name: "Kids loop", Data: replace("/Kids [3 0 R]", "/Kids [2 0 R 3 0 R]"), Anomalies: []string{"page-tree"}},
		{Name: "wrong checksum", Data: checksum(), Anomalies: []string{"stream-data"}},
	}
}

func checksum() []byte {
	f := New("1.7")
	f.Head()
	data := Deflate([]byte(Content))
	data[len(data)-1] ^= 1
	f.Stream(4, "/Filter /FlateDecode", data)
	f.Tail()
	f.Table(strings.TrimSpace(Trailer))
	return f.Bytes()
}
