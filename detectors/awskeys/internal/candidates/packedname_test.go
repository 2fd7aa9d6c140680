package candidates

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

func TestPackedName(t *testing.T) {
	const name, word = "aws_secret_key", "staging.internal"
	secret := detectorstest.SecretKey(1)
	for _, tt := range []struct{ format, text, want string }{
		{"java", "\x00\x05t\x00\x0e" + name + "t\x00(" + secret + "x", name},
		{"pickle_2", "\x80\x02X\x0e\x00\x00\x00" + name + "q\x01X(\x00\x00\x00" + secret + "q\x01", name},
		{"pickle_0", "(dp0\nV" + name + "\np1\nV" + secret + "\np2\ns.", name},
		{"pickle_0_behind_a_value", "(dp0\nsV" + name + "\np1\nsV" + secret + "\np2\ns.", name},
		{"pickle_0_first", "V" + secret + "\np2\n.", ""},
		{"protobuf", "\x01\x012\x0e" + name + "2(" + secret + "2", name},
		{"cbor", "\xbfn" + name + "x(" + secret + "\xff", name},
		{"cbor_behind_a_string", "\xbfp" + word + "n" + name + "x(" + secret + "\xff", name},
		{"cbor_long", "\xbfp" + word + "x\x1c" + name + name + "x(" + secret + "\xff", name + name},
		{"messagepack", "\x81\xae" + name + "\xd9(" + secret, name},
		{"plist", "bplist00\xd1\x5e" + name + "_\x10(" + secret + "\x08", name},
		{"plist_long", "bplist00\xd1_\x10\x1c" + name + name + "_\x10(" + secret + "\x08", name + name},
		{"avro", "\x02\x1c" + name + "P" + secret + "\x00", name},
		{"another_length", "\x00\x05t\x00\x10" + name + "t\x00(" + secret + "x", ""},
		{"no_length", "\x00" + name + "\x00" + secret + "\x00", ""},
		{"text", "\n" + strings.Repeat("x", 10) + "2(" + secret + ")", ""},
		{"value_only", "(" + secret + "\x00", ""},
	} {
		t.Run(tt.format, func(t *testing.T) {
			if got := PackedName([]byte(tt.text), strings.Index(tt.text, secret)); string(got) != tt.want {
				t.Errorf("PackedName(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}
