package scannertest

import (
	"os"
	"testing"
)

// WholeMatrix reports whether a test runs every row of its matrix with every column.
// STANCH_MATRIX=all asks for that, as .ci/run does. Without it a test runs each row at
// least once, and the log says which part is leftOut.
func WholeMatrix(t testing.TB, leftOut string) bool {
	t.Helper()
	if os.Getenv("STANCH_MATRIX") == "all" {
		return true
	}
	t.Logf("only STANCH_MATRIX=all runs %s", leftOut)
	return false
}
