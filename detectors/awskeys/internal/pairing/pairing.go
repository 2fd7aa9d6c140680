// Package pairing decides which secret and which token of a text belong to which id.
//
// New finds the candidates, works out the name and the place of each, and aligns them:
//
//	text        DEV_KEY_ID=AKIA…  DEV_SECRET=…
//	values      id, group "dev"   secret, group "dev", same line
//	cost        of each id with each secret: rules 2 to 5, 7, 8, 10 and 11
//	alignment   the pairs of least cost that do not cross
//
// The rules, in the order of their weight, are below.
package pairing

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// The rules of pairing, in the order of their weight (distanceCost in layout.go measures 4):
//
//  1. Group. Names that differ only in "id" and "secret" belong together: DEV_KEY_ID and
//     DEV_SECRET, wherever PROD_SECRET stands. People with several keys tell them apart by
//     their names.
//  2. AWS's name. A secret with a name of AWS (AWS_SECRET_ACCESS_KEY, AWS_PROD_SECRET,
//     s3_secret, secret_key below aws:) beats every other secret of its group at any place:
//     nobody calls another secret so. Without a group, only a secret that is clearly nearer beats it. It has to
//     be nearer still if the name of the id says AWS as well, or if both names say no more
//     than accessKeyId and secretAccessKey do.
//  3. Foreign names. A secret whose name has another group than the id may belong to another
//     service, as UPLOADER_SECRET beside AWS_ACCESS_KEY_ID. It is paired only if no other
//     secret is, within a few lines of the same stanza, and with less confidence. If its name
//     says which service, as JWT_SECRET and CLIENT_SECRET do, it is not paired at all, unless
//     the id is of that service too. The keys of the records around a value are a part of its
//     name, and AWS_JWT_SECRET is a secret of JWT's: the nearest name before the word for
//     secret counts (owner.go).
//  4. Place. The same line beats the next line, which beats the same stanza, which beats
//     the same text. A stanza ends at a blank line, at a [section], at a line that begins
//     with a brace, and where indentation or braces close the block of one value and open
//     that of the other: "aws:" and "app:" of YAML. On very long lines, 200 bytes count as
//     a line.
//  5. Distance. An id and a secret more than MaxLines lines apart do not belong together:
//     such pairs were entries of one long list, and wrong. They do if their group is the
//     same, and no other id has it.
//  6. Order. Pairs do not cross. The first id and the first secret belong together in "id
//     secret id secret", in "secret id secret id" and in "id id secret secret". Each id and
//     each secret is in one pair only.
//  7. Name. A secret that is called one beats a secret without a name. One that is called a
//     token is foreign, unless the id has the rest of its name: auth_id, auth_token. A
//     value that is called a hash or a commit is no candidate. A value whose own name says
//     neither secret nor AWS, such as uploader_key, is paired with less confidence, and so is
//     one that a comment calls something else.
//  8. Shape. A string that looks like random bytes beats one that does so less. Without a
//     name, only random strings are candidates, or any right behind an id. Hexadecimal
//     digits are candidates if a name right beside the id says so: one AWS secret in 10^24
//     has no other characters.
//  9. Account. A session token that names another account than the id is no candidate.
//  10. Example. A secret of a documentation, or a sequence, belongs to no real id. A random
//     secret with a name of AWS belongs to no id that was made up: the id was perhaps
//     replaced before the text was published, and the secret was not.
//  11. Request. An id in a request that it signed, such as a presigned URL, has its secret
//     on its line or nowhere: logs hold such ids and never their secrets.
//  12. Number. At most MaxCandidates secrets are proposed for an id: its own, then the
//     nearest that no other id took.
//  13. Possible. The three nearest secrets without any name are possible for an id that has
//     none: within MaxLines lines, or anywhere in a short text. They are no pair unless the
//     provider proves it, and so are no partners for ids of other texts.
//
// The name of a value is that of its column in an INSERT of SQL (places.go). Else it stands
// before it on its line, in the first cell of its row or at the head of its column (tables.go),
// in a field of its record or in the key of a record around
// it (records.go), or on the line above. The first of these that says something wins.
//
// Rules 2 to 4, 7 and 8 add up to a cost. Rule 6 finds the cheapest alignment of ids and
// secrets, as of two sequences; rule 1 aligns each group first. Pairing all ids with all
// secrets instead would send the secret of one account to STS under the id of another.

// A cost says how badly a secret fits an id; a gain says how well its name does.
const (
	costNoName  = 2.0
	costToken   = 3.0
	costForeign = 5.0
	costWeak    = 0.5
	costOdd     = 1.0
	costRefuse  = 9.0 // an id and a secret that cost more do not belong together

	gainAWS        = 2.5
	gainNamedAlike = 2.0
	gainOwnAWS     = costText + maxPerLine + 0.5 // whatever the place
)

const (
	// MaxLines is how many lines a secret may be from its id if their names have no group.
	MaxLines = 100
	// MaxCandidates is how many secrets of a text are proposed for an id. The scanner asks
	// about the second only if the first proves wrong.
	MaxCandidates = 10
)

// shortText is the length of a text in which nothing is far, and of which a view may be
// shorter. In longer ones, of which detectors.Set.DetectVersion may search a part alone, the
// nearest secret may be anywhere.
const shortText = 32 << 10

// maxAlign bounds the alignment, which takes ids × secrets steps. A text with
// more is a list of credentials, and aligned piece by piece.
const maxAlign = 1 << 18

// secretCost is rules 2 to 5, 7, 8, 10 and 11.
func secretCost(id, secret *Value) float64 {
	cost, lines := distanceCost(id, secret)
	own := id.Group != "" && id.Group == secret.Group
	switch {
	case secret.Example && !id.Example, id.Example && secret.seemsReal(), id.InSignedRequest && id.line != secret.line, lines > MaxLines && (!own || !id.onlyOfGroup):
		return math.Inf(1)
	case secret.Name == NamedAWS && own:
		cost -= gainOwnAWS
	default:
		cost += nameCost(id, secret, lines)
	}
	return cost + shapeCost(id, secret, lines)
}

// nameCost is rules 2, 3 and 7.
func nameCost(id, secret *Value, lines int) float64 {
	perLine := 3 * costPerLine * float64(lines) // a doubtful secret must be close
	switch {
	case secret.Name == namedOther, secret.namesOtherServiceThan(id):
		return math.Inf(1)
	case secret.Name == NamedAWS && id.namedAlike(secret):
		return -gainAWS - gainNamedAlike
	case secret.Name == NamedAWS:
		return -gainAWS
	case secret.Name == namedToken && (secret.isForeignTo(id) || id.SaysAWS && !secret.SaysAWS):
		return math.Inf(1)
	case secret.IsDoubtfulFor(id):
		return costForeign + 2*perLine
	case secret.Name == namedToken:
		return costToken
	case secret.Name == unnamed:
		return costNoName + perLine
	case secret.Name == namedWeak:
		return costWeak
	}
	return 0
}

// shapeCost is rule 8.
func shapeCost(id, secret *Value, lines int) float64 {
	switch {
	case secret.Shape == keyformat.Hexadecimal && (lines > 1 || secret.isForeignTo(id)):
		return math.Inf(1)
	case secret.Shape == keyformat.Hexadecimal:
		return 2 * costOdd
	case secret.Shape == keyformat.Odd && secret.Name == unnamed && !isRightBehind(secret, id):
		return math.Inf(1)
	case secret.Shape == keyformat.Odd:
		return costOdd
	}
	return 0
}

// seemsReal reports whether v, a secret, is one of AWS on its own, whatever id is beside it.
func (v *Value) seemsReal() bool {
	return v.Name == NamedAWS && v.Shape == keyformat.Random && !v.Example
}

// namedAlike reports whether the names of v, an id, and of secret both say AWS, or both are
// as plain as accessKeyId and secretAccessKey.
func (v *Value) namedAlike(secret *Value) bool {
	if v.SaysAWS || secret.SaysAWS {
		return v.SaysAWS && secret.SaysAWS
	}
	return v.Name == namedID && v.Group == "" && secret.Group == ""
}

// isForeignTo is rule 3. It reports whether the name of v, a secret, says that it belongs to
// something else than the key of id.
func (v *Value) isForeignTo(id *Value) bool { return v.foreignName && v.Group != id.Group }

// namesOtherServiceThan is the end of rule 3. An AWS_SIGNING_SECRET may be a key for signing,
// and an AWS_CLIENT_SECRET is none.
func (v *Value) namesOtherServiceThan(id *Value) bool {
	return slices.ContainsFunc(v.foreignWords, func(w string) bool {
		return !slices.Contains(id.foreignWords, w) && (!v.SaysAWS || !slices.Contains(purposeWords, w))
	}) || slices.ContainsFunc(v.around, func(w string) bool {
		return id.isOutside(w) && !slices.Contains(purposeWords, w)
	})
}

// isOutside reports whether neither the name of v, an id, nor one around it holds the service.
func (v *Value) isOutside(service string) bool {
	return !slices.Contains(v.around, service) && !slices.Contains(v.foreignWords, service)
}

// ServiceAround returns the name of the other service that a name around v says it is of, or "".
func (v *Value) ServiceAround() string { return strings.Join(v.around, "") }

// IsDoubtfulFor reports whether v is probably no secret of id by its name, even if no other
// secret fits better.
func (v *Value) IsDoubtfulFor(id *Value) bool {
	return v.isForeignTo(id) || v.Name == namedToken && (id.Group == "" || id.Group != v.Group)
}

// IsUncertainFor reports whether v may be no secret of id: its name is that of something
// else, as uploader_key and the secret below "app:", or it IsDoubtfulFor id.
func (v *Value) IsUncertainFor(id *Value) bool {
	return v.IsDoubtfulFor(id) || v.namedElsewhere || v.strangeName && withoutNumber(v.Group) != withoutNumber(id.Group) || slices.ContainsFunc(v.around, id.isOutside)
}

// withoutNumber returns group without the number at its end, which counts values that have no
// name of their own, as v0 and v1 do.
func withoutNumber(group string) string { return strings.TrimRight(group, "0123456789") }

// isRightBehind reports whether a begins right behind b on its line, as in ID:SECRET. That
// is as good as a name.
func isRightBehind(a, b *Value) bool {
	return a.line == b.line && b.End < a.Start && a.Start <= b.End+len(", ")
}

// tokenCost is rules 4 and 9. Long-term keys have no token.
func tokenCost(id, token *Value) float64 {
	if !isTemporary(id.Text) || id.Account != "" && token.Account != "" && id.Account != token.Account {
		return math.Inf(1)
	}
	cost, _ := distanceCost(id, token)
	return cost
}

// alignGroups is rules 1 and 6. It aligns each group of names, then all other values, and
// returns for each id the index of its secret, or -1.
func alignGroups(ids, secrets []Value) []int {
	partner := make([]int, len(ids))
	byGroup := map[string][]int{}
	for i, id := range ids {
		partner[i] = -1
		if id.Group != "" {
			byGroup[id.Group] = append(byGroup[id.Group], i)
		}
	}
	for _, is := range byGroup {
		only := !slices.ContainsFunc(is, func(i int) bool { return ids[i].Text != ids[is[0]].Text })
		for _, i := range is {
			ids[i].onlyOfGroup = only
		}
	}
	secretsOf := map[string][]int{}
	for j, s := range secrets {
		if byGroup[s.Group] != nil {
			secretsOf[s.Group] = append(secretsOf[s.Group], j)
		}
	}
	took := make([]bool, len(secrets))
	match := func(is, js []int) {
		for k, p := range align(valuesAt(ids, is), valuesAt(secrets, js), secretCost) {
			if p >= 0 {
				partner[is[k]] = js[p]
				took[js[p]] = true
			}
		}
	}
	for group, js := range secretsOf {
		match(byGroup[group], js)
	}
	match(indicesWhere(len(ids), func(i int) bool { return partner[i] < 0 }), indicesWhere(len(secrets), func(j int) bool { return !took[j] }))
	return partner
}

func pointersTo(values []Value) []*Value {
	list := make([]*Value, len(values))
	for i := range values {
		list[i] = &values[i]
	}
	return list
}

// valuesAt returns the values at indices.
func valuesAt(values []Value, indices []int) []*Value {
	picked := make([]*Value, len(indices))
	for k, i := range indices {
		picked[k] = &values[i]
	}
	return picked
}

// indicesWhere returns the numbers below n for which want is true.
func indicesWhere(n int, want func(int) bool) []int {
	var list []int
	for i := range n {
		if want(i) {
			list = append(list, i)
		}
	}
	return list
}

// align is rule 6. It returns for each of as the index of its partner in bs, or -1. Pairs do
// not cross, and the sum of the costs is least. A value without a partner costs half of
// costRefuse.
func align(as, bs []*Value, cost func(a, b *Value) float64) []int {
	partner := make([]int, len(as))
	for i := range partner {
		partner[i] = -1
	}
	if len(bs) == 0 {
		return partner
	}
	for lo, free := 0, 0; lo < len(as); { // free: bs before it are taken
		hi, from, to := alignedRange(as, bs, lo, free)
		alignRange(as[lo:hi], bs[from:to], cost, func(i, j int) {
			partner[lo+i] = from + j
			free = from + j + 1
		})
		lo = hi
	}
	return partner
}

// alignedRange returns which values to align together: as[lo:hi] and bs[from:to]. That is
// all of them, unless they are too many; then it is a number of as and the bs around them.
func alignedRange(as, bs []*Value, lo, free int) (hi, from, to int) {
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

func alignRange(as, bs []*Value, cost func(a, b *Value) float64, pair func(i, j int)) {
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

// OtherCandidates is rule 12. It returns the indices of further candidates for id, best
// first, among the secrets around it that no id took.
func OtherCandidates(id *Value, secrets []Value, taken []bool) []int {
	const around = 16 // on each side
	next := sort.Search(len(secrets), func(i int) bool { return secrets[i].Start >= id.Start })
	var list []int
	for i := max(0, next-around); i < min(len(secrets), next+around); i++ {
		if !taken[i] && secretCost(id, &secrets[i]) < costRefuse {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(secretCost(id, &secrets[a]), secretCost(id, &secrets[b])) })
	return list[:min(len(list), MaxCandidates-1)]
}

func isTemporary(id string) bool { return id[0:2] == "AS" }
