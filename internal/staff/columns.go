package staff

import (
	"strings"

	"absah/internal/staff/sheet"
)

// Column names one column of a file to import.
type Column string

// The columns. The first block is about employees, the second about units.
const (
	ColNIP        Column = "nip"
	ColNIK        Column = "nik"
	ColName       Column = "name"
	ColPosition   Column = "position"
	ColUnitCode   Column = "unit_code"
	ColGrade      Column = "grade"
	ColEmail      Column = "email"
	ColPhone      Column = "phone"
	ColBirthPlace Column = "birth_place"
	ColBirthDate  Column = "birth_date"
	ColSex        Column = "sex"
	ColTimeZone   Column = "time_zone"
	ColActive     Column = "active"

	ColUnitName   Column = "unit_name"
	ColParentCode Column = "parent_code"
)

// Columns lists all columns in the order of the template file.
func Columns() []Column {
	return []Column{
		ColNIP, ColNIK, ColName, ColPosition, ColUnitCode, ColUnitName, ColParentCode, ColGrade, ColEmail, ColPhone,
		ColBirthPlace, ColBirthDate, ColSex, ColTimeZone, ColActive,
	}
}

// aliases are the headings by which people call the columns, in the form that
// heading makes of them.
var aliases = map[string]Column{
	"nip": ColNIP, "nomorindukpegawai": ColNIP, "nipbaru": ColNIP, "employeenumber": ColNIP, "employeeid": ColNIP,
	"nik": ColNIK, "nomorindukkependudukan": ColNIK, "noktp": ColNIK, "nomorktp": ColNIK, "idcardnumber": ColNIK,
	"name": ColName, "nama": ColName, "namalengkap": ColName, "namapegawai": ColName, "fullname": ColName,
	"position": ColPosition, "jabatan": ColPosition, "jobtitle": ColPosition,
	"unitcode": ColUnitCode, "kodeunit": ColUnitCode, "kodeunitkerja": ColUnitCode, "kode": ColUnitCode, "code": ColUnitCode,
	"unit":     ColUnitCode,
	"unitname": ColUnitName, "namaunit": ColUnitName, "unitkerja": ColUnitName, "namaunitkerja": ColUnitName,
	"unitterakhir": ColUnitName,
	"parentcode":   ColParentCode, "kodeinduk": ColParentCode, "kodeunitinduk": ColParentCode, "induk": ColParentCode,
	"parent": ColParentCode, "kodeatasan": ColParentCode, "parentunitcode": ColParentCode,
	"grade": ColGrade, "golongan": ColGrade, "gol": ColGrade, "golpangkat": ColGrade, "pangkat": ColGrade,
	"golonganpangkat": ColGrade, "pangkatgolongan": ColGrade, "golruang": ColGrade, "pangkatgol": ColGrade, "rank": ColGrade,
	"email": ColEmail, "surel": ColEmail, "alamatemail": ColEmail, "emaildinas": ColEmail, "emailaddress": ColEmail,
	"phone": ColPhone, "telepon": ColPhone, "nohp": ColPhone, "nomorhp": ColPhone, "hp": ColPhone, "ponsel": ColPhone,
	"nomorponsel": ColPhone, "notelepon": ColPhone, "nomortelepon": ColPhone, "mobile": ColPhone, "phonenumber": ColPhone,
	"birthplace": ColBirthPlace, "tempatlahir": ColBirthPlace, "placeofbirth": ColBirthPlace,
	"birthdate": ColBirthDate, "tanggallahir": ColBirthDate, "tgllahir": ColBirthDate, "dateofbirth": ColBirthDate,
	"sex": ColSex, "jeniskelamin": ColSex, "jk": ColSex, "gender": ColSex, "lp": ColSex,
	"timezone": ColTimeZone, "zonawaktu": ColTimeZone, "zona": ColTimeZone,
	"active": ColActive, "aktif": ColActive, "status": ColActive, "statusaktif": ColActive,
}

// heading takes everything but letters away and makes the rest lower case.
func heading(cell string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(cell))
}

// fileError says why a file as a whole cannot be imported.
type fileError struct {
	line   int
	code   string
	params map[string]string
}

// Error implements error.
func (e *fileError) Error() string { return "import file: " + e.code }

// layout says where the columns of a file are.
type layout struct {
	at      map[Column]int
	ignored []string // headings that name no column
	units   bool     // a file of units alone
	width   int      // columns of the header
}

func layoutOf(header sheet.Row) (layout, error) {
	l := layout{at: map[Column]int{}, width: len(header.Cells)}
	for i, cell := range header.Cells {
		c, ok := aliases[heading(cell)]
		if !ok {
			if cell != "" {
				l.ignored = append(l.ignored, cell)
			}
			continue
		}
		if _, twice := l.at[c]; twice {
			return layout{}, &fileError{header.Line, "column_twice", map[string]string{"Column": string(c)}}
		}
		l.at[c] = i
	}
	_, nip := l.at[ColNIP]
	_, code := l.at[ColUnitCode]
	_, unitName := l.at[ColUnitName]
	_, name := l.at[ColName]
	if !nip && code && (unitName || name) {
		if !unitName { // in a file of units, "name" is the unit's
			l.at[ColUnitName] = l.at[ColName]
		}
		l.units = true
		return l, nil
	}
	if !nip {
		return layout{}, &fileError{header.Line, "column_missing", map[string]string{"Column": string(ColNIP)}}
	}
	return l, nil
}

// cell is the text of a column, "" when the row or the file lacks it.
func (l layout) cell(row sheet.Row, c Column) string {
	i, ok := l.at[c]
	if !ok || i >= len(row.Cells) {
		return ""
	}
	return row.Cells[i]
}

func (l layout) has(c Column) bool { _, ok := l.at[c]; return ok }
