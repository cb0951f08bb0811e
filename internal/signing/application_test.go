package signing_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// application lets one call and gives its name.
func (w *world) application(name string) string {
	w.t.Helper()
	clients := &apiclient.Service{Store: w.DB, Clock: w.clock.Now}
	_, _, err := clients.Add(w.t.Context(), audit.System("test"), name, false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: true})
	must(w.t, err)
	return name
}

// turn disables or enables an application.
func turn(t *testing.T, w *signingtest.World, name string, on bool) {
	t.Helper()
	clients := &apiclient.Service{Store: w.DB, Clock: w.Config.Clock}
	c, err := clients.Find(t.Context(), name)
	must(t, err)
	set := c.Settings()
	set.Enabled = on
	must(t, clients.Change(t.Context(), audit.System("test"), c.ID, set))
}

// TestDisabledMeanwhile: an application that is disabled gets no further signature, not
// for what was authorised before and not in the middle of a list.
func TestDisabledMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		name := w.application("aplikasi")
		file, err := signingtest.PDF("dari aplikasi", 1)
		must(t, err)
		item := signing.Item{File: bytes.NewReader(file), Size: int64(len(file)), Name: "a.pdf"}
		a := w.authorization(item, item, item)
		a.Client = name
		var got [3]bytes.Buffer
		out, err := w.SignNow(t.Context(), a, func(i int) io.Writer {
			if i == 1 {
				turn(t, w.World, name, false)
			}
			return &got[i]
		})
		must(t, err)
		if len(out) != 3 || out[0].Err != nil || !errors.Is(out[1].Err, apiclient.ErrDisabled) || !errors.Is(out[2].Err, apiclient.ErrDisabled) || signing.Problem(out[1].Err) != "application" {
			t.Fatalf("%+v", out)
		}
		if got[0].Len() == 0 || got[1].Len()+got[2].Len() != 0 {
			t.Error("what came out does not fit the outcomes")
		}

		turn(t, w.World, name, true)
		hash := hashItem("satu")
		a = w.authorization(hash)
		a.Client = name
		act, err := w.Authorize(t.Context(), a)
		must(t, err)
		turn(t, w.World, name, false)
		if _, err := act.SignHashes(t.Context(), [][]byte{hash.Hash}, false); !errors.Is(err, apiclient.ErrDisabled) {
			t.Errorf("a hash that was authorised before: %v", err)
		}
		must(t, act.Close(context.WithoutCancel(t.Context())))
		w.balance(1, 0)
	})
}

// TestDisabledWindow: disabling an application ends the windows that were opened for it,
// and enabling it again gives none back.
func TestDisabledWindow(t *testing.T) {
	o := newOffice(t, storetest.SQLite(t))
	w, err := o.window(nil)
	must(t, err)
	if _, err := o.sign("sebelum"); err != nil {
		t.Fatal(err)
	}
	turn(t, o.World, o.client.Name, false)
	turn(t, o.World, o.client.Name, true)
	o.closed("its application was disabled meanwhile", "sesudah")
	if got, err := o.Window(t.Context(), o.who.EmployeeID, w.ID); err != nil || got.Reason != apiclient.WindowDisabled || got.Ended.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}
