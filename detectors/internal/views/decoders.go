package views

// A Decoder undoes one encoding. Decode returns the view of text, or nil if text holds no
// encoded run long enough for a part of a credential. It unpacks at most room bytes.
type Decoder struct {
	Name   string // in benchmarks
	Decode func(text []byte, room int) *View
}

// DecodeIn is Decode where only the parts are decoded, which are in order and apart.
func (d Decoder) DecodeIn(text []byte, parts []Span, room int) *View {
	v, done, decoded := &View{}, 0, false
	for _, p := range parts {
		part := d.Decode(text[p.Start:p.End], room)
		if part == nil {
			continue
		}
		room -= max(0, len(part.Text)-(p.End-p.Start))
		v.appendVerbatim(text, done, p.Start)
		v.appendPart(part, p.Start)
		done, decoded = p.End, true
	}
	if !decoded {
		return nil
	}
	v.appendVerbatim(text, done, len(text))
	return v
}

// All returns the decoders of a round in order. Each decodes the view of the one before:
// a URL within JSON within UTF-16 takes one round, all that within base64 takes two.
func All() []Decoder {
	return []Decoder{
		{"utf16", decodeWide},
		{"hex", decodeHex}, // before the escapes, of which \x may be one
		{"escapes", unescape},
		Base64,
	}
}

// Base64 decodes base64. A search also applies it to joined text.
var Base64 = Decoder{"base64", decodeBase64}

// Joiner puts pieces of strings together. A search applies it before each round.
var Joiner = Decoder{"joins", decodeJoins}
