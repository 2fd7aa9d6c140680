package awskeys

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/pairing"
)

// A file that holds one value and nothing else has the name of the value:
// /run/secrets/aws_secret_access_key of Docker, the variables of envdir, the keys of a
// Secret that Kubernetes mounts. The text has no name for the value, and its path is known
// only after the search. So each such secret is a match, and Match.NameAt judges its names.

// maxWhole bounds a text that is one value, with room for UTF-16 and line breaks. It is at
// most Window, so that one window holds all of the text.
const maxWhole = 104

// wholeSecret returns the match of a text that is one secret, white space at its ends aside.
func wholeSecret(text []byte) (m detectors.Match, ok bool) {
	s, shape := trimmedSecret(text)
	if shape < keyformat.Odd {
		return m, false
	}
	nameAt := secretFileName
	if shape == keyformat.Odd {
		nameAt = oddSecretFileName
	}
	return detectors.Match{
		Rule: SecretKey, Span: s, Secret: s, Confidence: detectors.Medium, NeedsID: true, NameAt: nameAt,
		Credential: detectors.Credential{Secret: detectors.NewSecret(string(text[s.Start:s.End]))},
	}, true
}

// trimmedSecret returns the range of text without the white space at its ends, and its
// shape, NotSecret if it has not the length of a secret.
func trimmedSecret(text []byte) (s detectors.Span, shape keyformat.Shape) {
	if len(text) > maxWhole {
		return s, keyformat.NotSecret
	}
	s = trimmed(text)
	value := text[s.Start:s.End]
	if len(value) != keyformat.SecretLen {
		return s, keyformat.NotSecret
	}
	for _, c := range value {
		if !keyformat.IsSecretByte(c) {
			return s, keyformat.NotSecret
		}
	}
	return s, keyformat.ShapeOf(value)
}

// trimmed returns the range of text without the white space at its ends, to which a byte
// order mark and the zero that ends a C string belong.
func trimmed(text []byte) (s detectors.Span) {
	const space = " \t\r\n\x00"
	s.End = len(bytes.TrimRight(text, space))
	rest := text[:s.End]
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		rest = bytes.TrimPrefix(rest, []byte(mark))
	}
	s.Start = s.End - len(bytes.TrimLeft(rest, space))
	return s
}

// mayBeWhole reports whether text may be one secret as it stands, in UTF-16 or in base64. It
// is for the prefilter, which wants a name before any other secret. All that the answer
// depends on is in one window, since longer texts are none.
func mayBeWhole(text []byte) bool {
	if len(text) < keyformat.SecretLen || len(text) > maxWhole {
		return false
	}
	if isWholeSecret(text) {
		return true
	}
	var space [maxWhole]byte
	if len(text) >= 2*keyformat.SecretLen && isWholeSecret(narrow(space[:0], text)) {
		return true
	}
	s := trimmed(text)
	if s.End-s.Start < base64.RawStdEncoding.EncodedLen(keyformat.SecretLen) {
		return false
	}
	plain, ok := decodeBase64(space[:], text[s.Start:s.End])
	return ok && isWholeSecret(plain)
}

func isWholeSecret(text []byte) bool {
	_, shape := trimmedSecret(text)
	return shape >= keyformat.Odd
}

// narrow appends the bytes of text that are neither zero nor of the byte order mark of
// UTF-16 to dst.
func narrow(dst, text []byte) []byte {
	for _, c := range text {
		if c != 0 && c < 0xfe {
			dst = append(dst, c)
		}
	}
	return dst
}

// decodeBase64 decodes text, in either alphabet, to dst.
func decodeBase64(dst, text []byte) (plain []byte, ok bool) {
	text = bytes.TrimRight(text, "=")
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if n, err := alphabet.Decode(dst, text); err == nil {
			return dst[:n], true
		}
	}
	return nil, false
}

// secretFileName is the Match.NameAt of a secret.
func secretFileName(path string) detectors.FileName {
	name, dir := fileName(path)
	if name == "" {
		return detectors.FileName{Says: detectors.NamesOther}
	}
	says, group := pairing.SecretInFile(name)
	if says == detectors.NamesSecret && group == "" { // secret_key of the directory aws
		if above, _ := pairing.SecretInFile(base(dir) + "_" + name); above == detectors.NamesProvider {
			says = above
		}
	}
	return detectors.FileName{Says: says, Group: group, Dir: dir}
}

// oddSecretFileName is the Match.NameAt of a string that looks less like random bytes than
// most secrets do: it is one only if its name says so.
func oddSecretFileName(path string) detectors.FileName {
	n := secretFileName(path)
	if n.Says == detectors.NamesNothing {
		n.Says = detectors.NamesOther
	}
	return n
}

// idFileName is the Match.NameAt of an id.
func idFileName(path string) detectors.FileName {
	name, dir := fileName(path)
	return detectors.FileName{Group: pairing.GroupOfID(name), Dir: dir}
}

// fileName returns the name that path gives to the value of its file, and the directory of
// the name. That is the base name, without an extension that says how the value is written.
// In …/aws_secret_access_key/value it is the name of the directory. An archive counts as a
// directory. The name is "" if the text is in no file.
func fileName(path string) (name, dir string) {
	for path != "" {
		name = base(path)
		dir = path[:max(0, len(path)-len(name)-1)]
		if i := strings.LastIndexByte(name, '.'); i > 0 && valueExtensions[strings.ToLower(name[i+1:])] {
			name = name[:i]
		}
		if dir == "" || !valueFiles[strings.ToLower(name)] {
			return name, dir
		}
		path = dir
	}
	return "", ""
}

// base returns the last name of path.
func base(path string) string { return path[strings.LastIndexAny(path, "/!")+1:] }

var (
	valueExtensions = map[string]bool{"txt": true, "text": true, "b64": true, "base64": true, "secret": true, "value": true, "dat": true}
	valueFiles      = map[string]bool{"value": true, "data": true, "content": true, "string": true, "text": true, "latest": true, "current": true}
)
