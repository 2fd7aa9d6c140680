package pack_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// A hasher is a pack.Visitor that compares each object with its id.
type hasher struct {
	t     testing.TB
	p     *pack.Pack
	h     hash.Hash
	every int
	all   *hashes
}

type hashes struct {
	sync.Mutex
	types map[pack.ID]pack.Type
	some  []pack.ID // every nth
	wrong int
}

func (v *hasher) Visit(n *pack.Node) error {
	data, err := n.Data()
	if err != nil {
		return v.Bad(n.Number(), err)
	}
	id := v.p.Index().ID(n.Number())
	v.h.Reset()
	fmt.Fprintf(v.h, "%s %d\x00", n.Type, len(data))
	v.h.Write(data)
	is := pack.ID(v.h.Sum(nil))
	v.all.Lock()
	defer v.all.Unlock()
	if _, twice := v.all.types[id]; twice || is != id {
		v.all.wrong++
		v.t.Errorf("%s: %s has the content of %s, or comes twice", v.p.Name, id, is)
	}
	v.all.types[id] = n.Type
	if n.Number()%v.every == 0 {
		v.all.some = append(v.all.some, id)
	}
	return nil
}

func (v *hasher) Bad(i int, err error) error {
	v.all.Lock()
	defer v.all.Unlock()
	v.all.wrong++
	v.t.Errorf("%s: %s: %v", v.p.Name, v.p.Index().ID(i), err)
	return nil
}

func (v *hasher) Done(any) {}

// walkPack hashes all of a pack.
func walkPack(t testing.TB, p *pack.Pack, size, every int) *hashes {
	t.Helper()
	all := &hashes{types: map[pack.ID]pack.Type{}}
	err := p.Walk(context.Background(), pack.Walk{
		Types: []pack.Type{pack.Commit, pack.Tree, pack.Blob, pack.Tag}, Limit: math.MaxInt64,
		Base: func(id pack.ID) (pack.Type, []byte, error) { return 0, nil, fmt.Errorf("%s is elsewhere", id) },
		Visitor: func() pack.Visitor {
			h := sha1.New()
			if size == sha256.Size {
				h = sha256.New()
			}
			return &hasher{t, p, h, every, all}
		},
	})
	if err != nil {
		t.Error(err)
	}
	return all
}

// checkGoGit compares some objects with the pack reader of go-git.
func checkGoGit(t *testing.T, stem string, all *hashes) (compared int) {
	t.Helper()
	fs := osfs.New(filepath.Dir(stem))
	idx, err := fs.Open(filepath.Base(stem) + ".idx")
	if err != nil {
		t.Fatal(err)
	}
	defer idx.Close()
	index := idxfile.NewMemoryIndex()
	if err := idxfile.NewDecoder(idx).Decode(index); err != nil {
		t.Fatal(err)
	}
	file, err := fs.Open(filepath.Base(stem) + ".pack")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	theirs := packfile.NewPackfileWithCache(index, nil, file, cache.NewObjectLRUDefault(), 0)
	if n, err := index.Count(); err != nil || int(n) != len(all.types) {
		t.Errorf("go-git counts %d objects, we %d: %v", n, len(all.types), err)
	}
	for _, id := range all.some {
		o, err := theirs.Get(plumbing.Hash([]byte(id)))
		if err != nil {
			t.Errorf("go-git cannot read %s: %v", id, err)
			continue
		}
		text, err := readEncoded(o)
		// Ours had the content that the id is the hash of.
		if is := pack.Sum(sha1.Size, all.types[id], text); err != nil || is != id || o.Type().String() != all.types[id].String() {
			t.Errorf("%s: go-git has a %s with the content of %s, and we a %s: %v", id, o.Type(), is, all.types[id], err)
		}
		compared++
	}
	return compared
}

func readEncoded(o plumbing.EncodedObject) ([]byte, error) {
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// packsOf returns the stems of the packs of the repository at dir.
func packsOf(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no packs in %s: %v", dir, err)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".pack")
	}
	return files
}

// TestGoGit compares every object of generated packs with go-git.
func TestGoGit(t *testing.T) {
	for name, repack := range map[string]string{
		"ofs": "git repack -qadf --depth=50 --window=50", "ref": "git -c repack.useDeltaBaseOffset=false repack -qadf --depth=50 --window=50",
		"far": `git repack -qad; cd .git/objects/pack; for p in *.pack; do rm -f ${p%.pack}.idx; git index-pack --index-version=2,0x40 $p >/dev/null; done`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scannertest.Repo(t, `for i in $(seq 12); do seq $i 300 >f; seq $i >g; : >e; commit $i; done; git tag -am m t
`+repack+"\n")
			for _, stem := range packsOf(t, filepath.Join(dir, ".git")) {
				p, note, err := pack.Open(stem, sha1.Size)
				if err != nil || note != nil {
					t.Fatal(note, err)
				}
				defer p.Close()
				all := walkPack(t, p, sha1.Size, 1)
				if n := checkGoGit(t, stem, all); n < 50 || n != p.Len() {
					t.Errorf("%d of %d objects compared", n, p.Len())
				}
			}
		})
	}
}

// repoOfUser returns the git directory that STANCH_REPO names.
func repoOfUser(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("STANCH_REPO")
	if dir == "" {
		t.Skip("STANCH_REPO names no repository to compare")
	}
	return scannertest.Git(t, dir, "rev-parse", "--absolute-git-dir")
}

// TestRealPacks compares every object of STANCH_REPO with git cat-file, by id and
// type: ids are hashes of content, which is hashed here too. Every 50th object is
// compared with go-git by its content.
func TestRealPacks(t *testing.T) {
	dir := repoOfUser(t)
	size := sha1.Size
	if scannertest.Git(t, dir, "rev-parse", "--show-object-format") == "sha256" {
		size = sha256.Size
	}
	types := map[pack.ID]pack.Type{}
	goGit, wrong := 0, 0
	for _, stem := range packsOf(t, dir) {
		p, note, err := pack.Open(stem, size)
		if err != nil || note != nil {
			t.Fatal(note, err)
		}
		all := walkPack(t, p, size, 50)
		if len(all.types) != p.Len() {
			t.Errorf("%s: %d of %d objects walked", p.Name, len(all.types), p.Len())
		}
		for id, typ := range all.types {
			types[id] = typ
		}
		wrong += all.wrong
		if size == sha1.Size {
			goGit += checkGoGit(t, stem, all)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	packed := len(types)
	git, differ := compareBatch(t, dir, size, types)
	t.Logf("%s: %d objects in packs, %d wrong; %d compared with git cat-file, %d differ; %d with go-git", dir, packed, wrong, git, differ, goGit)
}

// compareBatch compares the objects of git cat-file, content hashed, with types.
func compareBatch(t *testing.T, dir string, size int, types map[pack.ID]pack.Type) (compared, differ int) {
	t.Helper()
	cmd := exec.Command("git", "--git-dir", dir, "cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReaderSize(pipe, 1<<20)
	h := sha1.New()
	if size == sha256.Size {
		h = sha256.New()
	}
	for {
		var id, typ string
		var n int64
		if _, err := fmt.Fscanf(out, "%s %s %d\n", &id, &typ, &n); err != nil {
			break
		}
		h.Reset()
		fmt.Fprintf(h, "%s %d\x00", typ, n)
		if _, err := io.CopyN(h, out, n); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Discard(1)
		compared++
		raw := pack.ID(h.Sum(nil))
		ours, known := types[raw]
		if !known && looseExists(dir, id) {
			compared--
			continue
		}
		if raw.String() != id || ours.String() != typ {
			differ++
			t.Errorf("git has the %s %s, and we a %s", typ, id, ours)
		}
		delete(types, raw)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(types) > 0 {
		t.Errorf("%d objects that git does not know", len(types))
	}
	return compared, differ
}

func looseExists(dir, id string) bool {
	_, err := os.Stat(filepath.Join(dir, "objects", id[:2], id[2:]))
	return err == nil
}
