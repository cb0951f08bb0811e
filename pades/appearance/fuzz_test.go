package appearance

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"testing"
)

// jpegSeeds are JPEG files of all kinds that the encoder makes, with segments that
// cameras write.
func jpegSeeds(f *testing.F) [][]byte {
	f.Helper()
	var list [][]byte
	for _, m := range []image.Image{image.NewGray(image.Rect(0, 0, 9, 7)), image.NewRGBA(image.Rect(0, 0, 17, 5)), image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420)} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, nil); err != nil {
			f.Fatal(err)
		}
		file := b.Bytes()
		list = append(list, file)
		for _, segment := range []string{
			"\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00",
			"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01", "\xff\xfe\x00\x05kam", "\xff\xff\xff\xe2\x00\x04ab", "\xff\xe1\xff\xffExif",
		} {
			list = append(list, append(append(bytes.Clone(file[:2]), segment...), file[2:]...))
		}
	}
	return list
}

// FuzzParseJPEG: what is left of a JPEG is one, without what cameras write, and
// shows the same as before.
func FuzzParseJPEG(f *testing.F) {
	for _, b := range jpegSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !bytes.HasPrefix(b, []byte{0xFF, 0xD8, 0xFF}) {
			return // readPicture hands nothing else over
		}
		j, err := parseJPEG(b)
		var refused *ImageError
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if !bytes.HasPrefix(j.file, []byte{0xFF, 0xD8}) || !bytes.HasSuffix(j.file, []byte{0xFF, 0xD9}) || len(j.file) > len(b)+2 {
			t.Fatalf("%d bytes of %d are left, %x", len(j.file), len(b), j.file[:min(len(j.file), 8)])
		}
		if j.orientation < 1 || j.orientation > 8 || j.components != 1 && j.components != 3 && j.components != 4 {
			t.Fatalf("orientation %d, %d components", j.orientation, j.components)
		}
		again, err := parseJPEG(j.file)
		if err != nil || !bytes.Equal(again.file, j.file) || again.orientation != 1 || again.components != j.components {
			t.Fatalf("reading it again: %v", err)
		}
		if c, err := jpeg.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width*c.Height > 1<<16 {
			return // readJPEG decodes first; large ones would only be slow here
		}
		before, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			return
		}
		after, err := jpeg.Decode(bytes.NewReader(j.file))
		if err != nil {
			t.Fatalf("what is left does not decode: %v", err)
		}
		if before.Bounds() != after.Bounds() {
			t.Fatalf("%v became %v", before.Bounds(), after.Bounds())
		}
		for y := range before.Bounds().Dy() {
			for x := range before.Bounds().Dx() {
				if before.At(x, y) != after.At(x, y) {
					t.Fatalf("the pixel at %d, %d became another", x, y)
				}
			}
		}
	})
}
