package keyformat

import (
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestShapeKeepsSecrets holds the limits of ShapeOf to what they claim.
func TestShapeKeepsSecrets(t *testing.T) {
	const n = 20000
	lost, doubted := 0, 0
	for seed := range uint64(n) {
		switch ShapeOf([]byte(detectorstest.SecretKey(seed))) {
		case NotSecret:
			lost++
		case Odd:
			doubted++
		}
	}
	if lost > n/5000 || doubted > n/200 {
		t.Errorf("of %d secrets %d are lost and %d doubted", n, lost, doubted)
	}
}
