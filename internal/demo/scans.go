package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Drawings of evidence. Each says in large letters that it is made up, so that
// nobody takes a picture of a demo for a picture of a person's papers.

type pen struct {
	*image.RGBA
	regular, bold *opentype.Font
}

func newPen(w, h int, paper color.Color) (*pen, error) {
	p := &pen{RGBA: image.NewRGBA(image.Rect(0, 0, w, h))}
	draw.Draw(p, p.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	var err error
	if p.regular, err = opentype.Parse(goregular.TTF); err != nil {
		return nil, fmt.Errorf("draw scan: %w", err)
	}
	if p.bold, err = opentype.Parse(gobold.TTF); err != nil {
		return nil, fmt.Errorf("draw scan: %w", err)
	}
	return p, nil
}

func (p *pen) text(x, y int, size float64, f *opentype.Font, c color.Color, s string) error {
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return fmt.Errorf("draw scan: %w", err)
	}
	d := font.Drawer{Dst: p, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(s)
	return face.Close()
}

func (p *pen) box(r image.Rectangle, c color.Color) {
	draw.Draw(p, r, image.NewUniform(c), image.Point{}, draw.Over)
}

func (p *pen) jpeg() ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("draw scan: %w", err)
	}
	return b.Bytes(), nil
}

var (
	ink     = color.RGBA{25, 35, 60, 255}
	faint   = color.RGBA{90, 105, 130, 255}
	warning = color.RGBA{190, 40, 40, 255}
)

// idCard draws a card with the fields of an identity card.
func idCard(e person) ([]byte, error) {
	p, err := newPen(1012, 638, color.RGBA{200, 222, 240, 255})
	if err != nil {
		return nil, err
	}
	for y := 0; y < 638; y += 6 { // a ground of fine waves
		for x := range 1012 {
			dy := int(4 * math.Sin(float64(x)/34+float64(y)/50))
			p.Set(x, y+dy, color.RGBA{182, 208, 230, 255})
		}
	}
	p.box(image.Rect(740, 150, 960, 440), color.RGBA{150, 170, 190, 255})
	p.box(image.Rect(810, 200, 890, 290), color.RGBA{235, 238, 242, 255})
	p.box(image.Rect(775, 310, 925, 440), color.RGBA{235, 238, 242, 255})
	lines := []struct {
		x, y int
		size float64
		f    *opentype.Font
		c    color.Color
		s    string
	}{
		{250, 60, 30, p.bold, ink, "PROVINSI REKAAN"},
		{240, 100, 26, p.bold, ink, "KARTU CONTOH (FIKTIF)"},
		{50, 180, 34, p.bold, ink, "NIK : " + e.nik},
		{50, 235, 24, p.regular, ink, "Nama"}, {260, 235, 24, p.bold, ink, ": " + e.name},
		{50, 280, 24, p.regular, ink, "Tempat/Tgl Lahir"}, {260, 280, 24, p.bold, ink, ": " + e.birthPlace + ", " + e.birth.Format("02-01-2006")},
		{50, 325, 24, p.regular, ink, "Jenis Kelamin"}, {260, 325, 24, p.bold, ink, ": " + map[string]string{"M": "LAKI-LAKI", "F": "PEREMPUAN"}[e.sex]},
		{50, 370, 24, p.regular, ink, "Alamat"}, {260, 370, 24, p.bold, ink, ": Jalan Rekaan No. 0"},
		{50, 415, 24, p.regular, ink, "Berlaku Hingga"}, {260, 415, 24, p.bold, ink, ": HANYA UNTUK DEMO"},
		{110, 560, 64, p.bold, warning, "BUKAN DOKUMEN ASLI"},
	}
	for _, l := range lines {
		if err := p.text(l.x, l.y, l.size, l.f, l.c, l.s); err != nil {
			return nil, err
		}
	}
	return p.jpeg()
}

// letter draws a letter of recommendation.
func letter(e person, unit string) ([]byte, error) {
	p, err := newPen(900, 1240, color.White)
	if err != nil {
		return nil, err
	}
	p.box(image.Rect(80, 150, 820, 154), ink)
	for _, l := range []struct {
		x, y int
		size float64
		f    *opentype.Font
		c    color.Color
		s    string
	}{
		{250, 80, 34, p.bold, ink, "INSTANSI CONTOH"},
		{250, 120, 24, p.regular, faint, unit},
		{290, 230, 30, p.bold, ink, "SURAT REKOMENDASI"},
		{290, 265, 20, p.regular, faint, "Nomor: REK-" + e.nip[14:] + "/FIKTIF/2026"},
		{90, 340, 24, p.regular, ink, "Yang bertanda tangan di bawah ini merekomendasikan:"},
		{130, 400, 24, p.regular, ink, "Nama      : " + e.name},
		{130, 440, 24, p.regular, ink, "NIP         : " + e.nip},
		{130, 480, 24, p.regular, ink, "Jabatan  : " + e.position},
		{90, 550, 24, p.regular, ink, "untuk memperoleh Sertifikat Elektronik guna menandatangani"},
		{90, 585, 24, p.regular, ink, "dokumen kedinasan elektronik."},
		{520, 740, 24, p.regular, ink, "Kepala Unit Rekaan,"},
		{520, 900, 24, p.bold, ink, "Pejabat Contoh"},
		{120, 1120, 52, p.bold, warning, "BUKAN DOKUMEN ASLI"},
	} {
		if err := p.text(l.x, l.y, l.size, l.f, l.c, l.s); err != nil {
			return nil, err
		}
	}
	p.flourish(540, 830, 260, 50, len(e.name))
	return p.jpeg()
}

// specimen draws a signature: a curve that belongs to nobody.
func specimen(e person) ([]byte, error) {
	p, err := newPen(800, 400, color.White)
	if err != nil {
		return nil, err
	}
	p.flourish(80, 200, 620, 110, len(e.name)+int(e.nip[5]))
	if err := p.text(90, 360, 30, p.regular, faint, "contoh tanda tangan fiktif"); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		return nil, fmt.Errorf("draw scan: %w", err)
	}
	return b.Bytes(), nil
}

func (p *pen) flourish(x0, y0, w, h, seed int) {
	s := float64(seed)
	for i := range 6000 {
		t := float64(i) / 6000
		x := float64(x0) + t*float64(w) + 30*math.Sin(t*40+s)
		y := float64(y0) + float64(h)*math.Sin(t*(9+math.Mod(s, 5))*2+s)*(1-0.6*t)
		for dx := -2; dx <= 2; dx++ {
			for dy := -2; dy <= 2; dy++ {
				p.Set(int(x)+dx, int(y)+dy, ink)
			}
		}
	}
}
