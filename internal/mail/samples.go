package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Samples returns one message of every kind, and of every variant that reads
// differently, about invented people: to try the texts and to preview them.
func Samples(lang Lang) []Message {
	to := Recipient{Name: "Citra Contohwati", Email: "citra.contohwati@instansi.example", NIKLast4: "0417", Lang: lang, Zone: WITA}
	staff := Recipient{Name: "Bagus Percobaan", Email: "bagus.percobaan@instansi.example", Lang: lang, Zone: WIB}
	at := time.Date(2027, time.May, 5, 6, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return at.AddDate(0, 0, n) }
	pdf := []byte("%PDF-1.7\n% sample\n%%EOF\n")
	sum := sha256.Sum256(pdf)
	tr := func(id, en string) string {
		if lang == English {
			return en
		}
		return id
	}
	officer := tr("Dewi Rekaan (Petugas DS)", "Dewi Rekaan (registration officer)")
	self := tr("Anda, melalui HRIS", "You, in HRIS")
	enrol := func(p Purpose) EnrolLink {
		return EnrolLink{Token: "00112233445566778899aabbccddeeff", Purpose: p, Expires: day(3), AskedBy: officer, Reference: "DS-7K3M-9QXA"}
	}
	const serial = "4A:7F:03:D2:91:5C:6E:18:B0:2D"
	findings := []Finding{
		{Field: "id_card", Reason: tr("Foto KTP terpotong", "The photo of the identity card is cut off"), Note: tr("Sisi kanan tidak terlihat; mohon pindai ulang seluruh kartu.", "The right side is missing; please scan the whole card again.")},
		{Field: "recommendation", Reason: tr("Surat belum ditandatangani pejabat eselon 2", "The letter lacks the signature of an echelon 2 official")},
	}
	list := []struct {
		to Recipient
		p  Params
	}{
		{to, enrol(PurposeFirst)},
		{to, enrol(PurposeResend)},
		{to, enrol(PurposeReset)},
		{to, enrol(PurposeRenew)},
		{to, LoginInformation{"198704172010012003", "/activate/ffeeddccbbaa99887766554433221100", day(3), officer}},
		{to, CertificateIssued{"Citra Contohwati", serial, at, at.AddDate(2, 0, 0), "/certificate"}},
		{to, RegistrationReceived{"DS-7K3M-9QXA", at, 26 * time.Hour, "/registration"}},
		{to, RegistrationReturned{"DS-7K3M-9QXA", officer, at, findings, "/registration"}},
		{to, RegistrationRejected{"DS-7K3M-9QXA", officer, at, []Finding{{Reason: tr("Pemohon sudah tidak bertugas pada instansi", "The applicant no longer works for the institution")}}, "/registration"}},
		{to, RegistrationInvalidated{"DS-7K3M-9QXA", []Field{"nik", "id_card"}, at, "/registration"}},
		{to, LinkExpiring{day(-2), day(1), "/registration"}},
		{to, ResetRequested{at, self, "192.0.2.17", false, "/certificate/reset"}},
		{to, ResetRequested{at, self, "", true, "/certificate/reset"}},
		{to, PassphraseChanged{at, "192.0.2.17", "/certificate"}},
		{to, CertificateDisputed{serial, at, false, "/certificate"}},
		{to, CertificateDisputed{serial, at, true, "/desk"}},
		{to, CertificateRevoked{serial, at, RevocationSuperseded, officer, tr("Reset PIN", "PIN reset"), "/certificate"}},
		{to, CertificateSuspended{serial, at, officer, tr("Perangkat hilang", "Device lost"), tr("Ponsel tertinggal di kendaraan umum", "Phone left on a bus"), false, "/certificate"}},
		{to, CertificateSuspended{serial, at, officer, tr("Tidak lagi digunakan", "No longer used"), "", true, "/certificate"}},
		{to, CertificateReleased{serial, at, officer, tr("Perangkat ditemukan", "Device found"), "/certificate"}},
		{to, KeyDestroyed{serial, at, false, "/certificate/reset"}},
		{to, KeyDestroyed{serial, at, true, "/certificate/reset"}},
		{to, CertificateExpiring{serial, day(30), 30, "/certificate"}},
		{to, CertificateExpiring{serial, day(0), 0, "/certificate"}},
		{to, AgreementCopy{"2027-01", at, hex.EncodeToString(sum[:]), "Perjanjian-DS-7K3M-9QXA.pdf", pdf, "/agreement"}},
		{to, CorrectionSubmitted{[]Field{"nik", "email"}, "UPK Sekretariat Contoh", at, "/corrections"}},
		{staff, CorrectionDigest{"Sekretariat Contoh", 5, []WaitingCorrection{
			{"Citra Contohwati", []Field{"nik", "email"}, day(-1)}, {"Eko Misalnya", []Field{"id_card"}, day(-2)}}, "/hr/corrections"}},
		{to, CorrectionDecided{"UPK Sekretariat Contoh", at, []Decision{{"nik", true, ""}, {"id_card", false, tr("Hasil pindai tidak terbaca", "The scan cannot be read")}}, "/corrections"}},
		{to, CorrectionDecided{"UPK Sekretariat Contoh", at, []Decision{{"nik", true, ""}}, "/registration"}},
		{to, CorrectionDecided{"UPK Sekretariat Contoh", at, []Decision{{"email", false, tr("Bukan alamat e-mail kedinasan", "Not an official e-mail address")}}, "/corrections"}},
		{staff, AccountInvitation{"bagus.percobaan", []string{"registration_officer", "auditor"}, tr("Administrator Contoh", "Sample Administrator"), "/activate/ffeeddccbbaa99887766554433221100", day(3)}},
		{staff, LoginLocked{at, 5, at.Add(15 * time.Minute), "192.0.2.17", "/login/reset"}},
		{staff, LoginLocked{at, 10, time.Time{}, "", "/login/reset"}},
		{staff, PasswordReset{"petugas.contoh", "/aktivasi/00112233445566778899aabbccddeeff", at, at.Add(2 * time.Hour)}},
		{staff, SecurityChanged{"totp_added", at, "/akun"}},
		{staff, RoleNotice{"asked", "registration_officer", "Bagus Percobaan", "bagus.percobaan", tr("Administrator Contoh", "Sample Administrator"), at, "/admin/akun"}},
		{staff, RoleNotice{"alone", "administrator", "Bagus Percobaan", "bagus.percobaan", tr("Administrator Contoh", "Sample Administrator"), at, "/akun"}},
		{staff, RoleNotice{Event: "ended", Role: "administrator", Name: "Bagus Percobaan", UserName: "bagus.percobaan", At: at, Page: "/akun"}},
		{staff, OfficerDigest{12, 3, 2, day(-4), "/officer/queue"}},
		{to, WorkflowNotice{Event: "turn", Document: "Nota Dinas Contoh.pdf", By: "Rahmat Contohadi", Role: "paraf", Text: tr("Mohon diperiksa angkanya.", "Please check the figures."), Page: "/dokumen"}},
		{to, WorkflowNotice{Event: "remind", Document: "Nota Dinas Contoh.pdf", By: "Rahmat Contohadi", Role: "sign", Page: "/dokumen"}},
		{to, WorkflowNotice{Event: "reject", Document: "Nota Dinas Contoh.pdf", By: "Dewi Contohsari", Text: tr("Angka pada halaman 2 keliru.", "The figures on page 2 are wrong."), Page: "/dokumen"}},
		{to, WorkflowNotice{Event: "cancel", Document: "Nota Dinas Contoh.pdf", By: "Rahmat Contohadi", Page: "/dokumen"}},
		{to, WorkflowNotice{Event: "done", Document: "Nota Dinas Contoh.pdf", By: "Dewi Contohsari", Page: "/dokumen"}},
		{to, SealNotice{Event: "request", Seal: "Segel Direktorat Contoh", By: "Dewi Contohsari", Text: tr("Mohon dirilis hari ini.", "Please release it today."), Count: 3, Page: "/segel"}},
		{to, SealNotice{Event: "refused", Seal: "Segel Direktorat Contoh", By: "Rahmat Contohadi", Text: tr("Tanggalnya keliru.", "The date is wrong."), Page: "/segel"}},
		{to, SealNotice{Event: "done", Seal: "Segel Direktorat Contoh", By: "Rahmat Contohadi", Count: 1, Page: "/segel"}},
		{to, SealNotice{Event: "ask", Seal: "Segel Direktorat Contoh", Text: "persuratan", Page: "/segel"}},
		{to, SealNotice{Event: "window", Seal: "Segel Direktorat Contoh", By: "Dewi Contohsari", Text: "persuratan", Count: 200, Page: "/segel"}},
		{to, SealNotice{Event: "opened", Seal: "Segel Direktorat Contoh", By: "Rahmat Contohadi", Text: "persuratan", Count: 200, Page: "/segel"}},
		{to, SealNotice{Event: "order", Seal: "Segel Direktorat Contoh", Page: "/admin/segel"}},
		{to, SealNotice{Event: "made", Seal: "Segel Direktorat Contoh", Page: "/admin/segel"}},
		{to, SealNotice{Event: "failed", Seal: "Segel Direktorat Contoh", Text: "lint", Page: "/admin/segel"}},
		{to, SealNotice{Event: "keeper", Seal: "Segel Direktorat Contoh", Page: "/segel"}},
		{to, SealNotice{Event: "suspended", Seal: "Segel Direktorat Contoh", Text: tr("Perangkat hilang.", "A device was lost."), Page: "/segel"}},
		{to, PrivacyNotice{Event: "received", Reference: "PDP-7K3M-9QXA", Request: "access", At: at, Due: day(3), Page: "/data-saya"}},
		{to, PrivacyNotice{Event: "answered", Reference: "PDP-7K3M-9QXA", Request: "erasure", At: at, Outcome: "partly", Answer: tr("Hasil pindai yang lama dihapus; yang menjadi dasar sertifikat tetap disimpan.", "The old scans are deleted; those on which the certificate rests are kept."), Page: "/data-saya"}},
		{staff, PrivacyNotice{Event: "waiting", Reference: "PDP-7K3M-9QXA", Request: "objection", At: day(-2), Due: day(1), Page: "/admin/privasi"}},
		{to, PrivacyNotice{Event: "erased", At: at, Erased: []Field{"id_card", "specimen"}, Page: "/data-saya"}},
		{to, BreachNotice{"BR-7K3M-9QXA", []string{tr("NIP, nama, jabatan", "NIP, name, position"), tr("alamat e-mail", "e-mail address")}, day(-3), day(-2), day(-1),
			tr("Akun seorang petugas digunakan orang lain.", "Somebody else used an officer's account."), tr("Akun ditutup dan kata sandi diganti.", "The account was closed and its password changed."), "/data-saya"}},
		{to, LifeEvent{"subject_changed", []Field{"name", "unit"}, day(30), "/ds/perpanjang"}},
		{to, LifeEvent{"overdue", []Field{"unit"}, day(-1), "/ds/perpanjang"}},
		{to, LifeEvent{"retirement", nil, day(60), "/ds"}},
		{staff, AuthorityAlarm{1234, 2, day(0), "/admin/pemeriksaan"}},
		{to, SigningCode{"arsip", 3, "/dokumen/aplikasi/kode"}},
		{staff, WebhookTrouble{Event: "failing", Application: "arsip", Host: "naskah.contoh.example", Since: day(-3), Page: "/admin/aplikasi"}},
		{staff, WebhookTrouble{Event: "disabled", Reason: "gone", Application: "arsip", Host: "naskah.contoh.example", Since: day(0), Page: "/admin/aplikasi"}},
		{staff, WebhookTrouble{Event: "disabled", Reason: "gave_up", Application: "arsip", Host: "naskah.contoh.example", Since: day(-5), Page: "/admin/aplikasi"}},
	}
	out := make([]Message, len(list))
	for i, e := range list {
		out[i] = Message{e.to, e.p}
	}
	return out
}
