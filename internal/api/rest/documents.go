package rest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"absah/internal/clock"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

type documentBody struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	State      string          `json:"state"`
	Owner      personLink      `json:"owner"`
	Pages      int             `json:"pages"`
	Encrypted  bool            `json:"encrypted"`
	Shared     bool            `json:"shared"`
	Version    int64           `json:"version"`
	Size       int64           `json:"size"`
	SHA256     string          `json:"sha256"`
	CreatedAt  string          `json:"created_at"`
	Verify     string          `json:"verification_url"`
	Workflow   *string         `json:"workflow_state"`
	Signatures []signatureBody `json:"signatures,omitempty"`
}

type personLink struct {
	NIP  string `json:"nip"`
	Name string `json:"name"`
}

type signatureBody struct {
	Signer   personLink `json:"signer"`
	Position string     `json:"position"`
	Serial   string     `json:"serial"`
	Level    string     `json:"level"`
	Version  int64      `json:"version"`
	At       string     `json:"at"`
}

// verifyPath is the page of a document in the portal, to which its QR code leads.
const verifyPath = "/verifikasi/d/"

// own is a document that this application brought, or the problem not_found.
func (d *door) own(ctx context.Context, c *call, id string) (signing.Document, error) {
	doc, err := d.Signing.AnyDocument(ctx, id)
	if errors.Is(err, signing.ErrNotFound) || err == nil && (doc.Client != c.client.Name || doc.State == signing.StateErased) {
		return doc, problem("not_found")
	}
	if err != nil || c.client.Unit == "" {
		return doc, err
	}
	e, err := d.Store.Read().GetEmployee(ctx, doc.OwnerID)
	if err != nil {
		return doc, fmt.Errorf("read employee: %w", err)
	}
	if err := d.knows(ctx, c, e); errors.Is(err, errNobody) {
		return doc, problem("not_found")
	} else if err != nil {
		return doc, err
	}
	return doc, nil
}

func (d *door) documentOf(doc signing.Document, owner db.Employee) documentBody {
	return documentBody{
		ID: doc.ID, Name: doc.Name, Kind: doc.Kind, State: doc.State, Owner: personLink{owner.Nip, owner.Name}, Pages: doc.Pages, Encrypted: doc.Encrypted,
		Shared: doc.Shared, Version: doc.Version, Size: doc.Size, SHA256: hex.EncodeToString(doc.SHA256[:]), CreatedAt: moment(doc.CreatedAt),
		Verify: d.BaseURL + verifyPath + doc.ID,
	}
}

// whole is a document with its signatures and the state of its workflow.
func (d *door) whole(ctx context.Context, doc signing.Document) (documentBody, error) {
	owner, err := d.Store.Read().GetEmployee(ctx, doc.OwnerID)
	if err != nil {
		return documentBody{}, fmt.Errorf("read employee: %w", err)
	}
	out := d.documentOf(doc, owner)
	signatures, err := d.Signing.Signatures(ctx, doc.ID)
	if err != nil {
		return out, err
	}
	for _, s := range signatures {
		out.Signatures = append(out.Signatures, signatureBody{personLink{s.NIP, s.Name}, s.Office, s.Serial, s.Level, s.Version, moment(s.At)})
	}
	w, err := d.Signing.Workflow(ctx, doc.ID)
	if errors.Is(err, signing.ErrNotFound) {
		return out, nil
	}
	out.Workflow = &w.State
	return out, err
}

// upload keeps a document, POST /documents.
func (d *door) upload(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.uploadSpecimen(ctx, c)
	}
	owner, err := d.named(ctx, c, reference{NIP: c.form["owner"]}, "/owner")
	if err != nil {
		return nil, err
	}
	who, doc, there := c.behalf(owner.ID), signing.Document{}, false
	if c.again {
		doc, err = d.own(ctx, c, c.id)
		there = err == nil
	}
	if !there {
		doc, err = d.Signing.Upload(ctx, who, signing.Upload{
			ID: c.id, Name: c.fileName(), Kind: c.form["kind"], Client: c.client.Name, Body: bytes.NewReader(c.file), Password: []byte(c.form["password"]),
		})
		if err != nil {
			return nil, err
		}
	}
	if c.form["shared"] == "true" && !doc.Shared {
		if err := d.Signing.Share(ctx, who, doc.ID, true); err != nil {
			return nil, err
		}
		doc.Shared = true
	}
	return d.uploaded(ctx, doc)
}

func (d *door) uploaded(ctx context.Context, doc signing.Document) (*answer, error) {
	body, err := d.whole(ctx, doc)
	if err != nil {
		return nil, err
	}
	return created("/documents/"+doc.ID, body)
}

// fileName is what a document is called: the name that was given, or the file's.
func (c *call) fileName() string {
	if n := c.form["name"]; n != "" {
		return n
	}
	return c.called
}

// listDocuments lists the application's documents, the newest first, GET
// /documents.
func (d *door) listDocuments(ctx context.Context, c *call) (*answer, error) {
	p, err := c.page(ctx)
	if err != nil {
		return nil, err
	}
	if c.client.Sandbox {
		return d.listSpecimens(ctx, c, p)
	}
	q := db.DocumentsOfClientParams{ClientID: c.client.Name, ScopeID: c.client.Unit, State: c.query("state"), Before: p.before, BeforeID: p.beforeID, MaxRows: int32(p.limit) + 1}
	if nip := c.query("owner"); nip != "" {
		e, err := d.find(ctx, c, reference{NIP: nip})
		if errors.Is(err, errNobody) {
			return list(ctx, c, p, []documentBody{}, nil)
		}
		if err != nil {
			return nil, err
		}
		q.OwnerID = e.ID
	}
	rows, err := d.Store.Read().DocumentsOfClient(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	out := make([]documentBody, len(rows))
	at := map[string]time.Time{}
	for i, r := range rows {
		doc := signing.Document{
			ID: r.ID, Name: r.Name, Kind: r.Kind, State: r.State, Pages: int(r.Pages), Encrypted: r.Encrypted, Shared: r.Shared, Version: r.Version,
			Size: r.Size, CreatedAt: clock.FromMicros(r.CreatedAt),
		}
		copy(doc.SHA256[:], r.Sha256)
		out[i] = d.documentOf(doc, db.Employee{Nip: r.OwnerNip, Name: r.OwnerName})
		if r.WorkflowState.Valid {
			out[i].Workflow = &r.WorkflowState.String
		}
		at[r.ID] = doc.CreatedAt
	}
	return list(ctx, c, p, out, func(b documentBody) (time.Time, string) { return at[b.ID], b.ID })
}

// showDocument gives one, GET /documents/{id}.
func (d *door) showDocument(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.showSpecimen(ctx, c)
	}
	doc, err := d.own(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	body, err := d.whole(ctx, doc)
	if err != nil {
		return nil, err
	}
	return ok(body)
}

// download gives the file, in its newest version or another, as often as it is
// asked for, GET /documents/{id}/file.
func (d *door) download(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.downloadSpecimen(ctx, c)
	}
	doc, err := d.own(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	version := doc.Version
	if v := c.query("version"); v != "" {
		if version, err = strconv.ParseInt(v, 10, 64); err != nil {
			return nil, problem("invalid_fields")
		}
	}
	b, err := d.Signing.Content(ctx, doc.ID, version)
	if err != nil {
		return nil, err
	}
	return fileAnswer(doc.Name, b).set("Document-Version", strconv.FormatInt(version, 10)), nil
}

// change says what kind of letter a document is, and whether who has its QR code
// may fetch it, PATCH /documents/{id}.
func (d *door) change(ctx context.Context, c *call) (*answer, error) {
	var in struct {
		Kind   *string `json:"kind"`
		Shared *bool   `json:"shared"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	doc, err := d.own(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	who := c.behalf(doc.OwnerID)
	if in.Kind != nil && *in.Kind != doc.Kind {
		err := d.Signing.SetKind(ctx, who, doc.ID, *in.Kind)
		if errors.Is(err, signing.ErrNotFound) { // signed already
			return nil, problem("document_changed").at("/kind", "document_changed")
		}
		if err != nil {
			return nil, err
		}
	}
	if in.Shared != nil && *in.Shared != doc.Shared {
		if err := d.Signing.Share(ctx, who, doc.ID, *in.Shared); err != nil {
			return nil, err
		}
	}
	return d.showDocument(ctx, c)
}

// erase forgets a document; that it was signed stays on record, DELETE
// /documents/{id}.
func (d *door) erase(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.eraseSpecimen(ctx, c)
	}
	doc, err := d.own(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	if err := d.Signing.Erase(ctx, c.behalf(doc.OwnerID), doc.ID); err != nil {
		return nil, err
	}
	return none()
}

// stored reads a version of a document: its size and digest.
func (d *door) stored(ctx context.Context, id string, version int64) (db.DocumentVersion, error) {
	v, err := d.Store.Read().GetDocumentVersion(ctx, db.GetDocumentVersionParams{DocumentID: id, Number: version})
	if store.IsNotFound(err) {
		return v, problem("not_found")
	}
	if err != nil {
		return v, fmt.Errorf("read version of document: %w", err)
	}
	return v, nil
}
