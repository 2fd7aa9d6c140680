package verifier

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/atomicfile"
)

// Stored keeps verdicts in a folder from one run to the next: a key that is found again an
// hour later is not used again. lifetimeOf says for how long. Unknown is not kept.
//
// The folder does not reveal which credentials were found. It holds a random key in a file
// of mode 0600, and one file a verdict. The name of such a file is an HMAC of the
// credential. Its content is sealed (AES-GCM) under another HMAC of the credential: only a
// process that has the credential can read it, and only one that has the random key as well
// can forge it.
//
// If the folder cannot be read or written, Stored asks Verifier as if it were not there.
// Processes may share a folder.
type Stored struct {
	Verifier Verifier
	// Dir is the folder. It is made, for its owner alone, with the first verdict.
	Dir string
	// Refresh asks even if a verdict is kept, and keeps the new one.
	Refresh bool
	// Scope separates verdicts of different providers: a verdict counts for its scope only.
	Scope string
	Now   func() time.Time // nil means time.Now

	once sync.Once
	key  []byte // nil if the folder is of no use
}

const (
	stored     = ".verdict"
	keyFile    = "key"
	maxVerdict = 1 << 16 // bytes of a file; far more than one has
	forever    = -1
)

// liveLifetime is how long a live verdict counts. Its owner acts on it and waits to see it
// change, so it has to be short: a key that was shut off must not be called live. A minute
// spares two commands in a row, such as a scan and the same scan in another format, a second
// use of the key.
const liveLifetime = time.Minute

// lifetimeOf returns how long v counts, 0 for not at all. Live and IDActive end when the
// owner acts, on our advice. Nobody waits for an Invalid key to change, and an old
// repository has hundreds of them; but one may be activated again. Expired is final. A
// canary that gave itself away must not be touched again.
func lifetimeOf(v Verdict) time.Duration {
	if v.At.IsZero() {
		return 0 // nobody was asked
	}
	switch v.State {
	case Live, IDActive:
		return liveLifetime
	case Invalid:
		return 24 * time.Hour
	case Expired, CanarySuspected:
		return forever
	case Skipped, NotVerifiable, Unknown:
	}
	return 0
}

// CachedFact is the name of the fact that a verdict is from an earlier run.
const CachedFact = "from-cache"

// Verify implements Verifier.
func (s *Stored) Verify(ctx context.Context, c detectors.Credential) Verdict {
	s.once.Do(s.open)
	if s.key == nil {
		return s.Verifier.Verify(ctx, c)
	}
	if v, ok := s.load(c); ok && !s.Refresh {
		v.Facts = append(v.Facts, Fact{Name: CachedFact, Value: "asked at " + v.At.UTC().Format(time.RFC3339) + " by an earlier run"})
		return v
	}
	v := s.Verifier.Verify(ctx, c)
	if life := lifetimeOf(v); life != 0 {
		_ = s.save(c, v, life) // a verdict that is not kept is asked for again
	} else {
		// The clock was ahead when this answer was stored. It would count as soon as the
		// clock gets there.
		_ = os.Remove(filepath.Join(s.Dir, s.file(c)))
	}
	return v
}

// Forget removes the verdicts of a key id, with any secret: its owner has changed the key,
// or is about to.
func (s *Stored) Forget(id string) error {
	if len(s.files("")) == 0 {
		return nil
	}
	s.once.Do(s.open)
	if s.key == nil {
		return nil
	}
	var err error
	for _, name := range s.files(s.name("id", id) + "-") {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// files returns the paths of the verdicts whose names begin with prefix.
func (s *Stored) files(prefix string) (paths []string) {
	entries, _ := os.ReadDir(s.Dir) // none, if it cannot be read
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), stored) {
			paths = append(paths, filepath.Join(s.Dir, e.Name()))
		}
	}
	return paths
}

// open reads the random key, or makes one, and removes verdicts that have ended.
func (s *Stored) open() {
	key, err := s.readKey()
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.makeKey(); err == nil {
			key, err = s.readKey() // another process may have made one as well
		}
	}
	if err != nil {
		return
	}
	s.key = key
	for _, name := range s.files("") {
		if r, err := readRecord(name); err != nil || r.over(s.now()) {
			_ = os.Remove(name)
		}
	}
}

func (s *Stored) readKey() ([]byte, error) {
	name := filepath.Join(s.Dir, keyFile)
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(), runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0, info.Size() != sha256.Size:
		return nil, fmt.Errorf("%s is not a key that only its owner can read", name)
	}
	return os.ReadFile(name)
}

func (s *Stored) makeKey() error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return s.put(keyFile, key)
}

// put writes a file that only its owner can read.
func (s *Stored) put(name string, b []byte) error {
	return atomicfile.Write(filepath.Join(s.Dir, name), b, 0o600)
}

// A record is the content of a file.
type record struct {
	Until  time.Time `json:"until,omitzero"` // zero: forever
	Sealed []byte    `json:"sealed"`
}

func (r record) over(now time.Time) bool { return !r.Until.IsZero() && !now.Before(r.Until) }

func readRecord(name string) (r record, err error) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxVerdict {
		return r, errors.Join(err, errors.New("not a verdict"))
	}
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	return r, err
}

// A sealed is the sealed part of a record. It repeats the end of the record, which is not
// sealed and can be edited.
type sealed struct {
	State    State
	At       time.Time
	Until    time.Time
	Identity Identity
	Facts    []Fact
}

func (s *Stored) load(c detectors.Credential) (Verdict, bool) {
	r, err := readRecord(filepath.Join(s.Dir, s.file(c)))
	if err != nil {
		return Verdict{}, false
	}
	seal := s.seal(c)
	if len(r.Sealed) < seal.NonceSize() {
		return Verdict{}, false
	}
	b, err := seal.Open(nil, r.Sealed[:seal.NonceSize()], r.Sealed[seal.NonceSize():], nil)
	var in sealed
	if err != nil || json.Unmarshal(b, &in) != nil {
		return Verdict{}, false
	}
	v := Verdict{State: in.State, At: in.At, Identity: in.Identity, Facts: in.Facts}
	// An earlier version may have given it a longer life.
	if now := s.now(); (record{Until: in.Until}).over(now) || isOver(v, now) {
		return Verdict{}, false
	}
	return v, true
}

// isOver reports whether v no longer counts at now, or is from the future: then the clock
// was set back, and the age of v is not known.
func isOver(v Verdict, now time.Time) bool {
	life := lifetimeOf(v)
	return v.At.After(now) || life != forever && !now.Before(v.At.Add(life))
}

func (s *Stored) save(c detectors.Credential, v Verdict, life time.Duration) error {
	in := sealed{State: v.State, At: v.At, Identity: v.Identity, Facts: v.Facts}
	if life != forever {
		in.Until = v.At.Add(life)
	}
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	seal := s.seal(c)
	nonce := make([]byte, seal.NonceSize())
	_, _ = rand.Read(nonce)
	if b, err = json.Marshal(record{Until: in.Until, Sealed: seal.Seal(nonce, nonce, b, nil)}); err != nil {
		return err
	}
	return s.put(s.file(c), b)
}

// file returns the name of the file of c. It begins with a hash of the id of c.
func (s *Stored) file(c detectors.Credential) string {
	return s.name("id", c.ID) + "-" + s.name("credential", c.ID, c.Secret.Reveal(), c.Token.Reveal()) + stored
}

func (s *Stored) name(parts ...string) string { return hex.EncodeToString(s.hash(parts...)[:16]) }

// hash returns an HMAC of parts and the scope, under the key of the folder.
func (s *Stored) hash(parts ...string) []byte {
	return keyedHash(s.key, append(parts, s.Scope)...)
}

func (s *Stored) seal(c detectors.Credential) cipher.AEAD {
	block, err := aes.NewCipher(s.hash("seal", c.ID, c.Secret.Reveal(), c.Token.Reveal()))
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // the block has the right size
	}
	return gcm
}

func (s *Stored) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}
