package orgscan

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/stanch-dev/stanch/scanner/github"
)

// A Shard is one of several equal parts of the repositories, each for one machine. The
// zero Shard has all of them.
type Shard struct {
	number uint64 // counted from 1
	of     uint64
}

// maxShards is more than the jobs of any matrix.
const maxShards = 10_000

// ParseShard reads the value of --shard: "" or "2/8".
func ParseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	wrong := fmt.Errorf("--shard %s: it is I/N, I from 1 to N, N up to %d, as 2/8", text, maxShards)
	number, of, _ := strings.Cut(text, "/")
	n, numberErr := strconv.ParseUint(number, 10, 32)
	m, ofErr := strconv.ParseUint(of, 10, 32)
	if numberErr != nil || ofErr != nil {
		return Shard{}, wrong
	}
	s := Shard{n, m}
	if s.number < 1 || s.number > s.of || s.of > maxShards {
		return Shard{}, wrong
	}
	return s, nil
}

// String returns the text that ParseShard reads.
func (s Shard) String() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.number, s.of)
}

// has reports whether the shard has a repository. That depends on its id alone: if the
// list changes while machines ask for it, each repository is still scanned by one of
// them.
func (s Shard) has(r github.Repository) bool {
	if r.ID == 0 {
		return s.hasName(strings.ToLower(r.Name))
	}
	return s.hasName(strconv.FormatInt(r.ID, 10))
}

// hasName reports whether the shard has a gist, or a repository without an id.
func (s Shard) hasName(name string) bool {
	if s.of == 0 {
		return true
	}
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])%s.of == s.number-1
}
