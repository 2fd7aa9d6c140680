package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/stanch-dev/stanch/scanner/github"
)

// A shard is one of several equal parts of the repositories, each for a machine of its
// own. The zero shard is all of them.
type shard struct {
	number uint64 // counted from 1
	of     uint64
}

// maxShards is more than any matrix has jobs.
const maxShards = 10_000

// parseShard reads what --shard says: "" or "2/8".
func parseShard(text string) (shard, error) {
	if text == "" {
		return shard{}, nil
	}
	wrong := fmt.Errorf("--shard %s: it is I/N, I from 1 to N, N up to %d, as 2/8", text, maxShards)
	number, of, _ := strings.Cut(text, "/")
	n, numberErr := strconv.ParseUint(number, 10, 32)
	m, ofErr := strconv.ParseUint(of, 10, 32)
	if numberErr != nil || ofErr != nil {
		return shard{}, wrong
	}
	s := shard{n, m}
	if s.number < 1 || s.number > s.of || s.of > maxShards {
		return shard{}, wrong
	}
	return s, nil
}

// String is what parseShard reads.
func (s shard) String() string { return fmt.Sprintf("%d/%d", s.number, s.of) }

// has reports whether the shard has a repository. It depends on nothing but the id of
// that: a list that changes while machines ask for it takes none from all of them.
func (s shard) has(r github.Repository) bool {
	if r.ID == 0 {
		return s.hasName(strings.ToLower(r.Name))
	}
	return s.hasName(strconv.FormatInt(r.ID, 10))
}

// hasName reports whether the shard has what has no id but a name.
func (s shard) hasName(name string) bool {
	if s.of == 0 {
		return true
	}
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])%s.of == s.number-1
}
