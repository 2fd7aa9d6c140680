// Package detectors finds credentials in bytes.
//
// It is a leaf: no I/O, no network, no clock, and it imports nothing else of
// stanch. A Detector knows one family of credentials; a Set runs several over
// one text and over the decoded views of it (see decode.go).
package detectors

import "time"

// A Detector finds the credentials of one family.
type Detector interface {
	// Rules documents what Detect can report. It returns the same values at
	// each call.
	Rules() []*Rule
	// Detect appends a Match to dst for each credential in text and returns
	// the extended slice. Offsets are into text. It does not retain text.
	// Concurrent calls are allowed.
	Detect(dst []Match, text []byte) []Match
}

// A PrefilteringDetector is a Detector that can rule out most texts fast. In the texts
// for other detectors, a Set looks for Rule.Keywords.
type PrefilteringDetector interface {
	Detector
	// MayMatch and MayMatchNear report whether text may hold a match as it stands, with
	// nothing decoded. They keep the promises of Set.MayMatch and Set.MayMatchNear.
	// Concurrent calls are allowed.
	MayMatch(text []byte) bool
	MayMatchNear(text []byte) bool
	// Window and NearWindow return the size of their windows.
	Window() int
	NearWindow() int
}

// A Rule documents one kind of finding. Help, SARIF rules and the rule pages
// are made from it.
type Rule struct {
	ID    string // stable, kebab-case: aws-access-key
	Title string // a few words: "AWS access key"
	Help  string // what it is, why it matters, what to do; Markdown without headings
	// Keywords are strings, of four bytes or more, one of which every text
	// that the rule matches holds. A Set skips texts without.
	Keywords []string
	// Anchors are what a Set looks for in plain for a Prober that does not see it:
	// strings of eleven bytes or more, one of which every such text holds. A "#" at
	// the end is any hexadecimal digit. What is frequent among the first eleven
	// bytes slows every scan.
	Anchors []string
	// Escaped are what a Set looks for in text of which every character is escaped:
	// strings of four bytes or more.
	Escaped []string
	// Encoded are what a Set looks for in base64 and UTF-16, where a Prober sees
	// nothing and Keywords are too short to be looked for fast: strings of nine
	// bytes or more, or the four that an id begins with and a "#" for each of
	// the sixteen capital letters and digits of its body. A text that holds none
	// is skipped, even if it matches: they are a choice.
	Encoded []string
	// DistantParts are parts of a match that may be so far from the rest of it that neither
	// hints at the other. Of a text with one of them, a Set searches all views.
	DistantParts []string
	// Value marks the rules of users: what they find is a value of whatever kind. It
	// is no part of a credential of another kind, nobody can be asked whether it
	// works, and it may be so short that its hash gives it away.
	Value bool
}

// A Match is one credential found in a text.
type Match struct {
	Rule *Rule
	// Span is where the match is: the key id, or the secret where the kind of
	// credential has no id.
	Span
	// Secret and Token are where the parts of Credential stand; empty for
	// parts that were not found.
	Secret, Token Span
	Credential    Credential
	// Grade says what the structure of the id proves ("strong", "legacy",
	// "impossible"; awskeys documents them), "" for kinds without an id.
	Grade string
	// Confidence that this is a credential at all, and not test data.
	Confidence Confidence
	// IDConfidence is that of the id without the secret, if the secret is in doubt and
	// the id is not; else "".
	IDConfidence Confidence
	// Rank orders the secrets that may belong to one id: 0 is the best.
	Rank int
	// NeedsID marks a part that may be anybody's: it is reported only as a part of
	// an id from another text, never on its own.
	NeedsID bool
	// Needs is what a credential of this kind has beside its id and may be looked
	// for in other texts. It is 0 for what has no id, and for ids that no secret
	// belongs to: examples, and those that sign nothing.
	Needs Parts
	// InSignedRequest marks an id in a request that it signed, as a presigned URL: its secret is
	// hardly near.
	InSignedRequest bool
	// Account is the account that the match names, or for a secret the text around
	// it, and Group what sets its name apart from others, "prod" of PROD_KEY_ID; ""
	// if nothing does. Parts of different accounts never belong together.
	Account, Group string
	// Enclosing marks a token that other credentials are encoded in: what is found
	// within its span is a part of it, and no finding.
	Enclosing bool
	// Complete are the parts whose own format says where they end: padding that fits, a
	// message that can be read. If a view shows such a part with more characters, the view
	// is wrong.
	Complete Parts
	// Unverifiable is why nobody can be asked whether the credential works: it
	// signs no requests, or is not of the provider. It is "" if one can.
	Unverifiable string
	// Expires is when the credential says that it ends; zero if it does not say.
	Expires time.Time
	// SignedUntil is when a request ends that was signed in advance and holds the match,
	// as a presigned URL holds the id and the token of its signer; zero if none does. A
	// request holds no secret.
	SignedUntil time.Time
	// Facts are what the text says about the credential.
	Facts []Fact
	// CountsAt reports whether the match counts where its text is stored, nil if it does
	// everywhere. Either argument may be "". Concurrent calls are allowed.
	CountsAt func(path, commit string) bool
}

// A Fact is one thing known about a credential.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Risk  int    `json:"risk"` // 0 neutral, 1 worth knowing, 2 bad, 3 act now
	// Source is the call that told, "iam:ListAccessKeys"; "" if none was needed.
	Source string `json:"source,omitempty"`
}

// Parts is a set of the parts of a credential.
type Parts uint8

// The parts that an id may need.
const (
	SecretPart Parts = 1 << iota
	TokenPart
)

// AddFact adds a fact, unless its value is "".
func (m *Match) AddFact(name, value string, risk int) {
	if value != "" {
		m.Facts = append(m.Facts, Fact{Name: name, Value: value, Risk: risk})
	}
}

// Lacks returns the parts that m needs and does not have.
func (m *Match) Lacks() Parts {
	lacks := m.Needs
	if !m.Credential.Secret.IsZero() {
		lacks &^= SecretPart
	}
	if !m.Credential.Token.IsZero() {
		lacks &^= TokenPart
	}
	return lacks
}

// A Span is a half-open range of bytes, [Start, End).
type Span struct{ Start, End int }

// Empty reports whether s holds no byte.
func (s Span) Empty() bool { return s.Start >= s.End }

// Confidence is how sure a detector is.
type Confidence string

// The confidences, from sure to doubtful.
const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
)

// A Credential is what opens a door: an id and the secret parts that belong to
// it. Any part may be missing: a lone id has no Secret, a long-term key has no
// Token, some kinds have no ID.
type Credential struct {
	ID            string
	Secret, Token Secret
	// Partition is where the text around the id says that it works, as a hint of
	// where to ask first: aws-cn, aws-us-gov, aws-eusc; "" if it does not say. It is
	// no part of what the credential is.
	Partition string
}
