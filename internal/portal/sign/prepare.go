package sign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/pades"
)

// maxForm bounds the form of a batch: ids, hashes and places of all documents.
const maxForm = 256 << 10

// chosen are the viewer's documents that a form names, each once.
func (p *Pages) chosen(r *http.Request, ids []string) ([]signing.Document, error) {
	var out []signing.Document
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		d, err := p.Signing.Readable(r.Context(), me(r).EmployeeID, id)
		if errors.Is(err, signing.ErrNotFound) {
			return nil, web.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		if out = append(out, d); len(out) > p.Signing.Limits.Batch {
			return out, signing.ErrBatch
		}
	}
	return out, nil
}

// none leads back from a form that names no document, or too many.
func (p *Pages) none(w http.ResponseWriter, r *http.Request, err error) error {
	key := "sign.prepare.none"
	if errors.Is(err, signing.ErrBatch) {
		key = "sign.prepare.too_many"
	} else if err != nil {
		return err
	}
	web.Flash(w, r, ui.Warning, key, "max", strconv.Itoa(p.Signing.Limits.Batch))
	return web.See(w, r, Base)
}

// prepare asks how the chosen documents are to be signed.
func (p *Pages) prepare(w http.ResponseWriter, r *http.Request) error {
	files, err := p.chosen(r, r.URL.Query()[fieldDocument])
	if err != nil || len(files) == 0 {
		return p.none(w, r, err)
	}
	d := newDraft(files)
	if err := p.fromTemplate(r, d); err != nil {
		return err
	}
	if err := p.turns(r, d); err != nil {
		return err
	}
	d.asked(me(r).EmployeeID)
	if len(files) > 1 && !d.free() && len(d.Errors) == 0 {
		return p.straight(w, r, d)
	}
	return p.showPrepare(w, r, d)
}

// straight asks for the passphrase at once where the senders of many documents have
// said everything; "Ubah" leads to the form. Who may sign for another office, or
// whose document asks for its password, gets the form.
func (p *Pages) straight(w http.ResponseWriter, r *http.Request, d *draft) error {
	held, err := p.Signing.Authorities(r.Context(), me(r).EmployeeID)
	if err != nil {
		return err
	}
	if len(held) > 0 || len(locked(d.files)) > 0 {
		return p.showPrepare(w, r, d)
	}
	_, covered, err := p.items(r.Context(), me(r), d)
	if err != nil {
		return err
	}
	if len(d.Errors) > 0 {
		return p.showPrepare(w, r, d)
	}
	return p.showConfirm(w, r, d, covered)
}

// turns notes what the workflows of the documents ask of the viewer.
func (p *Pages) turns(r *http.Request, d *draft) error {
	d.flows, d.fixed = map[string]signing.Workflow{}, map[string]*signing.Look{}
	for _, f := range d.files {
		w, err := p.Signing.Workflow(r.Context(), f.ID)
		if errors.Is(err, signing.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		d.flows[f.ID] = w
		if step, turn := w.Turn(me(r).EmployeeID); turn && step.Look != nil {
			d.fixed[f.ID] = step.Look
		}
	}
	return nil
}

// asked fills in what the workflows of the documents ask of somebody.
func (d *draft) asked(employeeID string) {
	for _, f := range d.files {
		step, turn := d.flows[f.ID].Turn(employeeID)
		switch {
		case !turn:
		case step.Look != nil:
			d.takeManner(*step.Look)
			if len(step.Look.Spots) > 0 && !d.free() {
				d.Content = step.Look.Content
			}
		case step.Role == signing.Paraf:
			d.Mode = invisible
		case step.Anchor != "":
			d.Spots[0].Method, d.Spots[0].Anchor = byAnchor, step.Anchor
		}
	}
}

// prepareView is that page.
type prepareView struct {
	*draft
	limits      signing.Limits
	authorities []signing.Authority
	templates   []signing.Template // with something for the viewer
	now         time.Time
}

func (p *Pages) showPrepare(w http.ResponseWriter, r *http.Request, d *draft) error {
	ctx := r.Context()
	v := prepareView{draft: d, limits: p.Signing.Limits, now: p.Clock()}
	var err error
	if v.authorities, err = p.Signing.Authorities(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	if v.templates, err = p.ownTemplates(r); err != nil {
		return err
	}
	page := page(ctx, i18n.T(ctx, "sign.prepare.title"), len(d.Errors) > 0)
	page.Lede = i18n.N(ctx, "sign.prepare.lede", len(d.files))
	page.Scripts = []string{"document.js"}
	return web.Page(w, r, d.Errors.Status(w), page, prepareBody(v))
}

// offered are the forms of authority that the viewer may choose now.
func (v prepareView) offered(ctx context.Context) []ui.Option {
	out := []ui.Option{{Value: "", Label: i18n.T(ctx, "sign.authority.own"), Selected: v.Authority == ""}}
	day := today(v.now)
	for _, a := range v.authorities {
		if a.Serves("", day) != nil {
			continue
		}
		out = append(out, ui.Option{
			Value: a.ID, Selected: v.Authority == a.ID, Label: strings.Join(a.Lines(""), " "),
			Hint: i18n.T(ctx, "sign.authority.decree", "decree", a.Decree, "from", a.From, "until", a.Until),
		})
	}
	return out
}

// check takes the prepared form and shows what is about to be signed, or adds
// or removes a place.
func (p *Pages) check(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("read form: %w", web.ErrBadRequest)
	}
	files, err := p.chosen(r, r.PostForm[fieldDocument])
	if err != nil || len(files) == 0 {
		return p.none(w, r, err)
	}
	d := readDraft(files, r.PostForm, p.Signing.Limits.Places)
	if err := p.turns(r, d); err != nil {
		return err
	}
	switch act := web.Value(r, fieldAct); {
	case act == "tambah" && len(d.Spots) < p.Signing.Limits.Places:
		d.Spots = append(d.Spots, newSpot(len(d.Spots)+1))
		return p.showPrepare(w, r, d)
	case act == "kurangi" && len(d.Spots) > 1:
		d.Spots = d.Spots[:len(d.Spots)-1]
		return p.showPrepare(w, r, d)
	case act == "ubah":
		return p.showPrepare(w, r, d)
	case act == "templat" && d.free():
		return p.keepTemplate(w, r, d)
	}
	items, covered, err := p.items(r.Context(), me(r), d)
	if err != nil {
		return err
	}
	if len(d.Errors) > 0 || items == nil {
		return p.showPrepare(w, r, d)
	}
	return p.showConfirm(w, r, d, covered)
}

// items makes the list that is authorised and tells what visible signatures
// would cover. What is wrong with the form goes into its errors.
func (p *Pages) items(ctx context.Context, who audit.Actor, d *draft) (items []signing.Item, covered []covering, err error) {
	if d.validate(); len(d.Errors) > 0 {
		return nil, nil, nil
	}
	if err := p.checkAuthority(ctx, who, d); err != nil {
		return nil, nil, err
	}
	for _, f := range d.files {
		item := signing.Item{Document: f.ID, Digest: f.SHA256, Name: f.Name}
		var sheets *signing.Sheets
		if said := d.passwords[f.ID]; said != "" {
			// Kept with the document from here on, so that no page carries it.
			if err = p.Signing.Unlock(ctx, who, f.ID, []byte(said)); p.blame(d, f, err) {
				continue
			} else if err != nil {
				return nil, nil, err
			}
		}
		look := d.lookOf(f)
		if len(look.Spots) > 0 || f.Encrypted {
			if sheets, err = p.Signing.Sheets(ctx, f.ID, nil); p.blame(d, f, err) {
				continue
			} else if err != nil {
				return nil, nil, err
			}
		}
		if item.Request, err = look.Request(sheets); p.blame(d, f, err) {
			continue
		} else if err != nil {
			return nil, nil, err
		}
		if len(item.Request.Places) > 0 {
			over, err := d.covers(ctx, who, f, sheets, item.Request.Places)
			if p.blame(d, f, err) {
				continue
			} else if err != nil {
				return nil, nil, err
			}
			if over != nil {
				covered = append(covered, *over)
			}
		}
		items = append(items, item)
	}
	return items, covered, nil
}

// checkAuthority says before any passphrase is typed for which document the
// chosen authority does not serve.
func (p *Pages) checkAuthority(ctx context.Context, who audit.Actor, d *draft) error {
	if d.Authority == "" {
		return nil
	}
	list, err := p.Signing.Authorities(ctx, who.EmployeeID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(a signing.Authority) bool { return a.ID == d.Authority })
	if i < 0 {
		d.Errors.Add(fieldAuthority, "sign.problem.authority_unknown")
		return nil
	}
	for _, f := range d.files {
		if err := list[i].Serves(f.Kind, today(p.Clock())); err != nil {
			d.Errors.Add(fieldAuthority, "sign.error.authority", "name", shortName(f.Name), "why", i18n.T(ctx, problemKey(ctx, signing.Problem(err))))
		}
	}
	return nil
}

// today is the day at the seat of the government; when a document is signed it
// is that of the signer.
func today(now time.Time) string {
	return now.In(time.FixedZone("WIB", 7*3600)).Format(time.DateOnly)
}

// covers tells what the viewer's signatures on a document would lie over, the
// places of others among it; nil: nothing.
func (d *draft) covers(ctx context.Context, who audit.Actor, f signing.Document, sheets *signing.Sheets, mine []signing.Place) (*covering, error) {
	var list []owned
	for i, place := range mine {
		list = append(list, owned{i18n.T(ctx, "sign.place.mine", "number", i+1), place})
	}
	planned, err := d.flows[f.ID].Planned(sheets)
	if err != nil {
		return nil, err
	}
	for _, other := range planned {
		if other.Step.EmployeeID == who.EmployeeID {
			continue
		}
		for _, place := range other.Places {
			list = append(list, owned{other.Step.Name, place})
		}
	}
	return cover(ctx, f, sheets, list, len(mine))
}

// blame notes at the right field why a document cannot be signed like this; it
// tells whether it did.
func (p *Pages) blame(d *draft, f signing.Document, err error) bool {
	var refused *pades.Refusal
	var damaged *signing.DamagedError
	switch {
	case err == nil:
		return false
	case errors.Is(err, signing.ErrPassword) && d.passwords[f.ID] == "":
		d.Errors.Add(fieldPassword+f.ID, "sign.error.need_password", "name", shortName(f.Name))
	case errors.Is(err, signing.ErrPassword):
		d.Errors.Add(fieldPassword+f.ID, "sign.error.password", "name", shortName(f.Name))
	case errors.Is(err, signing.ErrReadOnly):
		d.Errors.Add(fieldPassword+f.ID, "sign.error.read_only", "name", shortName(f.Name))
	case errors.As(err, &refused) && d.fixed[f.ID] != nil:
		d.Errors.Add(fieldDocument, "sign.error.place", "name", shortName(f.Name))
	case errors.As(err, &refused):
		d.Errors.Add(d.Spots[0].field("cara"), "sign.error.place", "name", shortName(f.Name))
	case errors.As(err, &damaged):
		d.Errors.Add(fieldDocument, "sign.problem.damaged_name", "name", shortName(f.Name))
	case errors.Is(err, signing.ErrTooHard):
		d.Errors.Add(fieldDocument, "sign.upload.too_hard", "name", shortName(f.Name))
	case errors.Is(err, signing.ErrReading):
		d.Errors.AddBusy(fieldDocument, "sign.upload.reading", "name", shortName(f.Name))
	default:
		return false
	}
	return true
}

// confirmView is the page on which the passphrase is typed.
type confirmView struct {
	*draft
	standing signing.Standing
	covered  []covering
	office   string
}

func (p *Pages) showConfirm(w http.ResponseWriter, r *http.Request, d *draft, covered []covering) error {
	ctx := r.Context()
	v := confirmView{draft: d, covered: covered}
	var err error
	if v.standing, err = p.Signing.Standing(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	authorities, err := p.Signing.Authorities(ctx, me(r).EmployeeID)
	if err != nil {
		return err
	}
	v.office = i18n.T(ctx, "sign.authority.own")
	for _, a := range authorities {
		if a.ID == d.Authority {
			v.office = strings.Join(a.Lines(""), " ")
		}
	}
	page := page(ctx, i18n.T(ctx, "sign.confirm.title"), len(d.Errors) > 0)
	page.Lede = i18n.N(ctx, "sign.confirm.lede", len(d.files))
	return web.Page(w, r, d.Errors.Status(w), page, confirmBody(v))
}

// sign tries the passphrase once and signs the whole list in the background.
func (p *Pages) sign(w http.ResponseWriter, r *http.Request) error {
	f, err := passform.ReadMax(w, r, maxForm, fieldSecret)
	if err != nil {
		return err
	}
	defer f.Wipe()
	files, err := p.chosen(r, f.Values()[fieldDocument])
	if err != nil || len(files) == 0 {
		return p.none(w, r, err)
	}
	ctx, d := r.Context(), readDraft(files, f.Values(), p.Signing.Limits.Places)
	if err := p.turns(r, d); err != nil {
		return err
	}
	items, covered, err := p.items(ctx, me(r), d)
	if err != nil {
		return err
	}
	if len(d.Errors) > 0 {
		return p.showPrepare(w, r, d)
	}
	for i, file := range files {
		if !d.shown(file) {
			// What was shown is not what lies here now: it was signed by a try whose
			// answer was lost, or that is said of the one document. The others are signed.
			items[i].Digest = d.digest(file)
		}
	}
	if len(covered) > 0 && !d.Agreed {
		d.Errors.Add(fieldAgreed, "sign.error.agree")
		return p.showConfirm(w, r, d, covered)
	}
	secret, err := f.Secret(fieldSecret)
	if err != nil {
		d.Errors.Add(fieldSecret, "sign.error.secret")
		return p.showConfirm(w, r, d, covered)
	}
	a, err := p.Signing.Authorize(ctx, signing.Authorization{Who: me(r), Signer: me(r).EmployeeID, Items: items, Secret: secret})
	if err != nil {
		return p.refused(w, r, d, covered, err)
	}
	p.Signing.Start(a)
	return web.See(w, r, batchPath(a.ID))
}

// refused says exactly why nothing was signed.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, d *draft, covered []covering, err error) error {
	gone, err := Refusal(r.Context(), d.Errors, err)
	if err != nil {
		return err
	}
	if gone {
		web.Flash(w, r, ui.Danger, "sign.refused.destroyed")
		return web.See(w, r, "/ds")
	}
	return p.showConfirm(w, r, d, covered)
}
