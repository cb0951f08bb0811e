// Package appearance draws visible signatures: text in embedded subset fonts,
// images and QR codes as a form XObject (ISO 32000-2 12.7.5.5, 12.5.5), and says
// where on a page it goes.
package appearance

import (
	"fmt"

	"absah/pades/appearance/truetype"
)

// Role is what a line of text is for. It decides its size and weight.
type Role int

const (
	// Body is set in the regular font at the text's size.
	Body Role = iota
	// Label introduces what follows ("Ditandatangani secara elektronik oleh:"), a
	// little smaller.
	Label
	// Office is the signer's office (jabatan), and on whose behalf.
	Office
	// Name is set bold.
	Name
	// Detail stands with the name: rank, NIP, time.
	Detail
	// Small is small print, such as the line that names the issuer.
	Small
)

// Line is a paragraph of the text; it is broken at spaces where it must be, and
// nowhere else. A no-break space keeps words together.
type Line struct {
	Role Role
	Text string
}

// Arrangement is how text, image and QR code share the box.
type Arrangement int

const (
	// Auto takes Side for wide boxes and Stacked for others.
	Auto Arrangement = iota
	// Side has QR code or image at the left, the text right of it.
	Side
	// Stacked has labels and office above, QR code or image in the middle, name
	// and details below, as on letters.
	Stacked
	// Background has the image behind everything, paled by nothing: it should be
	// light.
	Background
)

// Align is the direction in which lines are set.
type Align int

const (
	// AlignAuto is AlignLeft, and AlignCentre in the Stacked arrangement.
	AlignAuto Align = iota
	AlignLeft
	AlignCentre
	AlignRight
)

// Level is how much of a QR code may be lost.
type Level int

const (
	// LevelM restores 15 %.
	LevelM Level = iota
	LevelL
	LevelQ
	LevelH
)

// Conformance is the part of PDF/A that the file claims and the appearance must
// not break.
type Conformance int

const (
	// AnyPDF uses the plain device colour spaces.
	AnyPDF Conformance = iota
	// PDFA1 has no transparency: images are laid on white. Colours do not depend
	// on the device.
	PDFA1
	// PDFA is for parts 2, 3 and 4: colours do not depend on the device.
	PDFA
)

// Color is red, green and blue, 0 to 1.
type Color [3]float64

// Family is the fonts of the text.
type Family struct{ Regular, Bold *truetype.Font }

// Spec says what an appearance shows.
type Spec struct {
	// Width and Height of the box in points (Placement has them).
	Width, Height float64
	// Rotate is the rotation of the page that it goes to (Placement has it).
	Rotate int

	Lines []Line
	// Image is a PNG or JPEG file.
	Image []byte
	// QR is the text of the QR code; "" draws none.
	QR string
	// QRLevel is raised to LevelH where Logo covers a part of the code.
	QRLevel Level
	// Logo is a PNG or JPEG file to lay on the middle of the QR code.
	Logo []byte

	Arrangement Arrangement
	Align       Align
	// Padding inside the box, in points; 0 is 2 points, negative none.
	Padding float64
	// FontSize is the largest size of the text, in points; 0 is 10. It shrinks to
	// MinFontSize (0 is 5) until the text fits.
	FontSize, MinFontSize float64
	// TextColor is black unless set.
	TextColor Color
	// Border is the width of a frame in points; 0 draws none.
	Border      float64
	BorderColor Color
	// Opaque paints the box white before anything else.
	Opaque bool

	Conformance Conformance
	// Family is Liberation Sans unless set.
	Family *Family

	// Cache, if set, keeps fonts and images for the next appearances of a batch.
	Cache *Cache
}

// Letter is who signs and in which office, in the lines of official letters.
type Letter struct {
	Label  string   // "Ditandatangani secara elektronik oleh:"; "" leaves it out
	Office []string // "a.n. ...", "Kepala Biro ..."; one paragraph each
	Name   string
	Detail []string // rank, "NIP ..."
	Small  []string
}

// Lines returns the letter's lines in their order, without empty ones.
func (l Letter) Lines() []Line {
	var lines []Line
	put := func(r Role, texts ...string) {
		for _, t := range texts {
			if t != "" {
				lines = append(lines, Line{r, t})
			}
		}
	}
	put(Label, l.Label)
	put(Office, l.Office...)
	put(Name, l.Name)
	put(Detail, l.Detail...)
	put(Small, l.Small...)
	return lines
}

// FitError says that the text does not fit into its part of the box at the
// smallest size.
type FitError struct {
	Width, Height float64 // of the part for the text, in points
	MinFontSize   float64
}

func (e *FitError) Error() string {
	return fmt.Sprintf("appearance: the text does not fit into %.4g by %.4g points at %.4g points", e.Width, e.Height, e.MinFontSize)
}

// GlyphError says that the font lacks a character.
type GlyphError struct {
	Char rune
	Font string
}

func (e *GlyphError) Error() string {
	return fmt.Sprintf("appearance: the font %s has no character %q (%U)", e.Font, e.Char, e.Char)
}

// ImageError says why an image is refused.
type ImageError struct{ Text string }

func (e *ImageError) Error() string { return "appearance: image: " + e.Text }

// QRError says why no QR code can be drawn.
type QRError struct{ Text string }

func (e *QRError) Error() string { return "appearance: QR code: " + e.Text }
