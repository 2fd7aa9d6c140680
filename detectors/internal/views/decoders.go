package views

// A Decoder makes a view of a text, and nil if there is nothing to decode that
// could hold more than a word. room is how much may be unpacked.
type Decoder struct {
	Name   string // in benchmarks
	Decode func(text []byte, room int) *View
}

// All returns what is tried, in order, each on what those before it made: a
// URL within JSON in UTF-16 within base64 takes two rounds.
func All() []Decoder {
	return []Decoder{
		{"utf16", decodeWide},
		{"hex", decodeHex}, // before the escapes, of which \x may be one
		{"escapes", unescape},
		Base64,
	}
}

// Base64 is also tried on joined text.
var Base64 = Decoder{"base64", decodeBase64}

// Joiner is tried on what each round begins with.
var Joiner = Decoder{"joins", decodeJoins}
