package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"

	"absah/pdf/pdftest"
)

// archival writes files that claim PDF/A (and those of level A PDF/UA), and pictures to sign them with: one that
// lets what is below show, one in colour, one in grey.
func (h *house) archival() error {
	for part, flavour := range map[int]string{1: "1b", 2: "2b", 3: "3b", 4: "4"} {
		if err := os.WriteFile(filepath.Join(h.dir, "archival-"+flavour+".pdf"), pdftest.Archival(part), 0o600); err != nil {
			return fmt.Errorf("write a file to sign: %w", err)
		}
	}
	for part, flavour := range map[int]string{1: "1a", 2: "2a", 3: "3a"} {
		if err := os.WriteFile(filepath.Join(h.dir, "archival-"+flavour+".pdf"), pdftest.Accessible(part), 0o600); err != nil {
			return fmt.Errorf("write a file to sign: %w", err)
		}
	}
	shade, grey := image.NewNRGBA(image.Rect(0, 0, 64, 64)), image.NewGray(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			shade.SetNRGBA(x, y, color.NRGBA{uint8(4 * x), 40, uint8(4 * y), uint8(4 * x)})
			grey.SetGray(x, y, color.Gray{uint8(4 * y)})
		}
	}
	var mark, photo, scan bytes.Buffer
	if err := png.Encode(&mark, shade); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	if err := jpeg.Encode(&photo, shade, nil); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	if err := jpeg.Encode(&scan, grey, nil); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	for name, b := range map[string]*bytes.Buffer{"mark.png": &mark, "photo.jpg": &photo, "scan.jpg": &scan} {
		if err := os.WriteFile(filepath.Join(h.dir, name), b.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write a picture: %w", err)
		}
	}
	return nil
}
