package esign

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"absah/internal/api/quota"
	"absah/internal/apiclient"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/signing"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/verification"
	"absah/pades"
)

// The codes of the interface; those from 2022 on that no client knows are ours.
const (
	codeIssue         = 1111 // status ISSUE
	codeNotRegistered = 1110 // v1
	codeUnknown       = 2011 // no such person
	codeNoCertificate = 2021
	codeExpired       = 2022 // ours
	codeRevoked       = 2023 // ours
	codeSuspended     = 2024 // ours
	codeNew           = 2025 // ours: link sent, no passphrase yet
	codeWaiting       = 2026 // ours: officers verify
	codeRenew         = 2027 // ours
	codePassphrase    = 2031
	codeLocked        = 2032 // ours: for a time
	codeDestroyed     = 2033 // ours: for good
	codeNIK           = 4014
	codeData          = 4015
	codeDocument      = 4016 // ours: the file
	codePlacement     = 4017 // ours: place, tag, picture or QR code
	codeTooBig        = 4018 // ours
	codeRegistered    = 4024
	codeGone          = 4044 // fetched already, or too old
	codeTOTP          = 4051 // ours: the application may not sign with codes
	codeSealCode      = 4052 // ours: a code of a seal that is not valid
	codeSealSpent     = 4053 // ours: more documents than the window or the code allows
	codeSealKeepers   = 4054 // ours: nobody could open a window
	codeTOTPWrong     = 4055 // ours
	codeTOTPNone      = 4056 // ours: none was made for this, or its time is over
	codeBusy          = 5030 // ours: try again
	codeInternal      = 5000 // ours
)

// problem is an error in the words of the interface.
type problem struct {
	status int
	code   int
	text   string
	field  string
	wait   time.Duration
}

// Error makes a problem one that a handler returns.
func (p *problem) Error() string { return p.text }

func refused(code int, text string, args ...any) error {
	return &problem{status: http.StatusBadRequest, code: code, text: fmt.Sprintf(text, args...)}
}

// fail answers with an error.
func (d *door) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, apiclient.ErrDisabled) {
		d.unauthorized(w, r)
		return
	}
	p := problemOf(err)
	if p.code == codeInternal {
		d.Log.ErrorContext(r.Context(), "api", "path", strings.SplitN(r.Pattern, "{", 2)[0], "error", err)
	}
	if p.wait > 0 {
		quota.RetryAfter(w, p.wait)
	}
	body := map[string]any{"error": p.text, "status_code": p.code}
	if p.field != "" {
		body["field"] = p.field
	}
	d.json(w, p.status, body)
}

func problemOf(err error) *problem {
	bad := func(code int, text string, args ...any) *problem {
		return &problem{status: http.StatusBadRequest, code: code, text: fmt.Sprintf(text, args...)}
	}
	var p *problem
	var field *fieldError
	var invalid *staff.InvalidError
	var picture *scan.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &field):
		return &problem{status: http.StatusBadRequest, code: field.code, text: field.text, field: field.field}
	case errors.Is(err, errUnreadable), store.IsText(err):
		return bad(codeData, "Isi permintaan tidak dapat dibaca. Kirim multipart/form-data atau JSON yang utuh")
	case errors.As(err, &invalid):
		return bad(codeData, "Data tidak sesuai ketentuan : %s", invalidFields(invalid))
	case errors.As(err, &picture):
		return bad(codeDocument, "Berkas pindaian tidak dapat diterima : %s", picture.Code)
	case errors.Is(err, staff.ErrInactive), errors.Is(err, signing.ErrInactive):
		return bad(codeUnknown, "User tidak terdaftar : pegawai tidak aktif")
	case errors.Is(err, enrolment.ErrNotFound):
		return bad(codeNoCertificate, "User sudah terdaftar namun belum memiliki Sertifikat Elektronik")
	case errors.Is(err, enrolment.ErrIncomplete):
		return bad(codeData, "Data tidak sesuai ketentuan : persyaratan pegawai belum lengkap")
	case errors.Is(err, verification.ErrBusy), errors.Is(err, credential.ErrBusy):
		return &problem{status: http.StatusServiceUnavailable, code: codeBusy, text: "Layanan sedang sibuk, coba lagi", wait: 5 * time.Second}
	case errors.Is(err, verification.ErrTooBig):
		return bad(codeTooBig, "Dokumen terlalu besar, paling besar %d MB", verification.MaxBytes/1_000_000)
	case errors.Is(err, verification.ErrTooHard):
		return bad(codeDocument, "Dokumen memerlukan waktu atau memori yang terlalu besar")
	case errors.Is(err, verification.ErrEmpty):
		return bad(codeDocument, "Dokumen kosong")
	}
	for _, about := range []func(error) *problem{sealProblem, keyProblem} {
		if p := about(err); p != nil {
			return p
		}
	}
	return documentProblem(err)
}

func invalidFields(e *staff.InvalidError) string {
	var out []string
	for f := range e.Problems {
		out = append(out, fmt.Sprintf("Kolom '%s'", f))
	}
	return strings.Join(out, ", ")
}

// keyProblem is about the signer: passphrase, key, certificate.
func keyProblem(err error) *problem {
	bad := func(code int, text string, args ...any) *problem {
		return &problem{status: http.StatusBadRequest, code: code, text: fmt.Sprintf(text, args...)}
	}
	var phrase *signing.PassphraseError
	var locked *credential.LockedError
	var busy *credential.BusyError
	var revoked *signing.RevokedError
	var expired *signing.ExpiredError
	var suspended *signing.SuspendedError
	switch {
	case errors.As(err, &busy):
		return &problem{status: http.StatusServiceUnavailable, code: codeBusy, text: "Layanan sedang sibuk, coba lagi", wait: 5 * time.Second}
	case errors.As(err, &locked):
		p := bad(codeLocked, "Passphrase terkunci sampai %s karena terlalu banyak percobaan salah", jakarta(locked.Until))
		p.wait = time.Until(locked.Until)
		return p
	case errors.As(err, &phrase) && errors.Is(err, credential.ErrWrongPassphrase) && phrase.End != "":
		return bad(codeDestroyed, "Passphrase anda salah. Kunci telah dihapus karena terlalu banyak percobaan salah; ajukan Reset PIN DS")
	case errors.Is(err, credential.ErrWrongPassphrase):
		if phrase != nil && phrase.Left > 0 {
			return bad(codePassphrase, "Passphrase anda salah. Sisa percobaan: %d", phrase.Left)
		}
		return bad(codePassphrase, "Passphrase anda salah")
	case errors.Is(err, ErrNoCodes):
		return bad(codeTOTP, "TOTP belum diizinkan untuk aplikasi ini; administrator mengaturnya sebagai jendela aktivasi. Gunakan 'passphrase'")
	case errors.Is(err, signing.ErrCode):
		return bad(codeTOTPWrong, "TOTP anda salah")
	case errors.Is(err, signing.ErrElsewhere):
		return &problem{status: http.StatusServiceUnavailable, code: codeBusy, text: "TOTP dibuat pada proses lain dari layanan ini, coba lagi", wait: time.Second}
	case errors.Is(err, signing.ErrWindow):
		return bad(codeTOTPNone, "TOTP belum dibuat, sudah kedaluwarsa, atau jumlah dokumennya habis; minta TOTP lagi")
	case errors.Is(err, signing.ErrNotFound):
		return bad(codeUnknown, "User tidak terdaftar")
	case errors.Is(err, signing.ErrNoCertificate):
		return bad(codeNoCertificate, "User sudah terdaftar namun belum memiliki Sertifikat Elektronik")
	case errors.As(err, &suspended):
		return bad(codeSuspended, "Sertifikat Elektronik sedang ditangguhkan sejak %s", jakarta(suspended.Since))
	case errors.As(err, &revoked):
		return bad(codeRevoked, "Sertifikat Elektronik sudah dicabut pada %s", jakarta(revoked.At))
	case errors.As(err, &expired):
		return bad(codeExpired, "Masa berlaku Sertifikat Elektronik berakhir pada %s", jakarta(expired.At))
	case errors.Is(err, signing.ErrClock), errors.Is(err, signing.ErrNoTimestamp):
		return &problem{status: http.StatusServiceUnavailable, code: codeBusy, text: "Penanda waktu sedang tidak dapat dipakai, coba lagi", wait: 30 * time.Second}
	}
	return nil
}

// documentProblem is about the file and the place of the signature.
func documentProblem(err error) *problem {
	bad := func(code int, text string) *problem {
		return &problem{status: http.StatusBadRequest, code: code, text: "Proses signing gagal : " + text}
	}
	var refusal *pades.Refusal
	if errors.As(err, &refusal) {
		if refusal.Reason == pades.ReasonPlacement {
			return bad(codePlacement, refusal.Error())
		}
		return bad(codeDocument, refusal.Error())
	}
	if text, ok := words[signing.Problem(err)]; ok {
		return bad(text.code, text.text)
	}
	return &problem{status: http.StatusInternalServerError, code: codeInternal, text: "Kesalahan internal, hubungi administrator"}
}

// words are for the short words of signing.Problem.
var words = map[string]struct {
	code int
	text string
}{
	"password":    {codeDocument, "dokumen dikunci; isi kolom 'pdfPassword' dengan kata sandi dokumen"},
	"not_pdf":     {codeDocument, "kolom 'file' bukan dokumen PDF"},
	"damaged":     {codeDocument, "dokumen PDF rusak dan tidak dapat dibaca"},
	"too_big":     {codeTooBig, "dokumen terlalu besar"},
	"too_hard":    {codeDocument, "dokumen memerlukan memori yang terlalu besar"},
	"reading":     {codeBusy, "sedang banyak dokumen yang dibaca, coba lagi"},
	"too_slow":    {codeBusy, "waktu habis, coba lagi"},
	"interrupted": {codeBusy, "terputus, coba lagi"},
	"fit":         {codePlacement, "teks tidak muat; perbesar 'width' dan 'height'"},
	"glyph":       {codePlacement, "teks memakai huruf yang tidak tersedia"},
	"image":       {codePlacement, "gambar bukan JPEG atau PNG yang dapat dibaca"},
	"qr":          {codePlacement, "isi 'linkQR' terlalu panjang untuk kode QR"},
	"no_specimen": {codePlacement, "gambar tanda tangan tidak ada; kirim 'imageTTD'"},
	"outside":     {codePlacement, "kotak tanda tangan berada di luar halaman"},
	"lost":        {codeBusy, "hasil penandatanganan hilang, coba lagi"},
}

// jakarta writes a time as people of the interface read it.
func jakarta(t time.Time) string {
	return t.In(time.FixedZone("WIB", 7*60*60)).Format("2006-01-02 15:04:05") + " WIB"
}
