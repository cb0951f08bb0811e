package pdf

import (
	"bytes"
	"fmt"
)

// beginEncryption sets up decryption where the trailer names an encryption
// dictionary (7.6.2).
func (d *Document) beginEncryption(password []byte) error {
	o := d.trailer.Get("Encrypt")
	if o == nil {
		return nil
	}
	if ref, ok := o.(Ref); ok {
		d.encRef = ref
	}
	left := maxEncryptNodes
	resolved, err := d.deep(o, 8, &left)
	if err != nil {
		return fmt.Errorf("read the encryption dictionary: %w", err)
	}
	dict, ok := resolved.(Dict)
	if !ok {
		return &TypeError{"an encryption dictionary", resolved}
	}
	ids, err := d.ResolveArray(d.trailer.Get("ID"))
	if err != nil {
		ids = nil
	}
	var id []byte
	if len(ids) > 0 {
		s, err := d.ResolveString(ids[0])
		if err == nil {
			id = []byte(s)
		}
	}
	enc, err := newEncryption(dict, id, password)
	if err != nil {
		return err
	}
	d.enc = enc
	clear(d.cache) // objects that were read without decryption
	d.objstms = objectStreams{}
	for _, s := range d.sections {
		// Objects of some types cannot be compared; their canonical form can.
		if e := s.trailer.Get("Encrypt"); e != nil && !bytes.Equal(AppendObject(nil, e), AppendObject(nil, o)) {
			d.note(EncryptionIrregular, s.offset, "sections name different encryption dictionaries")
		}
	}
	return nil
}

// maxEncryptNodes bounds the objects of an encryption dictionary.
const maxEncryptNodes = 1000

// deep resolves the references in o down to depth levels.
func (d *Document) deep(o Object, depth int, left *int) (Object, error) {
	if *left--; *left < 0 {
		return nil, &LimitError{"objects of the encryption dictionary", maxEncryptNodes}
	}
	o, err := d.Resolve(o)
	if err != nil || depth == 0 {
		return o, err
	}
	switch v := o.(type) {
	case Dict:
		v = v.Clone()
		for i := range v {
			if v[i].Value, err = d.deep(v[i].Value, depth-1, left); err != nil {
				return nil, err
			}
			if v[i].Value == nil {
				v[i].Value = Null{}
			}
		}
		return v, nil
	case Array:
		c := make(Array, len(v))
		for i := range v {
			if c[i], err = d.deep(v[i], depth-1, left); err != nil {
				return nil, err
			}
			if c[i] == nil {
				c[i] = Null{}
			}
		}
		return c, nil
	}
	return o, nil
}

// decrypted decrypts the strings of an object that was just read and belongs to
// nobody else yet. Not encrypted are those of cross-reference streams, and the
// Contents of signature dictionaries (7.6.2).
func (d *Document) decrypted(ref Ref, o Object) (Object, error) {
	switch v := o.(type) {
	case String:
		b, err := d.enc.decryptString(ref, []byte(v))
		if err != nil {
			return nil, fmt.Errorf("decrypt a string of object %v: %w", ref, err)
		}
		return String(b), nil
	case Array:
		for i := range v {
			switch v[i].(type) {
			case String, Array, Dict:
				e, err := d.decrypted(ref, v[i])
				if err != nil {
					return nil, err
				}
				v[i] = e
			}
		}
	case Dict:
		signature := isSignature(v)
		for i := range v {
			switch v[i].Value.(type) {
			case String, Array, Dict:
				if signature && v[i].Key == "Contents" {
					continue
				}
				e, err := d.decrypted(ref, v[i].Value)
				if err != nil {
					return nil, err
				}
				v[i].Value = e
			}
		}
	case *Stream:
		if t, ok := v.Dict.Get("Type").(Name); ok && t == "XRef" {
			return o, nil
		}
		_, err := d.decrypted(ref, v.Dict)
		return v, err
	}
	return o, nil
}

// isSignature tells signature dictionaries, in which Type is optional
// (12.8.1 table 255), from others with a Contents.
func isSignature(d Dict) bool {
	switch t, _ := d.Get("Type").(Name); t {
	case "Sig", "DocTimeStamp":
		return true
	case "":
		return d.Has("ByteRange") && d.Has("Filter")
	}
	return false
}
