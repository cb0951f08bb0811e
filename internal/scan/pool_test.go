package scan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"absah/internal/hint"

	"absah/internal/confine"
	"github.com/nicksnyder/go-i18n/v2/i18n"

	"github.com/pelletier/go-toml"
	"golang.org/x/text/language"
)

// TestMain lets the test program be its own worker, and workers that fail in
// every way.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case WorkerCommand:
			os.Exit(WorkerMain(os.Stdin, os.Stdout))
		case "hang":
			time.Sleep(time.Hour)
		case "crash":
			panic("as if the decoder had a hole")
		case "flood":
			for {
				if _, err := os.Stdout.Write(make([]byte, 1<<20)); err != nil {
					os.Exit(0)
				}
			}
		case "garbage":
			fmt.Print(strings.Repeat("garbage ", 100))
			os.Exit(0)
		case "echo": // gives the upload back as the result
			in, err := decodeRequest(os.Stdin)
			if err != nil {
				os.Exit(exitBroken)
			}
			b, _ := encodeResponse(Result{
				Bytes: in.Bytes, Preview: in.Bytes, Thumb: in.Bytes, MediaType: JPEG, Width: 9, Height: 9, Pages: 1,
			}, nil)
			os.Stdout.Write(b)
			os.Exit(0)
		case "memory":
			if confine.Here(limitsOfWorker) != nil {
				os.Exit(confine.ExitUnlimited)
			}
			var keep [][]byte
			for range 64 {
				b := make([]byte, 64<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				keep = append(keep, b)
			}
			b, _ := encodeResponse(Result{}, refuse(Damaged, "Blocks", fmt.Sprint(len(keep))))
			os.Stdout.Write(b) // 4 GB: the limit does not hold, and the test sees another code
			os.Exit(0)
		case "files":
			if confine.Here(limitsOfWorker) != nil {
				os.Exit(confine.ExitUnlimited)
			}
			f, err := os.CreateTemp("", "scan")
			if err == nil {
				_, err = f.Write([]byte("x"))
				os.Remove(f.Name())
			}
			if err == nil {
				b, _ := encodeResponse(Result{}, refuse(Damaged)) // it could write: not what is wanted
				os.Stdout.Write(b)
				os.Exit(0)
			}
			os.Exit(9)
		case "environment":
			if len(os.Environ()) != 0 {
				os.Exit(9)
			}
			b, _ := encodeResponse(Result{}, refuse(Empty))
			os.Stdout.Write(b)
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func newPool(t testing.TB, command string, size int) *Pool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPool([]string{self, command}, size)
	if err != nil {
		t.Fatal(err)
	}
	p.Wall = time.Minute // a busy machine is no reason to fail
	return p
}

func TestPool(t *testing.T) {
	t.Parallel()
	p := newPool(t, WorkerCommand, 2)
	up := jpegOf(t, drawn(1010, 640))
	r, err := p.Process(t.Context(), Input{Kind: IDCard, Bytes: up, Rotate: 90, Crop: &Rect{0, 0, 1, .5}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Width != 640 || r.Height != 505 || r.SHA256 != sha256.Sum256(r.Bytes) || r.UploadSHA256 != sha256.Sum256(up) {
		t.Errorf("%dx%d", r.Width, r.Height)
	}
	if decoded(t, r.Thumb).Bounds().Dx() != ThumbSide || hintCodes(r) != string(hint.ScanTooSmall) {
		t.Errorf("hints %s", hintCodes(r))
	}
	r, err = p.Process(t.Context(), Input{Kind: Recommendation, Bytes: pdfSample{kids: 2}.bytes()})
	if err != nil || r.Pages != 2 || r.MediaType != PDF {
		t.Errorf("PDF: %v, %d pages", err, r.Pages)
	}
	_, err = p.Process(t.Context(), Input{Kind: Recommendation, Bytes: pdfSample{kids: 11}.bytes()})
	var e *Error
	if !errors.As(err, &e) || e.Code != TooManyPages || e.Params["Pages"] != "11" || e.Params["Max"] != "10" {
		t.Errorf("11 pages: %v", err)
	}
	if _, err := p.Process(t.Context(), Input{Kind: "passport", Bytes: up}); err == nil || errors.As(err, &e) {
		t.Errorf("an unknown kind: %v", err)
	}
}

// The largest honest images fit into the limits of a worker.
func TestPoolLargest(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("the race detector needs the memory")
	}
	samples := map[string][]byte{"progressive JPEG": progressiveJPEG(5000)}
	if os.Getenv("ABSAH_LONG") != "" {
		samples["interlaced PNG of 16 bits"] = interlacedPNG(t, 5000)
	}
	p := newPool(t, WorkerCommand, 1)
	for name, b := range samples {
		r, err := p.Process(t.Context(), Input{Kind: IDCard, Bytes: b})
		if err != nil || r.Width != MaxSide {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A worker that dies, hangs or lies costs its own file and nothing else.
func TestPoolSurvives(t *testing.T) {
	t.Parallel()
	up := jpegOf(t, drawn(400, 300))
	for _, command := range []string{"hang", "crash", "flood", "garbage", "echo", "memory", "files"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, command, 1)
			if command == "hang" {
				p.Wall = 200 * time.Millisecond
			}
			for range 2 { // the place in the pool is free again
				if _, err := p.Process(t.Context(), Input{Kind: IDCard, Bytes: up}); !errors.Is(err, ErrUnprocessable) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	t.Run("environment", func(t *testing.T) {
		t.Parallel()
		_, err := newPool(t, "environment", 1).Process(t.Context(), Input{Kind: IDCard, Bytes: up})
		wantCode(t, err, Empty)
	})
	t.Run("no program", func(t *testing.T) {
		t.Parallel()
		p, err := NewPool([]string{"/nonexistent"}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var e *Error
		if _, err := p.Process(t.Context(), Input{Kind: IDCard, Bytes: up}); err == nil || errors.As(err, &e) {
			t.Errorf("that is no fault of the file: %v", err)
		}
	})
}

func TestPoolBusy(t *testing.T) {
	t.Parallel()
	p := newPool(t, WorkerCommand, 1)
	p.Wait = time.Millisecond
	release, err := p.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Kind: IDCard, Bytes: jpegOf(t, drawn(400, 300))}
	if _, err := p.Process(t.Context(), in); !errors.Is(err, ErrBusy) {
		t.Errorf("a full pool: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.Wait = time.Hour
	if _, err := p.Process(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while waiting: %v", err)
	}
	release()
	if _, err := p.Process(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before the start: %v", err)
	}
	if _, err := p.Process(t.Context(), in); err != nil {
		t.Errorf("the pool is free: %v", err)
	}
}

// U2, U4: only what begins and decodes as JPEG, PNG or PDF is taken, and what
// is stored never holds what was behind, before or inside it.
func TestPolyglots(t *testing.T) {
	t.Parallel()
	script := []byte("<script>alert('" + secretWords + "')</script>")
	zip := []byte("PK\x03\x04" + secretWords + "PK\x05\x06" + strings.Repeat("\x00", 18))
	jpg, pngFile, pdf := jpegOf(t, drawn(300, 200)), pngOf(t, drawn(300, 200)), pdfSample{}.bytes()
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	comment := func(b []byte) []byte {
		return join(jpg[:2], []byte{0xff, 0xfe, 0, byte(len(b) + 2)}, b, jpg[2:])
	}
	text := join(pngFile[:33], chunk("tEXt", join([]byte("Comment\x00"), script)), pngFile[33:])
	inPDF := func(s string) []byte { return bytes.Replace(pdf, []byte("%\xe2\xe3\xcf\xd3\n"), []byte(s), 1) }
	const taken = Code("")
	for name, c := range map[string]struct {
		b    []byte
		want Code
	}{
		"JPEG then script":         {join(jpg, script), taken},
		"JPEG then ZIP":            {join(jpg, zip), taken},
		"JPEG then PDF":            {join(jpg, pdf), taken},
		"JPEG with script comment": {comment(script), taken},
		"JPEG with PDF comment":    {comment([]byte("%PDF-1.7 " + secretWords)), taken},
		"PNG then script":          {join(pngFile, script), taken},
		"PNG then ZIP":             {join(pngFile, zip), taken},
		"PNG with script text":     {text, taken},
		"PDF then ZIP":             {join(pdf, zip), taken},
		"PDF then script":          {join(pdf, []byte("\n"), script), taken},
		"PDF with script comment":  {inPDF("%" + string(script[:6]) + "\n"), taken},
		"GIF and script":           {[]byte("GIF89a/*" + secretWords + "*/=1;alert(1)"), WrongType},
		"ZIP then PDF":             {join(zip, pdf), WrongType},
		"script then JPEG":         {join(script, jpg), WrongType},
		"space then PDF":           {join([]byte(" "), pdf), WrongType},
		"HTML":                     {[]byte("<!DOCTYPE html><html>" + secretWords), WrongType},
		"SVG":                      {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), WrongType},
		"SVG with XML head":        {[]byte(`<?xml version="1.0"?><svg/>`), WrongType},
		"byte order mark and HTML": {[]byte("\ufeff<html>"), WrongType},
		"TIFF":                     {[]byte("II*\x00\x08\x00\x00\x00"), WrongType},
		"WebP":                     {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), WrongType},
		"PostScript":               {[]byte("%!PS-Adobe-3.0"), WrongType},
		"JPEG head, then HTML":     {join([]byte("\xff\xd8\xff\xe0"), script), Damaged},
		"PNG head, then HTML":      {join(pngFile[:8], script), Damaged},
		"PDF head, then HTML":      {join([]byte("%PDF-1.7\n"), script), Damaged},
		"nothing":                  {nil, Empty},
		"too big":                  {join(jpg, make([]byte, MaxBytes)), TooBig},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := process(Input{Kind: IDCard, Bytes: c.b}, standard)
			wantCode(t, err, c.want)
			if err == nil && (bytes.Equal(r.Bytes, c.b) || bytes.Contains(r.Bytes, []byte(secretWords)) ||
				bytes.Contains(r.Bytes, []byte("script")) || bytes.Contains(r.Bytes, []byte("PK\x03\x04"))) {
				t.Error("the foreign part is stored")
			}
		})
	}
}

// Answers that contradict themselves are not believed.
func TestDecodeResponse(t *testing.T) {
	t.Parallel()
	jpg := jpegOf(t, drawn(40, 40))
	good := Result{Bytes: jpg, Preview: jpg, Thumb: jpg, MediaType: JPEG, Width: 40, Height: 40, Pages: 1}
	for name, change := range map[string]func(*Result){
		"good":       nil,
		"PDF":        func(r *Result) { r.MediaType = PDF },
		"HTML":       func(r *Result) { r.Bytes = []byte("<html>") },
		"HTML thumb": func(r *Result) { r.Thumb = []byte("<html>") },
		"no thumb":   func(r *Result) { r.Thumb = nil },
		"type":       func(r *Result) { r.MediaType = "text/html" },
		"pages":      func(r *Result) { r.Pages = 11 },
		"width":      func(r *Result) { r.Width = 1 << 20 },
		"negative":   func(r *Result) { r.Width = -1 },
	} {
		r := good
		if change != nil {
			change(&r)
		}
		b, err := encodeResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeResponse(b); (err == nil) != (change == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if change == nil {
			for _, bad := range [][]byte{b[:len(b)-1], append(bytes.Clone(b), 0), b[:20], nil} {
				if _, err := decodeResponse(bad); err == nil {
					t.Errorf("%d of %d bytes are an answer", len(bad), len(b))
				}
			}
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	data := map[string]string{"Max": "5", "Width": "1", "Height": "2", "Pages": "3"}
	for _, lang := range []string{"id", "en"} {
		bundle := i18n.NewBundle(language.Indonesian)
		bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
		file, err := bundle.LoadMessageFile("../portal/locales/scan." + lang + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		if len(file.Messages) != len(Codes()) {
			t.Errorf("%s: %d messages, %d codes", lang, len(file.Messages), len(Codes()))
		}
		l := i18n.NewLocalizer(bundle, lang)
		for _, code := range Codes() {
			text, err := l.Localize(&i18n.LocalizeConfig{MessageID: (&Error{Code: code}).Key(), TemplateData: data})
			if err != nil || strings.Contains(text, "<no value>") {
				t.Errorf("%s in %s: %q, %v", code, lang, text, err)
			}
		}
	}
}

func FuzzProcess(f *testing.F) {
	small := limits{pixels: 64 * 64, pages: 3, stream: 1 << 16, unpack: 1 << 17, objects: 100}
	f.Add(jpegOf(f, drawn(40, 30)), 90, 0.1, 0.1, 0.9, 0.9)
	f.Add(pngOf(f, drawn(30, 40)), 0, 0.0, 0.0, 0.0, 0.0)
	f.Add(pdfSample{page: "/Contents 4 0 R", objects: []string{stream("", []byte("q Q"))}}.bytes(), 0, 0.0, 0.0, 0.0, 0.0)
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\x08\x00"), 0, 0.0, 0.0, 1.0, 1.0)
	f.Fuzz(func(t *testing.T, b []byte, rotate int, x0, y0, x1, y1 float64) {
		in := Input{Kind: IDCard, Bytes: b, Rotate: rotate}
		if x0 != 0 || y0 != 0 || x1 != 0 || y1 != 0 {
			in.Crop = &Rect{x0, y0, x1, y1}
		}
		r, err := process(in, small)
		var refused *Error
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("a fault of the service: %v", err)
		}
		if err == nil && (bytes.Equal(r.Bytes, b) || sniff(r.Bytes) != r.MediaType || r.Pages < 1 || r.Pages > 3) {
			t.Errorf("a wrong result: %s, %d pages", r.MediaType, r.Pages)
		}
	})
}

func BenchmarkPool(b *testing.B) {
	p := newPool(b, WorkerCommand, 2)
	in := Input{Kind: IDCard, Bytes: jpegOf(b, drawn(3000, 2000))}
	for b.Loop() {
		if _, err := p.Process(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
