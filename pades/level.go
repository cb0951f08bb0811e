package pades

// Level is a baseline level of EN 319 142-1 clause 6.
type Level int

const (
	BB   Level = iota // the signature alone
	BT                // with a trusted time
	BLT               // with all that validating it later needs
	BLTA              // with a document timestamp over that
)

var levelNames = [...]string{"B-B", "B-T", "B-LT", "B-LTA"}

func (l Level) String() string {
	if l < BB || l > BLTA {
		return "level " + itoa(int(l))
	}
	return levelNames[l]
}

// ParseLevel reads "B-B", "B-T", "B-LT" or "B-LTA".
func ParseLevel(s string) (Level, bool) {
	for i, n := range levelNames {
		if n == s {
			return Level(i), true
		}
	}
	return 0, false
}
