package views

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// decodeSlowly is decodeRun, a character at a time.
func decodeSlowly(run []byte) ([]byte, bool) {
	var dst []byte
	most := len(run) * 3 / 4 / 16
	odd, wide, n, bits := 0, 0, 0, uint32(0)
	packed := false
	for _, c := range run {
		value := encodings.Base64Values[c]
		if value == encodings.NoBase64 {
			continue
		}
		bits = bits<<6 | uint32(value)
		if n++; n%4 != 0 {
			continue
		}
		for _, b := range [3]byte{byte(bits >> 16), byte(bits >> 8), byte(bits)} {
			if b == 0 {
				wide++
			} else if !encodings.Printable[b] {
				odd++
			}
			dst = append(dst, b)
		}
		if len(dst) == encodings.PackedHead {
			packed = encodings.PackingOf(dst) != encodings.NotPacked
		}
		if !packed && len(dst) >= encodings.PackedHead && (odd > most || len(dst) == 24 && wide > len(dst)/2+1) {
			return nil, false
		}
	}
	switch n % 4 {
	case 2:
		dst = append(dst, byte(bits>>4))
	case 3:
		dst = append(dst, byte(bits>>10), byte(bits>>2))
	}
	if packed && len(dst) >= encodings.MinPacked {
		return dst, true
	}
	return dst, encodings.IsText(dst) || isWide(dst)
}

// TestDecodeRun decodes text, UTF-16, packed and random bytes, with line breaks anywhere.
func TestDecodeRun(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	decoded := 0
	for range 50_000 {
		plain := make([]byte, random.IntN(200))
		for i := range plain {
			plain[i] = byte(' ' + random.IntN(95))
		}
		switch random.IntN(5) {
		case 0: // not printable in places
			for range random.IntN(20) {
				if len(plain) > 0 {
					plain[random.IntN(len(plain))] = byte(random.IntN(256))
				}
			}
		case 1: // UTF-16
			for i := random.IntN(2); i < len(plain); i += 2 {
				plain[i] = 0
			}
		case 2:
			copy(plain, "\x1f\x8b\x08")
		case 3:
			for i := range plain {
				plain[i] = byte(random.IntN(256))
			}
		}
		run := []byte(base64.RawStdEncoding.EncodeToString(plain))
		for range random.IntN(4) {
			at := random.IntN(len(run) + 1)
			run = bytes.Join([][]byte{run[:at], run[at:]}, []byte("\r\n  ")[random.IntN(3):])
		}
		want, wantOK := decodeSlowly(run)
		got, ok := decodeRun(nil, run)
		if ok != wantOK || ok && !bytes.Equal(got, want) {
			t.Fatalf("%q: %q %v, want %q %v", run, got, ok, want, wantOK)
		}
		if ok {
			decoded++
		}
	}
	if decoded < 1000 {
		t.Errorf("only %d were decoded", decoded)
	}
}
