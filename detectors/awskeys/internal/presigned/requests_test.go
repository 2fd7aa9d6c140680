package presigned

import (
	"testing"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestRequestsAreReadOnce: the parameters of requests are looked for once in each
// stretch of a text, however many ids stand there.
func TestRequestsAreReadOnce(t *testing.T) {
	text := ""
	for i := range uint64(200) {
		text += "X-Amz-Credential: " + detectorstest.KeyID("AKIA", detectorstest.Account, i) + "\n"
	}
	requests, ids := RequestsIn([]byte(text)), candidates.IDs([]byte(text))
	for _, id := range ids {
		requests.Until(id)
	}
	if n := len(requests.endOf); len(ids) != 200 || n > 1+len(text)/(maxLen/2) {
		t.Errorf("%d stretches of %d bytes were searched for %d ids", n, len(text), len(ids))
	}
}
