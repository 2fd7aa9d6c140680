package pairing

import (
	"bytes"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// A nameKind is the kind of name that the text gives to a value.
type nameKind int

const (
	unnamed     nameKind = iota
	namedOther           // commit, sha1, etag …: not a secret key
	namedToken           // token, signature: a secret key if nothing better is close to the id
	namedWeak            // password, pass: a secret key next to an access key id
	NamedSecret          // secret, secret_key …
	NamedAWS             // aws_secret_access_key and the like: AWS's, without doubt
	namedID              // access_key, user …, of ids
)

const (
	maxWords = 6 // words of a name that stand apart: "the secret access key is"
	// MaxNames bounds the distance of a secret from its name, on its line or on the line
	// above.
	MaxNames = 2*candidates.MaxName + 1
)

// nameOf returns the name of the value at start, and its kind, which judge tells. The name
// stands before the value on its line. If nothing does, it stands on the line above, as
// <name>…</name> above <value>…</value> in XML.
func nameOf(text []byte, start int, judge func(name, joined string) nameKind) (nameKind, string) {
	before := lastLine(text[max(0, start-candidates.MaxName):start])
	kind, name, empty := nearestName(before, judge)
	if line := start - len(before); kind == unnamed && empty && line > 0 {
		kind, name, _ = nearestName(lastLine(text[max(0, line-candidates.MaxName):line-1]), judge)
	}
	return kind, name
}

// nearestName goes back through before, name by name, to the first one of a known kind. It
// stops at a key id, another secret, a second comma or the start of an assignment. empty
// reports that there is no name, or only "value".
func nearestName(before []byte, judge func(name, joined string) nameKind) (kind nameKind, name string, empty bool) {
	joined, commas := "", 0
	empty = true
	for words := 0; words < maxWords; words++ {
		name, gap := lastName(before)
		if name == "" || bytes.ContainsAny(gap, ";|&{}") || len(name) == keyformat.IDLen && candidates.IsPrefix([]byte(name[:keyformat.PrefixLen])) {
			return unnamed, "", empty && name == ""
		}
		if commas += bytes.Count(gap, []byte(",")); commas > 1 {
			return unnamed, "", false
		}
		if before = before[:len(before)-len(gap)]; endsInSecret(before) {
			return unnamed, "", false
		}
		before = before[:len(before)-len(name)]
		joined = plainName(name) + joined
		if kind := judge(name, joined); kind != unnamed {
			return kind, name, false
		}
		empty = empty && slices.Contains(fillerNames, plainName(name))
	}
	return unnamed, "", false
}

// endsInSecret reports whether b ends in a candidate secret. A name before it belongs to
// that secret.
func endsInSecret(b []byte) bool {
	at := len(b)
	for at > 0 && keyformat.IsSecretByte(b[at-1]) {
		at--
	}
	return len(b)-at == keyformat.SecretLen && keyformat.ShapeOf(b[at:]) == keyformat.Random
}

// lastName returns the last name in b, made of letters, digits, "_", "-" and ".", and the
// gap behind it.
func lastName(b []byte) (name string, gap []byte) {
	end := len(b)
	for end > 0 && (!keyformat.IsNameByte(b[end-1]) || b[end-1] == '-' || b[end-1] == '.') {
		end--
	}
	start := end
	for start > 0 && keyformat.IsNameByte(b[start-1]) {
		start--
	}
	return string(b[start:end]), b[end:]
}

// secretNameKind returns the kind of a name of a secret. joined is the name with all that
// follow it, in one word.
func secretNameKind(name, joined string) nameKind {
	words := splitWords(name)
	contains := func(s string) bool { return strings.Contains(joined, s) }
	switch {
	case slices.Contains(digestWords, words[len(words)-1]): // "secret_sha1" too
		return namedOther
	case slices.ContainsFunc(awsNames, contains):
		return NamedAWS
	case slices.ContainsFunc(secretNames, contains):
		return NamedSecret
	case isWord(words, otherWords):
		return namedOther
	case isWord(words, weakWords):
		return namedWeak
	case isWord(words, tokenWords):
		return namedToken
	}
	return unnamed
}

// idNameKind is secretNameKind for access key ids.
func idNameKind(name, _ string) nameKind {
	if isWord(splitWords(name), idWords) || strings.Contains(plainName(name), "accesskey") {
		return namedID
	}
	return unnamed
}

func isWord(words, list []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
}

// The dictionaries. awsNames and secretNames are parts of names as plainName returns them;
// the other lists have words as splitWords returns them. "key" is in no list for secrets:
// ids are keys too.
var (
	awsNames = []string{
		"secretaccesskey", "awssecret", "awsseckey", "secretaccess", "s3secret", "s3asecret", "s3nsecret", "ec2secret",
		"awsaccesskeysecret", "awskeysecret", "amazonsecret",
	}
	secretNames = []string{"secret", "seckey", "シークレット", "密钥", "geheim"}
	weakWords   = []string{"password", "passwd", "passwort", "pass", "pwd"}
	digestWords = []string{"sha", "sha1", "sha256", "md5", "hash", "digest", "checksum", "fingerprint", "etag", "arn", "version"}
	otherWords  = []string{
		"commit", "revision", "rev", "integrity", "nonce", "uuid", "cookie", "csrf", "ciphertext", "sha", "hash",
	}
	tokenWords  = []string{"token", "signature"}
	idWords     = []string{"access", "key", "id", "user", "username", "login"}
	fillerNames = []string{"value", "string", "text"}
	linkWords   = []string{"is", "are", "was"}
	// groupless are parts of names that do not tell one key from another.
	groupless = []string{
		"credentials", "credential", "username", "password", "security", "access", "secret", "amazon",
		"login", "export", "value", "string", "name", "user", "pass", "pwd", "aws", "key", "env", "set", "cred", "sec", "id",
	}
	// grouplessTokens are such parts in names of tokens only: a session_secret belongs to a
	// web server.
	grouplessTokens = []string{"session", "token"}
	// foreignWords say that a value without "secret" in its name is not of AWS. A name with
	// "secret" needs no such word: any group in it is foreign.
	foreignWords = []string{
		"api", "jwt", "session", "cookie", "csrf", "salt", "pepper", "hmac", "encryption", "encrypt", "signing", "webhook", "vault",
		"github", "gitlab", "bitbucket", "slack", "stripe", "azure", "google", "gcp", "firebase", "facebook", "twitter", "discord",
		"telegram", "twilio", "sendgrid", "mailgun", "mailchimp", "sentry", "datadog", "oauth", "okta", "auth0", "nextauth", "npm",
		"docker", "recaptcha", "db", "database", "mysql", "postgres", "redis", "mongo", "django", "flask", "rails", "laravel",
	}
	// awsServices are groups that are not foreign.
	awsServices = []string{
		"s3", "s3a", "s3n", "ec2", "iam", "sts", "ses", "sns", "sqs", "dynamodb", "dynamo", "lambda", "cloudfront", "cloudwatch",
		"route53", "kinesis", "rekognition", "polly", "textract", "transcribe", "bedrock", "cognito", "rds", "ecr", "athena",
	}
)

// setGroup sets v.Group to the part of the name of v that sets it apart: "prod" of
// PROD_AWS_SECRET_KEY="…" and of "prod": "…". The name is the one to which v is assigned or,
// if there is none but "value", the one that nameOf found, said. The group is "" if the name
// has no such part. It also sets saysAWS and foreignName; v.Name must be set.
func (v *Value) setGroup(text []byte, said string, alsoGroupless ...string) {
	name := assignedName(text, v.Start)
	words := splitWords(name)
	if last := words[len(words)-1:]; isWord(last, fillerNames) || isWord(last, linkWords) || name == "" {
		name, words = said, splitWords(said)
	}
	v.Group = plainName(name)
	v.saysAWS = strings.Contains(v.Group, "aws") || strings.Contains(v.Group, "amazon")
	for _, part := range slices.Concat(alsoGroupless, groupless, secretNames) {
		v.Group = strings.ReplaceAll(v.Group, part, "")
	}
	if v.Group == "s" { // of secrets
		v.Group = ""
	}
	v.foreignName = v.Name != NamedAWS && v.Group != "" && (isWord(words, foreignWords) || v.Name != unnamed && !v.saysAWS && isForeign(v.Group))
}

// isForeign reports whether group is a word and not the name of a service of AWS.
func isForeign(group string) bool {
	const word = 3 // letters; the groups of secret_2 and my_secret have fewer
	letters := 0
	for _, c := range []byte(group) {
		if keyformat.IsLower(c) {
			letters++
		}
	}
	return letters >= word && !slices.Contains(awsServices, group)
}

// assignedName returns the name to which the value at start is assigned, or "".
func assignedName(text []byte, start int) string {
	name, gap := lastName(lastLine(text[max(0, start-candidates.MaxName):start]))
	if !bytes.ContainsAny(gap, "=:") || bytes.ContainsAny(gap, ",;(|&") || len(name) >= keyformat.IDLen && candidates.IsPrefix([]byte(name[:keyformat.PrefixLen])) {
		return ""
	}
	return name
}

// plainName returns name in lower case and without separators.
func plainName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, name))
}

// splitWords splits name at separators and changes of case, and returns its words in lower
// case: awsSecretKey, AWS_SECRET_KEY and HTTPSecret have three, three and two. It returns
// at least one word, which may be "".
func splitWords(name string) []string {
	var words []string
	start := 0
	cut := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
		start = end
	}
	for i := 1; i < len(name); i++ {
		switch c, before := name[i], name[i-1]; {
		case c == '_' || c == '-' || c == '.':
			cut(i)
		case before == '_' || before == '-' || before == '.':
			start = i
		case keyformat.IsUpper(c) && keyformat.IsLower(before), keyformat.IsUpper(c) && keyformat.IsUpper(before) && i+1 < len(name) && keyformat.IsLower(name[i+1]):
			cut(i)
		}
	}
	cut(len(name))
	if len(words) == 0 {
		return []string{""}
	}
	return words
}

// lastLine returns the bytes of b behind its last newline.
func lastLine(b []byte) []byte { return b[bytes.LastIndexByte(b, '\n')+1:] }

// IsNamedSecret reports whether a name of a secret may stand before text[at:], as far as
// nameOf looks. It judges roughly, because the name may be escaped.
func IsNamedSecret(text []byte, at int) bool {
	before := text[max(0, at-MaxNames):at]
	for i := len(before) - 4; i > 0; i-- {
		if before[i]|0x20 != 'c' || before[i-1]|0x20 != 'e' {
			continue
		}
		if rest := before[i+1:]; bytes.EqualFold(rest[:3], []byte("ret")) || bytes.EqualFold(rest[:3], []byte("key")) {
			return true
		}
	}
	return false
}
