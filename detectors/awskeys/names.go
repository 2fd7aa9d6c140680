package awskeys

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// nameKind is what the text before a value calls it.
type nameKind int

const (
	unnamed     nameKind = iota
	namedOther           // commit, sha1, etag …: not a secret key
	namedWeak            // password, pass: a secret key next to an access key id
	namedSecret          // secret, secret_key …
	namedAWS             // aws_secret_access_key and the like: AWS's, without doubt
)

const (
	maxName  = 72 // how far before a value its name may begin, in bytes
	maxWords = 6  // how many words of a name may stand apart: "the secret access key is"
)

// nameOf says what the value at start is called by what stands before it on its
// line, or on the line above if it stands alone, as the value of <name>…</name>
// does in XML.
func nameOf(text []byte, start int) nameKind {
	before := lastLine(text[max(0, start-maxName):start])
	kind, empty := nearestName(before)
	if line := start - len(before); kind == unnamed && empty && line > 0 {
		kind, _ = nearestName(lastLine(text[max(0, line-maxName) : line-1]))
	}
	return kind
}

// nearestName goes back through before, name by name, to the first that says
// what the value is. It does not look beyond a key id, a second comma or the
// start of an assignment. empty reports that there is no name, or only "value".
func nearestName(before []byte) (kind nameKind, empty bool) {
	joined, commas := "", 0
	empty = true
	for words := 0; words < maxWords; words++ {
		name, gap := lastName(before)
		if name == "" || bytes.ContainsAny(gap, ";|&{}") || len(name) == idLen && isPrefix([]byte(name[:prefixLen])) {
			return unnamed, empty && name == ""
		}
		if commas += bytes.Count(gap, []byte(",")); commas > 1 {
			return unnamed, false
		}
		before = before[:len(before)-len(gap)-len(name)]
		joined = plainName(name) + joined
		if kind := kindOf(name, joined); kind != unnamed {
			return kind, false
		}
		empty = empty && slices.Contains(fillerNames, plainName(name))
	}
	return unnamed, false
}

// lastName returns the last name in b, of letters, digits, "_", "-" and ".", and
// what comes after it.
func lastName(b []byte) (name string, gap []byte) {
	end := len(b)
	for end > 0 && (!isNameByte(b[end-1]) || b[end-1] == '-' || b[end-1] == '.') {
		end--
	}
	start := end
	for start > 0 && isNameByte(b[start-1]) {
		start--
	}
	return string(b[start:end]), b[end:]
}

func isNameByte(c byte) bool {
	return isAlnum(c) || c == '_' || c == '-' || c == '.' || c >= utf8.RuneSelf
}

// kindOf judges one name; joined is it and those that follow, in one.
func kindOf(name, joined string) nameKind {
	words := splitWords(name)
	contains := func(s string) bool { return strings.Contains(joined, s) }
	isWord := func(list []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	switch {
	case slices.Contains(digestWords, words[len(words)-1]): // "secret_sha1" too
		return namedOther
	case slices.ContainsFunc(awsNames, contains):
		return namedAWS
	case slices.ContainsFunc(secretNames, contains):
		return namedSecret
	case isWord(otherWords):
		return namedOther
	case isWord(weakWords):
		return namedWeak
	}
	return unnamed
}

// The dictionaries. awsNames and secretNames are looked for in names as plainName
// makes them, the words as splitWords does. "key" says nothing: ids are keys too.
var (
	awsNames = []string{
		"secretaccesskey", "awssecret", "awsseckey", "secretaccess", "s3secret", "s3asecret", "s3nsecret", "ec2secret",
		"awsaccesskeysecret", "awskeysecret", "amazonsecret",
	}
	secretNames = []string{"secret", "seckey", "シークレット", "密钥", "geheim"}
	weakWords   = []string{"password", "passwd", "passwort", "pass", "pwd"}
	digestWords = []string{"sha", "sha1", "sha256", "md5", "hash", "digest", "checksum", "fingerprint", "etag", "arn", "version"}
	otherWords  = []string{
		"commit", "revision", "rev", "integrity", "signature", "nonce", "uuid", "cookie", "csrf", "ciphertext", "token", "sha", "hash",
	}
	fillerNames = []string{"value", "string", "text"}
	// groupless are the parts of a name that do not tell one key from another.
	groupless = []string{
		"credentials", "credential", "username", "password", "security", "session", "access", "secret", "amazon", "token",
		"login", "export", "value", "string", "name", "user", "pass", "pwd", "aws", "key", "env", "set", "cred", "sec", "id",
	}
)

// groupOf returns what sets the name that the value at start is assigned to apart
// from others: "prod" of PROD_AWS_SECRET_KEY="…" and of "prod": "…". It is ""
// if there is no assignment or nothing special about it.
func groupOf(text []byte, start int) string {
	name, gap := lastName(lastLine(text[max(0, start-maxName):start]))
	if !bytes.ContainsAny(gap, "=:") || bytes.ContainsAny(gap, ",;(|&") || len(name) >= idLen && isPrefix([]byte(name[:prefixLen])) {
		return ""
	}
	group := plainName(name)
	for _, part := range groupless {
		group = strings.ReplaceAll(group, part, "")
	}
	return group
}

// plainName returns name in lower case, without what separates its words.
func plainName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, name))
}

// splitWords splits name at separators and where its case says so, and returns
// its words in lower case: awsSecretKey, AWS_SECRET_KEY and HTTPSecret have three,
// three and two. There is at least one, which may be "".
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
		case isUpper(c) && isLower(before), isUpper(c) && isUpper(before) && i+1 < len(name) && isLower(name[i+1]):
			cut(i)
		}
	}
	cut(len(name))
	if len(words) == 0 {
		return []string{""}
	}
	return words
}

// lastLine returns what of b comes after its last newline.
func lastLine(b []byte) []byte { return b[bytes.LastIndexByte(b, '\n')+1:] }
