package gitsource

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// A plainSource hides that a source can leave texts out and knows their versions: each text is
// searched whole, on its own.
type plainSource struct{ scanner.Source }

// TestSelectiveFindsAll holds that a scan which passes texts over, and searches versions only
// where they differ, finds what a scan of all texts finds: in histories made at random, and in
// that of STANCH_REPO if it is set. Every other one is scanned with a rule of a user too.
func TestSelectiveFindsAll(t *testing.T) {
	if dir := os.Getenv("STANCH_REPO"); dir != "" {
		checkSelective(t, dir, false)
		checkSelective(t, dir, true)
		return
	}
	histories := uint64(2)
	if scannertest.WholeMatrix(t, "6 histories; here are 2") {
		histories = 6
	}
	for seed := range histories {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			if n := checkSelective(t, historyOfKeys(t, seed), seed%2 == 1); n < 50 {
				t.Errorf("only %d findings and places", n)
			}
		})
	}
}

// checkSelective scans a repository both ways, and returns the number of findings and places.
func checkSelective(t *testing.T, dir string, withRule bool) int {
	t.Helper()
	set := detectors.NewSet(awskeys.Detector{})
	own, err := rules.NewDetector(&rules.Config{Rules: []*rules.Rule{{ID: "own", Regex: `(?i)(?:key|token|secret)[\w ]{0,20}[=:]\s{0,3}["']?([\w/+.-]{6,60})`}}})
	if err != nil {
		t.Fatal(err)
	}
	if withRule {
		set = set.WithPlain(own)
	}
	scan := func(hide bool) []string {
		r := open(t, dir)
		src := scanner.Source(r)
		if hide {
			src = plainSource{r}
		}
		var sink scannertest.Sink
		s := scanner.Scanner{Detectors: set, Verifier: awsverifier.Offline{}}
		if err := s.Scan(context.Background(), src, &sink); err != nil {
			t.Fatal(err)
		}
		var found []string
		for i := range sink.Findings {
			f := &sink.Findings[i]
			found = append(found, fmt.Sprintf("%s %s, %d secrets more, %d places more", f.Match.Credential.ID, f.Fingerprint(), len(f.Candidates)+f.CandidatesOmitted+len(f.Others), f.Omitted))
			for _, l := range f.Locations {
				found = append(found, fmt.Sprintf("%s at %s:%d:%d in %s (%s, secret in line %d)", f.Fingerprint(), l.Path, l.Line, l.Column, l.Commit, l.Part, l.SecretLine))
			}
		}
		slices.Sort(found)
		return found
	}
	got, want := scan(false), scan(true)
	if !slices.Equal(got, want) {
		missed := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(got, s) })
		added := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return slices.Contains(want, s) })
		t.Errorf("missed %q\nadded %q", missed, added)
	}
	return len(want)
}

// historyOfKeys makes a repository of three files that change a little in each of 80 commits,
// as one pack with long chains of deltas. Two versions of each file have a line of their own, with
// a key that is nowhere else, or with a part of one. In the first a byte of the line is missing:
// a delta that is lost loses a key, and so does one that is judged by its new bytes alone. The
// third file is full of keys, and long enough that its versions are searched where they differ.
func historyOfKeys(t *testing.T, seed uint64) string {
	t.Helper()
	dir := scannertest.Repo(t, "")
	random := rand.New(rand.NewPCG(seed, 19))
	never, rarely := 1<<30, 60
	files := []*struct {
		lines []string
		rare  int
		own   string // in this version and the next
		at    int
	}{{lines: make([]string, 40), rare: never}, {lines: make([]string, 400), rare: never}, {lines: make([]string, 2000), rare: rarely}}
	for _, f := range files {
		for i := range f.lines {
			f.lines[i] = randomLine(random, f.rare, random.IntN(20))
		}
	}
	var stream strings.Builder
	for n := range 80 {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 0\n", 1600000060+n)
		for i, f := range files {
			f.lines[random.IntN(len(f.lines))] = randomLine(random, f.rare, random.IntN(20))
			own := f.own
			if n%2 == 0 {
				f.own, f.at = randomLine(random, 1, 1000*(i+1)+n), random.IntN(len(f.lines))
				missing := random.IntN(len(f.own))
				own = f.own[:missing] + f.own[missing+1:]
			}
			text := strings.Join(slices.Insert(slices.Clone(f.lines), f.at, own), "\n")
			fmt.Fprintf(&stream, "M 644 inline file%d\ndata %d\n%s\n", i, len(text), text)
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "stream"), []byte(stream.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	scannertest.Script(t, dir, "git fast-import --quiet --force <../stream; git repack -qadf --depth=60")
	return dir
}

// randomLine returns a line. One in rare has key number n, or a part of it.
func randomLine(random *rand.Rand, rare, n int) string {
	if random.IntN(rare) > 0 {
		return fmt.Sprintf("%x some words %d, and a hash %x", random.Uint64(), random.IntN(1000), random.Uint64())
	}
	id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, uint64(n)), detectorstest.SecretKey(uint64(n))
	return []string{
		"aws_access_key_id = " + id,
		"aws_secret_access_key = " + secret,
		`{"accessKeyId": "` + id + `", "secretAccessKey": "` + secret + `"}`,
		"key: " + base64.StdEncoding.EncodeToString([]byte("aws_access_key_id="+id+"\naws_secret_access_key="+secret)),
		`"` + id[:11] + `" + "` + id[11:] + `"`,
		secret,
		fmt.Sprintf("[profile p%d]", n),
	}[random.IntN(7)]
}
