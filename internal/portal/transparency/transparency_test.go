package transparency_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/portal/pagetest"
	"absah/internal/portal/transparency"
	"absah/internal/store"
	"absah/internal/store/db"
)

// hall is a house with the log and its pages.
type hall struct {
	*pagetest.House
	log      *audit.Log
	cert     db.Certificate
	journey  pagetest.Journey
	disputes []string
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{House: pagetest.New(t)}
	h.log = &audit.Log{
		Store: h.Store, Vault: h.Vault, Clock: h.Clock.Now, Slog: h.Logger, Origin: "sign.contoh.example/log", Dir: filepath.Join(t.TempDir(), "log"),
	}
	h.Serve(transparency.New(transparency.Config{
		Log: h.log, Store: h.Store, Clock: h.Clock.Now,
		Dispute: func(_ context.Context, tx *store.Tx, c db.Certificate) error {
			tx.After(func() { h.disputes = append(h.disputes, c.Serial) })
			return nil
		},
	}).Routes())
	h.journey = h.Begin()
	h.cert = h.ToCertificate(h.journey)
	// The authority of the house stands in; this is what the true one records.
	sum := sha256.Sum256(h.cert.Der)
	h.Tx(func(tx *store.Tx) error {
		return audit.Record(t.Context(), tx, h.Clock.Now(), audit.System("ca"), audit.Entry{
			Action: "certificate.issue", ObjectKind: "certificate", ObjectID: h.cert.Serial, Detail: map[string]string{"der_sha256": hex.EncodeToString(sum[:])},
		})
	})
	return h
}

func (h *hall) sign(t *testing.T) audit.Checkpoint {
	t.Helper()
	c, err := h.log.Sign(t.Context())
	pagetest.Must(t, err)
	return c
}

// tamper changes the row of the issuance behind the program's back.
func (h *hall) tamper() {
	h.Tx(func(tx *store.Tx) error {
		for _, q := range []string{"drop trigger audit_no_update", "update audit set actor_role = 'nobody' where action = 'certificate.issue'"} {
			if _, err := tx.Exec(h.T.Context(), q); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestEmployeeSeesEveryCertificateWithItsProof(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	b := h.Browser(h.journey.Applicant)
	page := b.Get(transparency.Mine).Want(t, 200, "Menunggu tanda tangan log", h.cert.Serial, "Pemeriksaan pertama: Rahmat Petugasan", "Pemeriksaan kedua: Dewi Verifikasi")
	page.WantNo(t, "Tidak cocok", "Tidak tercatat")
	c := h.sign(t)
	b.Get(transparency.Mine).Want(t, 200, "Terbukti", "dari "+strconv.FormatInt(c.Tree.N, 10))
	b.Get(transparency.Mine+"?lang=en").Want(t, 200, "Certificates in my name", "Proved", "First check")
	h.tamper()
	b.Get(transparency.Mine).Want(t, 200, "Tidak cocok").WantNo(t, "Terbukti")

	other := h.Browser(h.Applicant("Lain Contoh", h.Unit))
	other.Get(transparency.Mine).Want(t, 200, "Belum ada sertifikat").WantNo(t, h.cert.Serial)
	other.Get(transparency.Mine+"/"+h.cert.Serial+"/bukan-saya").Want(t, 404)
	other.Post(transparency.Mine+"/"+h.cert.Serial+"/bukan-saya").Want(t, 404)
}

func TestThisWasNotMe(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	b := h.Browser(h.journey.Applicant)
	path := transparency.Mine + "/" + h.cert.Serial + "/bukan-saya"
	b.Get(path).Want(t, 200, "Laporkan", h.cert.Serial, "cabut sertifikat")
	if len(h.disputes) != 0 {
		t.Fatal("looking at the page reports")
	}
	b.Post(path).Want(t, 303)
	b.Post(path).Want(t, 303) // once is enough
	if len(h.disputes) != 1 {
		t.Errorf("%d reports", len(h.disputes))
	}
	b.Get(transparency.Mine).Want(t, 200, "Anda melaporkan").WantNo(t, path)
	rows, err := h.Store.Read().ListAuditOfObject(t.Context(), db.ListAuditOfObjectParams{ObjectKind: "certificate", ObjectID: h.cert.Serial})
	pagetest.Must(t, err)
	if last := rows[len(rows)-1]; last.Action != "certificate.dispute" || last.ActorID != h.journey.Applicant.AccountID {
		t.Errorf("recorded as %s by %s", last.Action, last.ActorID)
	}
}

func TestAuditorReadsTheLog(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	b := h.Browser(h.Person("Agus Contoh", account.Auditor, account.Everywhere))
	b.Get(transparency.Auditor).Want(t, 200, "belum pernah diperiksa", "Belum ada checkpoint")
	b.Get(transparency.Auditor+"/checkpoint.txt").Want(t, 404)
	b.Get(transparency.Auditor+"/1").Want(t, 200, "Menunggu tanda tangan")
	b.Get(transparency.Auditor+"/1/bukti.json").Want(t, 404)
	c := h.sign(t)
	_, err := h.log.Verify(t.Context())
	pagetest.Must(t, err)
	b.Get(transparency.Auditor).Want(t, 200, "Baris terbaru diperiksa", "Seluruh log diperiksa", hex.EncodeToString(c.Tree.Hash[:]), "sign.contoh.example/log+")
	if got := b.Get(transparency.Auditor+"/checkpoint.txt").Want(t, 200); got.Body != c.Note {
		t.Errorf("checkpoint %q", got.Body)
	}
	b.Get(transparency.Auditor+"?baris=2").Want(t, 303)
	b.Get(transparency.Auditor+"/2").Want(t, 200, "Terbukti", "Jalur")
	for _, none := range []string{"/0", "/x", "/99999", "/99999/bukti.json"} {
		b.Get(transparency.Auditor+none).Want(t, 404)
	}

	// What is downloaded is a proof.
	var d struct {
		Seq        int64
		Leaf       []byte
		Checkpoint string
		Proof      []string
	}
	pagetest.Must(t, json.Unmarshal([]byte(b.Get(transparency.Auditor+"/2/bukti.json").Want(t, 200).Body), &d))
	key, err := h.log.Verifier(t.Context())
	pagetest.Must(t, err)
	signed, err := audit.ReadCheckpoint([]byte(d.Checkpoint), key)
	pagetest.Must(t, err)
	var proof tlog.RecordProof
	for _, text := range d.Proof {
		hash, err := tlog.ParseHash(text)
		pagetest.Must(t, err)
		proof = append(proof, hash)
	}
	pagetest.Must(t, tlog.CheckRecord(proof, signed.Tree.N, signed.Tree.Hash, d.Seq-1, tlog.RecordHash(d.Leaf)))

	part := h.Browser(h.Person("Bagian Contoh", account.Auditor, h.Other))
	for _, path := range []string{"", "/1", "/1/bukti.json", "/checkpoint.txt"} {
		part.Get(transparency.Auditor+path).Want(t, 404)
	}
}

func TestAlarmIsSeen(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.sign(t)
	if n, err := transparency.Alarm(t.Context(), h.Store.Read()); n != 0 || err != nil {
		t.Errorf("%d alarms, %v", n, err)
	}
	h.tamper()
	if _, err := h.log.Verify(t.Context()); err == nil {
		t.Fatal("the tampering is not found")
	}
	if n, err := transparency.Alarm(t.Context(), h.Store.Read()); n != 1 || err != nil {
		t.Errorf("%d alarms, %v", n, err)
	}
	for path, who := range map[string]account.Role{transparency.Auditor: account.Auditor, transparency.Operation: account.Administrator} {
		page := h.Browser(h.Person("Orang "+strings.ToUpper(string(who[:1]))+" Contoh", who, account.Everywhere)).Get(path)
		page.Want(t, 200, "Log tidak cocok", "was changed")
	}
}
