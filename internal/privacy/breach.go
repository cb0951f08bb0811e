package privacy

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Exposure is what came into wrong hands, as far as it is known. At least one
// of Account, Scans, AllScans and Database says what.
type Exposure struct {
	Account  string   // account that somebody else used; its views of scans in the period count
	Scans    []string // identifiers of single scans
	AllScans bool     // the store of scans together with the keys to it
	Database bool     // a copy of the database
	Since    time.Time
	Until    time.Time
	KnownAt  time.Time // when it was found out; the 3x24 hours start then
	What     string    // in words, for the letters: what happened
	Done     string    // ... and what was done about it
}

// Classes of exposed data.
const (
	DataScans    = "scans"    // scans of identity card, letter, specimen
	DataIdentity = "identity" // name, NIP, position, unit, grade
	DataContact  = "contact"  // e-mail, telephone
	DataBirth    = "birth"    // place and date of birth, sex
	DataUse      = "use"      // when what was registered, issued and signed
)

// Affected is a person whom a breach concerns.
type Affected struct {
	EmployeeID string   `json:"-"`
	NIP        string   `json:"nip"`
	Name       string   `json:"name"`
	Email      string   `json:"email"`
	Data       []string `json:"data"`
}

// Report is a breach on record.
type Report struct {
	ID        string     `json:"-"`
	Reference string     `json:"reference"`
	KnownAt   time.Time  `json:"known_at"`
	DueAt     time.Time  `json:"due_at"` // of the notices to subjects and authority
	Since     time.Time  `json:"since"`
	Until     time.Time  `json:"until"`
	What      string     `json:"what"`
	Done      string     `json:"done"`
	Subjects  []Affected `json:"subjects"`
}

// Notice is what one person is told about a breach (art. 46): which data, when
// and how, and what was done.
type Notice struct {
	EmployeeID   string
	Reference    string
	Data         []string
	Since, Until time.Time
	KnownAt      time.Time
	What, Done   string
}

func (x Exposure) check() error {
	if x.Account == "" && len(x.Scans) == 0 && !x.AllScans && !x.Database {
		return fmt.Errorf("%w: what was exposed", ErrText)
	}
	if x.Until.Before(x.Since) || x.KnownAt.IsZero() {
		return fmt.Errorf("%w: the period", ErrText)
	}
	if checkText(x.What) != nil || checkText(x.Done) != nil {
		return ErrText
	}
	return nil
}

// ReportBreach finds whom an exposure concerns and puts it on record, with the
// time by which subjects and authority have to be told.
func (s *Service) ReportBreach(ctx context.Context, who audit.Actor, x Exposure) (Report, error) {
	if err := x.check(); err != nil {
		return Report{}, err
	}
	found, err := s.affected(ctx, x)
	if err != nil {
		return Report{}, err
	}
	r := Report{
		ID: ident.From(s.Random), Reference: ident.Reference("BR"), KnownAt: x.KnownAt, DueAt: x.KnownAt.Add(Term),
		Since: x.Since, Until: x.Until, What: x.What, Done: x.Done,
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		e, err := s.Store.Read().GetEmployee(ctx, id)
		if err != nil {
			return Report{}, fmt.Errorf("read whom the breach concerns: %w", err)
		}
		data := slices.Sorted(maps.Keys(found[id]))
		r.Subjects = append(r.Subjects, Affected{EmployeeID: id, NIP: e.Nip, Name: e.Name, Email: e.Email, Data: data})
	}
	scope, err := json.Marshal(map[string]any{
		"account": x.Account, "scans": x.Scans, "all_scans": x.AllScans, "database": x.Database,
		"since": x.Since, "until": x.Until, "what": x.What, "done": x.Done,
	})
	if err != nil {
		return Report{}, fmt.Errorf("write breach: %w", err)
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertBreach(ctx, db.InsertBreachParams{
			ID: r.ID, Reference: r.Reference, Scope: string(scope), KnownAt: clock.Micros(r.KnownAt), DueAt: clock.Micros(r.DueAt),
			Affected: int64(len(r.Subjects)), CreatedBy: who.AccountID, CreatedAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("record breach: %w", err)
		}
		for _, a := range r.Subjects {
			data, err := json.Marshal(a.Data)
			if err != nil {
				return fmt.Errorf("record breach: %w", err)
			}
			err = tx.Later().InsertBreachSubject(ctx, db.InsertBreachSubjectParams{BreachID: r.ID, EmployeeID: a.EmployeeID, Data: string(data)})
			if err != nil {
				return fmt.Errorf("record breach: %w", err)
			}
		}
		return s.record(ctx, tx, who, "privacy.breach", "breach", r.ID, map[string]string{"affected": fmt.Sprint(len(r.Subjects))})
	})
	return r, err
}

// affected gives classes of data by employee.
func (s *Service) affected(ctx context.Context, x Exposure) (map[string]map[string]bool, error) {
	q, found := s.Store.Read(), map[string]map[string]bool{}
	add := func(employeeID string, data ...string) {
		if found[employeeID] == nil {
			found[employeeID] = map[string]bool{}
		}
		for _, d := range data {
			found[employeeID][d] = true
		}
	}
	if x.Account != "" {
		rows, err := q.ViewedBy(ctx, db.ViewedByParams{AccountID: x.Account, Since: clock.Micros(x.Since), Until: clock.Micros(x.Until)})
		if err != nil {
			return nil, fmt.Errorf("read what was looked at: %w", err)
		}
		for _, v := range rows { // beside the scan stand the data that it proves
			add(v.OwnerID, DataScans, DataIdentity, DataContact, DataBirth)
		}
	}
	for _, id := range x.Scans {
		owner, err := q.EvidenceOwner(ctx, id)
		if store.IsNotFound(err) {
			return nil, fmt.Errorf("scan %s: %w", id, ErrNotFound)
		}
		if err != nil {
			return nil, fmt.Errorf("read scan: %w", err)
		}
		add(owner, DataScans)
	}
	if x.AllScans {
		owners, err := q.EvidenceOwnersUntil(ctx, clock.Micros(x.Until))
		if err != nil {
			return nil, fmt.Errorf("read whose scans are stored: %w", err)
		}
		for _, o := range owners {
			add(o, DataScans)
		}
	}
	if x.Database {
		all, err := q.EmployeesUntil(ctx, clock.Micros(x.Until))
		if err != nil {
			return nil, fmt.Errorf("read who was on the staff: %w", err)
		}
		for _, e := range all { // NIK, scans and texts are sealed in it
			add(e, DataIdentity, DataContact, DataBirth, DataUse)
		}
	}
	return found, nil
}

// TellBreach queues the letters to everybody whom a breach concerns, once. It
// returns to how many, and fails with ErrNotFound and ErrClosed.
func (s *Service) TellBreach(ctx context.Context, who audit.Actor, reference string) (int, error) {
	b, err := s.Store.Read().GetBreachByReference(ctx, reference)
	if store.IsNotFound(err) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("read breach: %w", err)
	}
	var scope struct {
		Since, Until time.Time
		What, Done   string
	}
	if err := json.Unmarshal([]byte(b.Scope), &scope); err != nil {
		return 0, fmt.Errorf("read breach: %w", err)
	}
	told := 0
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.SetBreachTold(ctx, db.SetBreachToldParams{ID: b.ID, ToldAt: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("note that the breach is told: %w", err)
		}
		if n != 1 {
			return ErrClosed
		}
		subjects, err := tx.BreachSubjects(ctx, b.ID)
		if err != nil {
			return fmt.Errorf("read whom the breach concerns: %w", err)
		}
		for _, a := range subjects {
			notice := Notice{
				EmployeeID: a.EmployeeID, Reference: b.Reference, Since: scope.Since, Until: scope.Until,
				KnownAt: clock.FromMicros(b.KnownAt), What: scope.What, Done: scope.Done,
			}
			if err := json.Unmarshal([]byte(a.Data), &notice.Data); err != nil {
				return fmt.Errorf("read breach: %w", err)
			}
			if err := s.Courier.Breach(ctx, tx, notice); err != nil {
				return err
			}
		}
		told = len(subjects)
		return s.record(ctx, tx, who, "privacy.breach.tell", "breach", b.ID, map[string]string{"letters": fmt.Sprint(told)})
	})
	return told, err
}

//go:embed texts/authority.*.txt
var authorityTexts embed.FS

// AuthorityLetter is the notice to the authority that watches over the
// protection of personal data, ready to be put on a letterhead.
func AuthorityLetter(r Report, organisation, contact, lang string) (string, error) {
	if lang != "en" {
		lang = "id"
	}
	labels := dataNames[lang]
	t, err := template.New("").Funcs(template.FuncMap{
		"when": func(t time.Time) string { return t.In(jakarta).Format("2006-01-02 15:04") + " WIB" },
	}).ParseFS(authorityTexts, "texts/authority."+lang+".txt")
	if err != nil {
		return "", fmt.Errorf("read letter: %w", err)
	}
	classes := map[string]int{}
	for _, a := range r.Subjects {
		for _, d := range a.Data {
			classes[d]++
		}
	}
	type class struct {
		Name  string
		Count int
	}
	var data []class
	for _, d := range slices.Sorted(maps.Keys(classes)) {
		data = append(data, class{labels[d], classes[d]})
	}
	var b strings.Builder
	err = t.ExecuteTemplate(&b, "authority."+lang+".txt", map[string]any{
		"Report": r, "Organisation": organisation, "Contact": contact, "Data": data,
	})
	if err != nil {
		return "", fmt.Errorf("write letter: %w", err)
	}
	return b.String(), nil
}

var jakarta = time.FixedZone("WIB", 7*3600)

var dataNames = map[string]map[string]string{
	"id": {
		DataScans: "hasil pindai KTP, surat rekomendasi, dan spesimen tanda tangan", DataIdentity: "NIP, nama, jabatan, unit, dan golongan",
		DataContact: "alamat e-mail dan nomor telepon", DataBirth: "tempat dan tanggal lahir serta jenis kelamin",
		DataUse: "waktu registrasi, penerbitan, dan penggunaan sertifikat",
	},
	"en": {
		DataScans: "scans of identity card, letter of recommendation and specimen of signature", DataIdentity: "NIP, name, position, unit and grade",
		DataContact: "e-mail address and telephone number", DataBirth: "place and date of birth, and sex",
		DataUse: "times of registration, issuance and use of certificates",
	},
}

// DataName is a class of exposed data in words; lang is id or en.
func DataName(class, lang string) string {
	names, ok := dataNames[lang]
	if !ok {
		names = dataNames["id"]
	}
	if n, ok := names[class]; ok {
		return n
	}
	return class
}
