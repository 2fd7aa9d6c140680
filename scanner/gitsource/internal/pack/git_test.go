package pack

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// history makes objects of every kind, for script: long chains of deltas, in trees
// too, empty blobs, blobs of a byte, tags, and a blob of a megabyte.
func history(script string) string {
	var b strings.Builder
	file := func(name, text string) { fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", name, len(text), text) }
	for i := range 120 {
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter C <c@example.com> %d +0000\ndata 2\nm\n", 1600000000+i)
		file("f", body(i))
		file("d/e/h", body(i/3))
		file(fmt.Sprint("g", i%7), fmt.Sprint(i))
		if i == 0 {
			file("empty", "")
			file("one", "x")
			file("large", strings.Repeat("a\n", 1<<19))
		}
	}
	return "git fast-import --quiet --force <stream; git reset -q --hard; git tag -am 'a tag' v1; git tag -am 'of a tag' v2 v1 2>/dev/null; git tag -am 'of a blob' v3 HEAD:one; git tag light\n" + script + "\n-- stream --\n" + b.String()
}

// body changes a little with i at both ends and grows.
func body(i int) string {
	var b strings.Builder
	for k := range 200 + i {
		fmt.Fprintf(&b, "line %d\n", (9*i+k)*7919%1000)
	}
	return b.String()
}

// TestGit reads what git has packed in many ways: each object is what git
// cat-file says, by Walk and by Read.
func TestGit(t *testing.T) {
	const (
		sha256 = "rm -rf .git; git init -q -b main --object-format=sha256 ."
		far    = `cd .git/objects/pack; for p in *.pack; do rm -f ${p%.pack}.idx ${p%.pack}.rev; git index-pack --index-version=2,0x40 $p >/dev/null; done`
		old    = `cd .git/objects/pack; for p in *.pack; do rm -f ${p%.pack}.idx ${p%.pack}.rev; git index-pack --index-version=1 $p >/dev/null; done`
		alone  = `rm -f .git/objects/pack/*.idx .git/objects/pack/*.rev`
		ofs    = `git repack -qadf --depth=50 --window=50`
		ref    = `git -c repack.useDeltaBaseOffset=false repack -qadf --depth=50 --window=50`
	)
	tests := []struct {
		name, init, pack, index string
		deltas                  bool // a third of the objects, at least
	}{
		{"ofs_delta", "", ofs, "", true},
		{"ref_delta", "", ref, "", true},
		{"no_deltas", "", `git -c pack.window=0 repack -qadf`, "", false},
		{"version_1", "", ofs, old, true},
		{"version_1_ref_delta", "", ref, old, true},
		{"far_offsets", "", ofs, far, true},
		{"no_index", "", ofs, alone, true},
		{"no_index_ref_delta", "", `git -c repack.useDeltaBaseOffset=false repack -qadf --depth=5`, alone, true},
		{"stored", "", `git -c core.compression=0 repack -qadF`, "", false},
		{"several_with_duplicates", "", `git repack -qad; echo new >f; commit n; git repack -qd; echo newer >f; commit m; git repack -qd
			git rev-list --objects --all | cut -d' ' -f1 | git pack-objects -q .git/objects/pack/pack >/dev/null; git prune-packed`, "", false},
		{"sha256", sha256, ofs, "", true},
		{"sha256_ref_delta", sha256, ref, far, true},
		{"sha256_no_index", sha256, ofs, alone, true},
	}
	packed := map[string]func(testing.TB) string{} // by init and pack: rows share them
	for _, tt := range tests {
		script := tt.init + "\n" + history(tt.pack)
		if packed[script] == nil {
			packed[script] = scannertest.Once(func() string { return script })
		}
		repo := packed[script]
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := repo(t)
			scannertest.Script(t, dir, tt.index)
			if tt.index != alone {
				scannertest.Git(t, dir, "fsck", "--full")
			}
			want := catFile(t, dir, tt.index == alone)
			packs := openAll(t, dir)
			got, deltas := newContent(), 0
			for _, p := range packs {
				walked := walk(t, p, 1<<30, from(packs, p))
				checkContent(t, p, walked, readAll(p, 1<<30, from(packs, p)))
				for id, o := range walked.objects {
					got.objects[id] = o
				}
				for _, off := range p.forest.offsets[:p.Len()] {
					if e, err := p.entry(off); err == nil && (e.typ == ofsDelta || e.typ == refDelta) {
						deltas++
					}
				}
			}
			if diff := cmp.Diff(want, texts(got)); diff != "" {
				t.Errorf("git cat-file and Walk differ (-git +walk):\n%.2000s", diff)
			}
			if tt.deltas && 3*deltas < len(want) {
				t.Errorf("%d of %d objects are deltas", deltas, len(want))
			}
		})
	}
}

// catFile is what git says, by id. Without the indexes that git cannot do without,
// it makes them itself, in a clone.
func catFile(t *testing.T, dir string, unreadable bool) map[string]string {
	t.Helper()
	if unreadable {
		copied := filepath.Join(dir, "..", "copied")
		scannertest.Git(t, dir, "init", "-q", "--bare", "--object-format="+scannertest.Git(t, dir, "rev-parse", "--show-object-format"), copied)
		packs, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
		for _, p := range packs {
			scannertest.Git(t, copied, "-c", "alias.take=!git index-pack --stdin <\""+p+"\" >/dev/null; :", "take")
		}
		dir = copied
	}
	return parseBatch(t, scannertest.Git(t, dir, "cat-file", "--batch-all-objects", "--batch")+"\n")
}

func parseBatch(t *testing.T, out string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for out != "" {
		head, rest, _ := strings.Cut(out, "\n")
		fields := strings.Fields(head)
		if len(fields) != 3 {
			t.Fatalf("git cat-file says %.100q", head)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		all[fields[0]] = fields[1] + " " + rest[:size]
		out = rest[size+1:]
	}
	return all
}

func texts(c *content) map[string]string {
	all := map[string]string{}
	for id, o := range c.objects {
		all[id.String()] = o.typ.String() + " " + o.data
	}
	return all
}

// openAll opens the packs of a repository.
func openAll(t *testing.T, dir string) []*Pack {
	t.Helper()
	hash := 20
	if scannertest.Git(t, dir, "rev-parse", "--show-object-format") == "sha256" {
		hash = 32
	}
	files, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	if len(files) == 0 {
		t.Fatal("there are no packs")
	}
	var packs []*Pack
	for _, f := range files {
		p, note, err := Open(strings.TrimSuffix(f, ".pack"), hash)
		if err != nil || note != nil {
			t.Fatal(note, err)
		}
		t.Cleanup(func() { _ = p.Close() })
		packs = append(packs, p)
	}
	return packs
}

// from returns what reads bases from packs other than but.
func from(packs []*Pack, but *Pack) func(ID) (Type, []byte, error) {
	return func(id ID) (Type, []byte, error) {
		for _, p := range packs {
			if i := p.Index().Find([]byte(id)); i >= 0 && p != but {
				return p.Read(i, 1<<30, noBase)
			}
		}
		return noBase(id)
	}
}

// checkContent holds that walking and reading find all of p, each object once and
// with the content that its id is the hash of, and agree on it.
func checkContent(t *testing.T, p *Pack, walked, read *content) {
	t.Helper()
	if err := walked.err(); err != nil {
		t.Errorf("walk: %v", err)
	}
	if err := read.err(); err != nil {
		t.Errorf("read: %v", err)
	}
	if len(walked.twice) > 0 || len(walked.objects) != p.Len() {
		t.Errorf("%d of %d objects walked, more than once: %s", len(walked.objects), p.Len(), walked.twice)
	}
	for id, o := range walked.objects {
		if read.objects[id] != o {
			t.Errorf("%s: Walk has a %s of %d bytes, Read a %s of %d", id, o.typ, len(o.data), read.objects[id].typ, len(read.objects[id].data))
		}
		if is := Sum(p.hash, o.typ, []byte(o.data)); is != id {
			t.Errorf("%s %s has the content of %s", o.typ, id, is)
		}
	}
}
