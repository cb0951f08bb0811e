package appearance

import (
	"crypto/sha256"
	"sync"

	"absah/pades/appearance/cidfont"
	"absah/pades/appearance/truetype"
)

// Cache keeps what the appearances of a batch have in common: subsets of fonts, and
// images as they are embedded. What is built with it has the same bytes as
// without. The zero Cache is ready; it is safe for concurrent use.
type Cache struct {
	mu       sync.Mutex
	fonts    map[fontKey]*cidfont.Font
	pictures map[pictureKey]*picture
}

// mostCached is how many parts of a kind are kept; when there are more, all are
// forgotten, as they are of many batches then.
const mostCached = 64

type fontKey struct {
	font  *truetype.Font
	chars string // in order
}

type pictureKey struct {
	file        [sha256.Size]byte
	side        float64
	conformance Conformance
}

// recall returns what is known by key in *known of c, or makes it. A nil Cache
// knows nothing.
func recall[K comparable, V any](c *Cache, known func() *map[K]V, key K, build func() (V, error)) (V, error) {
	if c == nil {
		return build()
	}
	c.mu.Lock()
	v, ok := (*known())[key]
	c.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := build()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := known()
	if *m == nil || len(*m) >= mostCached {
		*m = make(map[K]V)
	}
	(*m)[key] = v
	return v, nil
}

// subset returns the parts of a font for the characters of f.
func (c *Cache) subset(f *face, chars string) (*cidfont.Font, error) {
	return recall(c, func() *map[fontKey]*cidfont.Font { return &c.fonts }, fontKey{f.font, chars}, func() (*cidfont.Font, error) { return cidfont.New(f.font, f.chars) })
}

// picture reads an image file as readPicture does.
func (c *Cache) picture(file []byte, side float64, conformance Conformance) (*picture, error) {
	build := func() (*picture, error) { return readPicture(file, side, conformance) }
	if c == nil {
		return build()
	}
	return recall(c, func() *map[pictureKey]*picture { return &c.pictures }, pictureKey{sha256.Sum256(file), side, conformance}, build)
}
