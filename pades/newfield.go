package pades

import (
	"context"
	"strings"
)

// addFields makes empty fields for later signatures; own is the name of the one
// that is signed now.
func (s *site) addFields(ctx context.Context, fields []NewField, own string) error {
	if len(fields) == 0 {
		return nil
	}
	if certification(s.doc, s.root) != NotCertified && s.signed() {
		return refuse(ReasonCertified, "the document's certification permits no new empty fields")
	}
	taken := map[string]bool{own: true}
	for _, f := range fields {
		switch {
		case f.Name == "" || strings.Contains(f.Name, "."):
			return refuse(ReasonFieldName, "no new field can have the name %q", f.Name)
		case taken[f.Name] || s.form.names[f.Name]:
			return refuse(ReasonFieldName, "there is a field %q already", f.Name)
		}
		taken[f.Name] = true
		l, room, err := s.place(ctx, nil, &f.Place)
		if err != nil {
			return err
		}
		page, err := s.page(l)
		if err != nil {
			return err
		}
		d := s.widget(f.Name, page, f.Lock)
		l.form = s.update.Add(emptyForm(room.Width, room.Height))
		l.dress(&d)
		field := s.update.Reserve()
		if err := s.tag(&d, field, page, caption{ofPlace, f.Name}); err != nil {
			return err
		}
		if err := s.enter(field, d, page); err != nil {
			return err
		}
	}
	return nil
}

// signed tells whether the document has a signature.
func (s *site) signed() bool {
	for _, f := range s.form.signatures {
		if f.value != nil {
			return true
		}
	}
	return false
}
