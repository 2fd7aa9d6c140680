package gitsource

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// damage holds what the scripts below need to hurt a repository.
const damage = put + `
loose() { h=$(git rev-parse "$1"); echo ".git/objects/$(echo $h | cut -c1-2)/$(echo $h | cut -c3-)"; }
garble() { chmod u+w "$1"; printf '%s' "$2" >"$1"; }
# raw prints an object id in bytes, as trees have it.
raw() { for b in $(git rev-parse "$1" | sed 's/../0x& /g'); do printf "\\$(printf %03o $b)"; done; }
tree() { git hash-object -t tree -w --stdin --literally; }
`

func TestUnread(t *testing.T) {
	t.Parallel()
	const three = `put a one; commit 1; put a two; put d/b side; commit 2; put a three; commit 3; `
	tests := []struct {
		name, script, open string
		want               string   // contents of what is still read
		errs               []string // substrings, error by error
	}{
		{"corrupt_loose_blob", three + `garble $(loose HEAD~:a) junk`, "", "one side three", []string{"(a): object is damaged"}},
		{"truncated_loose_blob", three + `f=$(loose HEAD~:a); chmod u+w $f; head -c 12 $f >x; cat x >$f`, "", "one side three", []string{"(a): object is damaged"}},
		{"swapped_loose_blob", three + `chmod u+w $(loose HEAD:a); cp -f $(loose HEAD~:a) $(loose HEAD:a)`, "", "one side two", []string{"(a): object is damaged: content has the id"}},
		{"corrupt_commit", three + `garble $(loose HEAD~) junk`, "", "one side three two", []string{": object is damaged"}},
		{"corrupt_tree", three + `garble $(loose HEAD~:) junk; garble $(loose HEAD:d) junk`, "", "one side three two", []string{"(d): object is damaged", "(.): object is damaged"}},
		{"missing_blob", three + `rm -f $(loose HEAD~:a)`, "", "one side three", []string{"(a): object is missing"}},
		{"missing_empty_tree", three + `git rm -rq .; commit 4; rm -f $(loose HEAD:)`, "", "one side three two", nil},
		{"missing_tag_target", three + `git tag -a t -m t $(git rev-parse HEAD~:a); rm -f $(loose HEAD~:a)`, "", "one side three", []string{"(a): object is missing"}},
		{"missing_ref_target", three + `echo 1234567890123456789012345678901234567890 >.git/refs/heads/gone`, "", "one side three two", []string{"(refs/heads/gone): object is missing"}},
		{"garbage_ref", three + `echo password >.git/refs/heads/odd`, "", "one side three two", []string{"reading ref refs/heads/odd: malformed"}},
		{"garbage_packed_refs", three + `git pack-refs --all; echo "x y" >>.git/packed-refs`, "", "one side three two", []string{"reading ref packed-refs: malformed"}},
		{"garbage_index_of_second_pack", three + `git branch keep; git repack -qad; put e packed; commit 4; git repack -qd; put f loose; commit 5
			for i in .git/objects/pack/*.idx; do git show-index <$i | grep -q $(git rev-parse HEAD~:e) && garble $i junk; done; true`, "", "loose one packed side three two",
			[]string{"opening pack: its index: damaged"}},
		{"missing_pack", three + `git repack -qad; put f loose; commit 4; rm -f .git/objects/pack/*.pack`, "", "loose",
			[]string{"opening the pack of this index:", "(a): object is missing", "(d): object is missing", ": object is missing"}},
		{"empty_pack", `put a one; commit 1; git repack -qad; put f loose; commit 4; garble .git/objects/pack/*.pack ""`, "", "loose",
			[]string{"opening pack: damaged: not a pack", "(a): object is missing", ": object is missing"}},
		{"gone_alternate", `put f one; commit 1; git clone -q --shared . ../s; cd ../s; put f two; commit 2; echo /nowhere >>.git/objects/info/alternates`, "../s", "one two",
			[]string{"opening alternate object directory"}},
		{"shallow", three + `git clone -q --depth 1 file://$PWD ../s`, "../s", "side three", []string{"history is cut off at 1 shallow commit; run git fetch --unshallow"}},
		{"partial", three + `git config uploadpack.allowFilter true; git clone -q --bare --filter=blob:none file://$PWD ../p`, "../p", "", []string{"it lacks 4 objects, which stanch does not fetch"}},
		{"partial_checked_out", three + `git config uploadpack.allowFilter true; git clone -q --filter=blob:none file://$PWD ../p`, "../p", "side three", []string{"it lacks 2 objects, which stanch does not fetch"}},
		{"fifo_ref", three + `mkfifo .git/refs/heads/z`, "", "one side three two", []string{"reading ref refs/heads/z: open "}},
		{"endless_ref", three + `ln -s /dev/zero .git/refs/heads/z`, "", "one side three two", []string{"reading ref refs/heads/z: open "}},
		{"large_ref", three + `head -c 2000000 /dev/zero >.git/refs/heads/z`, "", "one side three two", []string{"z: 2000000 bytes are more than such a file should have"}},
		{"fifo_head", three + `rm .git/HEAD; mkfifo .git/HEAD`, "", "one side three two", []string{"reading ref HEAD: open "}},
		{"fifo_packed_refs", three + `mkfifo .git/packed-refs`, "", "one side three two", []string{"reading ref packed-refs: open "}},
		{"fifo_stash_log", three + `mkdir -p .git/logs/refs; mkfifo .git/logs/refs/stash`, "", "one side three two", []string{"reading ref refs/stash@{}: open "}},
		{"fifo_shallow", three + `mkfifo .git/shallow`, "", "one side three two", []string{"reading the shallow boundary: open "}},
		{"malformed_shallow", three + `echo x >.git/shallow`, "", "one side three two", []string{"shallow: malformed"}},
		{"fifo_config", three + `rm .git/config; mkfifo .git/config`, "", "one side three two", nil},
		{"fifo_pointers", three + `mkfifo .git/commondir .git/worktrees .git/refs/heads/x.lock`, "", "one side three two", nil},
		{"fifo_alternates", three + `mkfifo .git/objects/info/alternates`, "", "one side three two", []string{"not a regular file"}},
		{"fifo_loose_object", three + `f=$(loose HEAD~:a); rm -f $f; mkfifo $f`, "", "one side three", []string{"(a): object is damaged: open "}},
		{"fifo_index", three + `mkfifo .git/objects/pack/pack-x.idx; : >.git/objects/pack/pack-x.pack`, "", "one side three two", []string{"opening pack: damaged: not a pack"}},
		{"fifo_pack", three + `git repack -qad; put f loose; commit 4; for p in .git/objects/pack/*.pack; do rm -f $p; mkfifo $p; done`, "", "loose",
			[]string{"opening pack: open ", "(a): object is missing", "(d): object is missing", ": object is missing"}},
		{"reftables_gone", three + `git config core.repositoryformatversion 1; git config extensions.refStorage reftable`, "", "one side three two",
			[]string{"reading ref reftable: reading the list of reftables: "}},
		{"refs_in_a_database", three + `git config core.repositoryformatversion 1; git config extensions.refStorage postgres`, "", "one side three two",
			[]string{"refs are kept as postgres, which stanch cannot read; git refs migrate --ref-format=files changes that: all objects were read, but none is known to be reachable"}},
		{"refs_elsewhere", three + `git config core.repositoryformatversion 1; git config extensions.refStorage files:///srv/refs`, "", "one side three two",
			[]string{"refs are kept in files:///srv/refs, outside of the repository, where stanch does not read them"}},
		{"alternates_in_a_circle", three + `ln -s . .git/objects/x; ln -s . .git/objects/y; printf 'x\ny\n' >.git/objects/info/alternates`, "", "one side three two", nil},
	}
	base := scannertest.Repo(t, damage+three+"\n")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := ""
			if after, ok := strings.CutPrefix(tt.script, three); ok {
				dir = scannertest.Copy(t, base)
				scannertest.Script(t, dir, damage+after+"\n")
			} else {
				dir = scannertest.Repo(t, damage+tt.script+"\n")
			}
			r := open(t, filepath.Join(dir, tt.open))
			got := read(t, r)
			want := strings.Fields(tt.want)
			slices.Sort(want)
			if got.contents() != strings.Join(want, " ") {
				t.Errorf("blobs are %q, want %q", got.contents(), want)
			}
			if !matchAll(got.errs, tt.errs) {
				t.Errorf("unread:\n%s\nwant:\n%s", strings.Join(got.errs, "\n"), strings.Join(tt.errs, "\n"))
			}
			if strings.Contains(strings.Join(got.errs, ""), "password") {
				t.Error("an error quotes what a ref file holds")
			}
		})
	}
}

// matchAll reports whether each of want is in one of errs, one to one.
func matchAll(errs, want []string) bool {
	rest := slices.Clone(errs)
	for _, w := range want {
		i := slices.IndexFunc(rest, func(e string) bool { return strings.Contains(e, w) })
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return len(rest) == 0
}

// TestTruncatedPack cuts a pack at each of many lengths: whatever is left is
// read, and whatever is not is reported.
func TestTruncatedPack(t *testing.T) {
	t.Parallel()
	base := scannertest.Repo(t, `for i in $(seq 1 30); do seq 1 $i >f$i; seq $i 90 >same; commit $i; done
git repack -qad --depth=10
`)
	for _, percent := range []string{"90", "50", "10"} {
		dir := scannertest.Copy(t, base)
		scannertest.Script(t, dir, `p=$(ls .git/objects/pack/*.pack); n=$(wc -c <$p); chmod u+w $p
truncate -s $((n * `+percent+` / 100)) $p
`)
		got := read(t, open(t, dir))
		if len(got.errs) == 0 || percent == "90" && len(got.names) < 20 {
			t.Errorf("cut to %s%%: %d texts, %d unread", percent, len(got.names), len(got.errs))
		}
		for _, e := range got.errs {
			if !strings.Contains(e, "damaged: ") && !strings.Contains(e, "object is missing") {
				t.Errorf("cut to %s%%: %s", percent, e)
			}
		}
	}
}
