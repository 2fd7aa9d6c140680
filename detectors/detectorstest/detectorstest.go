// Package detectorstest helps to test detectors and all code that needs credentials. It makes
// key-shaped strings at run time from a seed. So the repository holds none, and is clean
// under its own scanner. Nothing that ships imports it.
package detectorstest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

const (
	base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x57a9c4)) }

// KeyID returns an access key id of the current layout: prefix (AKIA, ASIA)
// and a body that names account, twelve digits. Equal arguments give equal ids.
func KeyID(prefix, account string, seed uint64) string {
	n, err := strconv.ParseUint(account, 10, 40)
	if err != nil || len(account) != 12 {
		panic(fmt.Sprintf("account %q is not twelve digits", account))
	}
	r := source(seed)
	// 41 bits are the generation and the account, 39 are random (awskeys.Account).
	hi := 1<<49 | n<<9 | r.Uint64()&(1<<9-1)
	id := []byte(prefix)
	for i := 9; i >= 0; i-- {
		id = append(id, base32Alphabet[hi>>(5*i)&31])
	}
	for range 6 {
		id = append(id, base32Alphabet[r.IntN(32)])
	}
	return string(id)
}

// SecretKey returns a secret access key: 30 random bytes in base64, the same
// for equal seeds.
func SecretKey(seed uint64) string {
	r := source(seed ^ 0x5ec7e7)
	for {
		s := randomBase64(r, 40)
		if hasDigit(s) { // one in a thousand has none; tests that need that make it
			return s
		}
	}
}

// Token returns a session token of the current type, 33, that names account,
// region and the time of issue.
func Token(account, region string, issued time.Time, seed uint64) string {
	r := source(seed ^ 0x70ce4)
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		return b
	}
	user := field(field(field(nil, 3, []byte(account)), 4, random(12)), 5, random(300))
	m := field(nil, 1, []byte("origin_ec"))
	m = binary.AppendUvarint(append(m, 2<<3), r.Uint64())
	m = field(m, 3, []byte(region))
	m = field(m, 4, random(71))
	m = field(m, 5, user)
	m = binary.AppendUvarint(append(m, 6<<3), uint64(issued.Unix()))
	m = field(m, 7, random(100))
	return base64.StdEncoding.EncodeToString(append([]byte{33}, m...))
}

func field(m []byte, n byte, b []byte) []byte {
	return append(binary.AppendUvarint(append(m, n<<3|2), uint64(len(b))), b...)
}

func randomBase64(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = base64Alphabet[r.IntN(64)]
	}
	return string(b)
}

func hasDigit(s string) bool {
	for _, c := range s {
		if '0' <= c && c <= '9' {
			return true
		}
	}
	return false
}
