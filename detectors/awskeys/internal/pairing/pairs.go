package pairing

import (
	"slices"
	"sort"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/presigned"
)

// Pairs are the ids, secrets and tokens of a text, and which of them belong together.
type Pairs struct {
	text                    []byte
	isLong                  bool // text, or that of which it is a view, is longer than shortText
	recall                  recall
	IDs, Secrets, Tokens    []Value
	SecretOf, TokenOf       []int  // by id: the index of its secret or token, or -1
	SecretTaken, TokenTaken []bool // by secret, by token: an id has it
}

// New finds the secrets and tokens of text, and pairs them with ids, the ids of text.
func New(memo *detectors.Memo, text []byte, ids []detectors.Span) *Pairs {
	p := &Pairs{text: text, isLong: max(len(text), memo.Whole()) > shortText, recall: newRecall(memo, text), IDs: make([]Value, 0, len(ids))}
	secrets := slices.DeleteFunc(candidates.Secrets(text, len(ids) > 0), func(s detectors.Span) bool {
		return holdsID(ids, s) // "//host/AKIA…/path" may have 40 characters too
	})
	p.addValues(ids, secrets, candidates.Tokens(text))
	if slices.ContainsFunc(p.Secrets, func(s Value) bool { return s.around != nil }) {
		for i := range p.IDs {
			id := &p.IDs[i]
			id.around = recalled(&p.recall, "around", id.Span, maxAbove, func() []string { return servicesAround(text, id, false) })
		}
	}
	// Ids that sign nothing (ABIA, ACCA) take part too: they may stand between other ids
	// and their secrets.
	p.SecretOf = alignGroups(p.IDs, p.Secrets)
	p.TokenOf = align(pointersTo(p.IDs), pointersTo(p.Tokens), tokenCost)
	p.SecretTaken = takenBy(p.SecretOf, len(p.Secrets))
	p.TokenTaken = takenBy(p.TokenOf, len(p.Tokens))
	return p
}

// addValues fills the values of p, in one walk over the text.
func (p *Pairs) addValues(ids, secrets, tokens []detectors.Span) {
	c := newLayoutCursor(p.text)
	next := func(list []detectors.Span) int {
		if len(list) == 0 {
			return len(p.text)
		}
		return list[0].Start
	}
	for len(ids)+len(secrets)+len(tokens) > 0 {
		switch i, s, t := next(ids), next(secrets), next(tokens); {
		case i <= s && i <= t:
			p.IDs = append(p.IDs, p.id(c, ids[0]))
			ids = ids[1:]
		case s <= t:
			p.addSecret(c, secrets[0])
			secrets = secrets[1:]
		default:
			p.Tokens = append(p.Tokens, p.token(c, tokens[0]))
			tokens = tokens[1:]
		}
	}
}

func (p *Pairs) id(c *layoutCursor, s detectors.Span) Value {
	v := p.recall.value("id", s, idAbove, p.newID)
	c.setPlace(&v)
	return v
}

// newID returns the id at s, without its place.
func (p *Pairs) newID(s detectors.Span) Value {
	v := newValue(p.text, s)
	kind, name := nameOf(p.text, s.Start, false)
	v.Name = kind
	v.setGroup(p.text, name)
	v.Account, _ = keyformat.Account(v.Text)
	v.InSignedRequest = presigned.Signs(p.text, s) // rule 11
	return v
}

// addSecret adds the candidate at s. Hexadecimal digits are a candidate only if the text
// calls them a secret.
func (p *Pairs) addSecret(c *layoutCursor, s detectors.Span) {
	v := p.recall.value("secret", s, maxAbove, p.newSecret)
	if v.Shape == keyformat.NotSecret {
		return
	}
	c.setPlace(&v)
	p.Secrets = append(p.Secrets, v)
}

// newSecret returns the secret at s, without its place, or one with the shape of none.
func (p *Pairs) newSecret(s detectors.Span) (v Value) {
	shape := keyformat.ShapeOf(p.text[s.Start:s.End])
	if shape == keyformat.Hexadecimal && !SaysSecret(p.text[max(0, s.Start-2*candidates.MaxName):s.Start]) { // most are commits
		return v
	}
	kind, name := nameOf(p.text, s.Start, true)
	if shape == keyformat.Hexadecimal && kind < NamedSecret {
		return v
	}
	v = newValue(p.text, s)
	v.Name, v.Shape = kind, shape
	var parts []string
	if kind == namedToken || isWord(splitWords(name), tokenWords) {
		parts = tokenWords
	}
	v.setGroup(p.text, name, parts...)
	if v.Name != NamedAWS && v.Name != namedOther && !v.SaysAWS {
		v.around = servicesAround(p.text, &v, true)
	}
	v.namedElsewhere = v.isNamedElsewhere(p.text)
	return v
}

func (p *Pairs) token(c *layoutCursor, s detectors.Span) Value {
	v := newValue(p.text, s)
	c.setPlace(&v)
	v.setGroup(p.text, "", grouplessTokens...)
	info, _ := keyformat.ParseToken(v.Text)
	v.Account = info.Account
	return v
}

// Unnamed is rule 13. It returns, by secret, whether it has no name of a secret and is one of
// the nearest such to an id that has no secret.
func (p *Pairs) Unnamed() []bool {
	const perID = 3
	unnamed := make([]bool, len(p.Secrets))
	list := indicesWhere(len(p.Secrets), func(j int) bool {
		s := &p.Secrets[j]
		return !p.SecretTaken[j] && s.Shape == keyformat.Random && !s.Example && s.Name < NamedSecret && s.Name != namedOther
	})
	for i := range p.IDs {
		id := &p.IDs[i]
		if p.SecretOf[i] >= 0 || id.Example || id.InSignedRequest {
			continue
		}
		after := sort.Search(len(list), func(k int) bool { return p.Secrets[list[k]].Start >= id.Start })
		before := after - 1
		for range min(perID, len(list)) {
			nearest := 0
			if before < 0 || after < len(list) && p.Secrets[list[after]].Start-id.End < id.Start-p.Secrets[list[before]].End {
				nearest = list[after]
				after++
			} else {
				nearest = list[before]
				before--
			}
			if _, lines := distanceCost(id, &p.Secrets[nearest]); lines > MaxLines && p.isLong {
				break
			}
			unnamed[nearest] = true
		}
	}
	return unnamed
}

// holdsID reports whether one of ids, which are in order, lies in s.
func holdsID(ids []detectors.Span, s detectors.Span) bool {
	i := sort.Search(len(ids), func(i int) bool { return ids[i].End > s.Start })
	return i < len(ids) && ids[i].Start < s.End
}

func takenBy(partner []int, n int) []bool {
	t := make([]bool, n)
	for _, p := range partner {
		if p >= 0 {
			t[p] = true
		}
	}
	return t
}
