package agreement

import (
	"fmt"
	"time"
)

// wording is what the PDF says in one language beside the texts.
type wording struct {
	documentTitle, receipt, statement, version, page                   string
	name, nip, unit, reference, address, language, languageName, issue string
	text, accepted, hash                                               string
	kinds                                                              map[string]string
	months                                                             [12]string
	at                                                                 string // date, hour, minute, zone
}

var words = map[string]wording{
	"id": {
		documentTitle: "Perjanjian Pemilik Sertifikat Elektronik", receipt: "Bukti Persetujuan",
		statement: "Kedua naskah di atas disetujui secara elektronik oleh:", version: "versi", page: "Halaman %d dari %d",
		name: "Nama", nip: "NIP", unit: "Unit kerja", reference: "Nomor registrasi", address: "Alamat jaringan",
		language: "Bahasa", languageName: "Bahasa Indonesia", issue: "Penerbit", text: "Naskah", accepted: "Disetujui pada", hash: "SHA-256 naskah",
		kinds:  map[string]string{Agreement: "Perjanjian Pemilik Sertifikat Elektronik", Privacy: "Persetujuan Pemrosesan Data Pribadi"},
		months: [12]string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"},
		at:     "%s pukul %02d.%02d.%02d %s",
	},
	"en": {
		documentTitle: "Electronic Certificate Subscriber Agreement", receipt: "Receipt of Acceptance",
		statement: "Both texts above were accepted electronically by:", version: "version", page: "Page %d of %d",
		name: "Name", nip: "NIP", unit: "Unit", reference: "Registration number", address: "Network address",
		language: "Language", languageName: "English", issue: "Issuer", text: "Text", accepted: "Accepted on", hash: "SHA-256 of the text",
		kinds:  map[string]string{Agreement: "Electronic Certificate Subscriber Agreement", Privacy: "Consent to the Processing of Personal Data"},
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		at:     "%s at %02d:%02d:%02d %s",
	},
}

// rows are the lines of the receipt: name and value.
func (w wording) rows(r Receipt) [][]string {
	rows := [][]string{
		{w.name, r.Name}, {w.nip, r.NIP}, {w.unit, r.Unit}, {w.issue, r.Identity.Issuer},
		{w.reference, r.Reference}, {w.language, w.languageName}, {w.address, r.Address},
	}
	for _, a := range r.Accepted {
		rows = append(rows,
			[]string{w.text, fmt.Sprintf("%s, %s %s", w.kinds[a.Text.Kind], w.version, a.Text.Version)},
			[]string{w.accepted, w.moment(a.At, r.Zone)},
			[]string{w.hash, Fingerprint(a.Text.Hash)},
		)
	}
	return rows
}

func (w wording) moment(t time.Time, zone string) string {
	t, zone = local(t, zone)
	date := fmt.Sprintf("%d %s %d", t.Day(), w.months[t.Month()-1], t.Year())
	return fmt.Sprintf(w.at, date, t.Hour(), t.Minute(), t.Second(), zone)
}
