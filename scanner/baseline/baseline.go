// Package baseline lists credentials that are known: a project that begins with stanch
// commits such a list, and from then on hears of new leaks only.
//
// A list holds hashes. A pair of id and secret has three: the fingerprint of the pair, and
// one of each half, since the id of a known key may stand alone elsewhere, in a README or in
// a report of stanch. A known id with a secret that is not known is another pair, and new.
//
// It is public for the commands of stanch, and no contract.
package baseline

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// An Entry is one known credential.
type Entry struct {
	// Fingerprint is that of the finding. ID and Secret are hashes of the halves, none for
	// a half that it lacks.
	Fingerprint, ID, Secret string
	// Note is for people: the first place and the rule.
	Note string
}

// none stands for the hash of a half that a credential lacks.
const none = "-"

// The hexadecimal digits of a fingerprint, and of the hash of a half. The latter is shorter:
// to look for another key with the same hash is no way to hide a key.
const (
	fingerprintSize = 32
	halfSize        = 16
)

// EntriesOf returns the entries that hide f and its candidates. Each has the note.
func EntriesOf(f *finding.Finding, note string) []Entry {
	id := hashID(f.Match.Credential.ID)
	list := []Entry{{f.Fingerprint(), id, hashSecret(f.SecretSHA256()), note}}
	for i := range f.Candidates {
		c := &f.Candidates[i]
		list = append(list, Entry{c.Fingerprint, id, hashSecret(c.SecretSHA256), note})
	}
	return list
}

func hashID(id string) string { return hashHalf("id", id) }

// hashSecret takes the SHA-256 of the secret, since a saved report holds no more.
func hashSecret(sum string) string { return hashHalf("secret", sum) }

func hashHalf(kind, half string) string {
	if half == "" {
		return none
	}
	h := sha256.Sum256([]byte("stanch:v1:" + kind + "\x00" + half))
	return hex.EncodeToString(h[:halfSize/2])
}

// A List is a list of known credentials. It may be used concurrently: a sweep scans several
// repositories with one.
type List struct {
	mu      sync.Mutex // of all below
	text    []byte     // the entries as lines, nil once they are in entries
	entries []Entry
	index   map[string][]int // by each hash
	used    []bool           // entries that Knows has found something for
	halves  []bool           // entries that share a half with something that is not known
}

// NewList returns the list of some entries.
func NewList(entries []Entry) *List { return &List{entries: slices.Clone(entries)} }

// Entries returns the entries, sorted by fingerprint, each once.
func (l *List) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	return slices.Clone(l.entries)
}

// load makes the entries and their index. That is not done when a list is read: most
// commits bring nothing that anybody has to look up.
func (l *List) load() {
	if l.index != nil {
		return
	}
	if l.text != nil {
		l.entries, l.text = parseEntries(l.text), nil
	}
	slices.SortFunc(l.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Note, b.Note))
	})
	l.entries = slices.CompactFunc(l.entries, func(a, b Entry) bool { return a.Fingerprint == b.Fingerprint })
	l.used, l.halves = make([]bool, len(l.entries)), make([]bool, len(l.entries))
	l.index = make(map[string][]int, 3*len(l.entries))
	for i, e := range l.entries {
		for _, hash := range []string{e.Fingerprint, e.ID, e.Secret} {
			if hash != none && hash != "" {
				l.index[hash] = append(l.index[hash], i)
			}
		}
	}
}

// Knows reports whether f is in the list, or each half that f has is one of a key in the
// list. Unused does not return the entries that know it.
func (l *List) Knows(f *finding.Finding) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	found := l.index[f.Fingerprint()]
	if !f.Match.Rule.Value { // which has no halves
		id, isID := l.half(hashID(f.Match.Credential.ID))
		secret, isSecret := l.half(hashSecret(f.SecretSHA256()))
		halves := slices.Concat(id, secret)
		if isID && isSecret {
			found = slices.Concat(found, halves)
		} else {
			mark(l.halves, halves)
		}
	}
	mark(l.used, found)
	return len(found) > 0
}

func mark(marks []bool, entries []int) {
	for _, i := range entries {
		marks[i] = true
	}
}

// half returns the entries that have the hash of a half. It reports whether there are any, or
// there is no such half.
func (l *List) half(hash string) (found []int, ok bool) {
	found = l.index[hash]
	return found, hash == none || len(found) > 0
}

// Unused returns the entries for which Knows has found nothing, sorted by fingerprint. They
// hide nothing if Knows was asked about all findings that there are.
func (l *List) Unused() []Entry { return l.entriesWhere(func(i int) bool { return !l.used[i] }) }

// Gone returns the entries that hide nothing in other clones either: those of Unused, but for
// halves of a new pair. It may be a pair in this clone alone, in whose reflogs the other half
// is.
func (l *List) Gone() []Entry {
	return l.entriesWhere(func(i int) bool { return !l.used[i] && !l.halves[i] })
}

func (l *List) entriesWhere(is func(i int) bool) (found []Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.load()
	for i, e := range l.entries {
		if is(i) {
			found = append(found, e)
		}
	}
	return found
}
