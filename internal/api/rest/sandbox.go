package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"absah/internal/apidoc"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
	"absah/pades"
)

// An application that is tried out meets nobody real: every NIP is of somebody
// invented, whose standing its last four digits give as in the interface of the
// eSign Client Service, and its documents and signings are kept for a day.

const (
	sandboxKept     = 24 * time.Hour
	sandboxDocument = "document"
	sandboxSigning  = "signing"
	sandboxName     = "Pegawai Contoh"
)

// invented is the standing that the last digits of a number stand for.
func invented(number string) enrolment.Sentence {
	if len(number) < 4 {
		return enrolment.HasCert
	}
	switch number[len(number)-4:] {
	case "0001":
		return enrolment.Unregistered
	case "0002", "0006":
		return enrolment.InProgress
	case "0003":
		return enrolment.WasExpired
	case "0004":
		return enrolment.WasRevoked
	case "0005":
		return enrolment.IsSuspended
	}
	return enrolment.HasCert
}

// inventedID is the identifier of somebody invented.
func inventedID(number string) string { return "sandbox-" + number }

// pretend is where somebody invented stands.
func (d *door) pretend(c *call, number string) personState {
	s := invented(number)
	out := personState{
		Person: personBody{ID: inventedID(number), NIP: number, Name: sandboxName, Position: "Analis Contoh", Unit: "Biro Contoh", Active: true},
		Status: stateBody{string(s), sentence(s).In(c.lang), nil}, Signing: signingState{Able: s == enrolment.HasCert},
	}
	code := map[enrolment.Sentence]string{
		enrolment.Unregistered: "no_certificate", enrolment.InProgress: "no_certificate", enrolment.WasExpired: "certificate_expired",
		enrolment.WasRevoked: "certificate_revoked", enrolment.IsSuspended: "certificate_suspended",
	}[s]
	if code != "" {
		kind, _ := apidoc.ProblemOf(code)
		title := kind.Title.In(c.lang)
		out.Signing.Problem, out.Signing.Detail = &code, &title
	} else {
		left := 5
		out.Signing.Attempts = &left
	}
	return out
}

// specimen is a document of a sandbox.
type specimen struct {
	row  db.SandboxObject
	body documentBody
	flow *workflowBody // nil: none
	news []signing.Happening
}

// specimenText is how one is stored.
type specimenText struct {
	Document documentBody  `json:"document"`
	Workflow *workflowBody `json:"workflow,omitempty"`
}

func (s *specimen) text() specimenText { return specimenText{s.body, s.flow} }

// read takes what is stored.
func (s *specimen) read() error {
	var t specimenText
	if err := json.Unmarshal([]byte(s.row.Body), &t); err != nil {
		return fmt.Errorf("read a document of a sandbox: %w", err)
	}
	s.body, s.flow = t.Document, t.Workflow
	return nil
}

func (d *door) specimenMeta(client, blobID string) blob.Meta {
	return blob.Meta{ID: blobID, Owner: client, Kind: "sandbox_document"}
}

func (d *door) specimen(ctx context.Context, c *call, id string) (specimen, error) {
	s := specimen{}
	var err error
	s.row, err = d.object(ctx, c, sandboxDocument, id)
	if err != nil {
		return s, err
	}
	return s, s.read()
}

func (d *door) object(ctx context.Context, c *call, kind, id string) (db.SandboxObject, error) {
	row, err := d.Store.Read().GetSandboxObject(ctx, db.GetSandboxObjectParams{ID: id, ClientID: c.client.ID, Kind: kind, Now: clock.Micros(d.Clock())})
	if store.IsNotFound(err) {
		return row, problem("not_found")
	}
	if err != nil {
		return row, fmt.Errorf("read what a sandbox keeps: %w", err)
	}
	return row, nil
}

// keep stores an object of a sandbox. One that is there already stays.
func (d *door) keep(ctx context.Context, c *call, kind, id string, body any, file []byte) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("keep for a sandbox: %w", err)
	}
	now := d.Clock()
	p := db.InsertSandboxObjectParams{
		ID: id, ClientID: c.client.ID, Kind: kind, Body: string(text), KeySealed: []byte{}, CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(now.Add(sandboxKept)),
	}
	if file != nil {
		p.BlobID = ident.New()
		if p.KeySealed, err = d.Blobs.Put(ctx, d.specimenMeta(c.client.ID, p.BlobID), file); err != nil {
			return fmt.Errorf("keep for a sandbox: %w", err)
		}
	}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.InsertSandboxObject(ctx, p)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep for a sandbox: %w", err)
	}
	return nil
}

func (d *door) uploadSpecimen(ctx context.Context, c *call) (*answer, error) {
	pages, err := d.pagesOf(ctx, c.file, c.form["password"])
	if err != nil {
		return nil, err
	}
	if int64(len(c.file)) > d.Signing.Limits.FileBytes {
		return nil, signing.ErrTooBig
	}
	sum := sha256.Sum256(c.file)
	body := documentBody{
		ID: c.id, Name: c.fileName(), Kind: c.form["kind"], State: signing.StateNew, Owner: personLink{c.form["owner"], sandboxName}, Pages: pages,
		Encrypted: c.form["password"] != "", Shared: c.form["shared"] == "true", Version: 1, Size: int64(len(c.file)), SHA256: hex.EncodeToString(sum[:]),
		CreatedAt: moment(d.Clock()), Verify: d.BaseURL + verifyPath + c.id,
	}
	if body.Kind == "" {
		body.Kind = signing.Other
	}
	if err := d.keep(ctx, c, sandboxDocument, c.id, specimenText{Document: body}, c.file); err != nil {
		return nil, err
	}
	return created("/documents/"+c.id, body)
}

func (d *door) pagesOf(ctx context.Context, b []byte, password string) (int, error) {
	if len(b) == 0 {
		return 0, signing.ErrEmpty
	}
	return d.Signing.Pages(ctx, b, []byte(password))
}

func (d *door) listSpecimens(ctx context.Context, c *call, p page) (*answer, error) {
	rows, err := d.Store.Read().SandboxObjects(ctx, db.SandboxObjectsParams{
		ClientID: c.client.ID, Kind: sandboxDocument, Now: clock.Micros(d.Clock()), Before: p.before, BeforeID: p.beforeID, MaxRows: int32(p.limit) + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("list what a sandbox keeps: %w", err)
	}
	out, at := make([]documentBody, len(rows)), map[string]time.Time{}
	for i, r := range rows {
		s := specimen{row: r}
		if err := s.read(); err != nil {
			return nil, err
		}
		out[i] = s.body
		out[i].Signatures = nil
		at[r.ID] = clock.FromMicros(r.CreatedAt)
	}
	return list(ctx, c, p, out, func(b documentBody) (time.Time, string) { return at[b.ID], b.ID })
}

func (d *door) showSpecimen(ctx context.Context, c *call) (*answer, error) {
	s, err := d.specimen(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	return ok(s.body)
}

func (d *door) specimenBytes(ctx context.Context, s specimen) ([]byte, error) {
	b, err := d.Blobs.Get(ctx, d.specimenMeta(s.row.ClientID, s.row.BlobID), s.row.KeySealed)
	if err != nil {
		return nil, fmt.Errorf("open a document of a sandbox: %w", err)
	}
	return b, nil
}

func (d *door) downloadSpecimen(ctx context.Context, c *call) (*answer, error) {
	s, err := d.specimen(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	b, err := d.specimenBytes(ctx, s)
	if err != nil {
		return nil, err
	}
	return fileAnswer(s.body.Name, b), nil
}

func (d *door) eraseSpecimen(ctx context.Context, c *call) (*answer, error) {
	s, err := d.specimen(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	if s.flow != nil && s.flow.State == signing.Open {
		return nil, problem("workflow_exists")
	}
	if err := d.dropObject(ctx, s.row.ID, s.row.ClientID, s.row.BlobID); err != nil {
		return nil, err
	}
	return none()
}

func (d *door) dropObject(ctx context.Context, id, client, blobID string) error {
	return drop(ctx, d.Store, d.Blobs, id, client, blobID)
}

func drop(ctx context.Context, s *store.Store, blobs blob.Sealed, id, client, blobID string) error {
	err := s.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.DropSandboxObject(ctx, id)
		return err
	})
	if blobID != "" {
		err = errors.Join(err, blobs.Delete(ctx, blob.Meta{ID: blobID, Owner: client, Kind: "sandbox_document"}))
	}
	if err != nil {
		return fmt.Errorf("forget what a sandbox kept: %w", err)
	}
	return nil
}

// signSpecimens signs documents of a sandbox: the signatures say SPECIMEN.
func (d *door) signSpecimens(ctx context.Context, c *call, in *signingOrder) (*answer, error) {
	if c.again {
		if row, err := d.object(ctx, c, sandboxSigning, c.id); err == nil {
			return signedSpecimens(row, true)
		}
	}
	if in.Passphrase.Secret == nil {
		return nil, problem("no_window")
	}
	order := signing.Authorization{Who: c.actor, Signer: in.Signer.text(), Client: c.client.Name, Secret: in.Passphrase.Secret}
	list := make([]specimen, len(in.Documents))
	for i, one := range in.Documents {
		s, err := d.specimen(ctx, c, one.ID)
		if err != nil {
			return nil, problem("not_found").at(fmt.Sprintf("/documents/%d/id", i), "not_found")
		}
		if !s.mayBeSigned(in.Signer.text()) {
			return nil, signing.ErrTurn
		}
		b, err := d.specimenBytes(ctx, s)
		if err != nil {
			return nil, err
		}
		item := signing.Item{File: bytes.NewReader(b), Size: int64(len(b)), Name: s.body.Name, Password: []byte(one.Password)}
		if item.Request, err = in.request(one, s.body.Pages, fmt.Sprintf("/documents/%d", i)); err != nil {
			return nil, err
		}
		for j, p := range item.Request.Places { // there is no page of the document to lead to
			if p.Face.QR && p.Face.QRText == "" {
				item.Request.Places[j].Face.QRText = s.body.Verify
			}
		}
		list[i], order.Items = s, append(order.Items, item)
	}
	files := make([]bytes.Buffer, len(list))
	outcomes, err := d.Sandbox.SignNow(ctx, order, func(i int) io.Writer { return &files[i] })
	if err != nil {
		return nil, err
	}
	body := signingBody{ID: c.id, Signer: personLink{in.Signer.text(), sandboxName}, CreatedAt: moment(d.Clock()), State: "done"}
	for i, o := range outcomes {
		one, err := d.advance(ctx, c, in, list[i], o, files[i].Bytes())
		if err != nil {
			return nil, err
		}
		if one.State == "signed" {
			body.Signed++
		} else {
			body.Failed++
		}
		body.Items = append(body.Items, one)
	}
	if err := d.keep(ctx, c, sandboxSigning, c.id, body, nil); err != nil {
		return nil, err
	}
	return answerSigning(body, true)
}

// advance writes down what became of one document.
func (d *door) advance(ctx context.Context, c *call, in *signingOrder, s specimen, o signing.Outcome, signed []byte) (signingItem, error) {
	out := signingItem{Document: s.body.ID, Name: s.body.Name, State: "failed"}
	if o.Err != nil {
		p := problemOf(o.Err)
		kind, _ := apidoc.ProblemOf(p.code)
		detail := p.detail.In(c.lang)
		if detail == "" {
			detail = kind.Detail.In(c.lang)
		}
		out.Problem, out.Detail = &p.code, &detail
		return out, nil
	}
	sum := sha256.Sum256(signed)
	at, level := moment(d.Clock()), pades.BT.String()
	s.body.State, s.body.Version, s.body.Size, s.body.SHA256 = signing.StateSigned, s.body.Version+1, int64(len(signed)), hex.EncodeToString(sum[:])
	s.body.Signatures = append(s.body.Signatures, signatureBody{personLink{in.Signer.text(), sandboxName}, "SPECIMEN", "02", level, s.body.Version, at})
	s.happened(signing.EventSigned, in.Signer.text(), "")
	s.stepSigned(in.Signer.text(), at)
	text, err := json.Marshal(s.text())
	if err != nil {
		return out, fmt.Errorf("keep for a sandbox: %w", err)
	}
	blobID := ident.New()
	key, err := d.Blobs.Put(ctx, d.specimenMeta(c.client.ID, blobID), signed)
	if err != nil {
		return out, fmt.Errorf("keep for a sandbox: %w", err)
	}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.SetSandboxObject(ctx, db.SetSandboxObjectParams{ID: s.row.ID, ClientID: c.client.ID, Body: string(text), BlobID: blobID, KeySealed: key}); err != nil {
			return fmt.Errorf("keep for a sandbox: %w", err)
		}
		return d.spread(ctx, tx, s)
	})
	if err != nil {
		return out, err
	}
	if err := d.Blobs.Delete(ctx, d.specimenMeta(c.client.ID, s.row.BlobID)); err != nil {
		d.Log.WarnContext(ctx, "rest: delete a version of a specimen", "error", err) // its key is gone
	}
	out.State, out.Version, out.Level, out.Size, out.SHA256, out.At = "signed", &s.body.Version, &level, &s.body.Size, &s.body.SHA256, &at
	return out, nil
}

func (d *door) showSpecimenSigning(ctx context.Context, c *call) (*answer, error) {
	row, err := d.object(ctx, c, sandboxSigning, c.path("id"))
	if err != nil {
		return nil, err
	}
	return signedSpecimens(row, false)
}

func signedSpecimens(row db.SandboxObject, made bool) (*answer, error) {
	var body signingBody
	if err := json.Unmarshal([]byte(row.Body), &body); err != nil {
		return nil, fmt.Errorf("read a signing of a sandbox: %w", err)
	}
	return answerSigning(body, made)
}

// Sweep forgets answers that are no longer given again, and what sandboxes left
// here a day ago.
func Sweep(ctx context.Context, s *store.Store, blobs blob.Sealed, now time.Time) error {
	err := s.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ExpireAPIAnswers(ctx, clock.Micros(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget answers to applications: %w", err)
	}
	for {
		old, err := s.Read().ExpiredSandboxObjects(ctx, clock.Micros(now))
		if err != nil {
			return fmt.Errorf("look for what sandboxes left: %w", err)
		}
		if len(old) == 0 {
			return nil
		}
		for _, o := range old {
			if err := drop(ctx, s, blobs, o.ID, o.ClientID, o.BlobID); err != nil {
				return err
			}
		}
	}
}
