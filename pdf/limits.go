package pdf

// Limits bound what reading one file may cost. A zero field takes the default
// that its comment names.
type Limits struct {
	Depth        int   // nesting of arrays and dictionaries: 100
	Objects      int   // highest object number and entries of one xref section: 8,388,607
	Sections     int   // cross-reference sections: 4,096
	Pages        int   // nodes of the page tree: 1,000,000
	ObjectBytes  int64 // one object without its stream's bytes: 64 MiB
	StreamBytes  int64 // one stream, decoded: 64 MiB
	FileBytes    int64 // all streams of a file, decoded: 256 MiB
	Ratio        int64 // decoded to encoded size of a stream beyond 1 MiB: 1000
	Filters      int   // filters of one stream: 8
	CachedBytes  int64 // decoded object streams kept: 8 MiB
	CachedObject int   // parsed objects kept: 512
}

// ratioFloor is the decoded size below which no ratio is too high.
const ratioFloor = 1 << 20

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Depth, 100)
	def(&l.Objects, 8_388_607)
	def(&l.Sections, 4096)
	def(&l.Pages, 1_000_000)
	def(&l.Filters, 8)
	def(&l.CachedObject, 512)
	def64(&l.ObjectBytes, 64<<20)
	def64(&l.StreamBytes, 64<<20)
	def64(&l.FileBytes, 256<<20)
	def64(&l.Ratio, 1000)
	def64(&l.CachedBytes, 8<<20)
	l.Sections = min(l.Sections, 1<<16-1) // counted in 16 bits
	return l
}
