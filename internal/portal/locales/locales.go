// Package locales holds the texts of the pages. Every area of the portal has
// one file per language, area.id.toml and area.en.toml; go-i18n reads the
// language from the name. Package i18n serves them.
package locales

import "embed"

// FS holds every message file.
//
//go:embed *.toml
var FS embed.FS
