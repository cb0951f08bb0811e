package officer_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"regexp"
	"testing"

	"github.com/descope/virtualwebauthn"

	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/portal/pagetest"
	"absah/internal/store"
	"absah/internal/store/db"
)

// subjects tells package ca about employees.
type subjects struct{ h *pagetest.House }

func (s subjects) CertificateSubject(ctx context.Context, q *db.Queries, id string) (ca.Subject, [sha256.Size]byte, error) {
	snap, err := s.h.Staff.Snapshot(ctx, q, id)
	if err != nil {
		return ca.Subject{}, [sha256.Size]byte{}, err
	}
	return ca.Subject{Name: snap.Name, Reference: snap.NIP, Email: snap.Email}, snap.Hash(), nil
}

var site = virtualwebauthn.RelyingParty{Name: "Absah", ID: "localhost", Origin: "http://localhost:8080"}

// passkey is an officer's.
type passkey struct {
	virtualwebauthn.Authenticator
	virtualwebauthn.Credential
	cose []byte
}

// newPasskey makes one whose coordinates have no leading zero, which package
// virtualwebauthn would drop.
func newPasskey(t *testing.T) passkey {
	t.Helper()
	for {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		pagetest.Must(t, err)
		point, err := key.PublicKey.Bytes()
		pagetest.Must(t, err)
		if point[1] == 0 || point[33] == 0 {
			continue
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		pagetest.Must(t, err)
		p := passkey{Authenticator: virtualwebauthn.NewAuthenticator(), Credential: virtualwebauthn.NewCredentialWithImportedKey(virtualwebauthn.KeyTypeEC2, der)}
		p.AddCredential(p.Credential)
		head, err := hex.DecodeString("a5010203262001215820")
		pagetest.Must(t, err)
		p.cose = append(append(append(head, point[1:33]...), 0x22, 0x58, 0x20), point[33:]...)
		return p
	}
}

func (p passkey) data() string {
	return fmt.Sprintf(`{"publicKey":%q}`, base64.StdEncoding.EncodeToString(p.cose))
}

var asked = regexp.MustCompile(`data-options="([^"]*)"`)

// sign answers what a page asks for.
func (p passkey) sign(t *testing.T, page string) string {
	t.Helper()
	m := asked.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page asks for no signature")
	}
	options, err := virtualwebauthn.ParseAssertionOptions(html.UnescapeString(m[1]))
	pagetest.Must(t, err)
	return virtualwebauthn.CreateAssertionResponse(site, p.Authenticator, p.Credential, *options)
}

func (o *office) pin(t *testing.T, who enrolment.Checker, p passkey) {
	t.Helper()
	pagetest.Must(t, o.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.PinPasskey(t.Context(), db.PinPasskeyParams{CredentialID: p.ID, EmployeeID: who.EmployeeID, PublicKey: p.cose, PinnedAt: 1})
	}))
}

func (o *office) byPasskey() {
	urls := ca.URLsAt("http://pki.contoh.example")
	o.Svc.Approvals = ca.Approvals{People: subjects{o.House}, Profile: ca.DefaultProfile("ID", "Instansi Contoh", "2.25.1.1", urls),
		Policy: ca.ByPasskey, Site: ca.SiteAt(site.Origin)}
}

func TestOfficersSignWhatTheyApprove(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.byPasskey()
	key, other := newPasskey(t), newPasskey(t)
	one := o.open(o.one.Actor)
	one.Post(o.path + "/ambil")

	// Without a passkey that the authority knows the page says what is missing.
	acc, err := o.Store.Read().GetAccountByEmployee(t.Context(), sql.NullString{String: o.one.EmployeeID, Valid: true})
	pagetest.Must(t, err)
	pagetest.Must(t, o.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertPasskey(t.Context(), db.InsertPasskeyParams{ID: ident.New(), AccountID: acc.ID, CredentialID: key.ID, Data: key.data(), Name: "Kunci", CreatedAt: 1})
	}))
	page := one.Get(o.path).Want(t, 200, "Belum ada passkey Anda yang disahkan", ca.Fingerprint(key.ID, key.cose))
	if page.Has("Setujui dan kirim tautan") {
		t.Error("an officer who cannot sign is offered to approve")
	}
	one.Post(o.path+"/periksa", o.form("terima")...).Want(t, 403, "Passkey Anda belum disahkan")
	o.status(t, enrolment.New)

	o.pin(t, o.one, key)
	page = one.Get(o.path).Want(t, 200, "Setujui dan kirim tautan", "passkey Anda menandatangani", `data-approval="terima"`)
	one.Post(o.path+"/periksa", o.form("terima")...).Want(t, 403, "Persetujuan belum ditandatangani")
	for name, answer := range map[string]string{"another passkey's": other.sign(t, page.Body), "no answer": "x"} {
		got := one.Post(o.path+"/periksa", append(o.form("terima"), "tanda", answer)...)
		if got.Status != 403 || !got.Has("Tanda tangan passkey tidak berlaku") {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
	o.status(t, enrolment.New)
	good := key.sign(t, page.Body)
	if got := one.Post(o.path+"/periksa", append(o.form("terima"), "tanda", good)...); got.Status != 303 {
		t.Fatalf("signed: %d %.600s", got.Status, got.Body)
	}
	o.status(t, enrolment.OnSetPassphrase)
	rows, err := o.Store.Read().ApprovalsOf(t.Context(), o.reg.ID)
	pagetest.Must(t, err)
	if len(rows) != 1 || rows[0].Stage != 1 || rows[0].OfficerID != o.one.EmployeeID || rows[0].AboutID != o.reg.ID || string(rows[0].CredentialID) != string(key.ID) {
		t.Errorf("stored: %+v", rows)
	}

	// Returning needs no signature.
	second := o.Submit(o.Applicant("Rini Contoh", o.Unit))
	o.reg, o.path = second, "/petugas/"+second.ID
	one.Post(o.path + "/ambil")
	if got := one.Post(o.path+"/periksa", o.form("kembalikan", "name")...); got.Status != 303 {
		t.Errorf("return: %d", got.Status)
	}
	o.status(t, enrolment.Returned)
}
