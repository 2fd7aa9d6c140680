// Package awskeys detects the credentials of Amazon Web Services: access keys, and the
// credentials of single services such as Bedrock, SES and CodeCommit.
//
// Detector is the detector; the package catalog lists it. Account, Grade and ParseToken
// read an id or a token offline, for those that verify and report. Rules are documented
// values, of which commands know a few by name. All else is below internal:
//
//	keyformat     the form of an id, a secret, a session token: account, grade, shape
//	candidates    where in a text one of these may stand
//	pairing       its name and place, and which id, secret and token belong together
//	otherclouds   which keys are not of AWS
//	presigned     requests that were signed in advance
//	services      the credentials of single services, and their rules
//	lazyregexp    patterns that are compiled when they are first needed
//
// Credentials of services have no id of their own: an id in them is a fact.
package awskeys

import (
	"cmp"
	"slices"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/otherclouds"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/pairing"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/presigned"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/services"
	"github.com/stanch-dev/stanch/detectors/internal/marks"
)

// Detector finds access keys. It has no state; the zero value works.
type Detector struct{}

var (
	_ detectors.MemoDetector = Detector{}
	_ detectors.FormDetector = Detector{}
)

// Detect implements detectors.Detector. It reports, in this order:
//
//   - each id, with the secrets and the token that fit it best (pairing.go has the rules),
//     or alone;
//   - the secrets and tokens without an id whose name or format is AWS's, and the secrets
//     that may be AWS's, with NeedsID: the secret that a text is as a whole, too;
//   - the credentials of single services.
func (d Detector) Detect(dst []detectors.Match, text []byte) []detectors.Match {
	return d.DetectWith(nil, dst, text)
}

// DetectWith implements detectors.MemoDetector.
func (Detector) DetectWith(m *detectors.Memo, dst []detectors.Match, text []byte) []detectors.Match {
	found := words().In(text)
	return services.Append(appendKeys(m, dst, text, found), text, found)
}

// words are all strings that a text is searched for at once.
var words = sync.OnceValue(func() *marks.Set {
	return marks.New(slices.Concat(services.Marks(), partitionWords, otherclouds.EndpointWords)...)
})

// isPlain reports whether a text that holds the words found names neither a partition nor an
// endpoint.
func isPlain(found marks.Found) bool {
	return !found.Any(partitionWords...) && !found.Any(otherclouds.EndpointWords...)
}

// appendKeys appends the access keys of text, which holds the words found.
func appendKeys(memo *detectors.Memo, dst []detectors.Match, text []byte, found marks.Found) []detectors.Match {
	if m, ok := wholeSecret(text); ok {
		return append(dst, m)
	}
	ids := candidates.IDs(text)
	if len(ids) == 0 && !pairing.SaysSecret(text) && !pairing.SaysCredentials(text) && !candidates.ContainsAny(text, candidates.TokenMarks) {
		return dst
	}
	s := newKeySearch(memo, text, ids)
	s.isPlain = isPlain(found)
	dst = slices.Grow(dst, len(s.IDs))
	for i := range s.IDs {
		dst = s.appendID(dst, i)
	}
	unnamed := s.Unnamed()
	for i := range s.Secrets {
		dst = s.appendSecret(dst, i, unnamed[i])
	}
	for i := range s.Tokens {
		dst = s.appendToken(dst, i)
	}
	return dst
}

// A keySearch makes the matches of access keys in one text.
type keySearch struct {
	*pairing.Pairs
	text      []byte
	memo      *detectors.Memo
	endpoints *otherclouds.Marks // of any cloud, AWS included
	otherIDs  *otherclouds.Marks // ids that only other clouds have
	fileKind  detectors.Fact
	requests  presigned.Requests
	isPlain   bool // nothing is near an id that near could name
}

func newKeySearch(memo *detectors.Memo, text []byte, ids []detectors.Span) *keySearch {
	return &keySearch{
		Pairs: pairing.New(memo, text, ids), text: text, memo: memo, endpoints: otherclouds.Endpoints(text), otherIDs: otherclouds.IDs(text),
		fileKind: Detector{}.FormOf(text), requests: presigned.RequestsIn(text),
	}
}

// appendID appends the matches of id i: one for each candidate secret, or one without a
// secret.
func (k *keySearch) appendID(dst []detectors.Match, i int) []detectors.Match {
	id := &k.IDs[i]
	m := detectors.Match{Rule: ruleOf(id.Text), Span: id.Span, Grade: keyformat.Grade(id.Text), Needs: neededParts(id), Account: id.Account, Group: id.Group, InSignedRequest: id.InSignedRequest}
	m.Credential.ID = id.Text
	if trimmed(k.text) == id.Span {
		m.NameAt = idFileName
	}
	near := k.near(id.Span)
	m.Credential.Partition = near.partition
	m.AddFact(PartitionHint, m.Credential.Partition, 0)
	otherclouds.MarkMatch(&m, near.store)
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
		doubted := k.Secrets[s].Shape == keyformat.Hexadecimal || k.Secrets[s].IsUncertainFor(id)
		if doubted && m.Confidence == detectors.High {
			m.Confidence, m.IDConfidence = detectors.Medium, alone
		}
		dst = append(dst, m)
	}
	return dst
}

// A neighbourhood is the partition and the store that the text around an id names.
type neighbourhood struct{ partition, store string }

func (k *keySearch) near(id detectors.Span) neighbourhood {
	if k.isPlain {
		return neighbourhood{}
	}
	const reach = otherclouds.EndpointReach
	place := detectors.Place{Kind: "near", Around: candidates.Around(k.text, id, reach), At: min(id.Start, reach), Len: id.End - id.Start}
	return detectors.Recall(k.memo, place, func() neighbourhood {
		return neighbourhood{partitionNear(k.text, id), otherclouds.Nearest(k.text, k.endpoints, id, otherclouds.NearEndpoint)}
	})
}

// neededParts returns the parts that the key of id has besides the id. Ids that sign
// nothing, that AWS cannot have issued, or that are examples of its documentation need
// none.
func neededParts(id *pairing.Value) detectors.Parts {
	switch rule := ruleOf(id.Text); {
	case rule == ServiceCredential || id.Example || keyformat.Grade(id.Text) == keyformat.Impossible:
		return 0
	case rule == SessionKey:
		return detectors.SecretPart | detectors.TokenPart
	}
	return detectors.SecretPart
}

// appendSecret appends secret i if no id has it and its name says AWS. If the name says
// only that it is a secret, the match NeedsID; so it does if unnamed is true.
func (k *keySearch) appendSecret(dst []detectors.Match, i int, unnamed bool) []detectors.Match {
	s := k.Secrets[i]
	if k.SecretTaken[i] || s.Name != pairing.NamedAWS && (s.Name != pairing.NamedSecret && !unnamed || s.Example) || s.Shape != keyformat.Random {
		return dst
	}
	m := detectors.Match{
		Rule: SecretKey, Span: s.Span, Secret: s.Span, Confidence: detectors.Medium,
		NeedsID: s.Name != pairing.NamedAWS, OwnText: unnamed, Account: accountNear(k.text, s.Span), Group: cmp.Or(s.Group, s.ServiceAround()),
		Credential: detectors.Credential{Secret: detectors.NewSecret(s.Text)},
	}
	store := cmp.Or(otherclouds.Nearest(k.text, k.otherIDs, s.Span, otherclouds.NearID), otherclouds.Nearest(k.text, k.endpoints, s.Span, otherclouds.NearEndpoint))
	switch {
	case store != "" && otherclouds.IsKnown(store):
	case !s.SaysAWS: // clients of other stores say SecretAccessKey too
		store = cmp.Or(otherclouds.OwnerBeside(k.text, s.Span), store)
	case store != "":
		store = cmp.Or(otherclouds.LocalOwnerBeside(k.text, s.Span), store)
	}
	otherclouds.MarkMatch(&m, store)
	return append(dst, m)
}

// appendToken appends token i if no id has it and its clear fields can be read.
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

// OtherStore returns the store whose secret m is, by what stands beside it; or "" if m is no
// lone secret, or may be of AWS all the same: behind an endpoint that no store is known by.
func OtherStore(m *detectors.Match) string {
	if m.Rule != SecretKey || m.Credential.ID != "" {
		return ""
	}
	for _, f := range m.Facts {
		if f.Name == otherclouds.StoreFact && otherclouds.IsKnown(f.Value) {
			return f.Value
		}
	}
	return ""
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

// confidence weighs the grade of the id and the presence of a secret. On random text, a
// strong id is 13 times as rare as one of any grade.
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

// completeToken returns TokenPart if token is whole. The first line of a wrapped token is
// not whole: its fields cannot be read, and it has no padding.
func completeToken(token string) detectors.Parts {
	if _, ok := keyformat.ParseToken(token); ok || keyformat.EndsPadded(token) {
		return detectors.TokenPart
	}
	return 0
}
