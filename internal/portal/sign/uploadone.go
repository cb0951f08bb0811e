package sign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
)

// The fields beside the file where each file is sent by itself.
const (
	fieldDone  = "sudah" // files of the same choice that arrived before
	fieldAgain = "lagi"  // "ya": this file was sent before, and the answer was lost
)

// uploaded is what the script of the page is told about one file: where to go on,
// or why it was not taken.
type uploaded struct {
	Next    string `json:"next,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// uploadOne takes the one document of a form that a script sends, so that a broken
// line costs no more than that document.
func (p *Pages) uploadOne(w http.ResponseWriter, r *http.Request, parts *multipart.Reader) error {
	fields := map[string]string{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return answerUpload(w, http.StatusUnprocessableEntity, uploaded{Problem: i18n.T(r.Context(), "sign.upload.none")})
		}
		if err != nil {
			return fmt.Errorf("read the form: %w", web.ErrBadRequest)
		}
		if part.FormName() != fileField || part.FileName() == "" {
			b, err := io.ReadAll(io.LimitReader(part, 64))
			if err != nil {
				return fmt.Errorf("read the form: %w", web.ErrBadRequest)
			}
			fields[part.FormName()] = string(b)
			continue
		}
		d, err := p.Signing.Upload(r.Context(), me(r), signing.Upload{Name: part.FileName(), Body: part, Again: fields[fieldAgain] == "ya"})
		busy := errors.Is(err, signing.ErrReading)
		problem, err := p.notTaken(r.Context(), part.FileName(), err)
		if err != nil {
			return err
		}
		if busy { // the script comes again
			w.Header().Set("Retry-After", "5")
			return answerUpload(w, http.StatusServiceUnavailable, uploaded{Problem: problem})
		}
		if problem != "" {
			return answerUpload(w, http.StatusUnprocessableEntity, uploaded{Problem: problem})
		}
		before, _ := strconv.Atoi(fields[fieldDone]) // it is only said, not relied upon
		web.Flash(w, r, ui.Success, "sign.upload.done", "count", strconv.Itoa(min(max(before, 0), p.Signing.Limits.Batch)+1))
		answer := uploaded{Next: Base}
		if d.Encrypted && !d.Unlocked {
			answer.Next = unlockPath + "?" + fieldDocument + "=" + d.ID
		}
		return answerUpload(w, http.StatusOK, answer)
	}
}

func answerUpload(w http.ResponseWriter, status int, a uploaded) error {
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("answer an upload: %w", err)
	}
	return web.JSON(w, status, b)
}
