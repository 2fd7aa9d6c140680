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
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// A plainSource hides that a source can leave texts out and knows their versions: each text is
// searched whole, on its own.
type plainSource struct{ scanner.Source }

// TestSelectiveFindsAll holds that a scan which passes texts over, and searches versions only
// where they differ, finds what a scan of all texts finds: in histories made at random, and in
// that of STANCH_REPO if it is set.
func TestSelectiveFindsAll(t *testing.T) {
	if dir := os.Getenv("STANCH_REPO"); dir != "" {
		checkSelective(t, dir)
		return
	}
	histories := uint64(2)
	if scannertest.WholeMatrix(t, "6 histories; here are 2") {
		histories = 6
	}
	for seed := range histories {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			if n := checkSelective(t, historyOfKeys(t, seed)); n < 50 {
				t.Errorf("only %d findings and places", n)
			}
		})
	}
}

// checkSelective scans a repository both ways, and returns the number of findings and places.
func checkSelective(t *testing.T, dir string) int {
	t.Helper()
	scan := func(hide bool) []string {
		r := open(t, dir)
		src := scanner.Source(r)
		if hide {
			src = plainSource{r}
		}
		var sink scannertest.Sink
		s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: awsverifier.Offline{}}
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

// historyOfKeys makes a repository of three files that change a little in each of 25 commits,
// as one pack with long chains of deltas. Two of the files have a key, or a part of one, in
// single versions only. The third is full of keys, and long enough that its versions are
// searched where they differ.
func historyOfKeys(t *testing.T, seed uint64) string {
	t.Helper()
	dir := scannertest.Repo(t, "")
	random := rand.New(rand.NewPCG(seed, 19))
	never, rarely := 1<<30, 60
	rare, many := []int{never, never, rarely}, []int{1 << 30, 1 << 30, 20}
	texts := make([][]string, len(rare))
	for i, size := range []int{40, 400, 2000} {
		for range size {
			texts[i] = append(texts[i], randomLine(random, rare[i], many[i]))
		}
	}
	for n := range 25 {
		for i, lines := range texts {
			at := random.IntN(len(lines))
			texts[i] = slices.Replace(lines, at, min(len(lines), at+random.IntN(2)), randomLine(random, rare[i], many[i]))
			once := slices.Insert(slices.Clone(texts[i]), random.IntN(len(lines)), randomLine(random, 2, many[i]))
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%d", i)), []byte(strings.Join(once, "\n")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		scannertest.Script(t, dir, fmt.Sprintf("commit %d", n))
	}
	scannertest.Git(t, dir, "repack", "-qadf", "--depth=30")
	return dir
}

// randomLine returns a line. One in rare has one of many keys, or a part of it.
func randomLine(random *rand.Rand, rare, many int) string {
	if random.IntN(rare) > 0 {
		return fmt.Sprintf("%x some words %d, and a hash %x", random.Uint64(), random.IntN(1000), random.Uint64())
	}
	of := uint64(random.IntN(many))
	id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, of), detectorstest.SecretKey(of)
	return []string{
		"aws_access_key_id = " + id,
		"aws_secret_access_key = " + secret,
		`{"accessKeyId": "` + id + `", "secretAccessKey": "` + secret + `"}`,
		"key: " + base64.StdEncoding.EncodeToString([]byte("aws_access_key_id="+id+"\naws_secret_access_key="+secret)),
		`"` + id[:11] + `" + "` + id[11:] + `"`,
		secret,
		fmt.Sprintf("[profile p%d]", of),
	}[random.IntN(7)]
}
