// Package packtest makes parts of deltas for the tests of packages that read them.
package packtest

import (
	"bytes"
	"math/rand/v2"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// CutUp returns the parts of a delta that makes made from base, cut at random places: some are
// copied from base, and the others are new.
func CutUp(random *rand.Rand, base, made []byte) (parts []pack.Part) {
	for at := 0; at < len(made); {
		n := min(1+random.IntN(60), len(made)-at)
		p := pack.Part{At: int32(at), From: -1, Len: int32(n)}
		skip := random.IntN(len(base))
		if random.IntN(4) == 0 {
			skip = 0
		}
		if k := bytes.Index(base[skip:], made[at:at+n]); k >= 0 {
			p.From = int32(skip + k)
			for at+n < len(made) && skip+k+n < len(base) && made[at+n] == base[skip+k+n] && random.IntN(30) > 0 {
				n++
			}
			p.Len = int32(n)
		}
		parts = append(parts, p)
		at += n
	}
	return parts
}
