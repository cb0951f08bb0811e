package account

import (
	"strings"
	"testing"

	"absah/internal/clock"
	"absah/internal/passphrase"
)

func TestEstimatedPasswords(t *testing.T) {
	t.Parallel()
	e, err := passphrase.NewEstimator(passphrase.DefaultPolicy(), clock.System, 1)
	if err != nil {
		t.Fatal(err)
	}
	m := Estimated{Estimator: e}
	for password, strong := range map[string]bool{
		"password1234": false, "bismillah123": false, "kuda hujan lampu kertas genteng": true, "tab\there and there": false, "\xff\xfe\xfd": false,
		"kuda hujan lampu kertas genteng " + strings.Repeat("é", 300): true,
	} {
		score, err := m.Score(t.Context(), password, []string{"sari"})
		if err != nil || (score >= 3) != strong {
			t.Errorf("Score(%.20q) = %d, %v; want strong: %v", password, score, err, strong)
		}
	}
}
