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
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/otherclouds"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/pairing"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/presigned"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/services"
)

// Detector finds access keys. It has no state; the zero value works.
type Detector struct{}

var _ detectors.Detector = Detector{}

// Detect implements detectors.Detector. It reports each id with the secrets and
// the token that fit it best (the rules are in pair.go), or alone; then the
// secrets and tokens that belong to no id but are AWS's by name or by format, and
// the secrets that may be: those only as partners of an id from another text.
func (Detector) Detect(dst []detectors.Match, text []byte) []detectors.Match {
	return services.Append(appendKeys(dst, text), text)
}

// appendKeys appends the access keys of text.
func appendKeys(dst []detectors.Match, text []byte) []detectors.Match {
	ids := candidates.IDs(text)
	if len(ids) == 0 && !candidates.ContainsAny(text, SecretKey.Keywords) && !candidates.ContainsAny(text, candidates.TokenMarks) {
		return dst
	}
	s := newKeySearch(text, ids)
	for i := range s.IDs {
		dst = s.appendID(dst, i)
	}
	for i := range s.Secrets {
		dst = s.appendSecret(dst, i)
	}
	for i := range s.Tokens {
		dst = s.appendToken(dst, i)
	}
	return dst
}

// A keySearch makes the matches of one text.
type keySearch struct {
	*pairing.Pairs
	text      []byte
	endpoints []otherclouds.Mark // of stores that are not AWS's
	otherIDs  []otherclouds.Mark // those that only other clouds have
	fileKind  detectors.Fact
	requests  presigned.Requests
}

func newKeySearch(text []byte, ids []detectors.Span) *keySearch {
	return &keySearch{
		Pairs: pairing.New(text, ids), text: text, endpoints: otherclouds.Endpoints(text), otherIDs: otherclouds.IDs(text),
		fileKind: fileKindOf(text), requests: presigned.RequestsIn(text),
	}
}

// appendID appends the matches of id i: one for each candidate secret, or one
// for the lone id.
func (k *keySearch) appendID(dst []detectors.Match, i int) []detectors.Match {
	id := k.IDs[i]
	m := detectors.Match{Rule: ruleOf(id.Text), Span: id.Span, Grade: keyformat.Grade(id.Text), Needs: neededParts(id), Account: id.Account, Group: id.Group, InSignedRequest: id.InSignedRequest}
	m.Credential.ID = id.Text
	m.Credential.Partition = partitionNear(k.text, id.Span)
	m.AddFact(PartitionHint, m.Credential.Partition, 0)
	otherclouds.MarkMatch(&m, otherclouds.Nearest(k.text, k.endpoints, id.Span, otherclouds.NearEndpoint))
	m.AddFact(k.fileKind.Name, k.fileKind.Value, k.fileKind.Risk)
	if t := k.TokenOf[i]; t >= 0 {
		m.Token = k.Tokens[t].Span
		m.Credential.Token = detectors.NewSecret(k.Tokens[t].Text)
		m.Complete = completeToken(k.Tokens[t].Text)
	}
	first, alone := k.SecretOf[i], confidence(m)
	if first < 0 {
		m.SignedUntil = k.requests.Until(id.Span)
		m.Confidence = alone
		return append(dst, m)
	}
	for rank, s := range append([]int{first}, pairing.OtherCandidates(id, k.Secrets, k.SecretTaken)...) {
		m.Rank = rank
		m.Secret = k.Secrets[s].Span
		m.Credential.Secret = detectors.NewSecret(k.Secrets[s].Text)
		m.Confidence = confidence(m)
		m.IDConfidence = ""
		doubted := k.Secrets[s].Shape == keyformat.Hexadecimal || k.Secrets[s].IsDoubtfulFor(&id)
		if doubted && m.Confidence == detectors.High {
			m.Confidence, m.IDConfidence = detectors.Medium, alone
		}
		dst = append(dst, m)
	}
	return dst
}

// neededParts returns the parts of the key that id is of: none for ids that sign
// nothing, that AWS cannot have issued, or that its documentation made up.
func neededParts(id pairing.Value) detectors.Parts {
	switch rule := ruleOf(id.Text); {
	case rule == ServiceCredential || id.Example || keyformat.Grade(id.Text) == keyformat.Impossible:
		return 0
	case rule == SessionKey:
		return detectors.SecretPart | detectors.TokenPart
	}
	return detectors.SecretPart
}

// appendSecret appends secret i if no id has it and its name says whose it is, or
// at least that it is a secret: then only for ids in other texts.
func (k *keySearch) appendSecret(dst []detectors.Match, i int) []detectors.Match {
	s := k.Secrets[i]
	if k.SecretTaken[i] || s.Name != pairing.NamedAWS && (s.Name != pairing.NamedSecret || s.Example) || s.Shape != keyformat.Random {
		return dst
	}
	m := detectors.Match{
		Rule: SecretKey, Span: s.Span, Secret: s.Span, Confidence: detectors.Medium,
		NeedsID: s.Name != pairing.NamedAWS, Account: accountNear(k.text, s.Span), Group: s.Group,
		Credential: detectors.Credential{Secret: detectors.NewSecret(s.Text)},
	}
	otherclouds.MarkMatch(&m, cmp.Or(otherclouds.Nearest(k.text, k.otherIDs, s.Span, otherclouds.NearID), otherclouds.Nearest(k.text, k.endpoints, s.Span, otherclouds.NearEndpoint)))
	return append(dst, m)
}

// appendToken appends token i if no id has it and it can be read.
func (k *keySearch) appendToken(dst []detectors.Match, i int) []detectors.Match {
	t := k.Tokens[i]
	if _, ok := keyformat.ParseToken(t.Text); !ok || k.TokenTaken[i] {
		return dst
	}
	return append(dst, detectors.Match{
		Rule: SessionKey, Span: t.Span, Token: t.Span, Confidence: detectors.Medium, Account: t.Account, Group: t.Group, Complete: completeToken(t.Text), SignedUntil: k.requests.Until(t.Span),
		Credential: detectors.Credential{Token: detectors.NewSecret(t.Text)},
	})
}

func ruleOf(id string) *detectors.Rule {
	switch id[:keyformat.PrefixLen] {
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
	case m.Grade == keyformat.Impossible && paired:
		return detectors.Medium
	case m.Grade == keyformat.Impossible:
		return detectors.Low
	case m.Grade == keyformat.Legacy && !paired:
		return detectors.Medium
	}
	return detectors.High
}

// completeToken returns TokenPart if token is seen to be whole: the first line of one that
// was wrapped can be neither read nor padded.
func completeToken(token string) detectors.Parts {
	if _, ok := keyformat.ParseToken(token); ok || keyformat.EndsPadded(token) {
		return detectors.TokenPart
	}
	return 0
}
