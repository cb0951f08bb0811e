// Package hint holds what the programs of Absah notice about somebody's data
// and tell the officer who decides. A hint informs; it never decides.
package hint

// Severity says how loudly a hint is shown.
type Severity string

const (
	// Info is worth knowing.
	Info Severity = "info"
	// Warning asks the officer to look twice.
	Warning Severity = "warning"
)

// Code names a hint. It is stable: the message of a code has the key
// "hint." + code in every language.
type Code string

// Hints from a NIK by itself.
const (
	NIKFirstDigitZero   Code = "nik_first_digit_zero"
	NIKProvinceUnknown  Code = "nik_province_unknown" // Params: Code
	NIKRegencyUnknown   Code = "nik_regency_unknown"  // Params: Code, Province
	NIKDistrictUnknown  Code = "nik_district_unknown" // Params: Code, Regency, Province
	NIKRegion           Code = "nik_region"           // Params: Regency, Province
	NIKBirthImpossible  Code = "nik_birth_impossible" // Params: Date
	NIKSerialZero       Code = "nik_serial_zero"
	NIKSerialHigh       Code = "nik_serial_high"       // Params: Serial
	NIKDuplicate        Code = "nik_duplicate"         // from the database; Params: Count
	NIKBirthDiffersNIP  Code = "nik_birth_differs_nip" // Params: NIK, NIP
	NIKBirthDiffersHR   Code = "nik_birth_differs_hr"  // Params: NIK, HR
	NIKSexDiffersNIP    Code = "nik_sex_differs_nip"   // Params: NIK, NIP
	NIKSexDiffersHR     Code = "nik_sex_differs_hr"    // Params: NIK, HR
	NIPOld              Code = "nip_old"
	NIPContract         Code = "nip_contract"
	NIPBirthImpossible  Code = "nip_birth_impossible" // Params: Date
	NIPStartImpossible  Code = "nip_start_impossible" // Params: Start
	NIPStartEarly       Code = "nip_start_early"      // Params: Start, Birth
	NIPSexUnknown       Code = "nip_sex_unknown"      // Params: Digit
	NIPBirthDiffersHR   Code = "nip_birth_differs_hr" // Params: NIP, HR
	NIPSexDiffersHR     Code = "nip_sex_differs_hr"   // Params: NIP, HR
	EmailDuplicate      Code = "email_duplicate"      // from the database; Params: Count
	FileDuplicate       Code = "file_duplicate"       // from the database; Params: Count
	ScanTooSmall        Code = "scan_too_small"       // Params: Width, Height, Want
	ScanBlurred         Code = "scan_blurred"
	ScanDark            Code = "scan_dark"
	ScanBlank           Code = "scan_blank"
	ScanSignatureLost   Code = "scan_signature_lost"
	ScanSpecimenPDF     Code = "scan_specimen_pdf"
	ScanQualityUnjudged Code = "scan_quality_unjudged"
)

// Hint is one thing noticed.
type Hint struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Params fill the message of the code. Dates are day-month-year in
	// digits, sexes "male" or "female". No NIK is ever in them.
	Params map[string]string `json:"params,omitempty"`
}

// Key is the key of the message in the files of texts.
func (h Hint) Key() string { return "hint." + string(h.Code) }

// Codes lists every code, in the order of declaration.
func Codes() []Code {
	return []Code{
		NIKFirstDigitZero, NIKProvinceUnknown, NIKRegencyUnknown, NIKDistrictUnknown, NIKRegion,
		NIKBirthImpossible, NIKSerialZero, NIKSerialHigh, NIKDuplicate,
		NIKBirthDiffersNIP, NIKBirthDiffersHR, NIKSexDiffersNIP, NIKSexDiffersHR,
		NIPOld, NIPContract, NIPBirthImpossible, NIPStartImpossible, NIPStartEarly, NIPSexUnknown,
		NIPBirthDiffersHR, NIPSexDiffersHR, EmailDuplicate, FileDuplicate,
		ScanTooSmall, ScanBlurred, ScanDark, ScanBlank, ScanSignatureLost, ScanSpecimenPDF,
		ScanQualityUnjudged,
	}
}
