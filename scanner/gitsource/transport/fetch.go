package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// ErrTooLarge says that a server sent more than Wanted.MaxBytes.
var ErrTooLarge = errors.New("the repository is too large")

// Wanted says which objects Fetch is to get.
type Wanted struct {
	// Tips are refs, as in Refs.Tips. A name below refs/stanch/ is no ref of the server: its
	// id is one that no ref leads to any more, as after a force push. It is located as
	// unreachable, and it is no error if the server does not have it.
	Tips map[string]string
	// Haves are ids that were read before. The commits that they lead to are not sent, nor
	// the files in the parents of new commits; files that only older commits hold may be.
	// It is no error if the server does not have one of them. Only the first 32,768 count
	// (maxHaves), so the ids of branches should come before the ids of pull requests.
	Haves []string
	// Objects are ids of single objects of any type: the server sends them, and not the
	// objects that they lead to. A server without filters (git-config(1),
	// uploadpack.allowFilter) sends all files of a commit or a tag as well.
	Objects []string
	// Snapshot is the id of a commit that is sent with its trees, and without its parents and
	// files, or "". A server that cannot leave out files sends nothing.
	Snapshot string
	// MaxBytes is how large the pack may be. A larger pack is an error that wraps
	// ErrTooLarge. 0 means no limit.
	MaxBytes int64
	// Dir is the parent of the temporary folder, "" for the system's folder for temporary
	// files.
	Dir string
	// Progress gets messages, as git writes them, while objects come. The server has a say in
	// them. nil means that nobody wants to know.
	Progress io.Writer
	// Stall is how long a server may send nothing, before the error is ErrStalled; 0 means
	// two minutes.
	Stall time.Duration
}

// maxHaves is how many ids the server is told. Compressed they are a body of less than 1
// MiB, which nginx takes by default (client_max_body_size); git http-backend takes 10 MiB.
// Leaving one out only costs bytes: the server may send some objects again.
const maxHaves = 32 << 10

// unreferencedPrefix is the prefix of ids in Wanted.Tips that no ref leads to.
const unreferencedPrefix = "refs/stanch/"

// pushedAwayFile is the file that lists such ids. Reports name it as the place that leads to
// them.
const pushedAwayFile = "PUSHED_AWAY_HEAD"

// Fetched is the repository that Fetch has made.
type Fetched struct {
	Dir   string // a temporary folder
	Bytes int64  // received
	// Absent are the ids that the server did not give, among Wanted.Objects and the Tips
	// below refs/stanch/.
	Absent []string
	// Rest says that the server was asked for only part of the objects that the tips lead
	// to. The others are missing.
	Rest bool
	// Received is the only pack, if it has no index: whoever reads its objects has to make one.
	// It is nil if all packs have one.
	Received *pack.Received
}

// Fetch makes a bare repository in a temporary folder that holds the objects that w asks
// for, and nothing else. If it returns an error, nothing is left. The repository has the
// refs in w.Tips and the server's HEAD. If w.Haves leads to all of them, Fetch asks the
// server for nothing.
func (r *Remote) Fetch(ctx context.Context, w Wanted) (Fetched, error) {
	dir, err := os.MkdirTemp(w.Dir, "stanch-*.git")
	if err != nil {
		return Fetched{}, fmt.Errorf("fetching %s: %w", r.url, err)
	}
	f := fetch{Remote: r, Wanted: w, dir: dir}
	if err := f.makeRepository(ctx); err != nil {
		err = fmt.Errorf("fetching %s: %w", r.url, contextErrorOr(ctx, err))
		return Fetched{}, errors.Join(err, os.RemoveAll(dir))
	}
	return Fetched{Dir: dir, Bytes: f.http.received, Absent: f.absent, Rest: f.rest(), Received: f.pack}, nil
}

// A fetch is one call of Fetch.
type fetch struct {
	*Remote
	Wanted
	dir    string
	bytes  int64          // of packs
	absent []string       // ids that the server does not have
	pack   *pack.Received // the only one, without an index
}

func (f *fetch) makeRepository(ctx context.Context) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := f.writeLayout(); err != nil {
		return err
	}
	f.http.stall = f.Stall
	if f.Stall <= 0 {
		f.http.stall = defaultStall
	}
	f.http.received = 0
	haves := f.Haves[:min(len(f.Haves), maxHaves)]
	have := make(map[string]bool, len(f.Haves))
	for _, id := range f.Haves {
		have[id] = true
	}
	wants := map[string]bool{} // whether the server may not have it
	for name, id := range f.Tips {
		if may, ok := wants[id]; !have[id] && (!ok || may) {
			wants[id] = strings.HasPrefix(name, unreferencedPrefix)
		}
	}
	objects := map[string]bool{}
	for _, id := range f.Objects {
		objects[id] = true
	}
	if err := f.fetchWants(ctx, request{haves: haves}, wants); err != nil {
		return err
	}
	// Objects on their own: the server may keep back those that haves lead to.
	if err := f.fetchWants(ctx, request{alone: true}, objects); err != nil {
		return err
	}
	if f.Snapshot == "" || !f.HasSnapshots() {
		return nil
	}
	return f.fetchWants(ctx, request{snapshot: true}, map[string]bool{f.Snapshot: false})
}

// HasSnapshots reports whether the server can leave out files, for Wanted.Snapshot.
func (r *Remote) HasSnapshots() bool {
	return r.caps != nil && r.caps.Supports(capability.Filter) && r.caps.Supports(capability.Shallow)
}

// rest reports whether less was asked for than the tips, HEAD included, lead to.
func (f *fetch) rest() bool {
	detached := f.refs.Tips["HEAD"]
	return len(f.Haves)+len(f.Objects)+len(f.Snapshot) > 0 || f.Tips["HEAD"] != detached
}

// check returns an error for a string that is no id or no name of a ref.
func (f *fetch) check() error {
	for _, id := range slices.Concat(f.Haves, f.Objects, slices.Collect(maps.Values(f.Tips)), []string{cmp.Or(f.Snapshot, plumbing.ZeroHash.String())}) {
		if !plumbing.IsHash(id) || len(id) != len(plumbing.ZeroHash)*2 {
			return fmt.Errorf("%q is not an id", excerpt(id))
		}
	}
	for name := range f.Tips {
		if strings.ContainsFunc(name, isNotInRef) {
			return fmt.Errorf("%q is not the name of a ref", excerpt(name))
		}
	}
	return nil
}

// writeLayout makes the repository, without objects (gitrepository-layout(5)).
func (f *fetch) writeLayout() error {
	head := "ref: " + f.refs.Head
	if f.refs.Head == "" {
		head = f.refs.Tips["HEAD"]
		if head == "" {
			head = "ref: refs/heads/main" // there is none, and git needs a line
		}
	}
	var packed, away strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.Tips)) {
		switch {
		case strings.HasPrefix(name, unreferencedPrefix):
			fmt.Fprintf(&away, "%s\t%s\n", f.Tips[name], name)
		case name != "HEAD":
			fmt.Fprintf(&packed, "%s %s\n", f.Tips[name], name)
		}
	}
	err := errors.Join(os.MkdirAll(filepath.Join(f.dir, "objects", "pack"), 0o700), os.Mkdir(filepath.Join(f.dir, "refs"), 0o700))
	for name, text := range map[string]string{
		"HEAD": head + "\n", "packed-refs": packed.String(), pushedAwayFile: away.String(), "shallow": strings.Join(f.shallow, "\n"),
		"config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
	} {
		if text != "" && err == nil {
			err = os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600)
		}
	}
	return err
}

// notOurRef matches a server's answer to an id that it does not have any more (git's
// upload-pack.c).
var notOurRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`not our ref ([0-9a-f]{40,64})`) })

// fetchWants gets the objects that wants lead to, as far as r says. An id that the server may
// not have is asked for until the server refuses it: it names one at a time.
func (f *fetch) fetchWants(ctx context.Context, r request, wants map[string]bool) error {
	for len(wants) > 0 {
		r.wants = slices.Sorted(maps.Keys(wants))
		err := f.fetchPack(ctx, r)
		if err == nil {
			return nil
		}
		m := notOurRef().FindStringSubmatch(err.Error())
		if m == nil || ctx.Err() != nil {
			return err
		}
		if mayBeAbsent, asked := wants[m[1]]; !asked || !mayBeAbsent {
			return fmt.Errorf("%w; a ref was moved meanwhile: try again", err)
		}
		f.absent = append(f.absent, m[1])
		delete(wants, m[1])
	}
	return nil
}
