package inflate

import (
	"bytes"
	"compress/zlib"
	"errors"
	stdadler32 "hash/adler32"
	"io"
	"os"
	"strconv"
	"testing"
)

// An entry is a zlib stream in a pack.
type entry struct{ offset, size int }

// packVar names the pack that BenchmarkPack reads. Synthetic data would not show
// what most of the time goes to: streams of a few hundred bytes.
const packVar = "STANCH_PACK"

// entries walks over a pack (git's Documentation/gitformat-pack.adoc) and returns
// its blobs and deltas. That it comes to the end is a test by itself: each entry
// is found by what the one before has consumed.
func entries(tb testing.TB, pack []byte) (all []entry, total, largest int) {
	tb.Helper()
	var d Decoder
	d.Verify = true
	var buf []byte
	for at := 12; at < len(pack)-20; {
		c := pack[at]
		at++
		kind, size := c>>4&7, int(c&15)
		for shift := 4; c&0x80 != 0; shift += 7 {
			c = pack[at]
			at++
			size |= int(c&0x7f) << shift
		}
		switch kind {
		case 6: // OFS_DELTA
			for pack[at]&0x80 != 0 {
				at++
			}
			at++
		case 7: // REF_DELTA
			at += 20
		}
		if size > len(buf) {
			buf = make([]byte, size)
		}
		n, err := d.Zlib(buf[:size], pack[at:])
		if err != nil {
			tb.Fatalf("entry at %d of type %d and size %d: %v", at, kind, size, err)
		}
		if kind == 3 || kind == 6 || kind == 7 {
			all = append(all, entry{at, size})
			total += size
			largest = max(largest, size)
		}
		at += n
	}
	return all, total, largest
}

func BenchmarkPack(b *testing.B) {
	path := os.Getenv(packVar)
	if path == "" {
		b.Skipf("set %s to the path of a .pack file", packVar)
	}
	pack, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	all, total, largest := entries(b, pack)
	buf := make([]byte, largest)
	run := func(name string, inflate func(dst, src []byte) error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(total))
			for b.Loop() {
				for _, e := range all {
					if err := inflate(buf[:e.size], pack[e.offset:]); err != nil {
						b.Fatalf("stream at %d: %v", e.offset, err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/stream")
		})
	}

	var d Decoder
	run("own", func(dst, src []byte) error {
		_, err := d.Zlib(dst, src)
		return err
	})
	verify := Decoder{Verify: true}
	run("own+adler32", func(dst, src []byte) error {
		_, err := verify.Zlib(dst, src)
		return err
	})
	run("head", func(dst, src []byte) error {
		_, err := d.Head(dst[:min(20, len(dst))], src)
		return err
	})
	r := bytes.NewReader(nil)
	var z io.ReadCloser
	run("compress/zlib", func(dst, src []byte) (err error) {
		r.Reset(src)
		if z == nil {
			z, err = zlib.NewReader(r)
		} else {
			err = z.(zlib.Resetter).Reset(r, nil)
		}
		if err != nil {
			return err
		}
		if _, err = io.ReadFull(z, dst); err != nil {
			return err
		}
		if n, err := z.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			return errors.New("no end")
		}
		return nil
	})
}

func BenchmarkAdler32(b *testing.B) {
	for _, size := range []int{150, 3000, 1 << 20} {
		p := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		for _, f := range []struct {
			name string
			sum  func([]byte) uint32
		}{{"own", adler32}, {"std", stdadler32.Checksum}} {
			b.Run(f.name+"/"+strconv.Itoa(size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					f.sum(p)
				}
			})
		}
	}
}
