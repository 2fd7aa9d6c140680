package awskeys

import (
	"bytes"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
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

// nameOf says what the 40 characters at value are called by what stands before
// them on their line, or on the line above if they stand alone, as the value of
// <name>…</name> does in XML.
func nameOf(text []byte, value detectors.Span) nameKind {
	before := lastLine(text[max(0, value.Start-maxName):value.Start])
	name := words(before)
	if name == "" || name == "value" || name == "string" {
		line := value.Start - len(before)
		name = words(lastLine(text[max(0, line-maxName):max(0, line-1)]))
	}
	return kindOfName(name)
}

// maxName bounds how far before a value its name may begin.
const maxName = 72

// kindOfName judges name, in lower case and without separators. The last words
// are the closest to the value, so they win: "secret … sha1: VALUE" is a hash.
func kindOfName(name string) nameKind {
	best, at := unnamed, -1
	for _, n := range []struct {
		kind  nameKind
		words []string
	}{
		{namedOther, otherNames},
		{namedWeak, weakNames},
		{namedSecret, secretNames},
		{namedAWS, awsNames},
	} {
		for _, w := range n.words {
			if k := strings.LastIndex(name, w); k >= 0 && k+len(w) >= at {
				best, at = n.kind, k+len(w)
			}
		}
	}
	return best
}

// The dictionaries hold names as words makes them. "key" alone says nothing:
// ids are keys too.
var (
	awsNames = []string{
		"secretaccesskey", "awssecretkey", "awssecret", "awsseckey", "secretaccess", "s3secretkey", "s3secret", "s3asecretkey",
		"ec2secretkey", "awsaccesskeysecret", "awskeysecret", "amazonsecret",
	}
	secretNames = []string{"secretkey", "secret", "seckey", "keysecret", "clientsecret", "シークレット", "密钥", "geheim"}
	weakNames   = []string{"password", "passwd", "passwort", "pass", "pwd"}
	otherNames  = []string{
		"sha1", "sha", "sha256", "commit", "revision", "digest", "checksum", "hash", "md5", "etag", "integrity", "fingerprint",
		"signature", "nonce", "uuid", "requestid", "id2", "versionid", "nodeid", "token", "cookie", "csrf", "ciphertext", "arn",
	}
)

// words returns b in lower case with everything taken out that separates words
// or quotes them.
func words(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		switch {
		case isUpper(c):
			s.WriteByte(c - 'A' + 'a')
		case isLower(c) || isDigit(c) || c >= 0x80:
			s.WriteByte(c)
		}
	}
	return s.String()
}

// lastLine returns what of b comes after its last newline.
func lastLine(b []byte) []byte { return b[bytes.LastIndexByte(b, '\n')+1:] }
