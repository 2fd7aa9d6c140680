package pairing

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// name returns the name that r gives to its value, and its kind. label is the name on the
// line of the value. ok is false if r gives none. A label that says something, such as
// "prod", is overruled only by an opening of a known kind, and stays a part of the name:
//
//	aws_secret_access_keys: {prod: …}
func (r *record) name(label string, judge judgeName) (kind nameKind, name string, ok bool) {
	filler := isFiller(label)
	if filler {
		if kind, name, ok := r.ownName(judge); ok {
			return kind, name, true
		}
	}
	for i, o := range r.openings {
		kind, name := judgePhrase(o, judge)
		switch {
		case kind != unnamed && filler:
			if kind == NamedSecret && !isWord(splitWords(name), notKeyWords) && r.saysAWS() {
				kind, name = NamedAWS, "aws_"+name
			}
			return kind, name, true
		case kind == NamedAWS, kind != unnamed && i == 0:
			name += "_" + label
			kind = judge(name, plainName(name), splitWords(name))
			return kind, name, true
		case i == 0 && isWord(phraseWords(o), foreignWords):
			r.named = r.braced
			return unnamed, strings.Join(phraseWords(o), "_"), true
		case filler && !isFiller(lastWordOf(o)):
			r.named = r.braced
			return unnamed, name, name != ""
		}
	}
	return unnamed, "", false
}

// ownName returns the name in a field of r that holds one. ok is false if there is none. A
// description is no name, unless it says AWS's secret.
func (r *record) ownName(judge judgeName) (kind nameKind, name string, ok bool) {
	for _, f := range r.fields {
		key, value := splitField(f)
		if key == "" && r.called && isNameCell(value) { // an argument by its place
			key = nameLabels[0]
		}
		if !isWordOf(splitWords(key), nameLabels) || len(value) == 0 || beginsWithID(value) {
			continue
		}
		kind, name = judgePhrase(value, judge)
		isFlag := bytes.HasPrefix(bytes.TrimLeft(f, "\"'"), []byte{'-'}) // it may have another name: "--secret", "-s"
		if ok = true; kind != unnamed || key != "id" && !isFlag {
			break
		}
	}
	if cell := r.firstCell(); !ok && cell != nil {
		kind, name = judgePhrase(cell, judge)
		ok = name != ""
	}
	for _, f := range r.fields {
		if key, value := splitField(f); !ok && isWord(splitWords(key), descriptionLabels) {
			if kind, name := judgePhrase(value, judge); kind == NamedAWS {
				return kind, name, true
			}
		}
	}
	r.named = r.named || ok
	return kind, name, ok
}

// firstCell returns the text of the first of the fields with the same tag as the value, or
// nil: they are the cells of a row, <td>AWS_SECRET</td><td>…</td>.
func (r *record) firstCell() []byte {
	own := leadingTags(r.own)
	if own == nil {
		return nil
	}
	for _, f := range slices.Backward(r.fields) {
		if slices.Contains(leadingTags(f), own[0]) {
			if _, value := splitField(f); isNameCell(value) {
				return value
			}
			return nil
		}
	}
	return nil
}

// leadingTags returns the names of the tags with which f begins.
func leadingTags(f []byte) (tags []string) {
	for len(f) > 0 && f[0] == '<' {
		tag, rest, ok := bytes.Cut(f[1:], []byte{'>'})
		if !ok || len(tag) == 0 || tag[0] == '/' {
			break
		}
		name, _, _ := bytes.Cut(tag, []byte{' '})
		tags, f = append(tags, string(name)), bytes.TrimLeft(rest, " ")
	}
	return tags
}

// saysAWS reports whether a record around the value, or a field that holds a name, says AWS
// and none says another service:
//
//	aws: {secret_key: …}      provider: aws
//	                          secret: …
//
// The variables of an environment say so themselves, and a resource of Terraform says who
// runs it, not whose secrets it holds:
//
//	resource "aws_lambda_function" "x" { environment { variables = { SECRET = "…" } } }
func (r *record) saysAWS() bool {
	for _, o := range r.openings {
		switch words := phraseWords(o); {
		case isWord(words, notKeyWords), isWord(words[max(0, len(words)-1):], environmentWords), isResource(o):
			return false
		case isAWS(words) || isWordOf(words, keyServices):
			return true
		case isWord(words, foreignWords): // aws: {api: {secret: …}}
			return false
		}
	}
	for _, f := range r.fields {
		key, value := splitField(f)
		if !mayBeAWS(value) || !isWordOf(splitWords(key), providerLabels) {
			continue
		}
		if words := phraseWords(value); isAWS(words) && !isWord(words, notKeyWords) {
			return true
		}
	}
	return false
}

// isResource reports whether opening begins a resource or a data source of Terraform.
func isResource(opening []byte) bool {
	return bytes.HasPrefix(opening, []byte(`resource "`)) || bytes.HasPrefix(opening, []byte(`data "`))
}

// splitField returns the key and the value of a field: of key: value, key = value,
// "key" => value and <key>value</key>. A field that is only a value has no key.
func splitField(f []byte) (key string, value []byte) {
	if tags := leadingTags(f); tags != nil {
		value, _, _ = bytes.Cut(f, []byte("</"))
		key = tags[0]
		for _, tag := range tags { // the others are of its look, or around the field
			if isWordOf(splitWords(tag), nameLabels) {
				key = tag
				break
			}
		}
		return key, value[bytes.LastIndexByte(value, '>')+1:]
	}
	i := bytes.IndexAny(f, ":=")
	if i < 0 {
		return "", bytes.Trim(f, " \t\"'`-")
	}
	key, _ = lastName(f[:i])
	return key, bytes.Trim(f[i+1:], " \t=>\"'`,")
}

// judgePhrase returns the kind of the last name in b that has one, and the phrase that it
// is a part of; if none has, the last phrase. b is a name, several words or the opening of
// a record.
func judgePhrase(b []byte, judge judgeName) (kind nameKind, whole string) {
	b = b[max(0, len(b)-maxPhrase):]
	var names phrase
	for range maxWords {
		name, gap := lastName(b)
		if name == "" {
			break
		}
		b = b[:len(b)-len(gap)-len(name)]
		if names.names == nil {
			gap = nil
		}
		names.add(name, gap)
		kind, name := names.judge(b, judge)
		if kind != unnamed {
			return kind, name
		}
		whole = cmp.Or(whole, name)
	}
	return unnamed, whole
}

// phraseWords returns the words of the names in b, as splitWords returns them.
func phraseWords(b []byte) []string {
	b = b[max(0, len(b)-maxPhrase):]
	var words []string
	for range 2 * maxWords {
		name, gap := lastName(b)
		if name == "" {
			break
		}
		b = b[:len(b)-len(gap)-len(name)]
		words = append(splitWords(name), words...)
	}
	return words
}

// maxPhrase bounds the bytes of a phrase that are read, from its end.
const maxPhrase = 200

func lastWordOf(phrase []byte) string {
	name, _ := lastName(phrase)
	return name
}

// isFiller reports whether label says no more than that it labels a value, as "value",
// "default" and "ParameterValue" do. No label is one as well, and "send" of a dialogue.
func isFiller(label string) bool {
	words := splitWords(label)
	return slices.Contains(fillerLabels, words[len(words)-1]) || slices.Contains(htmlTags, label) || endsInSend(label)
}

// isWordOf reports whether there are words, and all of them are in list.
func isWordOf(words, list []string) bool {
	return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(list, w) })
}

// mayBeAWS reports whether a word of b may begin like AWS's name. It saves lists of thousands
// of secrets from having each field around each of them split.
func mayBeAWS(b []byte) bool {
	for i := 0; i+2 < len(b); i++ {
		if b[i]|0x20 == 'a' && (b[i+1]|0x20 == 'w' && b[i+2]|0x20 == 's' || b[i+1]|0x20 == 'm' && b[i+2]|0x20 == 'a') {
			return true
		}
	}
	return false
}

// isAWS reports whether one of words is AWS's name.
func isAWS(words []string) bool { return slices.ContainsFunc(words, isAWSWord) }

func isAWSWord(w string) bool { return strings.HasPrefix(w, "aws") || w == "amazon" }
