package orgscan

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/github"
)

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"": {}, "1/1": {1, 1}, "2/8": {2, 8}, "10000/10000": {10000, 10000}} {
		if got, err := ParseShard(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"0/2", "3/2", "1/0", "0/0", "1", "1/", "/2", "-1/2", "+1/2", "1/2/3", "1.0/2", " 1/2", "1/10001", "1/99999999999999999999", "a/b"} {
		if got, err := ParseShard(text); err == nil || !strings.Contains(err.Error(), "--shard "+text) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// TestShards: each repository is in one shard, whatever others there are, and the shards
// have about the same number.
func TestShards(t *testing.T) {
	var repos []github.Repository
	for i := range int64(3000) {
		repos = append(repos, github.Repository{ID: i * i, Name: "acme/" + strings.Repeat("x", int(i))}) // the first has no id
	}
	for _, of := range []uint64{1, 2, 3, 7, 10} {
		count := make([]int, of)
		for _, r := range repos {
			in := 0
			for i := range of {
				if (Shard{i + 1, of}).has(r) {
					in, count[i] = in+1, count[i]+1
				}
			}
			if in != 1 {
				t.Errorf("repository %d is in %d shards of %d", r.ID, in, of)
			}
		}
		for i, n := range count {
			if fair := len(repos) / int(of); n < fair*7/10 || n > fair*13/10 {
				t.Errorf("shard %d/%d has %d of %d", i+1, of, n, len(repos))
			}
		}
	}
	if !(Shard{}).has(repos[0]) {
		t.Error("the zero Shard is not all")
	}
}

// TestShardStays holds where repositories are: machines with other versions of stanch
// share them out alike, and who renames one leaves it where it is.
func TestShardStays(t *testing.T) {
	for _, tt := range []struct {
		repo github.Repository
		want uint64
	}{
		{github.Repository{ID: 1296269, Name: "octocat/Hello-World"}, 7},
		{github.Repository{ID: 1296269, Name: "octocat/renamed"}, 7},
		{github.Repository{Name: "octocat/Hello-World"}, 7},
		{github.Repository{Name: "OctoCat/hello-world"}, 7},
	} {
		for i := range uint64(8) {
			if (Shard{i + 1, 8}).has(tt.repo) != (i+1 == tt.want) {
				t.Errorf("%d %s: it is not in shard %d of 8 alone", tt.repo.ID, tt.repo.Name, tt.want)
			}
		}
	}
}
