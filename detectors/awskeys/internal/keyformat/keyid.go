package keyformat

import "fmt"

// A key id is a prefix of four letters and a body. AWS documents the prefixes
// (IAM User Guide, "Understanding unique ID prefixes") and that an id has 16 to
// 128 characters; all known access keys have 20. The layout of the
// body is not documented; others read it off real ids (A. Steele, "AWS Access Key
// ID formats"; T. Be'ery, "A short note on AWS key ID"; WithSecure's bitwise
// analysis of 3,000 keys).
const (
	PrefixLen = 4
	bodyLen   = 16
	IDLen     = PrefixLen + bodyLen
)

// BodyPattern is the body of an id in detectors.Rule.Encoded.
const BodyPattern = "################"

// Grades of an access key id, by its structure.
const (
	// Strong: base32, the generation bit is set and the account number is one:
	// the layout that AWS has issued since about March 2019.
	Strong = "strong"
	// Legacy: base32 and begins with I or J: issued before that. The account
	// cannot be read from it.
	Legacy = "legacy"
	// Impossible: AWS cannot have issued it. A fixture or a placeholder.
	Impossible = "impossible"
)

// Grade returns the grade of an access key id.
func Grade(id string) string {
	bits, ok := bodyBits(id)
	if !ok {
		return Impossible
	}
	if _, ok := account(bits); ok {
		return Strong
	}
	if c := id[PrefixLen]; c == 'I' || c == 'J' {
		return Legacy
	}
	return Impossible
}

// Account returns the account, twelve digits, that the structure of a key id names. ok is
// false for the layout before 2019 and for a string that is no id. The unique ids of users,
// roles and groups (AIDA, AROA, AGPA) have the same layout and 21 characters.
func Account(id string) (number string, ok bool) {
	bits, ok := bodyBits(id)
	if !ok {
		return "", false
	}
	n, ok := account(bits)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("%012d", n), true
}

// bodyBits decodes the first ten characters of the body, RFC 4648 base32, into
// their 50 bits; the whole body must be base32.
func bodyBits(id string) (bits uint64, ok bool) {
	if len(id) != IDLen && len(id) != IDLen+1 {
		return 0, false
	}
	for i, c := range []byte(id[PrefixLen:]) {
		v := base32Value(c)
		if v < 0 {
			return 0, false
		}
		if i < 10 {
			bits = bits<<5 | uint64(v)
		}
	}
	return bits, true
}

// account returns the account number, bits 1 to 40 of the 50 bits of bodyBits. Bit 0 is the
// generation; ok is false if it is not set or the number is no account.
func account(bits uint64) (number uint64, ok bool) {
	const maxAccount = 999_999_999_999
	number = bits >> 9 & (1<<40 - 1)
	// Zero is no account; LocalStack makes ids for it.
	return number, bits>>49 == 1 && 0 < number && number <= maxAccount
}

// base32Value returns the value of c in the alphabet A-Z2-7, or -1.
func base32Value(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case '2' <= c && c <= '7':
		return int(c-'2') + 26
	}
	return -1
}
