package demo

import (
	"fmt"
	"strings"
	"time"

	"absah/internal/account"
)

// person is somebody of the demo. Names, numbers and addresses are visibly made
// up: the NIK ends in 0000, which no registry gives out, and the addresses are
// of a domain that cannot exist.
type person struct {
	name, position, grade string
	unit                  string // code
	sex, birthPlace       string
	birth                 time.Time
	nip, nik, email       string
	roles                 []grant
	story                 story
}

type grant struct {
	role account.Role
	unit string // code; empty: everywhere
}

// story is how far a person has come.
type story int

// The stories, each a state of the journey.
const (
	storyNothing    story = iota // nothing but a name
	storyNoScans                 // data valid, scans missing
	storyWaiting                 // a correction waits for the HR unit
	storyRefused                 // a correction was refused
	storyComplete                // five times valid, not registered
	storyNew                     // waits for the first check
	storyClaimed                 // an officer works on it
	storyReturned                // sent back
	storyRejected                // refused for good
	storyCancelled               // withdrawn
	storyLink                    // has the link
	storyPassphrase              // passphrase set, agreement due
	storyEnroll                  // waits for the second check
	storyIssued                  // has the certificate
	storyRevoked                 // had one
	storyReset                   // asked for Reset PIN
	storyIncident                // lost it in an incident
	storyExpired                 // had one until it ran out
)

// units of three levels: code, parent, name.
var units = [][3]string{
	{"INC", "", "Instansi Contoh"},
	{"SEK", "INC", "Sekretariat Contoh"}, {"DJR", "INC", "Direktorat Jenderal Rekaan"}, {"BDF", "INC", "Badan Fiktif"},
	{"SEK-SDM", "SEK", "Biro Sumber Daya Manusia Contoh"}, {"SEK-TI", "SEK", "Pusat Teknologi Informasi Contoh"},
	{"DJR-A", "DJR", "Direktorat Rekaan Barat"}, {"DJR-B", "DJR", "Direktorat Rekaan Timur"},
	{"BDF-P", "BDF", "Pusat Pelatihan Fiktif"}, {"BDF-R", "BDF", "Pusat Riset Fiktif"},
}

// staffed are the people with a role, in the order of the guide that is printed.
var staffed = []struct {
	name, position, unit string
	grants               []grant
}{
	{"Ani Contoh Administrator", "Administrator Sistem Fiktif", "SEK-TI", []grant{{account.Administrator, ""}}},
	{"Bima Contoh Kepegawaian", "Analis SDM Fiktif", "SEK-SDM", []grant{{account.HROfficer, ""}}},
	{"Citra Rekaan Kepegawaian", "Pengelola Kepegawaian Fiktif", "DJR", []grant{{account.HROfficer, "DJR"}}},
	{"Dewi Contoh Petugas", "Petugas DS Fiktif", "SEK-TI", []grant{{account.RegistrationOfficer, ""}}},
	{"Eko Contoh Petugas", "Petugas DS Fiktif", "SEK-TI", []grant{{account.RegistrationOfficer, ""}}},
	{"Fajar Rekaan Petugas", "Petugas DS Fiktif", "DJR", []grant{{account.RegistrationOfficer, "DJR"}}},
	{"Gita Contoh Layanan", "Agen Service Desk Fiktif", "SEK-TI", []grant{{account.ServiceDesk, ""}}},
	{"Hadi Contoh Auditor", "Auditor Fiktif", "SEK", []grant{{account.Auditor, ""}}},
}

// stories of the others, in the order in which they are told.
var stories = []story{
	storyExpired, storyIssued, storyIssued, storyIssued, storyIssued, storyIssued, storyIncident, storyIncident, storyRevoked, storyReset,
	storyRejected, storyCancelled, storyReturned, storyEnroll, storyNew, storyRefused, storyWaiting, storyClaimed, storyEnroll,
	storyNew, storyNew, storyReturned, storyNew, storyEnroll, storyNew, storyWaiting, storyPassphrase, storyLink, storyLink,
	storyComplete, storyComplete, storyNoScans, storyNothing,
}

var (
	firstNames = []string{
		"Adi", "Bunga", "Cahya", "Dimas", "Elok", "Fitri", "Galih", "Hana", "Indra", "Jihan", "Kirana", "Lukman", "Melati", "Nanda", "Oki",
		"Putri", "Qori", "Rangga", "Sekar", "Teguh", "Utami", "Vino", "Wulan", "Yoga", "Zahra", "Arum", "Bayu", "Candra", "Dian", "Endah",
		"Farhan", "Gading", "Hesti",
	}
	lastNames = []string{"Contoh", "Rekaan", "Fiktif", "Misalan", "Peraga"}
	positions = []string{"Analis Contoh", "Pelaksana Rekaan", "Kepala Seksi Fiktif", "Pranata Komputer Contoh", "Auditor Rekaan", "Arsiparis Fiktif"}
	grades    = []string{"II/c - Pengatur", "III/a - Penata Muda", "III/b - Penata Muda Tk. I", "III/d - Penata Tk. I", "IV/a - Pembina"}
)

// people makes everybody: the staffed ones first.
func people() []person {
	var all []person
	leaves := []string{"DJR-A", "DJR-B", "BDF-P", "BDF-R", "SEK-SDM", "SEK-TI"}
	for i, s := range staffed {
		all = append(all, newPerson(i, s.name, s.position, s.unit, s.grants, storyNothing))
	}
	for i, st := range stories {
		name := firstNames[i] + " " + lastNames[i%len(lastNames)]
		all = append(all, newPerson(len(staffed)+i, name, positions[i%len(positions)], leaves[i%len(leaves)], nil, st))
	}
	// Seals take two administrators.
	second := newPerson(len(all), "Wira Contoh Administrator", "Administrator Sistem Fiktif", "SEK-TI", []grant{{account.Administrator, ""}}, storyNothing)
	return append(all, second)
}

func newPerson(i int, name, position, unit string, roles []grant, st story) person {
	p := person{
		name: name, position: position, unit: unit, grade: grades[i%len(grades)], roles: roles, story: st,
		sex: []string{"F", "M"}[i%2], birthPlace: "Kota Rekaan",
		birth: time.Date(1975+i%24, time.Month(1+i%12), 1+(i*7)%28, 0, 0, 0, 0, time.UTC),
	}
	digit := map[string]int{"M": 1, "F": 2}[p.sex]
	p.nip = p.birth.Format("20060102") + p.birth.AddDate(25, 2, 0).Format("200601") + fmt.Sprintf("%d%03d", digit, 900+i)
	day := p.birth.Day()
	if p.sex == "F" {
		day += 40
	}
	// Days of birth come again after 24 people; those live in the next district, since a
	// NIK that two share names nobody to applications.
	p.nik = fmt.Sprintf("3171%02d%02d%s0000", 1+i/24, day, p.birth.Format("0106"))
	p.email = strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@contoh.example"
	return p
}
