package scan

import "fmt"

// Code names a reason to refuse a file. It is stable: the message of a code has
// the key "scan.error." + code in every language and says what to do.
type Code string

// The reasons to refuse a file, and the HTTP status that fits.
const (
	Empty         Code = "empty"           // 422
	TooBig        Code = "too_big"         // 413; Params: Max (MiB)
	WrongType     Code = "wrong_type"      // 415
	TooManyPixels Code = "too_many_pixels" // 422; Params: Width, Height, Max (megapixels)
	TooFewPixels  Code = "too_few_pixels"  // 422: nothing can be seen on it
	BadCrop       Code = "bad_crop"        // 422: crop or rotation out of range
	Damaged       Code = "damaged"         // 422
	Encrypted     Code = "encrypted"       // 422
	TooManyPages  Code = "too_many_pages"  // 422; Params: Pages, Max
	NoPages       Code = "no_pages"        // 422
	TooComplex    Code = "too_complex"     // 422: would unpack to far more than a letter
	Script        Code = "script"          // 422: /JS, /JavaScript
	Launch        Code = "launch"          // 422: /Launch and other actions that reach outside the file
	Attachment    Code = "attachment"      // 422: /EmbeddedFile
	XFA           Code = "xfa"             // 422: /XFA
	Media         Code = "media"           // 422: /RichMedia, 3D, sound, film
	Unprocessable Code = "unprocessable"   // 422: the worker ran out of memory or time, or crashed
	Busy          Code = "busy"            // 503, try again
)

// Codes lists every code.
func Codes() []Code {
	return []Code{
		Empty, TooBig, WrongType, TooManyPixels, TooFewPixels, BadCrop, Damaged, Encrypted, TooManyPages,
		NoPages, TooComplex, Script, Launch, Attachment, XFA, Media, Unprocessable, Busy,
	}
}

// Error says why a file was refused.
type Error struct {
	Code   Code
	Params map[string]string // for the message; see the codes
	// cause is for the log of the service. It never holds bytes of the file.
	cause error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("scan refused: %s: %v", e.Code, e.cause)
	}
	return "scan refused: " + string(e.Code)
}

// Key is the key of the message in the files of texts.
func (e *Error) Key() string { return "scan.error." + string(e.Code) }

// Unwrap returns what led to the refusal, if known.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a refusal for the same reason, so that
// errors.Is(err, scan.ErrBusy) holds whatever the parameters.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refusals to compare with by errors.Is.
var (
	ErrUnprocessable error = &Error{Code: Unprocessable}
	ErrBusy          error = &Error{Code: Busy}
	ErrTooBig        error = &Error{Code: TooBig}
	ErrWrongType     error = &Error{Code: WrongType}
)

// refuse makes an *Error; params are names and values in turn.
func refuse(code Code, params ...string) *Error {
	e := &Error{Code: code}
	for i := 0; i+1 < len(params); i += 2 {
		if e.Params == nil {
			e.Params = map[string]string{}
		}
		e.Params[params[i]] = params[i+1]
	}
	return e
}
