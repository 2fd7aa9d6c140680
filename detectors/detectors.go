// Package detectors finds credentials in bytes.
//
// A Detector knows one family of credentials, such as the keys of AWS. A Set runs several
// of them over a text and over its decoded views, and is the entry point of this package.
// Package catalog has the Set of all detectors that are built in; build one of your own
// with NewSet to search with others:
//
//	set := detectors.NewSet(awskeys.Detector{})
//	for _, m := range set.Detect(nil, text) {
//		fmt.Println(m.Rule.ID, m.Start, m.Confidence)
//	}
//
// These types are the contract between detectors, the scanner and the verifiers. The
// package is a leaf: it does no I/O, knows no network and no clock, and imports nothing of
// stanch but its own parts. Package prefilter rules out most texts; internal/views decodes
// the others.
package detectors

import "time"

// A Detector finds the credentials of one family.
type Detector interface {
	// Rules documents the kinds of matches. It returns the same values at each call.
	Rules() []*Rule
	// Detect appends a Match to dst for each credential in text and returns the extended
	// slice. Offsets are into text. Detect must not retain text. Concurrent calls are
	// allowed.
	Detect(dst []Match, text []byte) []Match
}

// A PrefilteringDetector is a Detector that can rule out most texts fast. For a Detector
// that cannot, a Set looks for Rule.Keywords instead.
type PrefilteringDetector interface {
	Detector
	// MayMatch and MayMatchNear report whether text may hold a match as it stands, with
	// nothing decoded. They keep the promises of Filter.MayMatch and Filter.MayMatchNear.
	// Concurrent calls are allowed.
	MayMatch(text []byte) bool
	MayMatchNear(text []byte) bool
	// Window and NearWindow return the size of their windows.
	Window() int
	NearWindow() int
}

// A MemoDetector is a Detector that works faster on texts that resemble each other.
type MemoDetector interface {
	Detector
	// DetectWith is Detect. It asks m first, and adds its own answers there. m may be nil.
	DetectWith(m *Memo, dst []Match, text []byte) []Match
}

// A FormDetector is a Detector for which the form of a text tells about all matches in it.
type FormDetector interface {
	Detector
	// FormOf returns the fact that the form of text tells, or the zero Fact. All else that it
	// finds depends on the first line of text and on what is near.
	FormOf(text []byte) Fact
}

// A VersionDetector is a PrefilteringDetector that works faster on a text that was made from
// another one.
type VersionDetector interface {
	PrefilteringDetector
	// DetectVersion is Detect. It also returns a trace for texts that are made from this one.
	// base is nil, or the trace of a text that has all of copies.
	DetectVersion(dst []Match, text []byte, base any, copies []Copy) (matches []Match, trace any)
}

// A Rule documents one kind of finding. The help, the rules in SARIF and the pages in
// docs/rules are made from it.
//
// Keywords are for every Rule. The other lists of strings are for the rules of a
// PrefilteringDetector, and name the parts of a match that it cannot see.
type Rule struct {
	ID    string // stable, kebab-case: aws-access-key
	Title string // a few words: "AWS access key"
	// Help is Markdown without headings: meaning, danger, remedy, verification, matches.
	Help string
	// Keywords are strings of at least four bytes. Every text with a match holds one of
	// them, and a Set skips texts that hold none.
	Keywords []string
	// Anchors are strings of at least eleven bytes that a Set looks for in plain text.
	// Every text with a match holds one of them. A "#" at the end stands for any
	// hexadecimal digit: "amzn.mws.##". An Anchor whose first eleven bytes are frequent
	// slows every scan.
	Anchors []string
	// Escaped are strings of at least four bytes that a Set looks for in text of which
	// every character is escaped: AKIA finds %41%4B%49%41.
	Escaped []string
	// Encoded are strings that a Set looks for in base64 and UTF-16. They have at least
	// nine bytes, or are the four letters of an id with a "#" for each of the 16 capital
	// letters and digits behind them. An encoded match without one of them is lost, so the
	// list is a choice: "kind: Secret" finds the secrets of Kubernetes.
	Encoded []string
	// DistantParts are lists of strings of four bytes or more: a match, or one in its widest
	// form, has one string of each list, anywhere in the text, far from the part that MayMatch
	// sees. All that belongs to a string is within 8 KiB of it.
	DistantParts [][]string
	// Value marks the rules of users. Their matches may be values of any kind. They are
	// not paired with parts of other credentials, cannot be verified, and may be so short
	// that a hash gives them away.
	Value bool
}

// A Match is one credential found in a text.
type Match struct {
	Rule *Rule
	// Span is the range of the key id, or of the secret if this kind has no id.
	Span
	// Secret and Token are the ranges of these parts of Credential; empty for a part that
	// was not found.
	Secret, Token Span
	Credential    Credential
	// Grade is the verdict on the structure of the id: "strong", "legacy" or "impossible",
	// which awskeys documents. It is "" for kinds without an id.
	Grade string
	// Confidence that this is a credential at all, and not test data.
	Confidence Confidence
	// IDConfidence is the confidence of the id alone, if its secret is in doubt and the id
	// is not; else "".
	IDConfidence Confidence
	// Rank orders the secrets that may belong to one id: 0 is the best.
	Rank int
	// NeedsID marks a secret whose name does not say whose it is, such as SECRET_KEY. It
	// is reported only as the secret of an id from another text.
	NeedsID bool
	// OwnText marks a secret without any name. It is proposed only for ids in its own text.
	// NeedsID is true as well.
	OwnText bool
	// Needs are the other parts of a credential with an id, which may be in other texts. It
	// is 0 for kinds without an id, for examples, and for ids that sign nothing.
	Needs Parts
	// InSignedRequest marks an id in a request that it signed, such as a presigned URL.
	// Logs are full of them, and its secret is hardly ever near.
	InSignedRequest bool
	// Account is the account that the match names or, for a secret, the text around it.
	// Group is the part of its name that sets it apart from others: "prod" of PROD_KEY_ID.
	// Both may be "". Parts of different accounts never belong together.
	Account, Group string
	// Enclosing marks a token with other credentials encoded in it, such as a presigned
	// URL in an EKS token. Matches within its Span are parts of it, not findings.
	Enclosing bool
	// Complete are the parts whose own format says where they end: by correct padding, or
	// because they can be decoded. If a view shows such a part with more characters, the
	// view is wrong.
	Complete Parts
	// Unverifiable is the reason why no verifier can be asked about the credential: it
	// signs no requests, for instance. It is "" if one can. A secret that can be verified
	// is also proposed for ids from other texts that lack theirs.
	Unverifiable string
	// Expires is when the credential ends, if it says so itself; else zero.
	Expires time.Time
	// SignedUntil is the end of the presigned request that holds the match, the id or the
	// token of its signer; zero if none does.
	SignedUntil time.Time
	// Facts are statements of the text about the credential.
	Facts []Fact
	// CountsAt reports whether the match counts in a text with this path and commit; nil
	// if it counts everywhere. Either argument may be "". Concurrent calls are allowed.
	CountsAt func(path, commit string) bool
	// NameAt tells the name that a path gives to the match, which is all of its text; nil
	// for other matches. Such a secret has NeedsID, and is none where its name is that of
	// something else. Concurrent calls are allowed.
	NameAt func(path string) FileName
}

// A FileName is the name that a path gives to the value of a file that holds nothing else,
// as /run/secrets/aws_secret_access_key does.
type FileName struct {
	Says  Naming // about a secret
	Group string // as Match.Group
	// Dir is the directory that holds the name.
	Dir string
}

// Naming is how much the name of a file says about a secret in it.
type Naming uint8

// The namings: a hash, not a secret; nothing; a secret, perhaps of another service; a secret
// of the detector's provider.
const (
	NamesOther Naming = iota
	NamesNothing
	NamesSecret
	NamesProvider
)

// A Fact is one thing known about a credential.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Risk  int    `json:"risk"` // 0 neutral, 1 worth knowing, 2 bad, 3 act now
	// Source is the API call that returned it, such as "iam:ListAccessKeys"; "" if none
	// was needed.
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

// A Credential is an id and the secret parts that belong to it. Any part may be missing: a
// lone id has no Secret, a long-term key has no Token, and some kinds have no ID.
type Credential struct {
	ID            string
	Secret, Token Secret
	// Partition is a hint where to verify first, from the text around the id: aws-cn,
	// aws-us-gov or aws-eusc; "" if the text names none. Two credentials that differ only
	// in Partition are the same.
	Partition string
}
