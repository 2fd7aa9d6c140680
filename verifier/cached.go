package verifier

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// Cached asks Verifier once for each credential, no matter how often and from how many
// goroutines it is called. It remembers Unknown too: a leaked key is used once a run, not
// again and again until the answer pleases. It forgets only the verdict of a cancelled
// call, which says nothing about the credential. Live and IDActive change when the owner
// acts, and a sweep runs for hours, so it asks about them again after a minute.
//
// Credentials are remembered as an HMAC under a key that lives as long as the process: a
// core dump holds no hashes to compare with.
type Cached struct {
	Verifier Verifier
	Now      func() time.Time // nil means time.Now

	mu    sync.Mutex
	key   []byte
	calls map[[sha256.Size]byte]*call
}

// A call is one question to the inner Verifier. Its other fields may be read
// once done is closed.
type call struct {
	done      chan struct{}
	verdict   Verdict
	noVerdict bool // there is no verdict: cancelled, or the Verifier panicked
}

// Verify implements Verifier.
func (c *Cached) Verify(ctx context.Context, cred detectors.Credential) Verdict {
	for {
		q, id, mine := c.call(cred)
		if mine {
			return c.askAndShare(ctx, cred, q, id)
		}
		select {
		case <-q.done:
		case <-ctx.Done():
			return cancelled(ctx.Err())
		}
		if !q.noVerdict {
			return q.verdict.clone()
		}
	}
}

// call returns the question about cred, and whether the caller has to ask it.
func (c *Cached) call(cred detectors.Credential) (q *call, id [sha256.Size]byte, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.key = make([]byte, sha256.Size)
		_, _ = rand.Read(c.key) // never fails: crypto/rand
		c.calls = map[[sha256.Size]byte]*call{}
	}
	id = fingerprint(c.key, cred)
	q, ok := c.calls[id]
	if !ok || q.isOld(c.now()) {
		ok = false
		q = &call{done: make(chan struct{})}
		c.calls[id] = q
	}
	return q, id, !ok
}

func (c *Cached) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// isOld reports whether the answer to q is so old at now that it has to be asked again.
func (q *call) isOld(now time.Time) bool {
	select {
	case <-q.done:
	default:
		return false
	}
	return lifetimeOf(q.verdict) == liveLifetime && isOver(q.verdict, now)
}

func (c *Cached) askAndShare(ctx context.Context, cred detectors.Credential, q *call, id [sha256.Size]byte) Verdict {
	q.noVerdict = true // if Verify panics, the callers that wait ask for themselves
	defer func() {
		if q.noVerdict {
			c.mu.Lock()
			delete(c.calls, id)
			c.mu.Unlock()
		}
		close(q.done)
	}()
	v := c.Verifier.Verify(ctx, cred)
	q.verdict, q.noVerdict = v, v.State == Unknown && ctx.Err() != nil
	return v.clone()
}

// clone returns a Verdict whose Facts the caller may change.
func (v Verdict) clone() Verdict {
	v.Facts = slices.Clone(v.Facts)
	return v
}

func fingerprint(key []byte, c detectors.Credential) [sha256.Size]byte {
	return [sha256.Size]byte(keyedHash(key, c.ID, c.Secret.Reveal(), c.Token.Reveal()))
}

// keyedHash is an HMAC of parts. The length of each goes first, or moving a boundary
// would not change the hash.
func keyedHash(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, s := range parts {
		h.Write(binary.AppendUvarint(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	return h.Sum(nil)
}
