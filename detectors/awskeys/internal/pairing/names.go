package pairing

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

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
	// MaxNames bounds the distance of a secret from a name of it, before it or behind it.
	MaxNames = maxAbove
)

// A judgeName tells the kind of a name. joined is the name with all that follow it, in one
// word; words are the same, apart.
type judgeName func(name, joined string, words []string) nameKind

// nameOf returns the name of the value at start, a secret or an id, and its kind. The name
// stands before the value on its line or, if its line is a row of a table, in the first
// cell; else in the record of the value; else on the line above, as in prose:
//
//	Secret access key:
//	…
func nameOf(text []byte, start int, isSecret bool) (nameKind, string) {
	judge, openings, reach := idNameKind, idOpenings, idAbove
	if isSecret {
		judge, openings, reach = secretNameKind, secretOpenings, maxAbove
	}
	if name := candidates.PackedName(text, start); name != nil { // a binary file
		kind, name, _ := nearestName(append(name, '='), judge)
		return kind, name
	}
	before := lastLine(text[max(0, start-maxRow):start])
	line := start - len(before)

	// In a table the cells say it, whatever words stand between them and the value. A longer row
	// shows neither its first cell nor which column this is.
	var row row
	if line == 0 || text[line-1] == '\n' {
		row = rowOf(before)
	}
	cell := row.nameCell()
	if kind, name := judgePhrase(cell, judge); kind != unnamed {
		return kind, name
	}
	if kind, name := judgePhrase(row.columnName(text, line), judge); kind != unnamed {
		return kind, name + "_" + string(cell)
	}

	// A label without a meaning leaves it to the record. Nearer words are of other fields
	// then, as of "isSecret": true.
	before = withoutLength(before[max(0, len(before)-candidates.MaxName):])
	label := labelOf(before)
	read := sync.OnceValue(func() *record { return recordAround(text, start, openings, reach) })
	if beginsField(before, label) && judge(label, plainName(label), splitWords(label)) == unnamed {
		r := read()
		if kind, name, ok := r.name(label, judge); ok && (kind != unnamed || r.named) {
			return kind, name
		}
	}

	kind, name, empty := nearestName(before, judge)
	if kind == NamedSecret && !isWord(splitWords(name), notKeyWords) && read().saysAWS() {
		kind, name = NamedAWS, "aws_"+name
	}
	if kind != unnamed || name != "" {
		return kind, name
	}
	if kind, name, ok := read().name(label, judge); ok {
		return kind, name
	}
	if empty && line > 0 {
		if kind, name, _ := nearestName(lastLine(text[max(0, line-candidates.MaxName):line-1]), judge); kind != unnamed || name != "" {
			return kind, name
		}
	}
	return unnamed, cmp.Or(strings.ReplaceAll(string(cell), " ", "_"), name)
}

// withoutLength returns before without the length that PHP's serialize writes between a key
// and its value: s:10:"aws_secret";s:40:"…".
func withoutLength(before []byte) []byte {
	rest := bytes.TrimRight(before, "\"\\")
	digits := bytes.TrimRight(bytes.TrimSuffix(rest, []byte{':'}), "0123456789")
	if len(digits) < len(rest)-1 && bytes.HasSuffix(digits, []byte(";s:")) {
		return append(bytes.Clone(digits[:len(digits)-len(";s:")]), '=')
	}
	return before
}

// labelOf returns the name that before, the line of a value up to it, assigns to the value,
// or "".
func labelOf(before []byte) string {
	if tag := before[bytes.LastIndexByte(before, '<')+1:]; len(tag) < len(before) && bytes.HasSuffix(tag, []byte{'>'}) {
		name, _, _ := bytes.Cut(tag[:len(tag)-1], []byte{' '})
		return string(name)
	}
	name, gap := lastName(before)
	if bytes.ContainsAny(gap, ",;{[") || !bytes.ContainsAny(gap, ":=>") {
		return ""
	}
	return name
}

// beginsField reports whether label, with which before ends, is the first name of its field.
// In code, another name stands before the type: jwtSecret: String = "…".
func beginsField(before []byte, label string) bool {
	i := bytes.LastIndex(before, []byte(label))
	rest := bytes.TrimRight(before[:max(0, i)], " \t\"'")
	return label != "" && (len(rest) == 0 || bytes.IndexByte([]byte(",{[(;-<"), rest[len(rest)-1]) >= 0)
}

// nearestName goes back through before, name by name, to the first one of a known kind. It
// stops at a key id, another secret, a second comma or the start of an assignment. empty
// reports that there is no name, or only "value".
func nearestName(before []byte, judge judgeName) (kind nameKind, name string, empty bool) {
	var names phrase
	foreign, separators := "", 0 // foreign: a name near the value that says another service
	empty = true
	for len(names.names) < maxWords {
		name, gap := lastName(before)
		if name == "" || endsField(gap) || beginsWithID([]byte(name)) {
			return unnamed, foreign, empty && name == ""
		}
		if separators += bytes.Count(gap, []byte(",")); separators > 1 {
			return unnamed, foreign, false
		}
		if before = before[:len(before)-len(gap)]; endsInSecret(before) {
			return unnamed, foreign, false
		}
		before = before[:len(before)-len(name)]
		if isTag(before) && (len(names.names) > 0 || bytes.HasSuffix(before, []byte{'/'}) || slices.Contains(htmlTags, name)) {
			continue // only the tag right before the value names it
		}
		names.add(name, gap)
		kind, whole := names.judge(before, judge)
		if kind != unnamed {
			return kind, whole, false
		}
		if foreign == "" && (len(names.names) == 1 || len(splitWords(whole)) > 1) && isWord(splitWords(whole), foreignWords) {
			foreign = whole
		}
		empty = empty && slices.Contains(fillerNames, plainName(name))
	}
	return unnamed, foreign, false
}

// isTag reports whether before, in front of a name, ends like the beginning of a tag.
func isTag(before []byte) bool {
	return bytes.HasSuffix(before, []byte{'<'}) || bytes.HasSuffix(before, []byte("</"))
}

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

// endsField reports whether gap, between a name and a value, separates fields: the name is
// of something else. A bar does not, since it stands in tables, in templates and in "or":
//
//	| AWS_SECRET | … |     {{ aws_secret | default("…") }}     ENV["AWS_SECRET"] ||= "…"
//
// Nor does the brace of $ENV{AWS_SECRET} = "…", nor an ampersand behind a blank, of tables in
// LaTeX and of types in Rust.
func endsField(gap []byte) bool {
	if rest, ok := bytes.CutPrefix(bytes.TrimLeft(gap, `"'`), []byte{'}'}); ok && bytes.ContainsAny(rest, "=|:") {
		gap = rest
	}
	if i := bytes.IndexByte(gap, '&'); i > 0 && gap[i-1] == ' ' {
		gap = bytes.ReplaceAll(gap, []byte(" &"), nil)
	}
	return bytes.ContainsAny(gap, ";&{}") || bytes.Count(gap, []byte{'|'}) > 2
}

// endsInAWS reports whether before, in front of a name, ends in AWS's name, as in
// aws["secret_key"].
func endsInAWS(before []byte) bool {
	name, gap := lastName(before)
	return len(bytes.Trim(gap, `[]'"().->:`)) == 0 && isAWS(splitWords(name))
}

// beginsWithID reports whether b begins like a key id.
func beginsWithID(b []byte) bool {
	return len(b) >= keyformat.IDLen && candidates.IsPrefix(b[:keyformat.PrefixLen])
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

// secretNameKind is the judgeName of secrets.
func secretNameKind(name, joined string, words []string) nameKind {
	own := splitWords(name)
	contains := func(s string) bool { return strings.Contains(joined, s) }
	switch {
	case slices.Contains(digestWords, own[len(own)-1]), // "secret_sha1" too
		contains("secretkeybase"): // of Rails
		return namedOther
	case slices.ContainsFunc(awsNames, contains) && !isWord(words, storeWords) && (isAWS(words) || !isWord(words, cloudWords)):
		return NamedAWS
	case slices.ContainsFunc(secretNames, contains), contains("seckey"):
		if saysAWSKey(words) {
			return NamedAWS
		}
		return NamedSecret
	case isWord(own, otherWords):
		return namedOther
	case isWord(own, weakWords):
		return namedWeak
	case isWord(own, tokenWords) && isAWS(words) && !isWord(words, []string{"session", "security"}):
		return NamedSecret
	case isWord(own, tokenWords):
		return namedToken
	}
	return unnamed
}

// saysAWSKey reports whether words, of which one says secret, name a secret key of AWS: they
// hold AWS's name, or a service's and "key", and no word of another kind of secret.
func saysAWSKey(words []string) bool {
	return !isWord(words, notKeyWords) && (isAWS(words) || isWord(words, keyServices) && isWord(words, []string{"key", "access"}))
}

// idNameKind is the judgeName of access key ids.
func idNameKind(name, _ string, _ []string) nameKind {
	if isWord(splitWords(name), idWords) || strings.Contains(plainName(name), "accesskey") {
		return namedID
	}
	return unnamed
}

func isWord(words, list []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
}

// setGroup sets v.Group to the part of the name of v that sets it apart: "prod" of
// PROD_AWS_SECRET_KEY="…" and of "prod": "…". The name is the one to which v is assigned or,
// if there is none but "value", the one that nameOf found, said. The group is "" if the name
// has no such part. It also sets SaysAWS and foreignName; v.Name must be set.
func (v *Value) setGroup(text []byte, said string, alsoGroupless ...string) {
	name := assignedName(text, v.Start)
	words := splitWords(name)
	if isFiller(name) || isWord(words[len(words)-1:], linkWords) || strings.HasSuffix(said, "_"+name) || v.Name == unnamed && isWord(splitWords(said), foreignWords) {
		name, words = said, splitWords(said)
	}
	v.Group = plainName(strings.Join(slices.DeleteFunc(strings.Split(name, "_"), func(w string) bool { return slices.Contains(smallWords, strings.ToLower(w)) }), ""))
	v.SaysAWS = strings.Contains(v.Group, "aws") || strings.Contains(v.Group, "amazon") || isAWS(splitWords(said))
	for _, part := range slices.Concat(alsoGroupless, groupless, secretNames) {
		v.Group = strings.ReplaceAll(v.Group, part, "")
	}
	if v.Group == "s" { // of secrets
		v.Group = ""
	}
	if v.Name != NamedAWS && v.Group != "" {
		ofClient := v.Name == namedID || strings.Contains(plainName(name), "clientsecret")
		v.foreignWords = slices.DeleteFunc(words, func(w string) bool {
			return !slices.Contains(foreignWords, w) && (!slices.Contains(clientWords, w) || !ofClient)
		})
	}
	v.foreignName = len(v.foreignWords) > 0 || v.Name != NamedAWS && v.Name != unnamed && !v.SaysAWS && isForeign(v.Group)
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
	before := withoutLength(lastLine(text[max(0, start-candidates.MaxName):start]))
	if name := candidates.PackedName(text, start); name != nil {
		before = append(name, '=')
	}
	name, gap := lastName(before)
	if !bytes.ContainsAny(gap, "=:") || bytes.ContainsAny(gap, ",;(|&") || beginsWithID([]byte(name)) {
		return ""
	}
	var p phrase
	p.add(name, nil)
	return p.whole(before[:len(before)-len(gap)-len(name)])
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

// IsNamedSecret reports whether a name of a secret may stand near the value at text[at:], as
// far as nameOf looks. It judges roughly, because the name may be escaped.
func IsNamedSecret(text []byte, at int) bool {
	return SaysSecret(text[max(0, at-MaxNames):at]) || SaysSecret(text[at:min(len(text), at+maxBelow)])
}

// SaysSecret reports whether b holds a word of secretNames, or begins like one.
func SaysSecret(b []byte) bool {
	for _, c := range []byte("cC") {
		for i := 0; ; i++ {
			k := bytes.IndexByte(b[i:], c)
			if k < 0 {
				break
			}
			i += k
			if i > 0 && b[i-1]|0x20 == 'e' && goesOnAsSecret(b[i+1:]) {
				return true
			}
		}
	}
	return candidates.ContainsAny(b, otherSpellings)
}

// goesOnAsSecret reports whether b goes on behind "ec" as "secret" or "sec key" do.
func goesOnAsSecret(b []byte) bool {
	if len(b) > 0 && (b[0] == '_' || b[0] == '-' || b[0] == '.' || b[0] == ' ') {
		b = b[1:]
	}
	return len(b) >= 3 && (bytes.EqualFold(b[:3], []byte("ret")) || bytes.EqualFold(b[:3], []byte("key")))
}
