package layouttest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/detectorstest/layouttest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

var (
	write   = flag.String("write", "", "write the files, and truth.json, to this folder")
	examine = flag.String("examine", "", "print the files that fail and have this layout")
)

// seeds is how many files of each layout and shape there are.
const seeds = 32

// floor is the part of ids and pairs that has to be found, and of secrets alone in text. No
// pair may be wrong. aloneFloor is the part of secrets alone where they are encoded: without
// an id the prefilter knows few of them (Filter.MayMatch lists which).
const (
	floor      = .998
	aloneFloor = .75
)

// eachFile makes the files of all layouts.
func eachFile(t *testing.T, yield func(layouttest.File, uint64)) {
	t.Helper()
	n := uint64(seeds)
	if !scannertest.WholeMatrix(t, "32 files of each layout and shape; here there are 8") && *write == "" && *examine == "" {
		n = 8
	}
	for _, l := range layouttest.Layouts() {
		for _, shape := range l.Shapes() {
			for seed := range n {
				yield(l.File(shape, seed), seed)
			}
		}
	}
}

// A score counts the parts of keys in files, and how they were found.
type score struct{ ids, idsFound, pairs, pairsFound, wrong, alone, aloneFound, notAWS int }

func (s *score) add(o score) {
	s.ids += o.ids
	s.idsFound += o.idsFound
	s.pairs += o.pairs
	s.pairsFound += o.pairsFound
	s.wrong += o.wrong
	s.alone += o.alone
	s.aloneFound += o.aloneFound
	s.notAWS += o.notAWS
}

func (s score) perfect() bool {
	return s.ids == s.idsFound && s.pairs == s.pairsFound && s.alone == s.aloneFound && s.wrong == 0 && s.notAWS == 0
}

// rate compares the best match of each id with the keys of f. A secret that is reported
// without an id is right if it is one of a key, and wrong if it is of another service. An id
// without a secret may have one of another service if the confidence is low.
func rate(f layouttest.File, matches []detectors.Match) score {
	var s score
	var best []detectors.Match
	for _, m := range matches {
		if m.Rank == 0 && !m.NeedsID {
			best = append(best, m)
		}
	}
	has := func(id, secret string) bool {
		return slices.ContainsFunc(best, func(m detectors.Match) bool {
			return m.Credential.ID == id && (secret == "" || m.Credential.Secret.Reveal() == secret)
		})
	}
	count := func(all, found *int, ok bool) {
		*all++
		if ok {
			*found++
		}
	}
	for _, k := range f.Keys {
		if f.Shape == layouttest.Secret {
			count(&s.alone, &s.aloneFound, has("", k.Secret))
			continue
		}
		count(&s.ids, &s.idsFound, has(k.ID, ""))
		if f.Shape == layouttest.LoneID {
			continue
		}
		count(&s.pairs, &s.pairsFound, has(k.ID, k.Secret))
	}
	for _, m := range best {
		secret := m.Credential.Secret.Reveal()
		if secret == "" {
			continue
		}
		right := slices.ContainsFunc(f.Keys, func(k layouttest.Key) bool {
			return k.Secret == secret && (k.ID == m.Credential.ID || m.Credential.ID == "")
		})
		possible := f.Shape == layouttest.LoneID && m.Confidence == detectors.Low
		switch {
		case right, possible:
		case m.Credential.ID != "":
			s.wrong++
		default:
			s.notAWS++
		}
	}
	return s
}

// TestLayouts holds that the keys of all layouts are found. It prints a table.
func TestLayouts(t *testing.T) {
	set := catalog.NewSet()
	var names []string
	by, kinds := map[string]score{}, map[string]string{}
	var total, text, packed score
	eachFile(t, func(f layouttest.File, seed uint64) {
		s := rate(f, set.Detect(nil, []byte(f.Text)))
		name := f.Layout.Name
		if _, ok := by[name]; !ok {
			names = append(names, name)
		}
		kinds[name] = f.Layout.Kind
		sum := by[name]
		sum.add(s)
		by[name] = sum
		total.add(s)
		if f.Layout.Packed() {
			packed.add(s)
		} else {
			text.add(s)
		}
		if name == *examine && !s.perfect() {
			t.Logf("%s, %d: %+v in\n%s", f.Shape, seed, s, f.Text)
		}
	})
	t.Logf("\n%s", table(names, kinds, by, total))
	if text.least() < floor || text.wrong > 0 || text.notAWS > 0 {
		t.Errorf("of text: %+v; at least %v have to be found, and nothing wrong", text, floor)
	}
	alone := packed.aloneFound
	if packed.aloneFound = packed.alone; packed.least() < floor || packed.wrong > 0 || packed.notAWS > 0 || float64(alone) < aloneFloor*float64(packed.alone) {
		t.Errorf("of packed keys: %+v, and %d secrets alone; at least %v have to be found, %v of the secrets alone, and nothing wrong", packed, alone, floor, aloneFloor)
	}
}

// least returns the least part of ids, pairs and secrets alone that was found.
func (s score) least() float64 {
	part := func(found, all int) float64 { return float64(found) / float64(max(1, all)) }
	return min(part(s.idsFound, s.ids), part(s.pairsFound, s.pairs), part(s.aloneFound, s.alone))
}

func table(names []string, kinds map[string]string, by map[string]score, total score) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "kind\tlayout\tids\tpairs\twrong pairs\tsecrets alone\tof other services")
	line := func(kind, name string, s score) {
		fmt.Fprintf(w, "%s\t%s\t%d/%d\t%d/%d\t%d\t%d/%d\t%d\n", kind, name, s.idsFound, s.ids, s.pairsFound, s.pairs, s.wrong, s.aloneFound, s.alone, s.notAWS)
	}
	for _, name := range names {
		line(kinds[name], name, by[name])
	}
	line("all", fmt.Sprint(len(names), " layouts"), total)
	w.Flush()
	return b.String()
}

// TestWrite writes the files for other scanners, if -write says where to.
func TestWrite(t *testing.T) {
	if *write == "" {
		t.Skip("-write is not set")
	}
	type truth struct {
		File, Kind, Layout, Shape string
		Keys                      []layouttest.Key
	}
	var all []truth
	eachFile(t, func(f layouttest.File, _ uint64) {
		folder := fmt.Sprintf("%05d", len(all))
		name := filepath.Join(*write, "files", folder, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(f.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, truth{folder + "/" + f.Path, f.Layout.Kind, f.Layout.Name, string(f.Shape), f.Keys})
	})
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*write, "truth.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}
