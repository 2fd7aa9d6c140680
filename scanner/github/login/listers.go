package login

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/github"
)

// Listers makes the Listers of a Login and keeps them. Owners with the same token share
// one, which knows the rest of its limits. It may be used concurrently.
type Listers struct {
	Login Login
	// MaxWait and Wait are set in each Lister.
	MaxWait time.Duration
	Wait    func(context.Context, time.Duration) error

	mu   sync.Mutex
	made map[string]*github.Lister
}

// For returns the Lister for target, an owner or owner/name, at an API.
func (l *Listers) For(ctx context.Context, api, target string) (*github.Lister, error) {
	owner, _, _ := strings.Cut(target, "/")
	group := api // of targets that share a Lister
	if l.Login.perOwner() {
		group += " " + strings.ToLower(owner)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made[group] == nil {
		login := l.Login
		login.API = api
		lister, err := login.Lister(ctx, owner, l.MaxWait, l.Wait)
		if err != nil {
			return nil, err
		}
		if l.made == nil {
			l.made = map[string]*github.Lister{}
		}
		l.made[group] = lister
	}
	return l.made[group], nil
}
