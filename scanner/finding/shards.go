package finding

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard splits the target of a scan of one part of it, as "acme, shard 2/8", into the whole and
// the part. number is 0 if the scan is of all.
func (s *Scan) Shard() (whole string, number, of int) { return splitShard(s.Target) }

func splitShard(target string) (whole string, number, of int) {
	i := strings.LastIndex(target, ", shard ")
	if i < 0 {
		return target, 0, 0
	}
	n, m, _ := strings.Cut(target[i+len(", shard "):], "/")
	number, numberErr := strconv.Atoi(n)
	of, ofErr := strconv.Atoi(m)
	if numberErr != nil || ofErr != nil || number < 1 || number > of {
		return target, 0, 0
	}
	return target[:i], number, of
}

// joinShards returns targets, each once, and shards of one target as one: "acme, 7 of 8 shards",
// or "acme" if all are there.
func joinShards(targets []string) []string {
	type parts struct {
		whole string
		of    int
	}
	var order []parts
	seen := map[parts]map[int]string{} // the targets by the number of the shard
	for _, t := range targets {
		whole, number, of := splitShard(t)
		key := parts{whole, of}
		if seen[key] == nil {
			seen[key] = map[int]string{}
			order = append(order, key)
		}
		seen[key][number] = t
	}
	var out []string
	for _, key := range order {
		shards := seen[key]
		switch n := len(shards); n {
		case 1:
			for _, t := range shards {
				out = append(out, t)
			}
		case key.of:
			out = append(out, key.whole)
		default:
			out = append(out, fmt.Sprintf("%s, %d of %d shards", key.whole, n, key.of))
		}
	}
	return out
}
