package signing

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"absah/internal/store"
	"absah/internal/store/db"
	"absah/pades"
	"absah/pades/appearance"
	"absah/pdf"
)

// ErrFixed says that a signature goes elsewhere than into the fields that wait for
// it: who sent the document said where.
var ErrFixed = errors.New("the place of the signature was fixed by who sent the document")

// plan is what the workflow of a document says of the fields of one signature.
// The first signer makes those of everybody whose place was said, so that no later
// signature adds anything over what is signed.
type plan struct {
	own    []string // fields that wait for this signer; none: he makes his own
	others []laterStep
}

// laterStep is a step whose fields are to be made.
type laterStep struct {
	workflow string
	position int64
	places   []Place
	fields   []string
}

// planOf looks what is to be made with the signature of an employee, whose turn it
// is, on a version of a document. It fails with ErrFixed.
func (s *Service) planOf(ctx context.Context, documentID, signer string, r *Request, file, password []byte) (plan, error) {
	var out plan
	w, err := s.Workflow(ctx, documentID)
	if errors.Is(err, ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	step, turn := w.turnOf(signer)
	if !turn {
		return out, nil // maySign decides
	}
	if out.own = step.fields; len(out.own) > 0 && len(out.own) != len(r.Places) {
		return out, ErrFixed
	}
	var sheets *Sheets
	for _, st := range w.Steps {
		if st.EmployeeID == signer || st.Done || st.Look == nil || len(st.Look.Spots) == 0 || len(st.fields) > 0 {
			continue
		}
		asked, err := st.Look.Request(nil)
		if errors.Is(err, ErrSpot) {
			if sheets == nil {
				if sheets, err = s.openSheets(ctx, file, password); err != nil {
					return out, err
				}
			}
			asked, err = st.Look.Request(sheets)
		}
		if err != nil {
			return out, fmt.Errorf("place the fields of the others: %w", err)
		}
		out.others = append(out.others, laterStep{workflow: w.ID, position: st.position, places: asked.Places})
	}
	return out, nil
}

// enter puts the plan into the options of the signer's own signatures; id is that
// of their fields.
func (p *plan) enter(list []pades.Options, id string) {
	for i, name := range p.own {
		list[i].Field = name
	}
	if len(p.own) > 0 {
		list[0].Fields = nil
	}
	n := len(list)
	for i := range p.others {
		later := &p.others[i]
		for _, at := range later.places {
			n++
			name := fieldName(id, n)
			later.fields = append(later.fields, name)
			list[0].Fields = append(list[0].Fields, pades.NewField{
				Name: name, Place: pades.Visible{Page: at.Page, Box: at.Box, Anchor: at.Anchor, AnchorOrigin: at.AnchorOrigin},
			})
		}
	}
}

// drop takes the fields of the others out again: a certified document permits none.
func (p *plan) drop(o *pades.Options) {
	n := 0
	for _, later := range p.others {
		n += len(later.fields)
	}
	o.Fields, p.others = o.Fields[:len(o.Fields)-n], nil
}

// store writes down which fields were made.
func (p *plan) store(ctx context.Context, tx *store.Tx) error {
	for _, later := range p.others {
		n, err := tx.PrepareWorkflowStep(ctx, db.PrepareWorkflowStepParams{
			WorkflowID: later.workflow, Position: later.position, Fields: strings.Join(later.fields, " "),
		})
		if err != nil {
			return fmt.Errorf("write down the fields of a step: %w", err)
		}
		if n != 1 {
			return ErrChanged
		}
	}
	return nil
}

func fieldName(id string, n int) string { return "Absah-" + id + "-" + strconv.Itoa(n) }

// Fits tells whether what a look shows fits into its places when this employee
// signs. It fails with *appearance.FitError, *appearance.GlyphError, ErrNoSpecimen
// and *AuthorityError.
func (s *Service) Fits(ctx context.Context, employeeID string, l Look) error {
	if len(l.Spots) == 0 {
		return nil
	}
	q := s.Store.Read()
	e, err := q.GetEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	f, err := s.face(ctx, q, e, strings.Repeat("a", 26), &Request{Authority: l.Authority})
	if err != nil {
		return err
	}
	spec, err := f.spec(FaceOf(l.Content))
	if err != nil {
		return err
	}
	add := func(pdf.Object) pdf.Ref { return pdf.Ref{Number: 1} } // nothing is kept
	for _, p := range l.Spots {
		spec.Width, spec.Height = p.Width*point, p.Height*point
		if _, err := appearance.Build(spec, add); err != nil {
			return fmt.Errorf("draw the signature: %w", err)
		}
	}
	return nil
}
