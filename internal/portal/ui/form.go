package ui

import "github.com/a-h/templ"

// FormProps describes a Form.
type FormProps struct {
	ID        string
	Action    string
	Get       bool // method GET; otherwise POST with the CSRF field
	Multipart bool // uploads; shows their progress
	Guard     bool // asks before leaving with unsaved input
	Class     string
}

// FieldProps describes a field. ID defaults to Name. All texts are ready to show.
type FieldProps struct {
	ID           string
	Name         string
	Label        string
	Hint         string
	Error        string
	Value        string
	Type         string // of the input: "text" (default), "email", "tel", "search", "number", "date"
	Autocomplete string // "email", "username", "one-time-code", "off" …
	InputMode    string // "numeric" for NIP, NIK, codes
	Prefix       string
	Suffix       string
	Width        int // in characters: 4, 6, 10, 20; 0 is the full width
	Rows         int // of a Textarea; 0 is 4
	MaxLength    int
	Optional     bool // says so in the label; everything else is required
	NoRequired   bool // leaves the required attribute off: filters
	Disabled     bool
	ReadOnly     bool
	HideLabel    bool // for screen readers only: search fields
	Code         bool // digits of equal width
	Attrs        templ.Attributes
}

// Option is one choice of a Select, Radios or Checkboxes.
type Option struct {
	Value    string
	Label    string
	Hint     string
	Selected bool
	Disabled bool
	// Body shows below a selected radio or checkbox (with JavaScript; without
	// it, always): a conditional question.
	Body templ.Component
}

// DateProps describes a DateField: three inputs named Name.day, Name.month and Name.year.
type DateProps struct {
	Name             string
	Label            string
	Hint             string
	Error            string
	Day, Month, Year string
	Optional         bool
}

// FileProps describes a FileField.
type FileProps struct {
	ID       string
	Name     string
	Label    string
	Hint     string // types and limits, in words
	Error    string
	Accept   string // "image/jpeg,image/png,application/pdf"
	Camera   string // "environment" or "user": phones offer the camera
	MaxBytes int64  // of each file, checked before sending; 0 for none
	Multiple bool   // takes several files
	// Each sends every file by itself, as web/src/js/upload.js does: the form is
	// posted once a file, and its answer is JSON.
	Each     bool
	Optional bool
	// Crop adds preview, rotation and crop for images, which arrive in the fields
	// Name.rotate (0, 90, 180, 270: degrees clockwise, applied first) and
	// Name.x, Name.y, Name.w, Name.h (fractions of the rotated image, 0 to 1).
	// Without JavaScript they are 0, 0, 0, 1, 1.
	Crop bool
	// Current is what is already there, so that nobody is asked again.
	Current templ.Component
}

// PasswordProps describes a PasswordField.
type PasswordProps struct {
	ID       string
	Name     string
	Label    string
	Hint     string
	Error    string
	New      bool   // autocomplete "new-password" instead of "current-password"
	Describe string // ids of further descriptions, such as the meter's
	Attrs    templ.Attributes
}

// FieldError is one line of an ErrorSummary: the text and the field's id.
type FieldError struct {
	ID   string
	Text string
}

// ButtonKind is how strongly a button speaks. A page has one Primary.
type ButtonKind string

// The kinds.
const (
	Primary   ButtonKind = "primary"
	Secondary ButtonKind = "secondary"
	Caution   ButtonKind = "caution" // destroys or cannot be undone
	Plain     ButtonKind = "plain"   // looks like a link
)

// ButtonProps describes a Button.
type ButtonProps struct {
	Kind     ButtonKind // Primary when empty
	Label    string
	Icon     string
	After    string // icon after the label: "chevron-right"
	Href     string // makes it a link
	Name     string
	Value    string
	Type     string // "submit" when empty
	Form     string // id of the form it belongs to, when outside of it
	Action   string // formaction
	Small    bool
	Disabled bool
	Describe string // id of the text that says why it is disabled
	// NoValidate sends the form without the browser's checks: save a draft, go back.
	NoValidate bool
	Attrs      templ.Attributes
}

func (f FieldProps) id() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Name
}

func (f FieldProps) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f FieldProps) rows() int {
	if f.Rows == 0 {
		return 4
	}
	return f.Rows
}

func (f FieldProps) required() bool { return !f.Optional && !f.NoRequired }

func (f FileProps) id() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Name
}

func (p PasswordProps) id() string {
	if p.ID != "" {
		return p.ID
	}
	return p.Name
}

func (p PasswordProps) autocomplete() string {
	if p.New {
		return "new-password"
	}
	return "current-password"
}

func (b ButtonProps) class() string {
	kind := b.Kind
	if kind == "" {
		kind = Primary
	}
	class := "button button-" + string(kind)
	if b.Small {
		class += " button-small"
	}
	return class
}

func (b ButtonProps) kindOfType() string {
	if b.Type == "" {
		return "submit"
	}
	return b.Type
}

// describedBy lists the ids of the hint and the error of the field with this id.
func describedBy(id, hint, err string, more ...string) string {
	list := ""
	add := func(s string) {
		if s == "" {
			return
		}
		if list != "" {
			list += " "
		}
		list += s
	}
	if hint != "" {
		add(id + "-hint")
	}
	if err != "" {
		add(id + "-error")
	}
	for _, m := range more {
		add(m)
	}
	return list
}

func widthClass(n int) string {
	switch {
	case n == 0:
		return ""
	case n <= 4:
		return "w-4"
	case n <= 6:
		return "w-6"
	case n <= 10:
		return "w-10"
	}
	return "w-20"
}
