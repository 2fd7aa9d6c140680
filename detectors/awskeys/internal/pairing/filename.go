package pairing

import "github.com/stanch-dev/stanch/detectors"

// SecretInFile returns what a file called name says about a secret that is all of its
// content. The name is judged as that of name=SECRET in a text. A password or a token is a
// secret key only right beside an id, so only the first of them counts as a secret.
func SecretInFile(name string) (says detectors.Naming, group string) {
	v := Value{}
	text := v.assignTo(name)
	kind, said := nameOf(text, v.Start, true)
	v.Name = kind
	v.setGroup(text, said)
	switch kind {
	case NamedAWS:
		return detectors.NamesProvider, v.Group
	case NamedSecret, namedWeak:
		return detectors.NamesSecret, v.Group
	case unnamed, namedToken:
		return detectors.NamesNothing, ""
	}
	return detectors.NamesOther, ""
}

// GroupOfID returns the group of an id that is all of the content of a file called name.
func GroupOfID(name string) string {
	v := Value{}
	text := v.assignTo(name)
	kind, said := nameOf(text, v.Start, false)
	if v.Name = kind; kind == unnamed {
		return "" // "notes" is no key's name
	}
	v.setGroup(text, said)
	return v.Group
}

// assignTo returns the text name=, and puts v behind it.
func (v *Value) assignTo(name string) []byte {
	text := []byte(name + "=")
	v.Span = detectors.Span{Start: len(text), End: len(text)}
	return text
}
