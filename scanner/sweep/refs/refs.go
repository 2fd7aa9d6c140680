// Package refs is the form in which a sweep remembers the refs of a repository: names of
// branches and tags as hashes, since a name may hold a secret, and all of it compressed.
package refs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// pullRef matches refs that GitHub itself makes.
var pullRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(HEAD|refs/pull/[0-9]+/(head|merge))$`) })

// Hashed returns refs with hashes in place of the names of branches and tags, since a
// name may hold a secret.
func Hashed(refs map[string]string) map[string]string {
	kept := make(map[string]string, len(refs))
	for name, id := range refs {
		kept[HashName(name)] = id
	}
	return kept
}

// HashName returns the name of a ref, or a hash in place of it: a name that GitHub itself has
// made stays.
func HashName(name string) string {
	if pullRef().MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := base64.RawURLEncoding.EncodeToString(sum[:12])
	for _, space := range []string{"refs/heads/", "refs/tags/"} {
		if strings.HasPrefix(name, space) {
			return space + hash
		}
	}
	return "refs/" + hash
}

// Pack returns refs as compressed text, a line each. There is a row for each
// repository, and names and ids of pull requests are long.
func Pack(refs map[string]string) ([]byte, error) {
	lines := make([]string, 0, len(refs))
	for name, id := range refs {
		lines = append(lines, id+" "+name)
	}
	slices.Sort(lines)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, strings.Join(lines, "\n"))
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

// Unpack returns the refs that Pack was given.
func Unpack(packed []byte) (map[string]string, error) {
	refs := map[string]string{}
	if len(packed) == 0 {
		return refs, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("the refs of a repository in the database: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("the refs of a repository in the database: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if id, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok {
			refs[name] = id
		}
	}
	return refs, nil
}

// Tips returns the distinct ids of refs, n at most: first of branches, then of tags, then
// the rest.
func Tips(refs map[string]string, n int) []string {
	rank := func(name string) int {
		switch {
		case strings.HasPrefix(name, "refs/heads/"):
			return 0
		case strings.HasPrefix(name, "refs/tags/"):
			return 1
		}
		return 2
	}
	names := make([]string, 0, len(refs))
	for name := range refs {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if c := rank(a) - rank(b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	seen := map[string]bool{}
	var ids []string
	for _, name := range names {
		if id := refs[name]; !seen[id] && len(ids) < n {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}
