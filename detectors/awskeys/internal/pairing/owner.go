package pairing

import (
	"bytes"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
)

// A full name says whose secret its value is: the nearest name of AWS or of another service
// before the word for secret does.
//
//	aws_jwt_secret         of JWT            aws: {jwt: {secret: …}}     of JWT
//	jwt_aws_secret         of AWS            jwt: {aws: {secret: …}}     of AWS
//	AWS_SECRET_KEY_JWT     of AWS            AWS_SECRET_JWT              of either
//
// The other services before AWS's name, and those behind "secret key", use the key.

// An owner is whose secret a name names.
type owner int

const (
	ownedByNobody owner = iota // the name does not say
	ownedByAWS
	ownedByOther
)

// ownerOf returns whose secret words name.
func ownerOf(words []string) owner {
	head := headOf(words)
	for i, w := range slices.Backward(words[:head+1]) {
		switch {
		case isAWSWord(w) && namesServiceBehind(words):
			return ownedByNobody
		case isAWSWord(w), isKeyOf(words, i):
			return ownedByAWS
		case usesKey(words, i):
		case slices.Contains(notKeyWords, w):
			return ownedByOther
		}
	}
	switch behind := words[head+1:]; {
	case isWord(behind, notKeyWords):
		return ownedByOther
	case isAWS(behind):
		return ownedByAWS
	}
	return ownedByNobody
}

// isKeyOf reports whether words[i] is a service of AWS whose secret key words name:
// ELASTICSEARCH_S3_CLIENT_DEFAULT_SECRET_KEY.
func isKeyOf(words []string, i int) bool {
	return slices.Contains(keyServices, words[i]) && saysSecretKey(words)
}

// usesKey reports whether words[i] is no owner of the secret key that words name: a program
// that has passwords or tokens of its own and no secret key, or a client of a service of AWS.
func usesKey(words []string, i int) bool {
	return slices.Contains(keyUsers, words[i]) && saysSecretKey(words) || words[i] == "client" && i > 0 && isKeyOf(words, i-1)
}

// saysSecretKey reports whether words say "secret key" or "secret access key".
func saysSecretKey(words []string) bool {
	head := headOf(words)
	return words[head] == "secret" && isWord(words[head+1:], []string{"key", "access"})
}

// headOf returns the index of the last of words that says secret, password or token, or of
// the last word.
func headOf(words []string) int {
	for i, w := range slices.Backward(words) {
		if slices.Contains(weakWords, w) || slices.Contains(tokenWords, w) || saysSecretWord(w) {
			return i
		}
	}
	return len(words) - 1
}

func saysSecretWord(w string) bool {
	return w == "sec" || slices.ContainsFunc(secretNames, func(s string) bool { return strings.Contains(w, s) })
}

// namesServiceBehind reports whether another service stands behind the word for secret, as
// in AWS_SECRET_JWT. Behind "secret key" it is one that uses the key.
func namesServiceBehind(words []string) bool {
	behind := words[headOf(words)+1:]
	return isWord(behind, notKeyWords) && !isWord(behind, []string{"key", "keys", "access"})
}

// isOfCloud reports whether words hold the name of another cloud, and AWS's name not behind
// it.
func isOfCloud(words []string) bool {
	for _, w := range slices.Backward(words) {
		if isAWSWord(w) {
			return false
		}
		if slices.Contains(cloudWords, w) {
			return true
		}
	}
	return false
}

// isOfSecret reports whether words name something that a secret has, such as its ARN.
func isOfSecret(words []string) bool {
	head := headOf(words)
	return saysSecretWord(words[head]) && isWord(words[head+1:], aspectWords)
}

// saysAWSKey reports whether words, of which one says secret, name a secret key of AWS: its
// owner is AWS or, if the name says no owner, it holds the name of a service of AWS that has no
// namesake, or of another one and "key".
func saysAWSKey(words []string) bool {
	switch ownerOf(words) {
	case ownedByAWS:
		return !isOfCloud(words)
	case ownedByOther:
		return false
	}
	return isWord(words, uniqueServices) || isWord(words, keyServices) && isWord(words, []string{"key", "access"})
}

// serviceWords returns the words by which a name says that its value is of another service.
// The words before AWS's name do not, and those behind its secret only if they are other
// clouds.
func serviceWords(words []string, ofClient bool) []string {
	head := headOf(words)
	from, to := 0, len(words)
	for i, w := range slices.Backward(words[:head+1]) {
		if isAWSWord(w) || isKeyOf(words, i) {
			from, to = i, head+1
			break
		}
	}
	var services []string
	for i, w := range words[from:] {
		if slices.Contains(cloudWords, w) || from+i < to && !usesKey(words, from+i) && isServiceWord(w, ofClient) {
			services = append(services, w)
		}
	}
	return services
}

func isServiceWord(w string, ofClient bool) bool {
	return slices.Contains(foreignWords, w) || ofClient && slices.Contains(clientWords, w)
}

// servicesAround returns the words by which the names around v say that it is of other
// services: the keys of its record, and members that its name is in, as of
// c["jwt"]["secret"] and c->jwt->secret. For a secret, only the innermost name that says a
// service counts, or none if AWS's name is nearer.
func servicesAround(text []byte, v *Value, isSecret bool) []string {
	if candidates.PackedName(text, v.Start) != nil { // of a binary file, whose braces are data
		return nil
	}
	_, before := cutName(lastLine(text[max(0, v.Start-candidates.MaxName):v.Start]))
	var around [][]byte
	for range maxWords {
		name, rest := cutName(before)
		if gap := before[len(rest)+len(name):]; name == "" || len(gap) == 0 || len(bytes.Trim(gap, `[]'"().->`)) > 0 {
			break
		}
		around, before = append(around, []byte(name)), rest
	}
	var services []string
	for _, name := range append(around, recordAround(text, v.Start, secretOpenings, maxAbove).openings...) {
		words := phraseWords(name)
		if tags := leadingTags(name); tags != nil && !isAWS(words) { // the attributes are those of a field
			words = splitWords(strings.Join(tags, "_"))
		}
		if isSecret && (isAWS(words) || len(services) > 0) {
			break
		}
		if !isResource(name) {
			services = append(services, serviceWords(words, true)...)
		}
	}
	return services
}

// cutName returns the last name of b, and the part of b before it.
func cutName(b []byte) (name string, before []byte) {
	name, gap := lastName(b)
	return name, b[:len(b)-len(gap)-len(name)]
}

// isNamedElsewhere reports whether a name behind v, a secret, or a comment above it says that
// it is something else than a key of AWS:
//
//	"…" // github_token        # GitHub token
//	SELECT '…' AS jwt_secret   secret = …
//
// Behind it a single word, such as github, may as well say who uses a key.
func (v *Value) isNamedElsewhere(text []byte) bool {
	if v.Name == NamedAWS || v.SaysAWS || isForeign(v.Group) {
		return false
	}
	behind, _, _ := bytes.Cut(text[v.End:min(len(text), v.End+candidates.MaxName)], []byte{'\n'})
	for v.Name == unnamed {
		name, before := cutName(behind)
		if name == "" || len(before) == 0 {
			break
		}
		if isOfOther(splitWords(name)) {
			return true
		}
		behind = before
	}
	lines := text[max(0, v.Start-2*candidates.MaxName):v.Start]
	above := bytes.TrimSpace(lastLine(lines[:max(0, bytes.LastIndexByte(lines, '\n'))]))
	if !slices.ContainsFunc(commentMarks, func(mark string) bool { return bytes.HasPrefix(above, []byte(mark)) }) {
		return false
	}
	words := phraseWords(above)
	return len(words) > 0 && !isAWS(words) && (isOfOther(words) || namesService(words))
}

// isOfOther reports whether words name a secret of another service, or a digest.
func isOfOther(words []string) bool {
	head := headOf(words)
	switch last := words[head]; {
	case isAWS(words):
		return false
	case isWord(words[len(words)-1:], digestWords), isWord(words, otherWords):
		return true
	case !saysSecretWord(last) && !isWord(words[head:], slices.Concat(weakWords, tokenWords, []string{"key", "salt", "pepper"})):
		return false
	}
	return namesService(words)
}

// namesService reports whether words name another service without doubt.
func namesService(words []string) bool {
	return slices.ContainsFunc(serviceWords(words, true), func(w string) bool { return !slices.Contains(purposeWords, w) })
}
