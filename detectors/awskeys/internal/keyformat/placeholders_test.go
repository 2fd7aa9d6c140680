package keyformat

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPlaceholderID: ids of fixtures that are in use, their words put together here.
func TestPlaceholderID(t *testing.T) {
	for _, tt := range []struct{ body, reason string }{
		{"IOSFODNN7" + "EXAMPLE", "example key id of the AWS documentation"},
		{"IOSFODDD7" + "EXAMAAA", "placeholder: the id has EXAMAAA in it"},
		{"XYZIOSFODDD7ABDE", "placeholder: the id has IOSFOD in it"},
		{"ZZFAKE" + "PARITY1234", "placeholder: the id has FAKE in it"},
		{"DUMMY" + "ACCESSKEY00", "placeholder: the id has DUMMY in it"},
		{"NOTAREALKEY" + "12345", "placeholder: the id has NOTAREAL in it"},
		{"PLACEHOLDER" + "KEY00", "placeholder: the id has PLACEH in it"},
		{"REPLACEME" + "REPLACE", "placeholder: the id has REPLAC in it"},
		{"NEWKEY" + "1234567890", "placeholder: the id has NEWKEY in it"},
		{"DELETEME" + "12345678", "placeholder: the id has DELETE in it"},
		{"HARDCODED" + "KEY2345", "placeholder: the id has HARDCOD in it"},
		{"ZMYFAKEKEY" + "WXHTLN", "placeholder: the id has MYFAKEKEY in it"},
		{"THISISMY" + "KQXHTLNW", "placeholder: the id has THISISMY in it"},
		{"Q3TEST" + "XB9LMPRVKD", "placeholder: the id has TEST in it"},
		{"QWERTY" + "2K7HXNVLAP", "placeholder: the id has QWERTY in it"},
		{"XKPQ1234" + "5ZMWLVHT", "placeholder: the id has 12345 in it"},
		{"XKPQ8901" + "2ZMWLVHT", "placeholder: the id has 89012 in it"},
		{"XKPQABCDEFG" + "ZMWLV", "placeholder: the id has ABCDEFG in it"},
		{"XKPQFEDCBA" + "7ZMWLV", "placeholder: the id has FEDCBA in it"},
		{"XKPQWWWWWW" + "7ZMALV", "placeholder: the id has WWWWWW in it"},
		{"1234567890" + "ABCDEF", "placeholder"},
		// A word of four letters alone, or a short sequence, may be in an id.
		{"Q3TEST" + "XB5LMPRVKD", ""},
		{"XKPQFAKE" + "2ZMWLVHT", ""},
		{"XKPQABCDE" + "7ZMWLVT", ""},
		{"XKPQ2345" + "7ZMWLVHT", ""},
		{"XKPQ1234" + "7ZMWLVHT", ""},
	} {
		if got := PlaceholderID("AKIA" + tt.body); got != tt.reason {
			t.Errorf("%s: %q, want %q", tt.body, got, tt.reason)
		}
	}
}

// TestPlaceholderOdds holds the odds in placeholders.go: the sum over the rules of how many
// ids of base32 each takes for a placeholder, and a count.
func TestPlaceholderOdds(t *testing.T) {
	odds := func(n int) float64 { return float64(bodyLen+1-n) / math.Pow(32, float64(n)) }
	inBase32 := func(s string) bool { return !strings.ContainsAny(s, "0189") }
	sum := 1.5e-6 + 0.1e-6
	for _, w := range madeUpWords {
		if inBase32(w) {
			sum += odds(len(w))
		}
	}
	chains := map[string]bool{}
	var lengthen func(string)
	lengthen = func(s string) {
		if len(s) >= 7 {
			chains[s] = true
			return
		}
		for _, w := range shortWords {
			lengthen(s + w)
		}
	}
	lengthen("")
	for s := range chains {
		sum += odds(len(s))
	}
	const alphabet, digits = 26, 6
	sum += (2*(alphabet-5+digits-5) + 32) * odds(6)
	sum += 2 * (digits - 4) * odds(5)
	keys := map[string]bool{}
	for _, row := range keyRows {
		for i := range len(row) - 5 {
			keys[row[i:i+6]] = true
		}
	}
	sum += float64(len(keys)) * odds(6)
	if sum > 7e-6 {
		t.Errorf("one random id in %.0f is a placeholder", 1/sum)
	}
	hit, random := 0, rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		id := []byte("AKIA")
		for range bodyLen {
			id = append(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[random.IntN(32)])
		}
		if PlaceholderID(string(id)) != "" {
			hit++
		}
	}
	if hit > 10 {
		t.Errorf("%d of 200,000 ids are placeholders", hit)
	}
}
