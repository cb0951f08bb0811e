package esign

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

// order is what one call signs: files with one passphrase.
type order struct {
	signer   person
	secret   *passphrase.Secret
	code     string // in place of the secret
	files    [][]byte
	names    []string
	requests []signing.Request
	password [][]byte
}

// sign signs every file of an order, or fails with what is wrong with the first
// that cannot be signed: the interface knows no partial answer, and nothing is
// handed out then.
func (d *door) sign(ctx context.Context, c *call, o order) ([][]byte, error) {
	out := make([]bytes.Buffer, len(o.files))
	a := signing.Authorization{Who: c.actor, Signer: o.signer.id, Client: c.client.Name, Secret: o.secret}
	if o.secret == nil {
		a.ClientID, a.Code = c.client.ID, o.code
	}
	for i, b := range o.files {
		pages, err := d.pagesOf(ctx, b, o.password[i])
		if err != nil {
			return nil, err
		}
		if err := settle(&o.requests[i], pages); err != nil {
			return nil, err
		}
		a.Items = append(a.Items, signing.Item{File: bytes.NewReader(b), Size: int64(len(b)), Name: o.names[i], Password: o.password[i], Request: o.requests[i]})
	}
	signer := d.Signing
	if c.client.Sandbox {
		signer = d.Sandbox
	}
	outcomes, err := signer.SignNow(ctx, a, func(i int) io.Writer { return &out[i] })
	if err != nil {
		return nil, err
	}
	for _, one := range outcomes {
		if one.Err != nil {
			return nil, one.Err
		}
	}
	files := make([][]byte, len(out))
	for i := range out {
		files[i] = out[i].Bytes()
	}
	return files, nil
}

// pagesOf counts the pages of a file, so that a wrong page is told as such.
func (d *door) pagesOf(ctx context.Context, b, password []byte) (int, error) {
	if len(b) == 0 {
		return 0, &fieldError{field: "file", code: codeDocument, text: "Proses signing gagal : kolom 'file' kosong"}
	}
	return d.Pages(ctx, b, password)
}

// signV1 signs one file, POST /api/sign/pdf.
func (d *door) signV1(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx, started := r.Context(), d.Clock()
	secret, err := c.fields.secret("passphrase")
	defer secret.Wipe()
	if err != nil {
		return err
	}
	if secret == nil {
		return wrongField("passphrase", "Kolom 'passphrase' harus diisi")
	}
	files := c.fields.files["file"]
	if len(files) == 0 {
		return &fieldError{field: "file", code: codeDocument, text: "Kolom 'file' harus berisi dokumen PDF"}
	}
	if len(files) > 1 {
		return &fieldError{field: "file", code: codeDocument, text: "Kolom 'file' berisi lebih dari satu dokumen; v1 menandatangani satu dokumen, pakai /api/v2/sign/pdf"}
	}
	who, err := d.person(ctx, c, c.fields.get("nik"), "")
	if err != nil {
		return err
	}
	request, err := c.fields.requestV1(c.client.Corner, d.VerifyPage)
	if err != nil {
		return err
	}
	name := files[0].name
	if name == "" || name == "file" {
		name = "dokumen.pdf"
	}
	signed, err := d.sign(ctx, c, order{
		signer: who, secret: secret, files: [][]byte{files[0].bytes}, names: []string{name}, requests: []signing.Request{request}, password: [][]byte{[]byte(c.fields.text["pdfpassword"])},
	})
	if err != nil {
		return err
	}
	id, err := d.keep(ctx, c, name, signed[0])
	if err != nil {
		return err
	}
	h := w.Header()
	exactly(h, "id_dokumen", id)
	exactly(h, "signing_time", strconv.FormatInt(d.Clock().Sub(started).Milliseconds(), 10))
	if strings.EqualFold(c.fields.get("jenis_response"), "BASE64") {
		d.json(w, http.StatusOK, map[string]any{"base64_signed_file": base64.StdEncoding.EncodeToString(signed[0]), "id_dokumen": id})
		return nil
	}
	return sendPDF(w, name, signed[0])
}

// exactly sets a header in small letters, as the service of the interface writes it:
// clients that read headers by hand look for these letters.
func exactly(h http.Header, name, value string) { h[name] = []string{value} }

func sendPDF(w http.ResponseWriter, name string, b []byte) error {
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b) // the document can be fetched by its id
	return nil
}

// signV2 signs files, POST /api/v2/sign/pdf.
func (d *door) signV2(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx, started := r.Context(), d.Clock()
	secret, err := c.fields.secret("passphrase")
	defer secret.Wipe()
	if err != nil {
		return err
	}
	code := c.fields.code()
	if secret == nil && code == "" {
		return wrongField("passphrase", "Kolom 'passphrase' atau 'totp' harus diisi")
	}
	who, err := d.person(ctx, c, c.fields.get("nik"), c.fields.get("email"))
	if err != nil {
		return err
	}
	o := order{signer: who, secret: secret, code: code}
	if err := c.fields.files64(&o); err != nil {
		return err
	}
	if err := c.fields.properties(&o); err != nil {
		return err
	}
	signed, err := d.sign(ctx, c, o)
	if err != nil {
		return err
	}
	out := make([]string, len(signed))
	for i, b := range signed {
		out[i] = base64.StdEncoding.EncodeToString(b)
	}
	d.json(w, http.StatusOK, map[string]any{"time": d.Clock().Sub(started).Milliseconds(), "file": out})
	return nil
}

// files64 reads the files: an array of base64, or a string where there is one.
func (f *fields) files64(o *order) error {
	var list []string
	raw := f.body["file"]
	if json.Unmarshal(raw, &list) != nil {
		var one string
		if json.Unmarshal(raw, &one) != nil {
			return &fieldError{field: "file", code: codeDocument, text: "Kolom 'file' harus berupa array base64"}
		}
		list = []string{one}
	}
	if len(list) == 0 {
		return &fieldError{field: "file", code: codeDocument, text: "Kolom 'file' kosong"}
	}
	if len(list) > MaxFiles {
		return &fieldError{field: "file", code: codeTooBig, text: fmt.Sprintf("Kolom 'file' paling banyak berisi %d dokumen", MaxFiles)}
	}
	for i, s := range list {
		b, err := decode64(s)
		if err != nil {
			return &fieldError{field: "file", code: codeDocument, text: fmt.Sprintf("Dokumen ke-%d pada kolom 'file' bukan base64 yang benar", i+1)}
		}
		o.files = append(o.files, b)
		o.names = append(o.names, fmt.Sprintf("dokumen-%d.pdf", i+1))
	}
	return nil
}

// properties reads how the files are signed: one entry for all of them, or one
// for each. None means invisible signatures.
func (f *fields) properties(o *order) error {
	var list []json.RawMessage
	raw := f.body["signatureproperties"]
	if len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	if len(list) > 1 && len(list) != len(o.files) {
		return wrongField("signatureProperties", "Kolom 'signatureProperties' berisi %d, harus 1 atau sebanyak 'file' (%d)", len(list), len(o.files))
	}
	for i := range o.files {
		one := &fields{text: map[string]string{}, body: map[string]json.RawMessage{}}
		if len(list) > 0 {
			if err := one.json(list[min(i, len(list)-1)]); err != nil {
				return err
			}
		} else {
			one.text["tampilan"] = "invisible"
		}
		request, password, err := one.requestV2()
		if err != nil {
			return err
		}
		o.requests = append(o.requests, request)
		o.password = append(o.password, password)
	}
	return nil
}

// keepFor is how long a signed document waits to be fetched.
const keepFor = 24 * time.Hour

// keep lets the application fetch a signed document once, sealed meanwhile.
func (d *door) keep(ctx context.Context, c *call, name string, b []byte) (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(rand.Reader, raw); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	id, blobID, now := hex.EncodeToString(raw), ident.New(), d.Clock()
	key, err := d.Blobs.Put(ctx, documentMeta(c.client.ID, blobID), b)
	if err != nil {
		return "", fmt.Errorf("keep signed document: %w", err)
	}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.InsertAPIDocument(ctx, db.InsertAPIDocumentParams{
			ID: id, ClientID: c.client.ID, Name: name, BlobID: blobID, KeySealed: key, Size: int64(len(b)), CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(now.Add(keepFor)),
		})
	})
	if err != nil {
		return "", fmt.Errorf("keep signed document: %w", err)
	}
	return id, nil
}

func documentMeta(client, blobID string) blob.Meta {
	return blob.Meta{ID: blobID, Owner: client, Kind: "api_document"}
}

// download gives a signed document once, GET /api/sign/download/{id}. Two calls at
// once get it once: the row goes in the transaction in which it is read.
func (d *door) download(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx, id := r.Context(), r.PathValue("id")
	var row db.ApiDocument
	err := d.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.TakeAPIDocument(ctx, db.TakeAPIDocumentParams{ID: id, ClientID: c.client.ID, ExpiresAt: clock.Micros(d.Clock())})
		return err
	})
	if store.IsNotFound(err) {
		return &problem{status: http.StatusNotFound, code: codeGone, text: "File tidak tersedia, pastikan bahwa dokumen belum di download"}
	}
	if err != nil {
		return fmt.Errorf("take signed document: %w", err)
	}
	meta := documentMeta(row.ClientID, row.BlobID)
	b, err := d.Blobs.Get(ctx, meta, row.KeySealed)
	if err != nil {
		return fmt.Errorf("open signed document: %w", err)
	}
	if err := d.Blobs.Delete(ctx, meta); err != nil {
		d.Log.WarnContext(ctx, "delete fetched document", "error", err) // its key is gone
	}
	exactly(w.Header(), "id_dokumen", id)
	return sendPDF(w, row.Name, b)
}

// Sweep removes signed documents that nobody fetched in time.
func Sweep(ctx context.Context, s *store.Store, blobs blob.Sealed, now time.Time) error {
	for {
		list, err := s.Read().ExpiredAPIDocuments(ctx, clock.Micros(now))
		if err != nil {
			return fmt.Errorf("look for documents that nobody fetched: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, old := range list {
			err := s.InTx(ctx, func(tx *store.Tx) error {
				_, err := tx.DropAPIDocument(ctx, old.ID)
				return err
			})
			err = errors.Join(err, blobs.Delete(ctx, documentMeta(old.ClientID, old.BlobID)))
			if err != nil {
				return fmt.Errorf("remove document that nobody fetched: %w", err)
			}
		}
	}
}
