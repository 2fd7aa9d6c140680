// Package awskeys detects the credentials of Amazon Web Services.
//
// Access keys are long-term (AKIA) or temporary (ASIA, with a session token), or
// secret keys that stand without an id. keyid.go knows what an id says, token.go
// what a session token says, find.go where either may stand, shape.go what a secret
// looks like, names.go what it is called, place.go where it stands,
// pair.go what belongs together and store.go what is not AWS's.
//
// The credentials of single services (Bedrock, SES, CodeCommit …) are found by
// services.go and what it names. They have no id of their own: ids in them are
// facts. rules.go documents all kinds.
package awskeys

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"sort"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
)

// Detector finds access keys. It has no state; the zero value works.
type Detector struct{}

var _ detectors.Detector = Detector{}

// Detect implements detectors.Detector. It reports each id with the secrets and
// the token that fit it best (the rules are in pair.go), or alone; then the
// secrets and tokens that belong to no id but are AWS's by name or by format, and
// the secrets that may be: those only as partners of an id from another text.
func (Detector) Detect(dst []detectors.Match, text []byte) []detectors.Match {
	return appendServices(appendKeys(dst, text), text)
}

// appendKeys appends the access keys of text.
func appendKeys(dst []detectors.Match, text []byte) []detectors.Match {
	ids := findIDs(text)
	if len(ids) == 0 && !containsAny(text, SecretKey.Keywords) && !containsAny(text, tokenMarks) {
		return dst
	}
	f := newFinds(text, ids)
	for i := range f.ids {
		dst = f.appendID(dst, i)
	}
	for i := range f.secrets {
		dst = f.appendSecret(dst, i)
	}
	for i := range f.tokens {
		dst = f.appendToken(dst, i)
	}
	return dst
}

func containsAny(text []byte, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(text, []byte(w)) })
}

// finds is what one text holds.
type finds struct {
	text                 []byte
	ids, secrets, tokens []value
	secretOf, tokenOf    []int  // by id: the index of its partner, or -1
	secretTaken          []bool // by secret
	tokenTaken           []bool
	endpoints, strangers []mark // what is not of AWS
	container            detectors.Fact
	requests             requests
}

func newFinds(text []byte, ids []detectors.Span) *finds {
	f := &finds{text: text, endpoints: findEndpoints(text), strangers: findForeignIDs(text), container: containerOf(text), requests: newRequests(text)}
	secrets := slices.DeleteFunc(findSecrets(text), func(s detectors.Span) bool {
		return holdsID(ids, s) // "//host/AKIA…/path" may have 40 characters too
	})
	f.place(ids, secrets, findTokens(text))
	// Ids that sign nothing (ABIA, ACCA) take part: they stand between others
	// and their secrets.
	f.secretOf = alignGroups(f.ids, f.secrets)
	f.tokenOf = align(f.ids, f.tokens, tokenCost)
	f.secretTaken = taken(f.secretOf, len(f.secrets))
	f.tokenTaken = taken(f.tokenOf, len(f.tokens))
	return f
}

// place fills the values of f, in one walk over the text.
func (f *finds) place(ids, secrets, tokens []detectors.Span) {
	c := newCursor(f.text)
	next := func(list []detectors.Span) int {
		if len(list) == 0 {
			return len(f.text)
		}
		return list[0].Start
	}
	for len(ids)+len(secrets)+len(tokens) > 0 {
		switch i, s, t := next(ids), next(secrets), next(tokens); {
		case i <= s && i <= t:
			f.ids = append(f.ids, f.id(c, ids[0]))
			ids = ids[1:]
		case s <= t:
			f.addSecret(c, secrets[0])
			secrets = secrets[1:]
		default:
			f.tokens = append(f.tokens, f.token(c, tokens[0]))
			tokens = tokens[1:]
		}
	}
}

func (f *finds) id(c *cursor, s detectors.Span) value {
	v := c.value(s)
	kind, name := nameOf(f.text, s.Start, idKindOf)
	v.name = kind
	v.label(f.text, name)
	v.account, _ = Account(v.text)
	v.signs = signsRequest(f.text, s)
	return v
}

// addSecret adds the candidate at s, unless the text calls it something else.
func (f *finds) addSecret(c *cursor, s detectors.Span) {
	shape := shapeOf(f.text[s.Start:s.End])
	if shape == hexadecimal && !isNamedSecret(f.text, s.Start) { // a rough look: most are commits
		return
	}
	kind, name := nameOf(f.text, s.Start, kindOf)
	if shape == hexadecimal && kind < namedSecret {
		return
	}
	v := c.value(s)
	v.name, v.shape = kind, shape
	var parts []string
	if kind == namedToken {
		parts = tokenWords
	}
	v.label(f.text, name, parts...)
	f.secrets = append(f.secrets, v)
}

func (f *finds) token(c *cursor, s detectors.Span) value {
	v := c.value(s)
	v.label(f.text, "", grouplessTokens...)
	info, _ := ParseToken(v.text)
	v.account = info.Account
	return v
}

// holdsID reports whether one of ids, in order, lies in s.
func holdsID(ids []detectors.Span, s detectors.Span) bool {
	i := sort.Search(len(ids), func(i int) bool { return ids[i].End > s.Start })
	return i < len(ids) && ids[i].Start < s.End
}

func taken(partner []int, n int) []bool {
	t := make([]bool, n)
	for _, p := range partner {
		if p >= 0 {
			t[p] = true
		}
	}
	return t
}

func isTemporary(id string) bool { return id[0:2] == "AS" }

// appendID appends the matches of id i: one for each candidate secret, or one
// for the lone id.
func (f *finds) appendID(dst []detectors.Match, i int) []detectors.Match {
	id := f.ids[i]
	m := detectors.Match{Rule: ruleOf(id.text), Span: id.Span, Grade: Grade(id.text), Needs: needs(id), Account: id.account, Group: id.group, InSignedRequest: id.signs}
	m.Credential.ID = id.text
	m.Credential.Partition = partitionNear(f.text, id.Span)
	note(&m, PartitionHint, m.Credential.Partition, 0)
	tagStore(&m, nearest(f.text, f.endpoints, id.Span, nearStore))
	note(&m, f.container.Name, f.container.Value, f.container.Risk)
	if t := f.tokenOf[i]; t >= 0 {
		m.Token = f.tokens[t].Span
		m.Credential.Token = detectors.NewSecret(f.tokens[t].text)
		m.Complete = completeToken(f.tokens[t].text)
	}
	first, alone := f.secretOf[i], confidence(m)
	if first < 0 {
		m.SignedUntil = f.requests.until(id.Span)
		m.Confidence = alone
		return append(dst, m)
	}
	for rank, s := range append([]int{first}, spares(id, f.secrets, f.secretTaken)...) {
		m.Rank = rank
		m.Secret = f.secrets[s].Span
		m.Credential.Secret = detectors.NewSecret(f.secrets[s].text)
		m.Confidence = confidence(m)
		m.IDConfidence = ""
		doubted := f.secrets[s].shape == hexadecimal || f.secrets[s].isDoubted(&id)
		if doubted && m.Confidence == detectors.High {
			m.Confidence, m.IDConfidence = detectors.Medium, alone
		}
		dst = append(dst, m)
	}
	return dst
}

// needs returns the parts of the key that id is of: none for ids that sign
// nothing, that AWS cannot have issued, or that its documentation made up.
func needs(id value) detectors.Parts {
	switch rule := ruleOf(id.text); {
	case rule == ServiceCredential || id.example || Grade(id.text) == Impossible:
		return 0
	case rule == SessionKey:
		return detectors.SecretPart | detectors.TokenPart
	}
	return detectors.SecretPart
}

// appendSecret appends secret i if no id has it and its name says whose it is, or
// at least that it is a secret: then only for ids in other texts.
func (f *finds) appendSecret(dst []detectors.Match, i int) []detectors.Match {
	s := f.secrets[i]
	if f.secretTaken[i] || s.name != namedAWS && (s.name != namedSecret || s.example) || s.shape != random {
		return dst
	}
	m := detectors.Match{
		Rule: SecretKey, Span: s.Span, Secret: s.Span, Confidence: detectors.Medium,
		NeedsID: s.name != namedAWS, Account: accountNear(f.text, s.Span), Group: s.group,
		Credential: detectors.Credential{Secret: detectors.NewSecret(s.text)},
	}
	tagStore(&m, cmp.Or(nearest(f.text, f.strangers, s.Span, nearOwner), nearest(f.text, f.endpoints, s.Span, nearStore)))
	return append(dst, m)
}

// accountNear returns the account that the ARNs within a few lines of s name, or the
// unique ids of users and roles, and "" if several are named.
func accountNear(text []byte, s detectors.Span) string {
	const near = 400
	account := ""
	for _, m := range accountMark().FindAllSubmatch(around(text, s, near), -1) {
		named := string(m[1]) + string(m[3])
		if named == "" {
			named, _ = Account(string(m[2]))
		}
		switch {
		case named == "":
		case account != "" && account != named:
			return ""
		default:
			account = named
		}
	}
	return account
}

// lazy compiles a pattern when it is first asked for: few runs, and hardly one of a
// hook, meet a text that it is for, and to compile all costs as much as to start.
func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// accountMark finds what names an account: arn:PARTITION:SERVICE:REGION:ACCOUNT:…,
// with partitions aws, aws-cn …, the ids of users, roles, groups and instance
// profiles, which are never reported, registries and login links.
var accountMark = lazy(`arn:aws[a-z-]*:[^:\s]*:[^:\s]*:(\d{12}):|\b(A(?:IDA|ROA|GPA|IPA)[A-Z2-7]{17})\b|\b(\d{12})\.(?:dkr\.ecr|signin\.aws)\b`)

// appendToken appends token i if no id has it and it can be read.
func (f *finds) appendToken(dst []detectors.Match, i int) []detectors.Match {
	t := f.tokens[i]
	if _, ok := ParseToken(t.text); !ok || f.tokenTaken[i] {
		return dst
	}
	return append(dst, detectors.Match{
		Rule: SessionKey, Span: t.Span, Token: t.Span, Confidence: detectors.Medium, Account: t.account, Group: t.group, Complete: completeToken(t.text), SignedUntil: f.requests.until(t.Span),
		Credential: detectors.Credential{Token: detectors.NewSecret(t.text)},
	})
}

func ruleOf(id string) *detectors.Rule {
	switch id[:prefixLen] {
	case "AKIA":
		return AccessKey
	case "ASIA":
		return SessionKey
	}
	return ServiceCredential
}

// confidence weighs the grade of the id, worth a factor of 13 on random text,
// and the presence of a secret.
func confidence(m detectors.Match) detectors.Confidence {
	paired := !m.Credential.Secret.IsZero()
	switch {
	case m.Rule.ID == ServiceCredential.ID:
		return detectors.Low
	case m.Grade == Impossible && paired:
		return detectors.Medium
	case m.Grade == Impossible:
		return detectors.Low
	case m.Grade == Legacy && !paired:
		return detectors.Medium
	}
	return detectors.High
}
