package keyformat

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// TokenInfo holds the fields of a session token that are not encrypted. Fields that the type
// of the token does not carry are zero.
type TokenInfo struct {
	Type    int    // first byte: 33 and 2 current, 23 and 21 older
	Account string // twelve digits; types 33 and 2
	Region  string // of the issuer; types 33 and 2
	Issued  time.Time
}

// ParseToken reads the clear fields of a session token: a type byte, then protocol buffers.
// AWS does not document the format; T. Be'ery read it off public tokens
// (github.com/talbeerysec/STS-token-decoder). If ok is false, the token has another format;
// it may work all the same.
func ParseToken(token string) (info TokenInfo, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimRight(token, "=") + missingPadding(token))
	if err != nil || len(raw) < 2 {
		return TokenInfo{}, false
	}
	info.Type = int(raw[0])
	issued := uint64(0)
	switch info.Type {
	case 33, 2:
		ok = protobufFields(raw[1:], func(n, v uint64, b []byte) {
			switch n {
			case 3:
				info.Region = regionName(b)
			case 5:
				protobufFields(b, func(n, _ uint64, b []byte) {
					if n == 3 && IsAccount(b) {
						info.Account = string(b)
					}
				})
			case 6:
				issued = v
			}
		})
	case 23, 21:
		ok = protobufFields(raw[1:], func(n, v uint64, _ []byte) {
			if n == 5 {
				issued = v
			}
		})
	}
	// STS was launched in 2011: anything older is not an issue time.
	if !ok || issued < 1_300_000_000 || issued > 1<<33 {
		return TokenInfo{}, false
	}
	info.Issued = time.Unix(int64(issued), 0).UTC()
	return info, true
}

// EndsPadded reports whether s ends in padding that is right for its length.
func EndsPadded(s string) bool {
	return strings.HasSuffix(s, "=") && len(s)%4 == 0
}

// missingPadding returns the "=" that token lacks: it may have been copied without.
func missingPadding(token string) string {
	n := len(strings.TrimRight(token, "="))
	return strings.Repeat("=", (4-n%4)%4)
}

// protobufFields calls yield for each field of a protocol buffers message: its number
// and its value, a varint or bytes. It reports whether the message is well
// formed (protobuf.dev/programming-guides/encoding).
func protobufFields(b []byte, yield func(n, v uint64, bytes []byte)) bool {
	for len(b) > 0 {
		tag, k := binary.Uvarint(b)
		if k <= 0 || tag>>3 == 0 {
			return false
		}
		b = b[k:]
		v, k := binary.Uvarint(b)
		if k <= 0 {
			return false
		}
		b = b[k:]
		switch tag & 7 {
		case 0: // varint
			yield(tag>>3, v, nil)
		case 2: // bytes, v of them
			if v > uint64(len(b)) {
				return false
			}
			yield(tag>>3, 0, b[:v])
			b = b[v:]
		default: // tokens hold no other wire type
			return false
		}
	}
	return true
}

// regionName returns b if it looks like a region, else "".
func regionName(b []byte) string {
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return ""
		}
	}
	if len(b) > 32 {
		return ""
	}
	return string(b)
}

// IsAccount reports whether b is an account: twelve digits.
func IsAccount(b []byte) bool {
	if len(b) != 12 {
		return false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
