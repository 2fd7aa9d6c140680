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
	"cmp"

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
	s := newKeySearch(text, ids)
	for i := range s.ids {
		dst = s.appendID(dst, i)
	}
	for i := range s.secrets {
		dst = s.appendSecret(dst, i)
	}
	for i := range s.tokens {
		dst = s.appendToken(dst, i)
	}
	return dst
}

// A keySearch makes the matches of one text.
type keySearch struct {
	*pairs
	text      []byte
	endpoints []mark // of stores that are not AWS's
	otherIDs  []mark // those that only other clouds have
	fileKind  detectors.Fact
	requests  requests
}

func newKeySearch(text []byte, ids []detectors.Span) *keySearch {
	return &keySearch{
		pairs: pairText(text, ids), text: text, endpoints: findEndpoints(text), otherIDs: findOtherIDs(text),
		fileKind: fileKindOf(text), requests: newRequests(text),
	}
}

// appendID appends the matches of id i: one for each candidate secret, or one
// for the lone id.
func (k *keySearch) appendID(dst []detectors.Match, i int) []detectors.Match {
	id := k.ids[i]
	m := detectors.Match{Rule: ruleOf(id.text), Span: id.Span, Grade: Grade(id.text), Needs: neededParts(id), Account: id.account, Group: id.group, InSignedRequest: id.inSignedRequest}
	m.Credential.ID = id.text
	m.Credential.Partition = partitionNear(k.text, id.Span)
	m.AddFact(PartitionHint, m.Credential.Partition, 0)
	markOtherCloud(&m, nearest(k.text, k.endpoints, id.Span, nearEndpoint))
	m.AddFact(k.fileKind.Name, k.fileKind.Value, k.fileKind.Risk)
	if t := k.tokenOf[i]; t >= 0 {
		m.Token = k.tokens[t].Span
		m.Credential.Token = detectors.NewSecret(k.tokens[t].text)
		m.Complete = completeToken(k.tokens[t].text)
	}
	first, alone := k.secretOf[i], confidence(m)
	if first < 0 {
		m.SignedUntil = k.requests.until(id.Span)
		m.Confidence = alone
		return append(dst, m)
	}
	for rank, s := range append([]int{first}, otherCandidates(id, k.secrets, k.secretTaken)...) {
		m.Rank = rank
		m.Secret = k.secrets[s].Span
		m.Credential.Secret = detectors.NewSecret(k.secrets[s].text)
		m.Confidence = confidence(m)
		m.IDConfidence = ""
		doubted := k.secrets[s].shape == hexadecimal || k.secrets[s].isDoubtfulFor(&id)
		if doubted && m.Confidence == detectors.High {
			m.Confidence, m.IDConfidence = detectors.Medium, alone
		}
		dst = append(dst, m)
	}
	return dst
}

// neededParts returns the parts of the key that id is of: none for ids that sign
// nothing, that AWS cannot have issued, or that its documentation made up.
func neededParts(id value) detectors.Parts {
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
func (k *keySearch) appendSecret(dst []detectors.Match, i int) []detectors.Match {
	s := k.secrets[i]
	if k.secretTaken[i] || s.name != namedAWS && (s.name != namedSecret || s.example) || s.shape != random {
		return dst
	}
	m := detectors.Match{
		Rule: SecretKey, Span: s.Span, Secret: s.Span, Confidence: detectors.Medium,
		NeedsID: s.name != namedAWS, Account: accountNear(k.text, s.Span), Group: s.group,
		Credential: detectors.Credential{Secret: detectors.NewSecret(s.text)},
	}
	markOtherCloud(&m, cmp.Or(nearest(k.text, k.otherIDs, s.Span, nearID), nearest(k.text, k.endpoints, s.Span, nearEndpoint)))
	return append(dst, m)
}

// appendToken appends token i if no id has it and it can be read.
func (k *keySearch) appendToken(dst []detectors.Match, i int) []detectors.Match {
	t := k.tokens[i]
	if _, ok := ParseToken(t.text); !ok || k.tokenTaken[i] {
		return dst
	}
	return append(dst, detectors.Match{
		Rule: SessionKey, Span: t.Span, Token: t.Span, Confidence: detectors.Medium, Account: t.account, Group: t.group, Complete: completeToken(t.text), SignedUntil: k.requests.until(t.Span),
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

// completeToken returns TokenPart if token is seen to be whole: the first line of one that
// was wrapped can be neither read nor padded.
func completeToken(token string) detectors.Parts {
	if _, ok := ParseToken(token); ok || endsPadded(token) {
		return detectors.TokenPart
	}
	return 0
}
