// Package transport gets repositories from servers: with its own client (Connect,
// Remote.Fetch), which asks a server for new objects and keeps nothing, or with the git binary.
// CloneDir takes the client if it does what git would do. The package writes folders and opens
// none: package gitsource does.
//
//	remote, err := transport.Connect(ctx, "https://github.com/golang/example")
//	if err != nil { … }
//	fetched, err := remote.Fetch(ctx, transport.Wanted{Tips: remote.Refs().Tips})
//	// fetched.Dir is a bare repository.
//
// Errors never hold the password of a URL.
package transport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// ErrObjectFormat says that a server uses SHA-256 ids, which Connect cannot read. Clone
// can.
var ErrObjectFormat = errors.New("the repository has ids of SHA-256, which only a clone can read")

// A Remote is a repository on a server, of which the refs were read. It is for one
// goroutine at a time. It need not be closed.
type Remote struct {
	address
	refs    Refs
	http    *gitHTTP
	session transport.UploadPackSession
	caps    *capability.List
	stall   time.Duration // while it connects
	shallow []string      // commits whose parents the server does not have
}

// Refs are the refs of a server.
type Refs struct {
	// Head is the full name of the branch that HEAD points to. It is "" if HEAD is detached
	// or missing; a detached HEAD is in Tips.
	Head string
	// Tips are the ids, in hexadecimal, of all refs by their full names: branches, tags,
	// pull requests. The id of an annotated tag is the id of the tag object.
	Tips map[string]string
}

// Refs returns the refs as they were when Connect asked.
func (r *Remote) Refs() Refs { return r.refs }

// Connect asks the server of rawURL, http or https, for its refs. It runs no git: user and
// password come from the URL alone, and the proxy from the environment. No redirect to
// another host is followed. Errors do not hold the password; a refusal is a *StatusError.
// An empty repository is no error.
func Connect(ctx context.Context, rawURL string) (*Remote, error) {
	at, err := parseRemote(rawURL)
	if err != nil {
		return nil, err
	}
	return connectTo(ctx, at)
}

func connectTo(ctx context.Context, at address) (*Remote, error) {
	r := &Remote{address: at, refs: Refs{Tips: map[string]string{}}, stall: defaultStall}
	if err := r.connect(ctx); err != nil {
		return nil, fmt.Errorf("reading the refs of %s: %w", r.url, contextErrorOr(ctx, err))
	}
	return r, nil
}

func (r *Remote) connect(ctx context.Context) error {
	if r.host == "" {
		return errors.New("only http and https URLs can be asked")
	}
	at, err := url.Parse(r.url)
	if err != nil {
		return err
	}
	endpoint, err := transport.NewEndpoint(r.url)
	if err != nil {
		return err
	}
	var auth transport.AuthMethod
	if r.user+r.password != "" {
		auth = &githttp.BasicAuth{Username: r.user, Password: r.password}
	}
	r.http = &gitHTTP{host: origin(at), stall: r.stall}
	client := githttp.NewClient(&http.Client{Transport: r.http})
	if r.session, err = client.NewUploadPackSession(endpoint, auth); err != nil {
		return err
	}
	defer r.http.closeAnswer()
	adv, err := r.session.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) && r.http.failed == nil {
		return r.checkFormat()
	}
	if err != nil {
		return cmp.Or(r.checkFormat(), r.explain(err))
	}
	r.caps = adv.Capabilities
	return r.takeRefs(adv)
}

// explain says why a request failed: the error of the gitHTTP is nearer to the cause.
func (r *Remote) explain(err error) error {
	if r.http.failed != nil {
		return r.http.failed
	}
	return errors.New(excerpt(err.Error())) // may quote the server
}

// checkFormat returns an error for a server with ids that go-git takes for damage.
func (r *Remote) checkFormat() error {
	if bytes.Contains(r.http.answerStart, []byte("object-format=sha256")) {
		return ErrObjectFormat
	}
	return nil
}

// takeRefs takes the refs that a server has advertised.
func (r *Remote) takeRefs(adv *packp.AdvRefs) error {
	for name, id := range adv.References {
		// It becomes a line of packed-refs.
		if !strings.HasPrefix(name, "refs/") || strings.ContainsFunc(name, isNotInRef) || id.IsZero() {
			return fmt.Errorf("the server has a ref that cannot be: %s", excerpt(name))
		}
		r.refs.Tips[name] = id.String()
	}
	for _, id := range adv.Shallows {
		r.shallow = append(r.shallow, id.String())
	}
	for _, symref := range adv.Capabilities.Get(capability.SymRef) {
		name, target, _ := strings.Cut(symref, ":")
		if name == "HEAD" && strings.HasPrefix(target, "refs/") && !strings.ContainsFunc(target, isNotInRef) {
			r.refs.Head = target
		}
	}
	if adv.Head != nil && r.refs.Head == "" {
		r.refs.Tips["HEAD"] = adv.Head.String()
	}
	return nil
}

// isNotInRef reports whether no name of a ref has c (git-check-ref-format(1), rule 4).
func isNotInRef(c rune) bool { return c == ' ' || unicode.IsControl(c) }

// contextErrorOr returns the error of ctx if ctx has ended, else err.
func contextErrorOr(ctx context.Context, err error) error { return cmp.Or(ctx.Err(), err) }
