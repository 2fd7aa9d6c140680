package awskeys

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/stanch-dev/stanch/detectors"
)

// Which secret belongs to which id? The rules, in the order of their weight:
//
//  1. Group. Names that are the same but for "id" and "secret" belong together:
//     DEV_KEY_ID and DEV_SECRET, wherever PROD_SECRET stands.
//  2. Place. The same line beats the next line beats the same stanza beats the
//     same text. A stanza ends at a blank line, a [section] or a line that
//     opens with a brace. On very long lines, 200 bytes count as a line.
//  3. Order. Pairs do not cross: of two ids and two secrets the first belong
//     together, in "id secret id secret", "secret id secret id" and "id id
//     secret secret" alike. Each id and each secret is in one pair only.
//  4. Name. A secret that is called one beats one without a name. What is
//     called a hash, a commit or a token is no candidate.
//  5. Shape. What looks like random bytes beats what does so less; without a
//     name, only random ones are candidates, and right behind an id what does so
//     less. Hexadecimal digits are, if a name right beside the id says so: AWS
//     makes such a secret in one of 10^24 keys.
//  6. Account. A session token that names another account than the id is no
//     candidate.
//  7. Example. A secret of a documentation, or a sequence, belongs to no real id.
//  8. At most three secrets are proposed for an id: its own, then the nearest
//     that no other id took.
//
// Rules 2, 4 and 5 add up to a cost, rule 3 is the cheapest alignment of the ids
// with the secrets, as of two sequences; rule 1 aligns each group first. Refused:
// all ids with all secrets, which sends the secret of one account to STS under
// the id of another.

// A cost is how badly a secret fits an id.
const (
	costLine    = 0.0
	costNext    = 1.0
	costStanza  = 2.0
	costText    = 5.0
	costPerLine = 0.05
	maxPerLine  = 2.5
	costNoName  = 2.0
	costWeak    = 0.5
	costOdd     = 1.0
	costRefuse  = 9.0 // dearer than this, id and secret are strangers
)

const maxCandidates = 3

// maxAlign bounds the alignment, which takes ids × secrets steps. A text with
// more is a list of credentials, and aligned piece by piece.
const maxAlign = 1 << 18

// A value is an id, a secret or a token in a text.
type value struct {
	detectors.Span
	text         string
	line, stanza int // of its start, counted from 0
	name         nameKind
	shape        shape
	group        string // groupOf
	example      bool   // isSample
	account      string // that an id or a token names, or ""
}

// A cursor goes through the lines and stanzas of a text, once and forwards.
type cursor struct {
	text         []byte
	at           int // what is before has been counted
	line, stanza int
}

// value returns what stands at s, which does not begin before the last one.
func (c *cursor) value(s detectors.Span) value {
	for {
		k := bytes.IndexByte(c.text[c.at:s.Start], '\n')
		if k < 0 {
			c.at = s.Start // a long line is read once, not for each value
			break
		}
		c.at += k + 1
		c.line++
		if beginsStanza(c.text[c.at:]) {
			c.stanza++
		}
	}
	v := value{Span: s, text: string(c.text[s.Start:s.End]), line: c.line, stanza: c.stanza, group: groupOf(c.text, s.Start)}
	v.example = isSample(v.text)
	if isPrefix(c.text[s.Start : s.Start+prefixLen]) {
		v.example = isSample(v.text[prefixLen:])
	}
	return v
}

// beginsStanza reports whether the line that text begins with is blank, a
// [section] or opens with a brace.
func beginsStanza(text []byte) bool {
	const enough = 256
	line, _, _ := bytes.Cut(text[:min(len(text), enough)], []byte{'\n'})
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '[' && line[len(line)-1] == ']' || line[0] == '{' || line[0] == '}'
}

// placeCost is rule 2. lines is how far apart a and b are.
func placeCost(a, b value) (cost float64, lines int) {
	if a.Start > b.Start {
		a, b = b, a
	}
	lines = max(b.line-a.line, (b.Start-a.End)/200)
	far := min(float64(lines)*costPerLine, maxPerLine)
	switch {
	case lines == 0:
		// Bytes break ties between several pairs on one line.
		return costLine + float64(b.Start-a.End)/1000, lines
	case lines == 1:
		return costNext, lines
	case a.stanza == b.stanza:
		return costStanza + far, lines
	}
	return costText + far, lines
}

// secretCost is rules 2, 4, 5 and 7.
func secretCost(id, secret value) float64 {
	if secret.example && !id.example {
		return math.Inf(1)
	}
	cost, lines := placeCost(id, secret)
	switch secret.name {
	case namedOther:
		return math.Inf(1)
	case unnamed:
		// Without a name it must be close.
		cost += costNoName + 3*costPerLine*float64(lines)
		if secret.shape != random && (secret.shape != odd || !follows(secret, id)) {
			return math.Inf(1)
		}
	case namedWeak:
		cost += costWeak
	}
	switch {
	case secret.shape == odd:
		cost += costOdd
	case secret.shape == hexadecimal && lines > 1:
		return math.Inf(1)
	case secret.shape == hexadecimal:
		cost += 2 * costOdd
	}
	return cost
}

// follows reports whether b ends right before a on its line, as in ID:SECRET: that is
// as good as a name.
func follows(a, b value) bool {
	return a.line == b.line && b.End < a.Start && a.Start <= b.End+len(", ")
}

// tokenCost is rules 2 and 6. Long-term keys have no token.
func tokenCost(id, token value) float64 {
	if !isTemporary(id.text) || id.account != "" && token.account != "" && id.account != token.account {
		return math.Inf(1)
	}
	cost, _ := placeCost(id, token)
	return cost
}

// alignGroups is rules 1 and 3: align for each group of names, then for all that
// is left.
func alignGroups(ids, secrets []value) []int {
	partner := make([]int, len(ids))
	byGroup := map[string][]int{}
	for i, id := range ids {
		partner[i] = -1
		if id.group != "" {
			byGroup[id.group] = append(byGroup[id.group], i)
		}
	}
	secretsOf := map[string][]int{}
	for j, s := range secrets {
		if byGroup[s.group] != nil {
			secretsOf[s.group] = append(secretsOf[s.group], j)
		}
	}
	took := make([]bool, len(secrets))
	match := func(is, js []int) {
		for k, p := range align(pick(ids, is), pick(secrets, js), secretCost) {
			if p >= 0 {
				partner[is[k]] = js[p]
				took[js[p]] = true
			}
		}
	}
	for group, js := range secretsOf {
		match(byGroup[group], js)
	}
	match(indices(len(ids), func(i int) bool { return partner[i] < 0 }), indices(len(secrets), func(j int) bool { return !took[j] }))
	return partner
}

// pick returns the values at indices.
func pick(values []value, indices []int) []value {
	picked := make([]value, len(indices))
	for k, i := range indices {
		picked[k] = values[i]
	}
	return picked
}

// indices returns those below n that want is true for.
func indices(n int, want func(int) bool) []int {
	var list []int
	for i := range n {
		if want(i) {
			list = append(list, i)
		}
	}
	return list
}

// align is rule 3: it returns, for each of as, the index of its partner in bs,
// or -1, such that partners do not cross and the sum of the costs is least; to
// stay alone costs half of costRefuse.
func align(as, bs []value, cost func(a, b value) float64) []int {
	partner := make([]int, len(as))
	for i := range partner {
		partner[i] = -1
	}
	for lo, free := 0, 0; lo < len(as); { // free: the first of bs that nobody before lo took
		hi, from, to := piece(as, bs, lo, free)
		alignPiece(as[lo:hi], bs[from:to], cost, func(i, j int) {
			partner[lo+i] = from + j
			free = from + j + 1
		})
		lo = hi
	}
	return partner
}

// piece returns the end of the ids that begin at lo and the range of bs around
// them that are aligned together: everything, unless that is too much.
func piece(as, bs []value, lo, free int) (hi, from, to int) {
	if len(as)*len(bs) <= maxAlign {
		return len(as), 0, len(bs)
	}
	hi = min(lo+512, len(as))
	next := math.MaxInt
	if hi < len(as) {
		next = as[hi].Start
	}
	from = sort.Search(len(bs), func(i int) bool { return bs[i].Start >= as[lo].Start-1024 })
	from = max(from, free)
	to = sort.Search(len(bs), func(i int) bool { return bs[i].Start >= next })
	return hi, from, max(from, min(to, from+maxAlign/512))
}

func alignPiece(as, bs []value, cost func(a, b value) float64, pair func(i, j int)) {
	const alone = costRefuse / 2
	w := len(bs) + 1
	best := make([]float64, (len(as)+1)*w) // best[i*w+j]: the least cost of as[i:], bs[j:]
	took := make([]bool, len(best))
	for i := len(as); i >= 0; i-- {
		for j := len(bs); j >= 0; j-- {
			at := i*w + j
			switch {
			case i == len(as):
				best[at] = float64(len(bs)-j) * alone
				continue
			case j == len(bs):
				best[at] = float64(len(as)-i) * alone
				continue
			}
			best[at] = alone + min(best[at+w], best[at+1])
			if c := cost(as[i], bs[j]) + best[at+w+1]; c < best[at] {
				best[at], took[at] = c, true
			}
		}
	}
	for i, j := 0, 0; i < len(as) && j < len(bs); {
		switch at := i*w + j; {
		case took[at]:
			pair(i, j)
			i, j = i+1, j+1
		case best[at+w] <= best[at+1]:
			i++
		default:
			j++
		}
	}
}

// spares is rule 8: the indices of further candidates for id, best first, among
// the secrets around it that nobody took.
func spares(id value, secrets []value, taken []bool) []int {
	const around = 16 // on each side
	next := sort.Search(len(secrets), func(i int) bool { return secrets[i].Start >= id.Start })
	var list []int
	for i := max(0, next-around); i < min(len(secrets), next+around); i++ {
		if !taken[i] && secretCost(id, secrets[i]) < costRefuse {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(secretCost(id, secrets[a]), secretCost(id, secrets[b])) })
	return list[:min(len(list), maxCandidates-1)]
}
