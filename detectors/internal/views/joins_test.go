package views

import (
	"math/rand/v2"
	"testing"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// TestJointNeedsPiece holds that no link begins behind a byte that is no part of a piece, so
// that decodeJoins may pass over it. Quoted-printable escapes are the exception.
func TestJointNeedsPiece(t *testing.T) {
	parts := []string{"A", "KIA7", " ", "\n", "\r\n", "\"", "'", "`", "\\", "=", "+", "${", "}", "&shy;", "<wbr>", "\u200b", ",", "=3D", "QUtJQUFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"}
	r := rand.New(rand.NewPCG(1, 19))
	links := 0
	for range 20_000 {
		var text []byte
		for range 1 + r.IntN(12) {
			text = append(text, parts[r.IntN(len(parts))]...)
		}
		for i := 1; i < len(text); i++ {
			if !encodings.JointStarts[text[i]] || text[i] == '=' {
				continue
			}
			found, _ := (&quoted{}).linksAt(text, i, 0, nil)
			if links += len(found); len(found) > 0 && !encodings.Joinable[text[i-1]] {
				t.Fatalf("a link at %d of %q", i, text)
			}
		}
	}
	if links < 500 {
		t.Errorf("only %d links", links)
	}
}
