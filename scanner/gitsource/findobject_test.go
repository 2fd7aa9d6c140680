package gitsource

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestFindObject compares the places of blobs of STANCH_REPO, drawn at random, with
// what git log --find-object says. STANCH_BLOBS is how many, 200 if not set.
//
// A blob counts as the same if it is in the same set of paths, and if for each of
// them
//
//   - the commit introduces it: by git log --find-object with -m, which compares
//     a merge with each parent, it adds the blob there against all of its parents;
//   - no other commit that does so is an ancestor of it;
//   - AtHead is what git ls-tree says of HEAD.
//
// Which of several such commits is named is free: none comes before the other.
// Only paths in commits that branches, tags and other refs lead to are compared,
// those of notes apart.
func TestFindObject(t *testing.T) {
	dir := userRepo(t)
	n, err := strconv.Atoi(os.Getenv("STANCH_BLOBS"))
	if err != nil {
		n = 200
	}
	blobs := randomBlobs(t, dir, n)
	r := open(t, dir)
	defer r.Close()
	got := map[finding.BlobID]map[string]finding.Location{}
	err = r.Locate(context.Background(), blobs, func(id finding.BlobID, p finding.Location) error {
		if p.Kind == finding.KindBlob && p.Commit != "" && p.Unreachable == "" {
			if got[id] == nil {
				got[id] = map[string]finding.Location{}
			}
			if _, twice := got[id][p.Path]; twice {
				t.Errorf("%s: %s comes twice", id, p.Path)
			}
			got[id][p.Path] = p
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	all := findObjects(t, dir, blobs)
	same, places := 0, 0
	for _, id := range blobs {
		want := all[string(id)]
		problems := comparePlaces(t, dir, got[id], want)
		places += len(want)
		if len(problems) == 0 {
			same++
		}
		for _, p := range problems {
			t.Errorf("%s: %s", id, p)
		}
	}
	t.Logf("%s: %d of %d blobs the same, at %d paths", dir, same, len(blobs), places)
}

// randomBlobs draws from the blobs that refs lead to, notes apart.
func randomBlobs(t testing.TB, dir string, n int) []finding.BlobID {
	t.Helper()
	cmd := exec.Command("git", "--git-dir", dir, "rev-list", "--exclude=refs/notes/*", "--all", "--objects", "--missing=allow-any", "--filter=object:type=blob", "--filter-provided-objects")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all []finding.BlobID
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		id, _, _ := strings.Cut(lines.Text(), " ")
		all = append(all, finding.BlobID(id))
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// An intro is what git says of a path: the commits that introduce the blob there,
// parents before children.
type intro struct {
	commits []string
	head    bool
}

// findObjects asks git where blobs are introduced: by id, then by path.
func findObjects(t *testing.T, dir string, ids []finding.BlobID) map[string]map[string]*intro {
	t.Helper()
	args := []string{
		"log", "--exclude=refs/notes/*", "--all", "--topo-order", "--reverse", "--full-history",
		"-m", "--root", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=%x01%H %P",
	}
	asked := map[string]bool{}
	for _, id := range ids {
		args = append(args, "--find-object="+string(id))
		asked[string(id)] = true
	}
	var order []string
	commits := map[string]*diffs{}
	for part := range strings.SplitSeq(scannertest.Git(t, dir, args...), "\x01") {
		// With -m a merge comes once for each parent that it differs from.
		head, raw, _ := strings.Cut(part, "\x00")
		fields := strings.Fields(head)
		if len(fields) == 0 {
			continue
		}
		d := commits[fields[0]]
		if d == nil {
			d = &diffs{max(len(fields)-1, 1), map[[2]string]int{}}
			commits[fields[0]] = d
			order = append(order, fields[0])
		}
		// ":oldmode newmode old new status NUL path NUL"
		items := strings.Split(strings.TrimLeft(raw, "\n\x00"), "\x00")
		for i := 0; i+1 < len(items); i += 2 {
			meta := strings.Fields(strings.TrimLeft(items[i], "\n"))
			if len(meta) < 5 {
				break
			}
			if asked[meta[3]] && meta[2] != meta[3] {
				d.adds[[2]string{meta[3], items[i+1]}]++
			}
		}
	}
	return introduced(t, dir, order, commits)
}

// diffs is what a commit adds against its parents.
type diffs struct {
	parents int
	adds    map[[2]string]int // id and path: against how many parents it is new
}

func introduced(t *testing.T, dir string, order []string, commits map[string]*diffs) map[string]map[string]*intro {
	t.Helper()
	all := map[string]map[string]*intro{}
	for _, c := range order {
		for added, parents := range commits[c].adds {
			if parents < commits[c].parents {
				continue // another parent has it there
			}
			id, path := added[0], added[1]
			if all[id] == nil {
				all[id] = map[string]*intro{}
			}
			if all[id][path] == nil {
				all[id][path] = &intro{head: atHead(t, dir, id, path)}
			}
			all[id][path].commits = append(all[id][path].commits, c)
		}
	}
	return all
}

func atHead(t *testing.T, dir, id, path string) bool {
	t.Helper()
	out, err := exec.Command("git", "--git-dir", dir, "ls-tree", "-z", "--full-tree", "HEAD", "--", path).Output()
	return err == nil && strings.Contains(string(out), " "+id+"\t"+path+"\x00")
}

func comparePlaces(t *testing.T, dir string, got map[string]finding.Location, want map[string]*intro) (problems []string) {
	t.Helper()
	if len(want) == 0 {
		problems = append(problems, "git knows no commit that introduces it")
	}
	for path, w := range want {
		p, ok := got[path]
		if !ok {
			problems = append(problems, fmt.Sprintf("not located at %s, where %s has it", path, w.commits[0]))
			continue
		}
		if !slices.Contains(w.commits, p.Commit) {
			problems = append(problems, fmt.Sprintf("%s does not introduce %s, but %s", p.Commit, path, w.commits))
		}
		if p.AtHead != w.head {
			problems = append(problems, fmt.Sprintf("at HEAD at %s: %v", path, p.AtHead))
		}
		for _, c := range w.commits {
			if c == p.Commit {
				break // parents first: what follows is no ancestor
			}
			if exec.Command("git", "--git-dir", dir, "merge-base", "--is-ancestor", c, p.Commit).Run() == nil {
				problems = append(problems, fmt.Sprintf("%s has %s before %s", c, path, p.Commit))
			}
		}
	}
	for path, p := range got {
		if want[path] == nil {
			problems = append(problems, fmt.Sprintf("located at %s in %s, of which git does not know", path, p.Commit))
		}
	}
	return problems
}

// userRepo returns the git directory that STANCH_REPO names.
func userRepo(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("STANCH_REPO")
	if dir == "" {
		t.Skip("STANCH_REPO names no repository to compare")
	}
	return scannertest.Git(t, dir, "rev-parse", "--absolute-git-dir")
}
