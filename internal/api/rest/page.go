package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"absah/internal/apidoc"
	"absah/internal/clock"
	"absah/internal/keys"
)

// page is which part of a list is asked for: what lies behind a position, the
// newest first. What is added later comes before every position, so that it moves
// nothing.
type page struct {
	limit    int
	before   int64 // microseconds since 1970
	beforeID string
}

// position is what a cursor holds. It is sealed for the application, the list and
// its filters: nobody reads it, makes one or uses it elsewhere.
type position struct {
	Before int64  `json:"t"`
	ID     string `json:"i"`
}

const defaultLimit = 25

// page reads limit and cursor.
func (c *call) page(ctx context.Context) (page, error) {
	p := page{limit: defaultLimit, before: 1<<63 - 1}
	if v := c.query("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return p, invalid(apidoc.Fault{Pointer: "?limit", Code: apidoc.FaultType, Want: "integer"})
		}
		p.limit = n
	}
	cursor := c.query("cursor")
	if cursor == "" {
		return p, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return p, problem("invalid_cursor")
	}
	plain, err := c.door.Vault.Open(ctx, keys.Data, sealed, c.listed())
	if closed(err) {
		return p, problem("invalid_cursor")
	}
	if err != nil {
		return p, fmt.Errorf("open cursor: %w", err)
	}
	var at position
	if json.Unmarshal(plain, &at) != nil {
		return p, problem("invalid_cursor")
	}
	p.before, p.beforeID = at.Before, at.ID
	return p, nil
}

// listed names the list that is asked for, with its filters.
func (c *call) listed() []byte {
	q := c.request.URL.Query()
	q.Del("cursor")
	q.Del("limit")
	return []byte("absah/rest/cursor/v1/" + c.client.ID + c.request.URL.Path + "?" + q.Encode())
}

// list answers with a part of a list. items are up to limit+1 of what was found;
// at tells the place of one.
func list[T any](ctx context.Context, c *call, p page, items []T, at func(T) (time.Time, string)) (*answer, error) {
	body := struct {
		Items []T     `json:"items"`
		Next  *string `json:"next"`
	}{Items: items}
	if body.Items == nil {
		body.Items = []T{}
	}
	if len(items) > p.limit {
		body.Items = items[:p.limit]
		when, id := at(items[p.limit-1])
		next, err := c.next(ctx, position{clock.Micros(when), id})
		if err != nil {
			return nil, err
		}
		body.Next = &next
	}
	a, err := with(http.StatusOK, body)
	if err == nil && body.Next != nil {
		a.set("Link", "<"+*body.Next+`>; rel="next"`)
	}
	return a, err
}

// next is the address of what comes behind a position.
func (c *call) next(ctx context.Context, at position) (string, error) {
	plain, err := json.Marshal(at)
	if err != nil {
		return "", fmt.Errorf("make cursor: %w", err)
	}
	sealed, err := c.door.Vault.Seal(ctx, keys.Data, plain, c.listed())
	if err != nil {
		return "", fmt.Errorf("make cursor: %w", err)
	}
	q := c.request.URL.Query()
	q.Set("cursor", base64.RawURLEncoding.EncodeToString(sealed))
	u := url.URL{Path: c.request.URL.Path, RawQuery: q.Encode()}
	return c.door.BaseURL + u.String(), nil
}
