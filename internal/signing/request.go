package signing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"absah/internal/store/db"
	"absah/pades"
	"absah/pades/appearance"
)

// Place is one visible signature on a document.
type Place struct {
	Page int // from 1; with an Anchor, 0 is every page
	Box  appearance.Box
	// Anchor is text of the page to put the box over, centre on centre. It takes
	// Width and Height of the Box; X and Y move it.
	Anchor string
	// AnchorOrigin takes the left end of the text's baseline instead of its centre.
	AnchorOrigin bool
	Face         Face
}

// Face is what a visible signature shows. The zero one is empty.
type Face struct {
	QR       bool // leads to the verification page of the document
	Specimen bool // the picture of the signer's signature
	Letter   bool // the lines of official letters: office, name, NIP
	Footer   bool // names the issuer of the certificate

	// What programs bring: the text of the QR code, a picture (PNG or JPEG),
	// lines of text.
	QRText string
	Image  []byte
	Lines  []string
}

// Request says how a document is signed.
type Request struct {
	Level  pades.Level // zero is B-B; people get B-T
	Places []Place     // none: an invisible signature
	// Authority is the id of an authority; empty: the own name and office.
	Authority string
	// Kind of letter, for what an authority does not cover. A document that lies
	// here has its own.
	Kind                      string
	Reason, Location, Contact string
	// Field is an existing empty field to sign; only with at most one place.
	Field string
}

// uses is how many signatures the request takes.
func (r *Request) uses() int { return max(1, len(r.Places)) }

// stored is a Request as it is kept with the activation: what was authorised,
// without pictures.
type stored struct {
	Level     string        `json:"level"`
	Places    []storedPlace `json:"places"`
	Authority string        `json:"authority,omitempty"`
	Kind      string        `json:"kind,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Location  string        `json:"location,omitempty"`
	Contact   string        `json:"contact,omitempty"`
	Field     string        `json:"field,omitempty"`
}

type storedPlace struct {
	Page     int        `json:"page"`
	Box      [4]float64 `json:"box"` // x, y, width, height
	TopLeft  bool       `json:"top_left,omitempty"`
	Anchor   string     `json:"anchor,omitempty"`
	Origin   bool       `json:"anchor_origin,omitempty"`
	QR       bool       `json:"qr,omitempty"`
	Specimen bool       `json:"specimen,omitempty"`
	Letter   bool       `json:"letter,omitempty"`
	Footer   bool       `json:"footer,omitempty"`
	QRText   string     `json:"qr_text,omitempty"`
	Image    string     `json:"image_sha256,omitempty"`
	Lines    []string   `json:"lines,omitempty"`
}

// text is the canonical text of the request.
func (r *Request) text() (string, error) {
	out := stored{
		Level: r.Level.String(), Places: []storedPlace{}, Authority: r.Authority, Kind: r.Kind, Reason: r.Reason, Location: r.Location,
		Contact: r.Contact, Field: r.Field,
	}
	for _, p := range r.Places {
		q := storedPlace{
			Page: p.Page, Box: [4]float64{p.Box.X, p.Box.Y, p.Box.Width, p.Box.Height}, TopLeft: p.Box.Origin == appearance.TopLeft, Anchor: p.Anchor, Origin: p.AnchorOrigin,
			QR: p.Face.QR, Specimen: p.Face.Specimen, Letter: p.Face.Letter, Footer: p.Face.Footer, QRText: p.Face.QRText, Lines: p.Face.Lines,
		}
		if len(p.Face.Image) > 0 {
			sum := sha256.Sum256(p.Face.Image)
			q.Image = hex.EncodeToString(sum[:])
		}
		out.Places = append(out.Places, q)
	}
	b, err := json.Marshal(out)
	if err != nil {
		return "", fmt.Errorf("write the request: %w", err)
	}
	return string(b), nil
}

// requestOf reads what text wrote, without pictures.
func requestOf(text string) (Request, error) {
	var in stored
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return Request{}, fmt.Errorf("read the request: %w", err)
	}
	level, _ := pades.ParseLevel(in.Level)
	r := Request{Level: level, Authority: in.Authority, Kind: in.Kind, Reason: in.Reason, Location: in.Location, Contact: in.Contact, Field: in.Field}
	for _, p := range in.Places {
		place := Place{
			Page: p.Page, Box: appearance.Box{X: p.Box[0], Y: p.Box[1], Width: p.Box[2], Height: p.Box[3]}, Anchor: p.Anchor, AnchorOrigin: p.Origin,
			Face: Face{QR: p.QR, Specimen: p.Specimen, Letter: p.Letter, Footer: p.Footer, QRText: p.QRText, Lines: p.Lines},
		}
		if p.TopLeft {
			place.Box.Origin = appearance.TopLeft
		}
		r.Places = append(r.Places, place)
	}
	return r, nil
}

// possible says whether the installation can fulfil a request at all. It fails
// with ErrPlaces and ErrNoTimestamp.
func (s *Service) possible(r *Request) error {
	switch {
	case len(r.Places) > s.Limits.Places || r.Field != "" && len(r.Places) > 1:
		return ErrPlaces
	case r.Level >= pades.BT && s.stamps == nil, r.Level >= pades.BLT && s.Evidence == nil:
		return ErrNoTimestamp
	}
	return nil
}

// The texts of a visible signature. A letter is in Indonesian whoever signs it.
const (
	signedBy = "Ditandatangani secara elektronik oleh:"
	footer   = "Dokumen ini telah ditandatangani secara elektronik menggunakan sertifikat elektronik yang diterbitkan oleh "
)

// signerFace is what the faces of one person on one document have in common.
type signerFace struct {
	name, nip string
	office    []string
	url       string // of the document's verification page; empty for none
	issuer    string
	specimen  func() ([]byte, error)
}

// ErrNoPage says that a QR code was asked for that leads to the page of a
// document, and the document is not kept.
var errNoPage = errors.New("the document has no verification page")

// spec draws a face.
func (f *signerFace) spec(face Face) (appearance.Spec, error) {
	spec := appearance.Spec{QR: face.QRText, Image: face.Image, MinFontSize: 4}
	if face.QR {
		if f.url == "" {
			return spec, errNoPage
		}
		spec.QR = f.url
	}
	if face.Specimen {
		b, err := f.specimen()
		if err != nil {
			return spec, err
		}
		spec.Image = b
		if spec.QR != "" {
			spec.Arrangement = appearance.Stacked
		}
	}
	var l appearance.Letter
	if face.Letter {
		l = appearance.Letter{Label: signedBy, Office: f.office, Name: f.name, Detail: []string{"NIP " + f.nip}}
	}
	if face.Footer && f.issuer != "" {
		l.Small = []string{footer + f.issuer + "."}
	}
	spec.Lines = l.Lines()
	for _, line := range face.Lines {
		spec.Lines = append(spec.Lines, appearance.Line{Text: line})
	}
	return spec, nil
}

// face is that of a signer on a document; documentID is empty for one that is
// not kept.
func (s *Service) face(ctx context.Context, q *db.Queries, e db.Employee, documentID string, r *Request) (*signerFace, error) {
	authority, err := s.authority(ctx, q, e, r.Authority, r.Kind)
	if err != nil {
		return nil, err
	}
	f := &signerFace{name: e.Name, nip: e.Nip, office: authority.Lines(e.Position), issuer: s.Issuer}
	if documentID != "" {
		f.url = s.VerifyURL + documentID
	}
	f.specimen = func() ([]byte, error) { return s.Specimen(ctx, e.ID) }
	return f, nil
}

// options are those of the signatures of one request, in their order: the first
// makes the fields of the others, so that no later one adds anything over what
// an earlier one covers.
func (s *Service) options(r *Request, f *signerFace, id string, password []byte) ([]pades.Options, error) {
	base := pades.Options{
		Password: password, Level: min(r.Level, pades.BT), Clock: s.Clock, Name: f.name, Reason: r.Reason, Location: r.Location, Contact: r.Contact,
	}
	if s.stamps != nil {
		base.Timestamper, base.Reserve = s.stamps, s.stamps.reserve()
	}
	list := make([]pades.Options, r.uses())
	for i := range list {
		o := base
		o.Field = fieldName(id, i+1)
		list[i] = o
	}
	if r.Field != "" {
		list[0].Field = r.Field
	}
	for i, p := range r.Places {
		spec, err := f.spec(p.Face)
		if err != nil {
			return nil, err
		}
		v := pades.Visible{Page: p.Page, Box: p.Box, Anchor: p.Anchor, AnchorOrigin: p.AnchorOrigin, Spec: spec}
		list[i].Visible = &v
		if i > 0 {
			list[0].Fields = append(list[0].Fields, pades.NewField{Name: list[i].Field, Place: v})
		}
	}
	last := &list[len(list)-1]
	if r.Level > pades.BT {
		last.Level, last.Evidence = r.Level, s.Evidence
	}
	return list, nil
}
