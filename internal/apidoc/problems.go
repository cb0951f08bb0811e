package apidoc

// Problem is a kind of error, as RFC 9457 tells them: its type is an address on
// the reference page, its code is what a program decides on and never changes.
type Problem struct {
	Code   string
	Status int // of HTTP
	Title  Text
	Detail Text // what to do; an answer may say more
}

// Anchor is where the reference page describes the problem.
func (p Problem) Anchor() string { return "masalah-" + p.Code }

// ProblemOf gives the problem of a code; ok is false when there is none.
func ProblemOf(code string) (p Problem, ok bool) {
	for _, p := range Problems() {
		if p.Code == code {
			return p, true
		}
	}
	return Problem{}, false
}

func text(id, en string) Text { return Text{id, en} }

// Problems lists them, in the order of the reference page.
func Problems() []Problem {
	return append(append(requestProblems(), signerProblems()...), documentProblems()...)
}

// requestProblems are about the call itself.
func requestProblems() []Problem {
	return []Problem{
		{"unauthorized", 401, text("Kredensial tidak diterima", "The credential is not accepted"),
			text("Kirim nama dan rahasia aplikasi dengan HTTP Basic, atau token akses yang masih berlaku.", "Send the name and secret of the application by HTTP Basic, or an access token that is still valid.")},
		{"wrong_address", 403, text("Alamat pemanggil tidak diizinkan", "Calls from this address are not allowed"),
			text("Administrator menentukan dari jaringan mana aplikasi boleh memanggil.", "An administrator decides from which networks the application may call.")},
		{"missing_scope", 403, text("Aplikasi tidak memiliki izin ini", "The application lacks this permission"),
			text("Minta administrator memberi aplikasi izin yang disebut pada referensi panggilan ini.", "Ask an administrator to give the application the scope that the reference of this call names.")},
		{"not_in_sandbox", 403, text("Tidak tersedia untuk aplikasi uji coba", "Not available to sandbox applications"),
			text("Panggilan ini bekerja dengan orang sungguhan. Pakai kredensial yang bukan uji coba.", "This call works on real people. Use a credential that is not a sandbox.")},
		{"too_many_requests", 429, text("Terlalu banyak permintaan", "Too many requests"),
			text("Tunggu selama Retry-After, lalu ulangi.", "Wait as long as Retry-After says, then repeat.")},
		{"not_found", 404, text("Tidak ditemukan", "Not found"),
			text("Tidak ada, atau bukan milik aplikasi ini.", "There is no such thing, or it is not this application's.")},
		{"method_not_allowed", 405, text("Metode tidak didukung", "Method not allowed"),
			text("Header Allow menyebut metode yang didukung.", "The header Allow names the methods that are.")},
		{"unsupported_media_type", 415, text("Jenis isi tidak didukung", "Unsupported media type"),
			text("Kirim Content-Type yang disebut pada referensi panggilan ini.", "Send the Content-Type that the reference of this call names.")},
		{"unreadable", 400, text("Isi permintaan tidak dapat dibaca", "The request cannot be read"),
			text("Isinya bukan JSON atau multipart/form-data yang utuh.", "The body is not complete JSON or multipart/form-data.")},
		{"too_large", 413, text("Permintaan terlalu besar", "The request is too large"),
			text("GET /me menyebut batasnya.", "GET /me tells the limits.")},
		{"invalid_fields", 422, text("Isian tidak sesuai", "Fields are not as they must be"),
			text("errors menyebut setiap isian yang keliru. Isian yang tidak dikenal ditolak.", "errors names every field that is wrong. Unknown fields are refused.")},
		{"invalid_cursor", 400, text("Penunjuk halaman tidak berlaku", "The cursor is not valid"),
			text("Ambil cursor apa adanya dari next, dengan saringan yang sama.", "Take the cursor as it is from next, with the same filters.")},
		{"idempotency_key_reused", 422, text("Idempotency-Key sudah dipakai", "The Idempotency-Key is in use"),
			text("Kunci ini dipakai untuk permintaan yang lain. Pakai kunci baru.", "The key belongs to a different request. Use a new one.")},
		{"idempotency_in_progress", 409, text("Permintaan yang sama masih berjalan", "The same request is still running"),
			text("Tunggu selama Retry-After, lalu ulangi dengan kunci yang sama.", "Wait as long as Retry-After says, then repeat with the same key.")},
		{"busy", 503, text("Layanan sedang sibuk", "The service is busy"),
			text("Ulangi setelah Retry-After.", "Repeat after Retry-After.")},
		{"webhook_disabled", 409, text("Webhook nonaktif", "The webhook is disabled"),
			text("Aktifkan lebih dahulu dengan PATCH dan enabled.", "Enable it first, by PATCH with enabled.")},
		{"too_many_webhooks", 409, text("Terlalu banyak webhook", "Too many webhooks"),
			text("Hapus yang tidak dipakai lagi.", "Remove those that are not used any more.")},
		{"clock", 503, text("Waktu server tidak dapat diandalkan", "The clock cannot be relied upon"),
			text("Tanda tangan tanpa waktu yang pasti tidak dibuat. Ulangi nanti.", "No signature is made without a sure time. Repeat later.")},
		{"internal", 500, text("Kesalahan pada layanan", "A fault of the service"),
			text("Sebutkan instance kepada administrator.", "Tell an administrator the instance.")},
	}
}

// signerProblems are about people, their registrations and their keys.
func signerProblems() []Problem {
	return []Problem{
		{"person_unknown", 422, text("Orang tidak dikenal", "Unknown person"),
			text("Tidak ada tepat satu pegawai dengan NIP, NIK, atau e-mail itu.", "There is not exactly one employee with this NIP, NIK or e-mail address.")},
		{"person_inactive", 422, text("Pegawai tidak aktif", "The employee is not active"),
			text("Pegawai ini sudah tidak bertugas.", "This employee has left.")},
		{"no_certificate", 422, text("Belum memiliki sertifikat", "No certificate"),
			text("Penanda tangan belum menyelesaikan registrasi.", "The signer has not completed the registration.")},
		{"certificate_expired", 422, text("Sertifikat kedaluwarsa", "The certificate has expired"),
			text("Penanda tangan perlu memperbarui sertifikatnya.", "The signer has to renew the certificate.")},
		{"certificate_revoked", 422, text("Sertifikat dicabut", "The certificate was revoked"),
			text("Penanda tangan perlu mendaftar lagi.", "The signer has to register again.")},
		{"certificate_suspended", 422, text("Sertifikat ditangguhkan", "The certificate is suspended"),
			text("Petugas dapat mengakhiri penangguhan.", "An officer can end the suspension.")},
		{"wrong_passphrase", 403, text("Passphrase salah", "Wrong passphrase"),
			text("attempts_left menyebut sisa percobaan.", "attempts_left tells how many attempts are left.")},
		{"window_elsewhere", 503, text("Jendela aktivasi ada pada proses lain", "Another process has the activation window"),
			text("Jendela hanya berlaku pada proses layanan tempat ia dibuka. Ulangi setelah Retry-After; administrator mengarahkan panggilan satu aplikasi ke satu proses.", "A window works in the process of the service in which it was opened. Repeat after Retry-After; administrators have the calls of one application reach one process.")},
		{"no_window", 403, text("Tidak ada jendela aktivasi", "No activation window"),
			text("Kirim passphrase penanda tangan, atau minta ia membuka jendela aktivasi untuk aplikasi Anda.", "Send the signer's passphrase, or have him open an activation window for your application.")},
		{"passphrase_locked", 423, text("Passphrase terkunci", "The passphrase is locked"),
			text("Terlalu banyak percobaan salah. Tunggu selama Retry-After.", "Too many wrong ones. Wait as long as Retry-After says.")},
		{"key_destroyed", 403, text("Kunci telah dihapus", "The key was destroyed"),
			text("Terlalu banyak passphrase salah. Penanda tangan perlu Reset PIN DS.", "Too many wrong passphrases. The signer has to reset the PIN.")},
		{"registration_exists", 409, text("Sudah terdaftar", "Registered already"),
			text("Pegawai ini memiliki sertifikat, atau registrasinya sedang berjalan.", "This employee has a certificate, or a registration under way.")},
		{"registration_running", 409, text("Permohonan masih berjalan", "A registration is under way"),
			text("Tunggu sampai selesai.", "Wait until it is done.")},
		{"prerequisites", 422, text("Persyaratan belum lengkap", "Prerequisites are missing"),
			text("Data atau pindaian pegawai belum lengkap di HRIS.", "Data or scans of the employee are not complete.")},
		{"nothing_new", 422, text("Tidak ada yang berubah", "Nothing would change"),
			text("Semua yang dikirim sudah tercatat.", "All that was sent is on record already.")},
		{"scan_refused", 422, text("Pindaian tidak dapat diterima", "A scan cannot be accepted"),
			text("Kirim gambar JPEG atau PNG, atau PDF, yang utuh.", "Send a complete JPEG or PNG image, or a PDF.")},
		{"authority", 422, text("Kewenangan tidak berlaku", "The authority does not serve"),
			text("Kewenangan tidak ada, di luar masa berlakunya, atau tidak mencakup jenis naskah ini.", "There is no such authority, it is outside its dates, or it does not cover this kind of letter.")},
	}
}

// documentProblems are about files and how they are signed.
func documentProblems() []Problem {
	return []Problem{
		{"not_pdf", 422, text("Berkas bukan PDF", "The file is no PDF"), text("Kirim dokumen PDF.", "Send a PDF document.")},
		{"document_damaged", 422, text("Dokumen rusak", "The document is damaged"), text("PDF tidak dapat dibaca.", "The PDF cannot be read.")},
		{"document_empty", 422, text("Berkas kosong", "The file is empty"), text("Kirim dokumen PDF.", "Send a PDF document.")},
		{"document_too_large", 413, text("Dokumen terlalu besar", "The document is too large"), text("GET /me menyebut batasnya.", "GET /me tells the limits.")},
		{"document_too_hard", 422, text("Dokumen terlalu rumit", "The document is too complex"), text("Membacanya memerlukan waktu atau memori terlalu banyak.", "Reading it takes too much time or memory.")},
		{"document_password", 422, text("Dokumen memerlukan kata sandi", "The document asks for its password"), text("Isi password dengan kata sandi dokumen yang benar.", "Send the document's right password in password.")},
		{"storage_full", 409, text("Ruang penyimpanan habis", "No room left"), text("Hapus dokumen yang tidak diperlukan.", "Erase documents that are not needed.")},
		{"document_changed", 409, text("Dokumen sudah berubah", "The document has changed"), text("Ambil keadaan terbaru, lalu ulangi.", "Get its newest state, then repeat.")},
		{"signing_in_progress", 409, text("Dokumen sedang ditandatangani", "The document is being signed"), text("Ulangi sebentar lagi.", "Repeat in a moment.")},
		{"not_your_turn", 409, text("Bukan giliran orang ini", "Not this person's turn"), text("Dokumen berada dalam alur; penanda tangan lain mendahului, atau alur sudah berakhir.", "The document is in a workflow; somebody else comes first, or it has ended.")},
		{"workflow_exists", 409, text("Dokumen sudah beralur atau ditandatangani", "The document has a workflow or is signed"), text("Satu dokumen memiliki satu alur, sebelum ditandatangani.", "A document has one workflow, before it is signed.")},
		{"workflow_ended", 409, text("Alur sudah berakhir", "The workflow has ended"), text("Alur yang selesai, ditolak, atau dibatalkan tidak berubah lagi.", "One that is done, rejected or cancelled does not change.")},
		{"steps", 422, text("Langkah alur tidak sesuai", "The steps do not fit"), text("Sebut 1 sampai 20 pegawai aktif yang berbeda.", "Name 1 to 20 different active employees.")},
		{"reminded", 409, text("Sudah diingatkan hari ini", "Reminded within a day"), text("Setiap orang diingatkan paling banyak sekali sehari.", "Everybody is reminded once a day at most.")},
		{"placement", 422, text("Tempat tanda tangan tidak sesuai", "The place of the signature does not fit"), text("Kotak di luar halaman, penanda teks tidak ditemukan, atau isi tidak muat.", "The box is outside of the page, the anchor is not found, or the content does not fit.")},
		{"no_specimen", 422, text("Gambar tanda tangan tidak ada", "No specimen signature"), text("Penanda tangan belum memiliki spesimen; kirim image.", "The signer has no specimen; send image.")},
		{"signing_refused", 422, text("Dokumen tidak boleh ditandatangani begini", "The document refuses this signature"), text("Sertifikasi, penguncian, atau nilai awal dokumen tidak mengizinkannya.", "Its certification, locks or seed values do not allow it.")},
		{"level", 422, text("Tingkat tanda tangan tidak tersedia", "The level cannot be made"), text("Instalasi ini tidak memberi cap waktu atau data pencabutan untuk tingkat itu.", "This installation gives no timestamp or revocation data for it.")},
		{"interrupted", 503, text("Penandatanganan terputus", "Signing was interrupted"), text("Ulangi; yang sudah ditandatangani tidak ditandatangani dua kali.", "Repeat; what was signed is not signed twice.")},
	}
}

// FaultText says what is wrong with a field.
func (f Fault) FaultText() Text {
	want := f.Want
	switch f.Code {
	case FaultUnknown:
		return text("tidak dikenal", "is not known")
	case FaultRequired:
		return text("harus diisi", "is required")
	case FaultType:
		return text("harus berjenis "+want, "must be of type "+want)
	case FaultEnum:
		return text("harus salah satu dari: "+want, "must be one of: "+want)
	case FaultForm:
		return text("harus berbentuk "+want, "must have the form "+want)
	case FaultShort:
		return text("paling sedikit "+want+" karakter", "has at least "+want+" characters")
	case FaultLong:
		return text("paling banyak "+want+" karakter", "has at most "+want+" characters")
	case FaultSmall:
		return text("paling sedikit "+want, "is at least "+want)
	case FaultLarge:
		return text("paling besar "+want, "is at most "+want)
	case FaultFew:
		return text("berisi paling sedikit "+want, "holds at least "+want)
	case FaultMany:
		return text("berisi paling banyak "+want, "holds at most "+want)
	case FaultTwice:
		return text("ditulis dua kali", "is written twice")
	}
	return text("tidak sesuai", "does not fit")
}
