// Package scan takes the files that people upload as evidence and makes of
// them what Absah stores: images decoded and written anew, PDF files checked
// and written anew, never the bytes that were sent.
//
// Whatever parses uploaded bytes runs in a child process with hard limits on
// memory, time and files (see Pool and WorkerMain): a hostile file costs at
// most its own child. Names and types that the client claims are not even
// accepted; only the bytes count.
package scan

import (
	"context"
	"crypto/sha256"

	"absah/internal/hint"
)

// Kind says what a scan shows; it decides sizes and output format.
type Kind string

// The kinds of scan.
const (
	IDCard         Kind = "id_card"        // KTP
	Recommendation Kind = "recommendation" // Rekomendasi
	Specimen       Kind = "specimen"       // TTD
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool { return k == IDCard || k == Recommendation || k == Specimen }

// The limits of an upload.
const (
	MaxBytes  = 5_000_000  // of the uploaded file
	MaxPixels = 25_000_000 // of an image
	MaxPages  = 10         // of a PDF file
)

// The media types of stored scans.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
	PDF  = "application/pdf"
)

// Rect is a part of an image in fractions of its width and height: 0 is left
// or top, 1 right or bottom.
type Rect struct {
	X0 float64 `json:"x0"`
	Y0 float64 `json:"y0"`
	X1 float64 `json:"x1"`
	Y1 float64 `json:"y1"`
}

// Input is an uploaded file and what its owner wants done with it. Crop and
// Rotate count for images only.
type Input struct {
	Kind  Kind
	Bytes []byte
	// Rotate turns the image clockwise: 0, 90, 180 or 270 degrees, after the
	// orientation that its EXIF data asks for.
	Rotate int
	// Crop, if not nil, is the part to keep, as seen after Rotate.
	Crop *Rect
}

// Result is a scan as it is to be stored.
type Result struct {
	Bytes     []byte
	MediaType string // JPEG, PNG or PDF
	Width     int    // pixels; 0 for PDF
	Height    int    // pixels; 0 for PDF
	Pages     int    // 1 for images
	// SHA256 is that of Bytes, UploadSHA256 that of the file as uploaded: the
	// same file uploaded twice has the same.
	SHA256       [sha256.Size]byte
	UploadSHA256 [sha256.Size]byte
	// Thumb and Preview are JPEGs with sides of at most ThumbSide and
	// PreviewSide; nil for PDF.
	Thumb   []byte
	Preview []byte
	Quality Quality
	// Hints tell the officer what the program noticed.
	Hints []hint.Hint
}

// Quality is what the program measured of an image; zero for PDF.
type Quality struct {
	// Sharpness is the variance of the Laplacian of the luma (0-255) of the
	// image brought to a long side of at most 1024 pixels.
	Sharpness float64 `json:"sharpness"`
	// Brightness is the mean luma, 0 (black) to 255 (white).
	Brightness float64 `json:"brightness"`
	// Contrast is the standard deviation of the luma.
	Contrast float64 `json:"contrast"`
	// MinSide is the shorter side in pixels of what was uploaded, cropped.
	MinSide int `json:"minSide"`
}

// Processor makes a Result of an Input. Its errors about the file are *Error;
// any other error is about the service.
type Processor interface {
	Process(ctx context.Context, in Input) (Result, error)
}
