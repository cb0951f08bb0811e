// Command papers writes the PDF files that Absah makes for people into DIR, in both
// languages, and on standard output their names: what validators of PDF/A and PDF/UA
// judge.
//
//	papers DIR
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"absah/internal/agreement"
	"absah/internal/cps"
	"absah/internal/verification"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: papers DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "papers:", err)
		os.Exit(1)
	}
}

var at = time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)

func run(dir string) error {
	for _, lang := range []string{"id", "en"} {
		for name, make := range map[string]func(lang string) ([]byte, error){"agreement": agreed, "statement": statement, "report": report} {
			b, err := make(lang)
			if err != nil {
				return fmt.Errorf("write %s in %s: %w", name, lang, err)
			}
			path := filepath.Join(dir, name+"-"+lang+".pdf")
			if err := os.WriteFile(path, b, 0o600); err != nil {
				return fmt.Errorf("write %s: %w", name, err)
			}
			fmt.Println(path)
		}
	}
	return nil
}

// agreed is the copy of what a subscriber accepted. His unit's name has a letter
// that the font lacks.
func agreed(lang string) ([]byte, error) {
	who := agreement.Identity{
		Issuer: "Absah CA Demo (tidak tersertifikasi)", Organisation: "Instansi Contoh", ServiceDesk: "Servis Desk (servicedesk@contoh.example)",
	}
	texts, err := agreement.New(who)
	if err != nil {
		return nil, err
	}
	r := agreement.Receipt{
		Identity: who, Name: "Melati Contohwati, S.E.", NIP: "199001012015022001", Unit: "Bagian Contoh 字 Umum",
		Reference: "DS-7K3M-9QXA", Address: "203.0.113.7", Zone: "WITA",
	}
	for _, kind := range agreement.Kinds() {
		text, err := texts.Current(kind, lang)
		if err != nil {
			return nil, err
		}
		r.Accepted = append(r.Accepted, agreement.Accepted{Text: text, At: at})
	}
	return agreement.PDF(context.Background(), r)
}

func statement(lang string) ([]byte, error) {
	f := cps.Facts{
		Organisation: "Instansi Contoh", Issuer: "Absah CA Demo (tidak tersertifikasi)", PolicyOID: "2.25.7260.1.1", Years: 2, Demo: true,
		CPSURL: "http://ca.contoh.example/pki/cps", IssuerURL: "http://ca.contoh.example/pki/issuing.cer", CRLURL: "http://ca.contoh.example/pki/issuing.crl",
		OCSPURL: "http://ca.contoh.example/ocsp", RenewalChecks: "none", LinkHours: 72, MinLength: 12, MinScore: 3, SubscriberKey: "ECDSA P-256",
		Approval: "optional", RetentionScans: 30, Country: "ID", RootName: "Akar Contoh", IssuingName: "Penerbit Contoh", Contact: "servicedesk@contoh.example",
		DataContact: "pdp@contoh.example", PortalURL: "https://absah.contoh.example", AuthorityKey: "ECDSA P-384", CRLHours: 24, RenewalDays: 60, SubjectDays: 30,
	}
	v, err := cps.Make(f)
	if err != nil {
		return nil, err
	}
	v.Number, v.Published = 3, at
	return cps.PDF(v, lang, f)
}

// report is one with everything that reports can have.
func report(lang string) ([]byte, error) {
	s := verification.Sheet{
		Lang: lang, Title: "Laporan verifikasi dokumen", Issuer: "Instansi Contoh", Verdict: "Semua tanda tangan sah",
		Note: "Penanda tangannya dikenal, dan isi dokumen sama seperti saat ditandatangani.", Tone: [3]uint8{18, 99, 56},
		Foot: "Dibuat oleh Absah, Instansi Contoh, 28 November 2026 10.00 WIB", Page: "Halaman %d dari %d", At: at,
	}
	words := [...]string{"Berkas yang diperiksa", "Nama berkas", "Tanda tangan", "Penanda tangan", "Tempat", "Perubahan", "Penilaian", "halaman", "diizinkan", "Bidang formulir diisi"}
	if lang == "en" {
		s.Title, s.Verdict, s.Note = "Verification report", "All signatures are valid", "The signers are known, and the document is as it was when it was signed."
		s.Foot, s.Page = "Made by Absah, Instansi Contoh, 28 November 2026 10:00 WIB", "Page %d of %d"
		words = [...]string{"File that was checked", "File name", "Signature", "Signer", "Where", "Change", "Judgement", "page", "permitted", "A form field was filled in"}
	}
	s.Sections = append(s.Sections, verification.Section{Title: words[0], Lines: []verification.Line{
		{Label: words[1], Value: "surat-contoh.pdf"}, {Label: "SHA-256", Value: strings.Repeat("0123456789abcdef", 4)},
	}})
	for n := range 4 {
		one := verification.Section{
			Title: fmt.Sprintf("%s %d", words[2], n+1), Lead: s.Verdict + ". " + s.Note,
			Lines: []verification.Line{
				{Label: words[3], Value: "CN=Melati Contohwati, S.E., serialNumber=199001012015022001, OU=Bagian Contoh Umum, O=Instansi Contoh, C=ID"},
				{Label: "ByteRange", Value: "0–48211, 64713–66012"}, {Label: "Sub-indication", Value: ""},
			},
			Changes: &verification.Changes{Where: words[4], Change: words[5], Judged: words[6]},
		}
		for i := range 9 {
			one.Changes.Rows = append(one.Changes.Rows, verification.Change{Where: fmt.Sprintf("%s %d", words[7], i+1), Change: words[9], Judged: words[8]})
		}
		s.Sections = append(s.Sections, one)
	}
	return s.PDF()
}
