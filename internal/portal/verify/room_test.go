package verify

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"absah/internal/clock"
	"absah/internal/portal/web"
	"absah/internal/verification"
)

// TestUploadsAreBoundedTogether: what strangers send is counted while it comes, and
// refused for now where there is no room for it.
func TestUploadsAreBoundedTogether(t *testing.T) {
	p := New(Config{Clock: clock.System})
	if p.room.Total > 1<<30 || p.room.Each > p.room.Total/2 {
		t.Errorf("room for %d, of one address for %d", p.room.Total, p.room.Each)
	}
	p.room = &verification.Room{Total: 100, Each: 100}
	body := "--b\r\nContent-Disposition: form-data; name=\"dokumen\"; filename=\"a.pdf\"\r\n\r\n" + strings.Repeat("x", 200) + "\r\n--b--\r\n"
	r := httptest.NewRequest(http.MethodPost, Path, strings.NewReader(body))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	r = r.WithContext(web.With(r.Context(), &web.Request{Address: "192.0.2.1"}))
	if _, _, err := p.answer(httptest.NewRecorder(), r); !errors.Is(err, verification.ErrBusy) {
		t.Errorf("a document beyond the room: %v", err)
	}
}
