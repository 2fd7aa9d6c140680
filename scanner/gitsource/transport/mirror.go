package transport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/scanner/filelock"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
)

// ErrMirrorBusy says that another process updates the mirror.
var ErrMirrorBusy = errors.New("another process updates this mirror")

// MirrorInto makes dir a bare mirror of the repository at rawURL, as Mirror says.
func MirrorInto(ctx context.Context, rawURL, dir, reference string) error {
	at, err := parseRemote(rawURL)
	if err != nil {
		return err
	}
	if err := at.mirror(ctx, dir, reference); err != nil {
		return fmt.Errorf("mirroring %s: %w", at.url, contextErrorOr(ctx, err))
	}
	return nil
}

func (r address) mirror(ctx context.Context, dir, reference string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock, err := filelock.Acquire(filepath.Join(dir, "stanch.lock"))
	if errors.Is(err, filelock.ErrHeld) {
		return fmt.Errorf("%s: %w", dir, ErrMirrorBusy)
	}
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // frees it
	if err := removeStaleFiles(dir); err != nil {
		return err
	}
	m := mirror{address: r, dir: dir}
	err = m.update(ctx, reference)
	if to, ok := r.redirect(ctx, err); ok {
		m.address = to
		err = m.update(ctx, reference)
	}
	return err
}

// removeStaleFiles removes the files of a git that was killed, which would be in the way of
// the next one. The process that holds the mirror's lock is alone.
func removeStaleFiles(dir string) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		stale := strings.HasSuffix(name, ".lock") && name != "stanch.lock" ||
			strings.HasPrefix(name, "tmp_") && filepath.Base(filepath.Dir(file)) == "pack"
		if stale && !d.IsDir() {
			return os.Remove(file)
		}
		return nil
	})
}

// A mirror is one update of a mirror.
type mirror struct {
	address
	dir string
}

// mirrorSettings switch off git's housekeeping: it would repack, and a State knows packs by
// name; and it would write files that nobody reads.
var mirrorSettings = [][2]string{
	{"gc.auto", "0"}, {"maintenance.auto", "false"}, {"fetch.writeCommitGraph", "false"}, {"core.logAllRefUpdates", "false"},
	{"fetch.unpackLimit", "1"}, {"transfer.unpackLimit", "1"}, {"fetch.parallel", "1"},
}

func (m mirror) update(ctx context.Context, reference string) error {
	at, err := m.head(ctx)
	if err != nil {
		return err
	}
	head := filepath.Join(m.dir, "HEAD")
	if _, err := repo.ReadRef(head); err != nil { // none, or one that was not written to its end: no repository to git
		_ = os.Remove(head) // git init says so if that was in vain
		format := "sha1"
		if len(at.id) == 64 {
			format = "sha256"
		}
		if _, err := m.git(ctx, "init", "--quiet", "--bare", "--template=", "--object-format="+format, "."); err != nil {
			return err
		}
	}
	if err := m.shareObjects(reference); err != nil {
		return err
	}
	if _, err := m.git(ctx, "fetch", "--quiet", "--prune", "--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--", m.url, "+refs/*:refs/*"); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(at.target, "refs/"):
		_, err = m.git(ctx, "symbolic-ref", "HEAD", at.target)
	case at.id != "":
		_, err = m.git(ctx, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", m.url, at.id.String())
		if err == nil {
			_, err = m.git(ctx, "update-ref", "--no-deref", "HEAD", at.id.String())
		}
	}
	return err
}

// A serverHead is the HEAD of a server: a branch, or the id of a commit.
type serverHead struct {
	target string // "refs/heads/main"
	id     pack.ID
}

// head asks the server for its HEAD. It returns the zero value for an empty repository.
func (m mirror) head(ctx context.Context) (at serverHead, err error) {
	out, err := m.git(ctx, "ls-remote", "--symref", "--", m.url, "HEAD")
	if err != nil {
		return serverHead{}, err
	}
	for line := range strings.Lines(out) { // "ref: " NAME or ID, TAB HEAD
		value, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if name != "HEAD" {
			continue
		}
		if target, ok := strings.CutPrefix(value, "ref: "); ok {
			at.target = target
		} else if id, ok := pack.ParseID([]byte(value)); ok {
			at.id = id
		}
	}
	return at, nil
}

// shareObjects makes the objects of the other mirror those of this one too.
func (m mirror) shareObjects(reference string) error {
	if reference == "" {
		return nil
	}
	objects, err := filepath.Abs(filepath.Join(reference, "objects"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(objects); err != nil {
		return fmt.Errorf("the mirror to share objects with: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(m.dir, "objects", "info"), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(m.dir, "objects", "info", "alternates"), []byte(objects+"\n"), 0o600)
}

// git runs git in the mirror, and returns its output.
func (m mirror) git(ctx context.Context, args ...string) (string, error) {
	return gitcmd.Run(ctx, gitcmd.Command{
		Dir: m.dir, Args: args, Config: slices.Concat(mirrorSettings, m.config()), KillChildren: m.host != "",
		// A server that sends less than a byte a second for so long is given up (git-config(1),
		// http.lowSpeedLimit).
		Env: []string{"GIT_DIR=.", "GIT_HTTP_LOW_SPEED_LIMIT=1", "GIT_HTTP_LOW_SPEED_TIME=120"},
	})
}
