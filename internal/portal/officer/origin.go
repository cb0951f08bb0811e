package officer

import (
	"net/http"
	"net/url"

	"absah/internal/enrolment"
)

// origin is the list from which a registration was opened: the query of its
// address. The pages of the registration carry it in theirs (dari=), so that every
// window finds its own way back. Empty stands for the first page of a status.
type origin string

// maxOrigin bounds what an address may carry, in bytes.
const maxOrigin = 1000

// readOrigin takes only what describes a list.
func readOrigin(s string) origin {
	v, err := url.ParseQuery(s)
	if err != nil || len(s) == 0 || len(s) > maxOrigin {
		return ""
	}
	return origin(readQuery(v).values().Encode())
}

func originOf(r *http.Request) origin { return readOrigin(r.URL.Query().Get("dari")) }

// origin is the list that q describes, for a registration in the status.
func (q queueQuery) origin(s enrolment.Status) origin {
	if q == (queueQuery{Status: s}) {
		return ""
	}
	return readOrigin(q.values().Encode())
}

// tab is the list of a status that leaves out what q leaves out.
func (q queueQuery) tab(s enrolment.Status) queueQuery {
	return queueQuery{Status: s, Unit: q.Unit, Days: q.Days, Whose: q.Whose}
}

// at is the address of rest below a registration; more are pairs of a name and a
// value for its query.
func (o origin) at(id, rest string, more ...string) string {
	v := url.Values{}
	if o != "" {
		v.Set("dari", string(o))
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	if len(v) == 0 {
		return path(id) + rest
	}
	return path(id) + rest + "?" + v.Encode()
}

// list leads back: to the list, or to that of the status s.
func (o origin) list(s enrolment.Status) queueQuery {
	if o == "" {
		return queueQuery{Status: s}
	}
	v, _ := url.ParseQuery(string(o)) // readOrigin made it
	return readQuery(v)
}
