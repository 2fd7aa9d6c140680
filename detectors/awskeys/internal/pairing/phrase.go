package pairing

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// A phrase is a name of several words, such as Prod AWS secret key, gathered from the end.
type phrase struct {
	names  []string // the last one first
	words  []string // of all names, in order
	joined string   // all names in one word
	near   int      // how many of names, from the last one of them, are a single blank apart
}

// add adds name, which stands before the others. gap is between them.
func (p *phrase) add(name string, gap []byte) {
	if string(gap) == " " {
		p.near++
	} else {
		p.near = 1
	}
	p.names = append(p.names, name)
	p.words, p.joined = append(splitWords(name), p.words...), plainName(name)+p.joined
}

// judge returns the kind of the name that was added last, and the whole name. before stands
// in front of it.
func (p *phrase) judge(before []byte, judge judgeName) (nameKind, string) {
	kind, whole := judge(p.names[len(p.names)-1], p.joined, p.words), p.whole(before)
	if kind == NamedSecret || kind == namedToken { // whose, the words before it may say
		words := splitWords(whole)
		kind = judge(whole, plainName(whole), words)
		if kind == NamedSecret && endsInAWS(before) && !isWord(words, notKeyWords) {
			kind = NamedAWS
		}
	}
	return kind, whole
}

// whole returns the name that was added last together with the words around it: "Prod AWS"
// before "Secret", and "Access Key" behind it. A name such as AWS_SECRET is whole already.
func (p *phrase) whole(before []byte) string {
	last := len(p.names) - 1
	name := p.names[last]
	if path := pathBefore(before); len(path) > 0 {
		return strings.Join(append(path, name), "_")
	}
	if !isPlainWord(name) {
		return name
	}
	whole := []string{name}
	for i := last - 1; i > last-p.near && i >= 0; i-- {
		whole = append(whole, p.names[i])
	}
	return strings.Join(append(wordsBefore(before), whole...), "_")
}

// pathBefore returns the parts of a path that before ends with: "app" and "prod" of
// "/app/prod/secret" and "App:Prod:Secret".
func pathBefore(before []byte) []string {
	var parts []string
	for range maxWords {
		name, gap := lastName(before)
		if string(gap) != "/" && string(gap) != ":" {
			break
		}
		before = before[:len(before)-len(gap)-len(name)]
		if name == "" {
			break
		}
		parts = append([]string{name}, parts...)
	}
	if len(before) > 0 && strings.IndexByte("\"'`>/ ", before[len(before)-1]) < 0 {
		return nil
	}
	return parts
}

// wordsBefore returns the words of a phrase that before ends with, such as "Prod AWS": they
// are a single blank apart, and none is a keyword of a programming language.
func wordsBefore(before []byte) []string {
	var words []string
	for range maxWords {
		name, gap := lastName(before)
		if string(gap) != " " || !isPlainWord(name) || slices.Contains(codeWords, strings.ToLower(name)) {
			break
		}
		words = append([]string{name}, words...)
		before = before[:len(before)-len(gap)-len(name)]
	}
	if len(before) > 0 && strings.IndexByte("/=@$%&+", before[len(before)-1]) >= 0 {
		return nil // the words are the end of a value
	}
	return words
}

// isPlainWord reports whether name has letters and digits only, and is no id.
func isPlainWord(name string) bool {
	for _, c := range []byte(name) {
		if !keyformat.IsAlnum(c) && c < utf8.RuneSelf {
			return false
		}
	}
	return name != "" && !beginsWithID([]byte(name))
}

// beginsWithID reports whether b begins like a key id.
func beginsWithID(b []byte) bool {
	return len(b) >= keyformat.IDLen && candidates.IsPrefix(b[:keyformat.PrefixLen])
}

// lastName returns the last name in b, made of letters, digits, "_", "-" and ".", and the
// gap behind it. Bytes that are no UTF-8 are part of a gap: in binary files they say how long
// the strings around them are.
func lastName(b []byte) (name string, gap []byte) {
	end := len(b)
	for end > 0 && (nameBytesAtEnd(b[:end]) == 0 || b[end-1] == '-' || b[end-1] == '.') {
		end--
	}
	start := end
	for start > 0 {
		n := nameBytesAtEnd(b[:start])
		if n == 0 {
			break
		}
		start -= n
	}
	return string(b[start:end]), b[end:]
}

// nameBytesAtEnd returns the length of the last character of b, if it is of a name, or 0.
func nameBytesAtEnd(b []byte) int {
	switch c := b[len(b)-1]; {
	case c >= utf8.RuneSelf:
		if r, size := utf8.DecodeLastRune(b); r != utf8.RuneError {
			return size
		}
	case keyformat.IsNameByte(c):
		return 1
	}
	return 0
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
// case: awsSecretKey, AWS_SECRET_KEY and HTTPSecret have three, three and two. GitHub and
// GitLab have one. It returns at least one word, which may be "".
func splitWords(name string) []string {
	var words []string
	start := 0
	cut := func(end int) {
		word := strings.ToLower(name[start:max(start, end)])
		switch last := len(words) - 1; {
		case word == "":
		case (word == "hub" || word == "lab") && last >= 0 && words[last] == "git":
			words[last] += word
		default:
			words = append(words, word)
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
