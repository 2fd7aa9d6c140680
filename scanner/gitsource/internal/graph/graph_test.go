package graph_test

import (
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// idOf returns the id of the object with a number.
func idOf(t *testing.T, number int) pack.ID {
	t.Helper()
	id, ok := pack.ParseID(fmt.Appendf(nil, "%040x", number))
	if !ok {
		t.Fatalf("no id for %d", number)
	}
	return id
}

// newGraph returns the graph of a store of n objects. A graph reads none of them: their files
// are empty.
func newGraph(t *testing.T, n int) *graph.Graph {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		hex := idOf(t, i).String()
		name := filepath.Join(dir, hex[:2], hex[2:])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := objects.Open(objects.Options{Dirs: []string{dir}, Hash: sha1.Size, ReadBefore: func(*pack.Pack) bool { return false }})
	t.Cleanup(s.Close)
	if s.Len() != n {
		t.Fatalf("the store has %d objects, want %d", s.Len(), n)
	}
	return graph.NewGraph(s)
}

// record records a tree from entries such as "3 name".
func record(r *graph.Recorder, tree int32, entries ...string) {
	var nodes, names []uint32
	for _, e := range entries {
		var node uint32
		var name string
		_, _ = fmt.Sscan(e, &node, &name)
		nodes, names = append(nodes, node), append(names, r.Name([]byte(name)))
	}
	r.Record(tree, nodes, r.Shape(names))
}

func edges(g *graph.Graph, tree int32) (list []string) {
	g.Edges(tree, func(e graph.Edge) { list = append(list, fmt.Sprint(e.Node, " ", g.Name(e))) })
	return list
}

// TestEdges: trees that several goroutines record have their entries, also a tree that is
// larger than a chunk, and a name that two goroutines meet first.
func TestEdges(t *testing.T) {
	const trees, large = 200, 70_000
	g := newGraph(t, trees+1)
	want := func(tree int32) []string {
		if tree == 50 {
			return slices.Repeat([]string{"7 same"}, large)
		}
		return []string{fmt.Sprint(tree, " a"), fmt.Sprint(tree+1, " dir", tree%3, "/")}
	}
	var group errgroup.Group
	for worker := range int32(4) {
		group.Go(func() error {
			r := g.Recorder()
			for tree := worker; tree < trees; tree += 4 {
				record(r, tree, want(tree)...)
			}
			return nil
		})
	}
	_ = group.Wait()
	for tree := range int32(trees) {
		if got := edges(g, tree); !slices.Equal(got, want(tree)) {
			t.Errorf("tree %d has %d entries %.5q, want %d %.5q", tree, len(got), got, len(want(tree)), want(tree))
		}
	}
	if got := edges(g, trees); got != nil || g.IsTree(trees) {
		t.Errorf("an object that was not recorded has the entries %q", got)
	}
}

// TestLeadingTo: the hits, and each tree that leads to one on any way.
func TestLeadingTo(t *testing.T) {
	g := newGraph(t, 8)
	missing := g.AddMissing(idOf(t, 100))
	r := g.Recorder()
	record(r, 6, "1 a/", "2 b/")                      // the root
	record(r, 1, "3 file", fmt.Sprint(missing, " m")) // has a file that is not here
	record(r, 2, "3 file", "4 other")
	record(r, 5, "5 self/") // no git makes such a tree, but bytes can say so
	for _, tt := range []struct {
		hits []int32
		want []int32
	}{
		{[]int32{4}, []int32{2, 4, 6}},
		{[]int32{3}, []int32{1, 2, 3, 6}},
		{[]int32{missing}, []int32{1, 6, missing}},
		{[]int32{7}, []int32{7}},
		{nil, nil},
	} {
		leads := g.LeadingTo(tt.hits)
		var got []int32
		for n := range missing + 1 {
			if leads.Has(n) {
				got = append(got, n)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("to %d lead %d, want %d", tt.hits, got, tt.want)
		}
	}
}

// TestLeadingToInRandomGraphs compares LeadingTo with a search that goes through all edges
// until it finds no further tree.
func TestLeadingToInRandomGraphs(t *testing.T) {
	const n = 100
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 100 {
		g := newGraph(t, n)
		recorders := []*graph.Recorder{g.Recorder(), g.Recorder()}
		for tree := range int32(n) {
			entries := make([]string, random.IntN(4))
			for i := range entries {
				entries[i] = fmt.Sprint(random.IntN(n), " name", i)
			}
			if round == 0 { // deeper than LeadingTo goes through all trees
				entries = []string{fmt.Sprint(min(tree+1, n-1), " next/")}
			}
			if round == 0 || random.IntN(2) == 0 {
				record(recorders[random.IntN(2)], tree, entries...)
			}
		}
		hits := []int32{int32(random.IntN(n)), int32(random.IntN(n))}
		if round == 0 {
			hits[0] = n - 1
		}
		want := graph.NewBitset(n)
		want.Set(hits[0])
		want.Set(hits[1])
		for more := true; more; {
			more = false
			for tree := range int32(n) {
				g.Edges(tree, func(e graph.Edge) {
					if want.Has(e.Node) && !want.Has(tree) {
						want.Set(tree)
						more = true
					}
				})
			}
		}
		if got := g.LeadingTo(hits); !slices.Equal(got, want) {
			t.Fatalf("to %d lead %b, want %b", hits, got, want)
		}
	}
}

// TestMissing: an object that is not in the store has one number, after those of the store. In
// a partial clone objects are left out on purpose, and only counted. The empty tree is not lost.
func TestMissing(t *testing.T) {
	sum := sha1.Sum([]byte("tree 0\x00"))
	for _, partial := range []bool{false, true} {
		g := newGraph(t, 3)
		g.Store.Partial = partial
		a, again, b, empty := g.AddMissing(idOf(t, 100)), g.AddMissing(idOf(t, 100)), g.AddMissing(idOf(t, 101)), g.AddMissing(pack.ID(sum[:]))
		want := []int32{3, 3, 4, objects.None}
		skipped := 0
		if partial {
			want, skipped = []int32{objects.None, objects.None, objects.None, objects.None}, 2
		}
		if got := []int32{a, again, b, empty}; !slices.Equal(got, want) || g.Skipped != skipped {
			t.Errorf("partial %v: numbers %d, want %d; %d are only counted, want %d", partial, got, want, g.Skipped, skipped)
		}
		if !partial && (g.ObjectID(a) != idOf(t, 100) || !g.IsMissing(a) || g.IsMissing(2)) || g.ObjectID(objects.None) != "" {
			t.Errorf("partial %v: the ids are %s, %q", partial, g.ObjectID(a), g.ObjectID(objects.None))
		}
	}
}

// TestHasMarked: a blob has to be marked; commits, tags and trees need no mark, since the graph
// has all of them. Other ids are passed over.
func TestHasMarked(t *testing.T) {
	g := newGraph(t, 5) // two blobs, a tree, a commit, a tag
	record(g.Recorder(), 2, "0 a", "1 b")
	g.Commits = []graph.Commit{{Node: 3, Tree: 2}}
	g.Tags = []graph.Tag{{Node: 4, Target: 3}}
	g.Mark(0)
	for _, tt := range []struct {
		ids  string
		want bool
	}{{"0", true}, {"0 1", false}, {"2 3 4", true}, {"0 77", true}, {"", true}} {
		ids := []finding.BlobID{"a path"}
		for _, word := range strings.Fields(tt.ids) {
			var n int
			_, _ = fmt.Sscan(word, &n)
			ids = append(ids, finding.BlobID(idOf(t, n).String()))
		}
		if got := g.HasMarked(ids); got != tt.want {
			t.Errorf("objects %q are marked: %v, want %v", tt.ids, got, tt.want)
		}
	}
}
