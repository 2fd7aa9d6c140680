package pairing

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"

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
	start = outsideCDATA(text, start)
	before := lastLine(text[max(0, start-maxRow):start])
	line := start - len(before)
	if kind, name, ok := nameByPlace(text, start, judge); ok {
		return kind, name
	}

	// In a table the cells say it, whatever words stand between them and the value. A longer row
	// shows neither its first cell nor which column this is.
	var row row
	if line == 0 || text[line-1] == '\n' {
		row = rowOf(before, text[start:min(len(text), start+maxCell+len(`",`)+1)])
	}
	cell := row.nameCell()
	if kind, name := judgePhrase(cell, judge); kind != unnamed {
		return kind, name
	}
	if kind, name := judgePhrase(row.columnName(text, line, reach), judge); kind != unnamed || isWord(splitWords(name), foreignWords) {
		return kind, name + "_" + string(cell)
	}

	// A label without a meaning leaves it to the record. Nearer words are of other fields
	// then, as of "isSecret": true.
	before = withoutSyntax(before)
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
		if kind, name, _ := nearestName(lineAbove(text, line, before), judge); kind != unnamed || name != "" {
			return kind, name
		}
	}
	return unnamed, cmp.Or(strings.ReplaceAll(string(cell), " ", "_"), name)
}

// lineAbove returns the line above text[line:]. If before, the line up to a value, sends it,
// only a question counts.
func lineAbove(text []byte, line int, before []byte) []byte {
	above := lastLine(text[max(0, line-candidates.MaxName) : line-1])
	if bytes.Contains(before, []byte("send")) && !bytes.Contains(above, []byte("expect")) {
		return nil
	}
	return above
}

// withoutSyntax returns the last bytes of before, the line of a value up to it, without what
// some languages write between a name and its value.
func withoutSyntax(before []byte) []byte {
	if n := len(before); n > 2 && before[n-1] == '\'' && before[n-2] == 'N' && !keyformat.IsNameByte(before[n-3]) {
		before = before[:n-2] // N'…' of SQL
	}
	if n := len(before) - len(`b"`); n > 0 && before[n+1] == '"' && keyformat.IsLower(before[n]) && bytes.IndexByte([]byte(" =(:,"), before[n-1]) >= 0 {
		before = append(bytes.Clone(before[:n]), '"') // b"…" of Python
	}
	before = withoutAccessors(before)
	return withoutLength(before[max(0, len(before)-candidates.MaxName):])
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

// withoutAccessors returns before without the accessors that C# writes between a name and its
// value: AwsSecret { get; set; } = "…".
func withoutAccessors(before []byte) []byte {
	rest := bytes.TrimRight(before, "=\"@$ ")
	accessors, closed := bytes.CutSuffix(rest, []byte{'}'})
	open := bytes.LastIndexByte(accessors, '{')
	if !closed || len(rest) == len(before) || open < 0 || !bytes.HasSuffix(bytes.TrimRight(accessors, " "), []byte{';'}) {
		return before
	}
	return append(bytes.TrimRight(bytes.Clone(accessors[:open]), " "), '=')
}

// outsideCDATA returns where the CDATA section begins whose content stands at text[start:], or
// start.
func outsideCDATA(text []byte, start int) int {
	return len(bytes.TrimSuffix(text[:start], []byte("<![CDATA[")))
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
// reports that there is no name, or only "value", or "send" of a dialogue.
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
		if len(names.names) > 0 && slices.Contains(pairOptions, plainName(name)) {
			return unnamed, foreign, false
		}
		names.add(name, gap)
		kind, whole := names.judge(before, judge)
		if kind != unnamed {
			return kind, whole, false
		}
		if foreign == "" && (len(names.names) == 1 || len(splitWords(whole)) > 1) && isWord(splitWords(whole), foreignWords) {
			foreign = whole
		}
		empty = empty && (slices.Contains(fillerNames, plainName(name)) || endsInSend(name))
	}
	return unnamed, foreign, false
}

// endsInSend reports whether name is of a call that answers the question on the line above.
func endsInSend(name string) bool {
	words := splitWords(name)
	return isWord(words[len(words)-1:], sendWords)
}

// isTag reports whether before, in front of a name, ends like the beginning of a tag.
func isTag(before []byte) bool {
	return bytes.HasSuffix(before, []byte{'<'}) || bytes.HasSuffix(before, []byte("</"))
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

// endsInSecret reports whether b ends in a candidate secret. A name before it belongs to
// that secret.
func endsInSecret(b []byte) bool {
	at := len(b)
	for at > 0 && keyformat.IsSecretByte(b[at-1]) {
		at--
	}
	return len(b)-at == keyformat.SecretLen && keyformat.ShapeOf(b[at:]) == keyformat.Random
}

// secretNameKind is the judgeName of secrets.
func secretNameKind(name, joined string, words []string) nameKind {
	own := splitWords(name)
	contains := func(s string) bool { return strings.Contains(joined, s) }
	switch {
	case slices.Contains(notSecretWords, own[len(own)-1]), // "secret_sha1" too
		isOfSecret(own),
		contains("secretkeybase"): // of Rails
		return namedOther
	case slices.ContainsFunc(awsNames, contains) && !isWord(words, storeWords) && !isOfCloud(words) && !namesServiceBehind(words):
		return NamedAWS
	case slices.ContainsFunc(secretNames, contains), contains("seckey"):
		if saysAWSKey(words) {
			return NamedAWS
		}
		return NamedSecret
	case isWord(own, []string{"sk"}) && isAWS(words) && !isWord(words, notKeyWords):
		return NamedAWS
	case isWord(own, otherWords):
		return namedOther
	case isWord(own, weakWords):
		return namedWeak
	case isWord(own, tokenWords) && ownerOf(words) == ownedByAWS && !isWord(words, []string{"session", "security"}):
		return NamedSecret
	case isWord(own, tokenWords):
		return namedToken
	}
	return unnamed
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
	switch {
	case v.Name == NamedAWS || v.Group == "":
	case v.Name == namedID:
		v.foreignWords = slices.DeleteFunc(words, func(w string) bool { return !isServiceWord(w, true) })
	default:
		v.foreignWords = serviceWords(words, strings.Contains(plainName(name), "clientsecret"))
	}
	if v.SaysAWS {
		v.strangeName = v.Name != NamedAWS && namesServiceBehind(words)
	} else {
		v.strangeName = v.Name == unnamed && isForeign(v.Group) && candidates.PackedName(text, v.Start) == nil
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
	start = outsideCDATA(text, start)
	before := withoutSyntax(lastLine(text[max(0, start-maxRow):start]))
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

// lastLine returns the bytes of b behind its last newline.
func lastLine(b []byte) []byte { return b[bytes.LastIndexByte(b, '\n')+1:] }

// IsNamedSecret reports whether a name of a secret may stand near the value at text[at:], as
// far as nameOf looks, or whether its place is that of one. It judges names roughly, because
// they may be escaped.
func IsNamedSecret(text []byte, at int) bool {
	return SaysSecret(text[max(0, at-MaxNames):at]) || SaysSecret(text[at:min(len(text), at+maxBelow)]) || isSecondOfCredentials(text, at)
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
