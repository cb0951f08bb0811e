package pki

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"absah/internal/tsa"
)

const (
	typeQuery = "application/timestamp-query"
	typeReply = "application/timestamp-reply"
)

// TSA returns the handler of the Time-Stamp Protocol over HTTP (RFC 3161 3.4):
// POST of a TimeStampReq, answered by a TimeStampResp with status 200 also when
// that one is a refusal. respond is (*tsa.Unit).Respond.
func TSA(respond func(ctx context.Context, request []byte) ([]byte, error), log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "POST an "+typeQuery, http.StatusMethodNotAllowed)
			return
		}
		body, ok := readRequest(w, r, typeQuery, tsa.MaxRequest)
		if !ok {
			return
		}
		response, err := respond(r.Context(), body)
		if errors.Is(err, tsa.ErrClock) {
			log.WarnContext(r.Context(), "no timestamp", "error", err)
		}
		if response == nil {
			log.ErrorContext(r.Context(), "no timestamp", "error", err)
			http.Error(w, "no timestamps now", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", typeReply)
		w.Header().Set("Content-Length", strconv.Itoa(len(response)))
		_, _ = w.Write(response) // the client has gone
	})
}
