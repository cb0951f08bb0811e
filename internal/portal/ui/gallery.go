package ui

import (
	"time"

	"github.com/a-h/templ"
)

// galleryTime is the moment at which the gallery plays.
var galleryTime = time.Date(2026, 11, 23, 7, 5, 0, 0, time.UTC)

// GalleryPage is a page frame with fictional people for the gallery and for tests.
func GalleryPage(theme Theme) Page {
	return Page{
		Title: "Galeri komponen",
		Lede:  "Semua bagian halaman dalam satu tempat, dengan data yang sepenuhnya fiktif.",
		Path:  "/gallery",
		Theme: theme,
		Identity: Identity{
			Product: "Absah", Organisation: "Kementerian Contoh Nusantara",
			ServiceDesk: "Servis Desk, pesawat 1500, servisdesk@contoh.example", HelpHref: "/help", Demo: true,
		},
		User: &User{
			Name: "Melati Contohwati, S.E.", Role: "Petugas DS", Unit: "Biro Contoh Kepegawaian",
			Menu:         []Link{{Label: "Akun dan keamanan", Href: "/account", Icon: "shield-lock"}},
			LogoutAction: "/logout",
		},
		Nav: []NavSection{
			{Items: []NavItem{
				{Label: "Home", Href: "/", Icon: "house"},
				{Label: "Profil", Href: "/profile", Icon: "person-vcard", Current: true},
				{Label: "Digital Signature", Href: "/ds", Icon: "patch-check"},
			}},
			{Title: "Layanan", Items: []NavItem{
				{Label: "Antrean registrasi", Href: "/queue", Icon: "list-check", Count: 12},
				{Label: "Perubahan data", Href: "/corrections", Icon: "pencil-square", Count: 3},
				{Label: "Laporan", Href: "/reports", Icon: "speedometer2"},
			}},
			{Title: "Administrasi", Items: []NavItem{
				{Label: "Pegawai", Href: "/staff", Icon: "people"},
				{Label: "Unit", Href: "/units", Icon: "diagram-3"},
				{Label: "Petunjuk Operasional", Href: "/guide", Icon: "journal-text"},
			}},
		},
		Breadcrumbs: []Link{{Label: "Home", Href: "/"}, {Label: "Galeri komponen"}},
		Flash:       []Flash{{Tone: Success, Title: "Perubahan dikirim", Text: "UPK akan memeriksa data Anda."}},
		Actions:     []templ.Component{Button(ButtonProps{Kind: Secondary, Label: "Unduh", Icon: "download", Href: "/download"})},
	}
}

func galleryProfile() []Term {
	return []Term{
		{Label: "NIP", Value: "19900101 201501 2 001", Code: true, Copy: true},
		{Label: "Nama", Value: "Melati Contohwati, S.E."},
		{Label: "Jabatan", Value: "Analis Contoh Ahli Muda"},
		{Label: "Unit Terakhir", Value: "Subbagian Contoh Mutasi, Biro Contoh Kepegawaian"},
		{Label: "Gol / Pangkat", Value: "III/c – Penata"},
		{Label: "Email"},
	}
}

func galleryTasks() []Task {
	return []Task{
		{Title: "NIK", Href: "/nik", Hint: "16 digit dan cocok dengan data kepegawaian.", Status: "Valid", Tone: Success},
		{Title: "Email", Href: "/email", Hint: "Dikonfirmasi 23 November 2026.", Status: "Valid", Tone: Success},
		{Title: "File Scan KTP", Href: "/ktp", Hint: "Gambar terpotong di sisi kanan. Unggah ulang dengan keempat sudut terlihat.", Status: "Tidak valid", Tone: Danger},
		{Title: "File Scan Rekomendasi", Href: "/letter", Hint: "Menunggu persetujuan UPK sejak 3 jam yang lalu.", Status: "Menunggu UPK", Tone: Warning},
		{Title: "File Scan TTD", Hint: "Dapat diunggah setelah KTP valid.", Status: "Belum dapat dimulai", Tone: Neutral},
	}
}

func gallerySteps() []Step {
	return []Step{
		{Title: "New", State: StepDone, Who: "Melati Contohwati", At: galleryTime.Add(-50 * time.Hour), Text: "Registrasi dikirim."},
		{Title: "On Set Passphrase", State: StepDone, Who: "Bagus Fiktifan (Petugas DS)", At: galleryTime.Add(-26 * time.Hour), Text: "Data diverifikasi dan tautan dikirim."},
		{Title: "Enroll", State: StepCurrent, Who: "Giliran Petugas DS", At: galleryTime.Add(-3 * time.Hour), Wait: "Biasanya 4 jam, hampir selalu dalam 1 hari kerja"},
		{Title: "Issue", State: StepUpcoming, Text: "Sertifikat elektronik diterbitkan dan Anda menerima e-mail."},
	}
}

func galleryTable() TableProps {
	row := func(id, name, nip, unit, status string, tone, edge Tone, age time.Duration) Row {
		return Row{ID: id, Tone: edge, Cells: []templ.Component{
			Anchor(name, "/queue/"+id, nip), Text(unit), Tag(tone, status), Ago(galleryTime, galleryTime.Add(-age)), Text("1.204"),
		}}
	}
	return TableProps{
		Caption: "Antrean registrasi", Select: "pick",
		Columns: []Column{{Label: "Pegawai", SortHref: "?sort=name", Sorted: "ascending"}, {Label: "Unit", SortHref: "?sort=unit"}, {Label: "Status", Shrink: true}, {Label: "Sejak", Shrink: true}, {Label: "Urutan", Number: true}},
		Rows: []Row{
			row("a", "Anjani Rekaanputri", "19880202 201001 2 002", "Biro Contoh Umum", "New", Info, Danger, 75*time.Hour),
			row("b", "Bagus Fiktifan", "19910303 201503 1 003", "Kantor Contoh Wilayah III", "Enroll", Warning, Warning, 26*time.Hour),
			row("c", "Citra Misalnya", "19950404 201901 2 004", "Pusat Contoh Data", "Dikembalikan", Neutral, "", 40*time.Minute),
		},
	}
}

func galleryHints() []Hint {
	return []Hint{
		{Tone: Success, Text: "Kode wilayah 31.71 sesuai dengan Kota Contoh."},
		{Tone: Warning, Text: "Tanggal lahir dalam NIK berbeda satu hari dari data kepegawaian."},
	}
}

func galleryReasons() []Option {
	return []Option{{Label: "Pilih alasan"}, {Value: "cut", Label: "Gambar terpotong"}, {Value: "blur", Label: "Gambar buram"}}
}
