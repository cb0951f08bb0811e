// Package liberation holds the fonts Liberation Sans Regular and Bold, version
// 2.1.5. Their widths are those of Arial, in which official letters are set, and
// they cover Latin with the letters of Vietnamese, Turkish and Yoruba, Greek and
// Cyrillic. They are under the SIL Open Font License 1.1
// (LICENSE-Liberation.txt), which allows documents to embed subsets of them.
package liberation

import _ "embed"

//go:embed LiberationSans-Regular.ttf
var regular []byte

//go:embed LiberationSans-Bold.ttf
var bold []byte

// Regular returns the file of Liberation Sans Regular. It must not be changed.
func Regular() []byte { return regular }

// Bold returns the file of Liberation Sans Bold. It must not be changed.
func Bold() []byte { return bold }
