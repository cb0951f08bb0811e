package scan

import (
	"crypto/sha256"
	"errors"
)

// limits bound what one file may cost. Tests and fuzzing use small ones.
type limits struct {
	pixels  int   // of an image
	pages   int   // of a PDF file
	stream  int64 // bytes of one stream of a PDF file, unpacked
	unpack  int64 // bytes of all of them together
	objects int   // of a PDF file
}

var standard = limits{pixels: MaxPixels, pages: MaxPages, stream: 64 << 20, unpack: 400 << 20, objects: 20_000}

// process does the work in this process. The worker calls it; only tests call
// it elsewhere.
func process(in Input, lim limits) (res Result, err error) {
	// The decoders are not ours, and one of them panics on purpose. A panic
	// here is a damaged file, not a damaged worker.
	defer func() {
		if p := recover(); p != nil {
			res, err = Result{}, &Error{Code: Damaged, cause: errors.New("the decoder panicked")}
		}
	}()
	mediaType, refused := precheck(in)
	if refused != nil {
		return Result{}, refused
	}
	if mediaType == PDF {
		res, err = processPDF(in, lim)
	} else {
		res, err = processImage(in, mediaType, lim)
	}
	if err != nil {
		return Result{}, err
	}
	res.SHA256 = sha256.Sum256(res.Bytes)
	res.UploadSHA256 = sha256.Sum256(in.Bytes)
	return res, nil
}
