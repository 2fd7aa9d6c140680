// Package awskeys detects the access keys of Amazon Web Services: long-term
// ones (AKIA), temporary ones (ASIA) with their session tokens, and secret keys
// that stand without an id. keyid.go knows what an id says, token.go what a
// session token says, find.go where either may stand, shape.go what a secret
// looks like, names.go what it is called and pair.go what belongs together.
package awskeys

import (
	"bytes"
	"slices"
	"sort"

	"github.com/stanch-dev/stanch/detectors"
)

// Detector finds access keys. It has no state; the zero value works.
type Detector struct{}

var _ detectors.Detector = Detector{}

// body is the body of an id in Rule.Encoded.
const body = "################"

// AccessKey is the rule of long-term keys.
var AccessKey = &detectors.Rule{
	ID:       "aws-access-key",
	Title:    "AWS access key",
	Keywords: []string{"AKIA"},
	Encoded:  []string{"AKIA" + body},
	Help: "A long-term access key of an IAM user or of the root user. With its secret it is a login that needs no second factor and never expires. " +
		"Deactivate it in IAM (it can be activated again), look in CloudTrail for what it did, replace it by a role or by a new key, then delete it. " +
		"Removing it from the repository shuts nothing off: whoever cloned it has it.",
}

// SessionKey is the rule of temporary keys.
var SessionKey = &detectors.Rule{
	ID:       "aws-session-key",
	Title:    "AWS temporary access key",
	Keywords: append([]string{"ASIA"}, tokenMarks...),
	Encoded:  []string{"ASIA" + body, "IQoJb3JpZ2lu", "AgoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz", "FQoDYXdzE"},
	Help: "A temporary access key with its session token, from AWS STS. It expires after 36 hours at the latest and cannot be deactivated on its own. " +
		"If it has not expired, revoke the sessions of its role (IAM console: role, Revoke sessions) and look in CloudTrail for what it did.",
}

// SecretKey is the rule of secret keys without an id.
var SecretKey = &detectors.Rule{
	ID:       "aws-secret-key",
	Title:    "AWS secret access key",
	Keywords: []string{"ecret", "ECRET"},
	Encoded: []string{
		"ecret_acc", "ECRET_ACC", "ecretAccess", "ecretaccess", "ecret-acc", "ecret.acc", "ecret acc",
		"ws_secret", "WS_SECRET", "wsSecretK", "wsSecretA", "ws-secret", "ws.secret", "awssecret", "AWSSECRET",
		"s3_secret", "S3_SECRET", "s3SecretK", "s3SecretA", "3a.secret", "s3.secret", "ec2_secret", "EC2_SECRET",
		"key_secret", "KEY_SECRET", "KeySecret", "amazon_secret", "AMAZON_SECRET", "amazonSecret",
		// An id next to its name is found even if a line break cuts it.
		"ccess_key", "CCESS_KEY", "ccess-key", "ccessKeyI",
		// Of Kubernetes: what it holds is in base64 once more.
		"kind: Secret", `kind":"Secret`, `kind": "Secret`,
	},
	Help: "The secret half of an access key, by its name and its shape. Without the key id it opens nothing, and ids are no secrets: treat it as leaked. " +
		"Find the key that it belongs to, deactivate it and replace it.",
}

// ServiceCredential is the rule of ids that name credentials but cannot sign.
var ServiceCredential = &detectors.Rule{
	ID:       "aws-service-credential-id",
	Title:    "AWS service credential id",
	Keywords: []string{"ABIA", "ACCA"},
	Encoded:  []string{"ABIA" + body, "ACCA" + body},
	Help: "The id of an STS bearer token (ABIA) or of a service-specific credential (ACCA), as CodeCommit, Keyspaces and Bedrock use them. " +
		"The id alone opens nothing; look for the password or the API key that belongs to it.",
}

// Rules implements detectors.Detector.
func (Detector) Rules() []*detectors.Rule {
	return []*detectors.Rule{AccessKey, SessionKey, SecretKey, ServiceCredential}
}

// Detect implements detectors.Detector. It reports each id with the secrets and
// the token that fit it best (the rules are in pair.go), or alone; then the
// secrets and tokens that belong to no id but are AWS's by name or by format, and
// the secrets that may be: those only as partners of an id from another text.
func (Detector) Detect(dst []detectors.Match, text []byte) []detectors.Match {
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
}

func newFinds(text []byte, ids []detectors.Span) *finds {
	f := &finds{text: text}
	c := cursor{text: text}
	for _, s := range ids {
		v := c.value(s)
		v.account, _ = Account(v.text)
		f.ids = append(f.ids, v)
	}
	c = cursor{text: text}
	for _, s := range findSecrets(text) {
		if holdsID(ids, s) { // "//host/AKIA…/path" may have 40 characters too
			continue
		}
		v := c.value(s)
		v.name, v.shape = nameOf(text, s.Start), shapeOf(text[s.Start:s.End])
		f.secrets = append(f.secrets, v)
	}
	c = cursor{text: text}
	for _, s := range findTokens(text) {
		v := c.value(s)
		info, _ := ParseToken(v.text)
		v.account = info.Account
		f.tokens = append(f.tokens, v)
	}
	// Ids that sign nothing (ABIA, ACCA) take part: they stand between others
	// and their secrets.
	f.secretOf = alignGroups(f.ids, f.secrets)
	f.tokenOf = align(f.ids, f.tokens, tokenCost)
	f.secretTaken = taken(f.secretOf, len(f.secrets))
	f.tokenTaken = taken(f.tokenOf, len(f.tokens))
	return f
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
	m := detectors.Match{Rule: ruleOf(id.text), Span: id.Span, Grade: Grade(id.text), Needs: needs(id), Account: id.account, Group: id.group}
	m.Credential.ID = id.text
	if t := f.tokenOf[i]; t >= 0 {
		m.Token = f.tokens[t].Span
		m.Credential.Token = detectors.NewSecret(f.tokens[t].text)
	}
	first := f.secretOf[i]
	if first < 0 {
		m.Confidence = confidence(m)
		return append(dst, m)
	}
	for rank, s := range append([]int{first}, spares(id, f.secrets, f.secretTaken)...) {
		m.Rank = rank
		m.Secret = f.secrets[s].Span
		m.Credential.Secret = detectors.NewSecret(f.secrets[s].text)
		m.Confidence = confidence(m)
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
	return append(dst, detectors.Match{
		Rule: SecretKey, Span: s.Span, Secret: s.Span, Confidence: detectors.Medium,
		Partner: s.name != namedAWS, Account: accountNear(f.text, s.Span), Group: s.group,
		Credential: detectors.Credential{Secret: detectors.NewSecret(s.text)},
	})
}

// accountNear returns the account that an ARN within a few lines of s names, and
// "" if several are named.
func accountNear(text []byte, s detectors.Span) string {
	const near = 400
	const mark = "arn:aws" // arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, and partitions are aws, aws-cn …
	_, arns, _ := bytes.Cut(text[max(0, s.Start-near):min(len(text), s.End+near)], []byte(mark))
	account := ""
	for arn := range bytes.SplitSeq(arns, []byte(mark)) {
		fields := bytes.SplitN(arn, []byte(":"), 5)
		if len(fields) < 5 || !isAccount(fields[3]) {
			continue
		}
		if account != "" && account != string(fields[3]) {
			return ""
		}
		account = string(fields[3])
	}
	return account
}

// appendToken appends token i if no id has it and it can be read.
func (f *finds) appendToken(dst []detectors.Match, i int) []detectors.Match {
	t := f.tokens[i]
	if _, ok := ParseToken(t.text); !ok || f.tokenTaken[i] {
		return dst
	}
	return append(dst, detectors.Match{
		Rule: SessionKey, Span: t.Span, Token: t.Span, Confidence: detectors.Medium, Account: t.account, Group: t.group,
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
