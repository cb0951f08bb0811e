package pdf

const maxHops = 16 // references that name references

// Resolve follows o while it is a reference. Absent and null objects give nil.
func (d *Document) Resolve(o Object) (Object, error) {
	for range maxHops {
		switch v := o.(type) {
		case Null:
			return nil, nil
		case Ref:
			var err error
			if o, err = d.Object(v); err != nil {
				return nil, err
			}
		default:
			return o, nil
		}
	}
	return nil, &LimitError{"references that name references", maxHops}
}

// ResolveDict returns a dictionary, or that of a stream; nil where o is absent.
func (d *Document) ResolveDict(o Object) (Dict, error) {
	o, err := d.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch v := o.(type) {
	case nil:
		return nil, nil
	case Dict:
		return v, nil
	case *Stream:
		return v.Dict, nil
	}
	return nil, &TypeError{"a dictionary", o}
}

// ResolveArray returns an array; nil where o is absent.
func (d *Document) ResolveArray(o Object) (Array, error) { return resolveTo[Array](d, o, "an array") }

// ResolveName returns a name; empty where o is absent.
func (d *Document) ResolveName(o Object) (Name, error) { return resolveTo[Name](d, o, "a name") }

// ResolveString returns a string; empty where o is absent.
func (d *Document) ResolveString(o Object) (String, error) {
	return resolveTo[String](d, o, "a string")
}

// ResolveInt returns an integer; 0 where o is absent. A Real without a fraction
// is one.
func (d *Document) ResolveInt(o Object) (int64, error) {
	o, err := d.Resolve(o)
	if err != nil {
		return 0, err
	}
	switch v := o.(type) {
	case nil:
		return 0, nil
	case Integer:
		return int64(v), nil
	case Real:
		if v == Real(int64(v)) {
			return int64(v), nil
		}
	}
	return 0, &TypeError{"an integer", o}
}

// ResolveNumber returns an Integer or Real; 0 where o is absent.
func (d *Document) ResolveNumber(o Object) (float64, error) {
	o, err := d.Resolve(o)
	if err != nil {
		return 0, err
	}
	switch v := o.(type) {
	case nil:
		return 0, nil
	case Integer:
		return float64(v), nil
	case Real:
		return float64(v), nil
	}
	return 0, &TypeError{"a number", o}
}

func resolveTo[T Object](d *Document, o Object, want string) (v T, err error) {
	o, err = d.Resolve(o)
	if o == nil || err != nil {
		return v, err
	}
	v, ok := o.(T)
	if !ok {
		return v, &TypeError{want, o}
	}
	return v, nil
}
