//go:build !pkcs11 || !cgo

package credential

import "testing"

func run(m *testing.M) int { return m.Run() }
