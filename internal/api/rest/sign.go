package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"absah/internal/apidoc"
	"absah/internal/clock"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
	"absah/pades/appearance"
)

// secret is a passphrase in a body: read into bytes that are wiped, and shown by
// nothing.
type secret struct{ *passphrase.Secret }

// UnmarshalJSON implements json.Unmarshaler.
func (s *secret) UnmarshalJSON(b []byte) error {
	var plain []byte
	defer func() { clear(plain) }()
	if len(b) < 2 || b[0] != '"' {
		return apidoc.ErrSyntax
	}
	if inner := b[1 : len(b)-1]; !bytes.ContainsRune(inner, '\\') {
		plain = append(plain, inner...)
	} else {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return apidoc.ErrSyntax
		}
		plain = []byte(text)
	}
	read, err := passphrase.Read(plain)
	if err != nil {
		return err
	}
	s.Secret = read
	return nil
}

// signingOrder is what one call signs.
type signingOrder struct {
	Signer     reference    `json:"signer"`
	Passphrase secret       `json:"passphrase"`
	Level      string       `json:"level"`
	Reason     string       `json:"reason"`
	Location   string       `json:"location"`
	Contact    string       `json:"contact"`
	Authority  string       `json:"authority"`
	Places     []placeOrder `json:"places"` // of every document that has none of its own
	Documents  []itemOrder  `json:"documents"`
}

type itemOrder struct {
	ID       string        `json:"id"`
	SHA256   string        `json:"sha256"`
	Password string        `json:"password"`
	Field    string        `json:"field"`
	Places   *[]placeOrder `json:"places"`
}

type placeOrder struct {
	Page     json.RawMessage `json:"page"` // number or "last"
	X        float64         `json:"x"`
	Y        float64         `json:"y"`
	Width    float64         `json:"width"`
	Height   float64         `json:"height"`
	Origin   string          `json:"origin"`
	Anchor   string          `json:"anchor"`
	AnchorAt string          `json:"anchor_at"`
	QR       bool            `json:"qr"`
	Specimen bool            `json:"specimen"`
	Letter   bool            `json:"letter"`
	Footer   bool            `json:"footer"`
	QRText   string          `json:"qr_text"`
	Image    string          `json:"image"`
	Lines    []string        `json:"lines"`
}

// The size of a visible signature that says nothing about it, in points.
const (
	defaultWidth  = 160
	defaultHeight = 80
)

// place says how a place is meant on a document of so many pages.
func (p *placeOrder) place(pages int, pointer string) (signing.Place, error) {
	out := signing.Place{
		Page: 1, Box: appearance.Box{X: p.X, Y: p.Y, Width: p.Width, Height: p.Height}, Anchor: p.Anchor, AnchorOrigin: p.AnchorAt == "start",
		Face: signing.Face{QR: p.QR, Specimen: p.Specimen, Letter: p.Letter, Footer: p.Footer, QRText: p.QRText, Lines: p.Lines},
	}
	if out.Box.Width == 0 {
		out.Box.Width = defaultWidth
	}
	if out.Box.Height == 0 {
		out.Box.Height = defaultHeight
	}
	if p.Origin == "top_left" {
		out.Box.Origin = appearance.TopLeft
	}
	if p.Anchor != "" {
		out.Page = 0 // wherever it stands
	}
	switch {
	case len(p.Page) == 0:
	case string(p.Page) == `"last"`:
		out.Page = max(pages, 1)
	default:
		if err := json.Unmarshal(p.Page, &out.Page); err != nil {
			return out, problem("invalid_fields").at(pointer+"/page", "placement")
		}
	}
	if pages > 0 && out.Page > pages {
		return out, problem("placement").say(fmt.Sprintf("Dokumen hanya memiliki %d halaman", pages), fmt.Sprintf("The document has %d pages only", pages)).at(pointer+"/page", "placement")
	}
	if p.Image != "" {
		b, err := base64.StdEncoding.DecodeString(p.Image)
		if err != nil {
			return out, problem("invalid_fields").at(pointer+"/image", "unreadable")
		}
		out.Face.Image = b
	}
	if !out.Face.QR && !out.Face.Specimen && !out.Face.Letter && !out.Face.Footer && out.Face.QRText == "" && len(out.Face.Image) == 0 && len(out.Face.Lines) == 0 {
		out.Face.QR, out.Face.Letter = true, true // as on official letters
	}
	return out, nil
}

// request is how one document is signed.
func (o *signingOrder) request(item itemOrder, pages int, pointer string) (signing.Request, error) {
	r := signing.Request{Level: pades.BT, Authority: o.Authority, Reason: o.Reason, Location: o.Location, Contact: o.Contact, Field: item.Field}
	if o.Level != "" {
		r.Level, _ = pades.ParseLevel(o.Level) // the document lists them
	}
	places, at := o.Places, "/places"
	if item.Places != nil {
		places, at = *item.Places, pointer+"/places"
	}
	for i := range places {
		p, err := places[i].place(pages, fmt.Sprintf("%s/%d", at, i))
		if err != nil {
			return r, err
		}
		r.Places = append(r.Places, p)
	}
	return r, nil
}

type signingBody struct {
	ID        string        `json:"id"`
	Signer    personLink    `json:"signer"`
	CreatedAt string        `json:"created_at"`
	State     string        `json:"state"` // running or done
	Signed    int           `json:"signed"`
	Failed    int           `json:"failed"`
	Items     []signingItem `json:"items"`
}

type signingItem struct {
	Document string  `json:"document"`
	Name     string  `json:"name"`
	State    string  `json:"state"` // waiting, signed or failed
	Found    bool    `json:"found"` // was signed by an earlier call that was cut off
	Problem  *string `json:"problem"`
	Detail   *string `json:"detail"`
	Version  *int64  `json:"version"`
	Level    *string `json:"level"`
	Size     *int64  `json:"size"`
	SHA256   *string `json:"sha256"`
	At       *string `json:"at"`
}

// sign signs documents with one passphrase, POST /signings. One that cannot be
// signed stops no other; when none is signed, that is a problem.
func (d *door) sign(ctx context.Context, c *call) (*answer, error) {
	var in signingOrder
	err := c.decode(&in)
	defer in.Passphrase.wipe()
	var unreadable *passphrase.Error
	if errors.As(err, &unreadable) {
		return nil, problem("invalid_fields").at("/passphrase", "unreadable")
	}
	if err != nil {
		return nil, err
	}
	if c.client.Sandbox {
		return d.signSpecimens(ctx, c, &in)
	}
	signer, err := d.named(ctx, c, in.Signer, "/signer")
	if err != nil {
		return nil, err
	}
	if c.again {
		if a, err := d.carriedOn(ctx, c); a != nil || err != nil {
			return a, err
		}
	}
	order := signing.Authorization{ID: c.id, Who: c.behalf(signer.ID), Signer: signer.ID, Client: c.client.Name, ClientID: c.client.ID, Secret: in.Passphrase.Secret}
	for i, one := range in.Documents {
		item, err := d.item(ctx, c, &in, i, one, signer.ID)
		if err != nil {
			return nil, err
		}
		order.Items = append(order.Items, item)
	}
	act, err := d.Signing.Authorize(ctx, order)
	if err != nil {
		return nil, err
	}
	outcomes := act.SignDocuments(ctx, nil)
	if err := act.Close(ctx); err != nil {
		d.Log.ErrorContext(ctx, "rest: end an activation", "activation", act.ID, "error", err)
	}
	return d.signed(context.WithoutCancel(ctx), c, act.ID, outcomes, true)
}

// carriedOn is what became of a signing that was cut off; nothing when it had not
// begun.
func (d *door) carriedOn(ctx context.Context, c *call) (*answer, error) {
	row, err := d.Store.Read().GetActivation(ctx, c.id)
	switch {
	case store.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read signing: %w", err)
	case row.EndedAt == 0: // its process may be at it
		return nil, problem("idempotency_in_progress").after(waitBusy)
	}
	return d.signed(ctx, c, c.id, nil, true)
}

func (s *secret) wipe() {
	if s.Secret != nil {
		s.Wipe()
	}
}

// item is one document of an order. Without a digest of its own it is signed as it
// is now.
func (d *door) item(ctx context.Context, c *call, in *signingOrder, i int, one itemOrder, signer string) (signing.Item, error) {
	pointer := fmt.Sprintf("/documents/%d", i)
	doc, err := d.own(ctx, c, one.ID)
	if err != nil {
		var p *problemError
		if errors.As(err, &p) {
			return signing.Item{}, problem("not_found").at(pointer+"/id", "not_found")
		}
		return signing.Item{}, err
	}
	item := signing.Item{Document: doc.ID, Digest: doc.SHA256, Password: []byte(one.Password)}
	if one.SHA256 != "" {
		sum, err := hex.DecodeString(one.SHA256)
		if err != nil || len(sum) != len(item.Digest) {
			return item, problem("invalid_fields").at(pointer+"/sha256", "unreadable")
		}
		copy(item.Digest[:], sum)
	}
	if item.Request, err = in.request(one, doc.Pages, pointer); err != nil {
		return item, err
	}
	if in.Places == nil && one.Places == nil {
		item.Request.Places, err = d.planned(ctx, doc, signer, item.Password)
	}
	return item, err
}

// showSigning tells again what became of a signing, GET /signings/{id}.
func (d *door) showSigning(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.showSpecimenSigning(ctx, c)
	}
	return d.signed(ctx, c, c.path("id"), nil, false)
}

// signed is what became of a signing, as it is written down. outcomes, where there
// are some, say more about what failed.
func (d *door) signed(ctx context.Context, c *call, id string, outcomes []signing.Outcome, made bool) (*answer, error) {
	row, err := d.Store.Read().GetActivation(ctx, id)
	if store.IsNotFound(err) || err == nil && row.ClientID != c.client.Name {
		return nil, problem("not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("read signing: %w", err)
	}
	batch, err := d.Signing.Batch(ctx, row.EmployeeID, id)
	if err != nil {
		return nil, err
	}
	signer, err := d.Store.Read().GetEmployee(ctx, row.EmployeeID)
	if err != nil {
		return nil, fmt.Errorf("read employee: %w", err)
	}
	made1, err := d.Store.Read().SignaturesOfActivation(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read signatures: %w", err)
	}
	last := map[int64]db.Signature{}
	for _, s := range made1 {
		last[s.Position] = s
	}
	body := signingBody{ID: id, Signer: personLink{signer.Nip, signer.Name}, CreatedAt: moment(batch.At), State: "running"}
	if batch.Ended {
		body.State = "done"
	}
	for _, i := range batch.Items {
		if i.Document == "" {
			return nil, problem("not_found") // of files or hashes, by another interface
		}
		one, err := d.itemOf(ctx, c, i, last[int64(i.Position)], outcomes)
		if err != nil {
			return nil, err
		}
		switch one.State {
		case "signed":
			body.Signed++
		case "failed":
			body.Failed++
		}
		body.Items = append(body.Items, one)
	}
	return answerSigning(body, made)
}

// answerSigning answers with what became of a signing. One that signed nothing is
// told as a problem by the call that made it, for whoever looks at the status only.
func answerSigning(body signingBody, made bool) (*answer, error) {
	switch {
	case !made:
		return ok(body)
	case body.Signed == 0 && body.State == "done" && len(body.Items) > 0:
		first := body.Items[0]
		p := problem(*first.Problem).say(*first.Detail, *first.Detail)
		p.items, p.void = body.Items, p.code == "interrupted"
		p.standing = !p.void
		for i, one := range body.Items {
			p = p.at(fmt.Sprintf("/documents/%d", i), *one.Problem)
		}
		return nil, p
	}
	return created("/signings/"+body.ID, body)
}

func (d *door) itemOf(ctx context.Context, c *call, i signing.BatchItem, made db.Signature, outcomes []signing.Outcome) (signingItem, error) {
	out := signingItem{Document: i.Document, Name: i.Name, State: "waiting"}
	switch i.State {
	case "failed":
		out.State = "failed"
		code, detail := codeOf(i.Problem), ""
		for _, o := range outcomes {
			if o.Position == i.Position && o.Err != nil {
				p := problemOf(o.Err)
				code, detail = p.code, p.detail.In(c.lang)
			}
		}
		if detail == "" {
			kind, _ := apidoc.ProblemOf(code)
			detail = kind.Detail.In(c.lang)
		}
		out.Problem, out.Detail = &code, &detail
	case "done":
		return d.doneOf(ctx, c, i, made)
	}
	return out, nil
}

// doneOf is an item that was signed, by this signing or by one before it that was
// cut off.
func (d *door) doneOf(ctx context.Context, _ *call, i signing.BatchItem, made db.Signature) (signingItem, error) {
	out := signingItem{Document: i.Document, Name: i.Name, State: "signed", Found: made.ID == "", At: maybe(i.At)}
	if made.ID == "" {
		rows, err := d.Store.Read().SignaturesOfDocument(ctx, nullable(i.Document))
		if err != nil {
			return out, fmt.Errorf("read signatures: %w", err)
		}
		for _, r := range rows {
			if string(r.SourceSha256) == string(i.SHA256) {
				made.ID, made.Version, made.Level, made.MadeAt = r.ID, r.Version, r.Level, r.MadeAt
			}
		}
	}
	if made.ID == "" {
		return out, nil
	}
	v, err := d.stored(ctx, i.Document, made.Version)
	if err != nil {
		return out, err
	}
	sum, at := hex.EncodeToString(v.Sha256), moment(clock.FromMicros(made.MadeAt))
	out.Version, out.Level, out.Size, out.SHA256, out.At = &made.Version, &made.Level, &v.Size, &sum, &at
	return out, nil
}
