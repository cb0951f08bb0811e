package esign

import (
	"fmt"
	"strconv"
	"strings"

	"absah/internal/signing"
	"absah/pades"
	"absah/pades/appearance"
)

// defaultSize is the side of a visible signature whose size was not given, as
// clients that place by a tag leave it out.
const defaultSize = 80

// lastPage stands for the last page until the document is read.
const lastPage = -1

// visible tells a visible signature from an invisible one. Clients that say
// neither and place something mean a visible one.
func (f *fields) visible() (bool, error) {
	switch v := strings.ToLower(f.get("tampilan")); v {
	case "visible":
		return true, nil
	case "invisible":
		return false, nil
	case "":
		return f.get("tag_koordinat", "tag", "xaxis", "originx") != "", nil
	}
	return false, wrongField("tampilan", "Kolom 'tampilan' harus visible atau invisible")
}

// requestV1 is how API v1 wants a document signed: the origin is the lower left
// corner of the page. corner reads width and height as the upper right corner; verify
// is where a QR code leads that nobody gave a text.
func (f *fields) requestV1(corner bool, verify string) (signing.Request, error) {
	r := signing.Request{Level: pades.BT, Reason: f.get("reason"), Location: f.get("location")}
	seen, err := f.visible()
	if err != nil || !seen {
		return r, err
	}
	p := signing.Place{Page: 1}
	if p.Face, err = f.faceV1(verify); err != nil {
		return r, err
	}
	if p.Page, err = f.page(); err != nil {
		return r, err
	}
	width, hasWidth, err := f.number("width", "lebar")
	if err != nil {
		return r, err
	}
	height, hasHeight, err := f.number("height", "tinggi")
	if err != nil {
		return r, err
	}
	if tag := f.get("tag_koordinat", "tag"); tag != "" {
		p.Anchor, p.AnchorOrigin = tag, true
		p.Page = 0
		p.Box = appearance.Box{Width: sizeOr(width, hasWidth), Height: sizeOr(height, hasHeight)}
		r.Places = []signing.Place{p}
		return r, nil
	}
	x, _, err := f.number("xAxis", "x")
	if err != nil {
		return r, err
	}
	y, _, err := f.number("yAxis", "y")
	if err != nil {
		return r, err
	}
	if corner && width > x && height > y && (x != 0 || y != 0) {
		width, height = width-x, height-y
	}
	p.Box = appearance.Box{X: x, Y: y, Width: sizeOr(width, hasWidth), Height: sizeOr(height, hasHeight)}
	r.Places = []signing.Place{p}
	return r, nil
}

func sizeOr(v float64, given bool) float64 {
	if !given || v <= 0 {
		return defaultSize
	}
	return v
}

// faceV1 is the picture or the QR code: image decides, whatever else came along. Who
// places by a tag may say neither, and means a QR code.
func (f *fields) faceV1(verify string) (signing.Face, error) {
	var face signing.Face
	if text := f.get("text"); text != "" {
		face.Lines = strings.Split(text, "\n")
	}
	if truth(f.text["image"]) {
		pictures := f.files["imagettd"]
		if len(pictures) == 0 || len(pictures[0].bytes) == 0 {
			return face, wrongField("imageTTD", "Kolom 'imageTTD' harus berisi berkas JPEG atau PNG karena image=true")
		}
		face.Image = pictures[0].bytes
		return face, nil
	}
	face.QRText = f.get("linkqr")
	// Without a text of its own the code leads to nothing; a picture that came
	// along is better than that.
	if face.QRText == "" && f.get("tag_koordinat", "tag") == "" {
		return face, wrongField("linkQR", "Kolom 'linkQR' harus diisi karena image=false")
	}
	if face.QRText == "" {
		if pictures := f.files["imagettd"]; len(pictures) > 0 {
			face.Image = pictures[0].bytes
			return face, nil
		}
		face.QRText = verify
	}
	return face, nil
}

// page is the page that v1 names by number or by word; 1 without either.
func (f *fields) page() (int, error) {
	switch v := strings.ToLower(f.get("halaman")); v {
	case "pertama":
		return 1, nil
	case "terakhir":
		return lastPage, nil
	case "":
	default:
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			return n, nil
		}
		return 0, wrongField("halaman", "Kolom 'halaman' harus PERTAMA atau TERAKHIR")
	}
	v := f.get("page")
	if v == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(v, ".0"))
	if err != nil || n < 1 {
		return 0, wrongField("page", "Kolom 'page' harus berupa nomor halaman mulai dari 1")
	}
	return n, nil
}

// requestV2 is one entry of signatureProperties: the origin is the upper left
// corner of the page. It gives the password of the document beside it.
func (f *fields) requestV2() (r signing.Request, password []byte, err error) {
	r = signing.Request{Level: pades.BT, Reason: f.get("reason"), Location: f.get("location"), Contact: f.get("contactInfo")}
	password = []byte(f.text["pdfpassword"])
	seen, err := f.visible()
	if err != nil || !seen {
		return r, password, err
	}
	var p signing.Place
	if p.Page, err = f.page(); err != nil {
		return r, nil, err
	}
	if picture := f.get("imageBase64"); picture != "" {
		if p.Face.Image, err = decode64(picture); err != nil {
			return r, nil, wrongField("imageBase64", "Kolom 'imageBase64' bukan base64 yang benar")
		}
	} else if p.Face.QRText = f.get("linkQR"); p.Face.QRText == "" {
		p.Face.Letter = true
	}
	var box [4]float64
	for i, name := range []string{"originX", "originY", "width", "height"} {
		v, given, err := f.number(name)
		if err != nil {
			return r, nil, err
		}
		if box[i] = v; i > 1 {
			box[i] = sizeOr(v, given)
		}
	}
	p.Box = appearance.Box{X: box[0], Y: box[1], Width: box[2], Height: box[3], Origin: appearance.TopLeft}
	if tag := f.get("tag_koordinat", "tag"); tag != "" {
		p.Page, p.Anchor, p.AnchorOrigin = 0, tag, true
		p.Box = appearance.Box{Width: box[2], Height: box[3]}
	}
	r.Places = []signing.Place{p}
	return r, password, nil
}

// settle puts the number of the last page where it is meant.
func settle(r *signing.Request, pages int) error {
	for i := range r.Places {
		if r.Places[i].Page == lastPage {
			r.Places[i].Page = pages
		}
		if pages > 0 && r.Places[i].Page > pages {
			return &fieldError{field: "page", code: codePlacement, text: fmt.Sprintf("Proses signing gagal : halaman %d tidak ada, dokumen memiliki %d halaman", r.Places[i].Page, pages)}
		}
	}
	return nil
}
