package faulttest

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/store/storetest"
)

// patience bounds what is not to hang.
const patience = 20 * time.Second

// says asks the responder for the status of somebody's certificate, which needs
// no room on any disk.
func (h *house) says(p *person) int {
	h.t.Helper()
	responder, err := h.Hierarchy.Responder(h.Records, h.Clock)
	must(h.t, err)
	row, err := h.Store.Read().CertificateOfRegistration(h.t.Context(), p.reg)
	must(h.t, err)
	cert, err := x509.ParseCertificate(row.Der)
	must(h.t, err)
	req, err := ocsp.CreateRequest(cert, h.Hierarchy.Issuing, &ocsp.RequestOptions{Hash: crypto.SHA256})
	must(h.t, err)
	answer, err := responder.Respond(h.t.Context(), req)
	must(h.t, err)
	res, err := ocsp.ParseResponseForCert(answer.DER, cert, h.Hierarchy.Issuing)
	must(h.t, err)
	return res.Status
}

func (h *house) stamp(ctx context.Context) error {
	digest := sha256.Sum256([]byte("surat"))
	_, err := h.Timestamps.Timestamp(ctx, crypto.SHA256, digest[:])
	return err
}

// The whole installation lies on a disk that is full: nothing is acknowledged
// that is not durable, what only reads goes on, and with room again everything
// is done without a restart (F4).
func TestFullDisk(t *testing.T) {
	d := newDisk(t)
	dir := filepath.Join(d.dir, "data")
	h := open(t, dir, "", 20)
	f := storetest.Break(t, h.Store, h.cfg.DatabaseURL())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, h.Authority.PublishCRL(ctx, string(ca.IssuingCA)))
	type act struct {
		o operation
		p *person
	}
	var acts []act
	for _, o := range operations {
		acts = append(acts, act{o, o.subject(h)})
	}
	known := h.at(enrolment.Issue)
	f.Checkpoint() // no room in a log that was written before
	d.fill()
	before := f.Rows()
	for _, a := range acts {
		if err := a.o.do(h, ctx, a.p); err == nil || ctx.Err() != nil {
			t.Errorf("%s on a full disk: %v (%v)", a.o.name, err, ctx.Err())
		}
	}
	if err := h.Authority.PublishCRL(ctx, string(ca.IssuingCA)); err == nil {
		t.Error("a list was published on a full disk")
	}
	if err := h.stamp(ctx); err == nil {
		t.Error("a time was attested that is not kept")
	}
	if err := differences(f.Rows(), before); err != nil {
		t.Errorf("on a full disk: %v", err)
	}
	if got := h.says(known); got != ocsp.Good {
		t.Errorf("OCSP says %d", got)
	}
	if _, err := h.Enrolment.StandingOf(ctx, known.who.EmployeeID); err != nil {
		t.Errorf("the page of the subscriber: %v", err)
	}

	d.free()
	ctx, again := context.WithTimeout(t.Context(), patience)
	defer again()
	for _, a := range acts {
		if err := a.o.do(h, ctx, a.p); err != nil || !a.o.done(h, a.p) {
			t.Errorf("%s with room again: %v", a.o.name, err)
		}
	}
	must(t, h.Authority.PublishCRL(ctx, string(ca.IssuingCA)))
	must(t, h.stamp(ctx))
	h.sound("after a full disk", known)
}

// The database has room, and the directory beside it has none: what must be on
// record there before it is acknowledged is not.
func TestFullJournal(t *testing.T) {
	d := newDisk(t)
	h := open(t, filepath.Join(d.dir, "data"), storetest.Postgres(t), 10)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	name := string(ca.IssuingCA)
	must(t, h.Authority.PublishCRL(ctx, name))
	p := h.at(enrolment.Issue)
	before, err := h.Records.CRL(ctx, name)
	must(t, err)
	d.fill()
	var refused error
	for range 200 { // the file ends within a block, which takes some more lines
		if refused = suspend(h, ctx, p); refused != nil {
			break
		}
		if got := h.says(p); got != ocsp.Revoked {
			t.Fatalf("a suspension was acknowledged, and OCSP says %d", got)
		}
		if refused = h.Enrolment.Reinstate(ctx, p.two, enrolment.Officer, p.reg, release); refused != nil {
			break
		}
	}
	if refused == nil {
		t.Fatal("200 changes of status went into a full directory")
	}
	held := reason(ca.CertificateHold)(h, p)
	if err := h.Enrolment.Revoke(ctx, enrolment.Checker{Actor: p.who}, enrolment.Applicant, p.reg, why); err == nil {
		t.Error("a revocation that no journal keeps was acknowledged")
	}
	if reason(ca.CertificateHold)(h, p) != held {
		t.Error("a part of a revocation was kept")
	}
	if err := h.Authority.PublishCRL(ctx, name); err == nil {
		t.Error("a list was published into a full directory")
	}
	now, err := h.Records.CRL(ctx, name)
	must(t, err)
	if now.Number != before.Number {
		t.Errorf("list %d is published and not in its file", now.Number)
	}
	d.free()
	must(t, h.Enrolment.Revoke(ctx, enrolment.Checker{Actor: p.who}, enrolment.Applicant, p.reg, why))
	must(t, h.Authority.PublishCRL(ctx, name))
	if got := h.says(p); got != ocsp.Revoked {
		t.Errorf("OCSP says %d", got)
	}
	h.sound("after a full directory", p)
}
