package pack

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// most is how much memory a few mutated bytes may cost.
const most = 64 << 20

// FuzzPack reads mutated packs, with the index of the unmutated one and without.
// What is read is what a simple reader makes of the same bytes, and what has the
// content that its id says is read; the rest are errors.
func FuzzPack(f *testing.F) {
	b, want := small()
	index := b.index(2, false)
	valid := b.pack()
	f.Add(valid)
	for i := headerSize; i < len(valid); i += 5 {
		mutated := bytes.Clone(valid)
		mutated[i] ^= 1 << (i % 8)
		f.Add(mutated)
	}
	for _, off := range b.offsets { // headers, where most can go wrong
		for _, c := range []byte{0x00, 0x0f, 0xb0, 0xff, 0xe1, 0xf1} {
			mutated := bytes.Clone(valid)
			mutated[off] = c
			f.Add(mutated)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			t.Skip("a small pack shows as much")
		}
		stem := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		writeFuzz(t, stem, data, bytes.Clone(index))
		if p := openFuzz(t, stem); p != nil {
			checkFuzz(t, p, want)
			_ = p.Close()
		}
		_ = os.Remove(stem + ".idx")
		if p := openFuzz(t, stem); p != nil {
			checkHashes(t, p)
			_ = p.Close()
		}
	})
}

// FuzzIndex reads a good pack with a mutated index.
func FuzzIndex(f *testing.F) {
	b, want := small()
	packed := b.pack()
	for _, index := range [][]byte{b.index(1, false), b.index(2, false), b.index(2, true)} {
		f.Add(index)
		r := rand.New(rand.NewPCG(1, 2))
		for range 40 {
			mutated := bytes.Clone(index)
			// Behind the fan-out table mostly, where little is checked.
			mutated[len(mutated)-1-r.IntN(len(mutated)-1000)] ^= 1 << r.IntN(8)
			f.Add(mutated)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, index []byte) {
		if len(index) > 1<<16 {
			t.Skip("a small index shows as much")
		}
		stem := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		writeFuzz(t, stem, packed, index)
		if p := openFuzz(t, stem); p != nil {
			checkFuzz(t, p, want)
			_ = p.Close()
		}
	})
}

func writeFuzz(t *testing.T, stem string, data, index []byte) {
	t.Helper()
	for name, text := range map[string][]byte{stem + ".pack": data, stem + ".idx": index} {
		_ = os.Remove(name) // the last may be mapped
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// openFuzz opens a pack within memory; nil if that is an error.
func openFuzz(t *testing.T, stem string) (p *Pack) {
	t.Helper()
	within(t, func() {
		var err error
		if p, _, err = Open(stem, 20); err != nil {
			p = nil
		}
	})
	return p
}

func within(t *testing.T, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("%d MiB of memory", n>>20)
	}
}

// limitFuzz is less than the sizes that a few bytes can claim.
const limitFuzz = 2 << 20

// checkFuzz reads p in both ways and compares.
func checkFuzz(t *testing.T, p *Pack, want map[ID]object) {
	t.Helper()
	var walked, read *content
	within(t, func() { walked = walk(t, p, limitFuzz, noBase) })
	within(t, func() { read = readAll(p, limitFuzz, noBase) })
	seen := map[ID]int{}
	for i := range p.Len() {
		seen[p.Index().ID(i)]++
	}
	plain := plainReader{p, map[int64]bool{}}
	for i := range p.Len() {
		id := p.Index().ID(i)
		if seen[id] > 1 {
			continue // of which is the question
		}
		w, wOK := walked.objects[id]
		r, rOK := read.objects[id]
		if !wOK && walked.bad[id] == nil {
			t.Errorf("%s is neither read nor an error", id)
		}
		// Of objects that overlap, either may be cut off by the other.
		if w != r && (wOK && rOK || plain.apart()) {
			t.Errorf("%s: Walk has %v %.50q (%v), Read %v %.50q (%v)", id, w.typ, w.data, walked.bad[id], r.typ, r.data, read.bad[id])
		}
		o, err := plain.at(p.Index().Offset(i))
		if wOK && (err != nil || o != w) {
			t.Errorf("%s: Walk has %v %.50q, and a simple reader %v %.50q: %v", id, w.typ, w.data, o.typ, o.data, err)
		}
		if good, ok := want[id]; ok && err == nil && o == good && !wOK && plain.apart() && plain.sorted() {
			t.Errorf("%s is there, and an error: %v", id, walked.bad[id])
		}
	}
}

// checkHashes: a pack without index is read as far as it goes, and by right ids.
func checkHashes(t *testing.T, p *Pack) {
	t.Helper()
	c := walk(t, p, 1<<30, noBase)
	for id, o := range c.objects {
		if is := Sum(20, o.typ, []byte(o.data)); is != id {
			t.Errorf("%s has the content of %s", id, is)
		}
	}
	if len(c.bad) > 0 || len(c.objects) != p.Len() {
		t.Errorf("%d of %d objects: %v", len(c.objects), p.Len(), c.err())
	}
}

// plainReader reads objects in the most simple way, with nothing of ours but the
// index, and no checksums.
type plainReader struct {
	p    *Pack
	busy map[int64]bool
}

// apart reports whether no two objects of the index overlap: where they do, the
// first may end at the second.
func (r plainReader) apart() bool {
	offsets := map[int64]int64{}
	for i := range r.p.Len() {
		off := r.p.Index().Offset(i)
		if _, twice := offsets[off]; twice || off < headerSize || off >= r.p.end {
			return false
		}
		_, in, err := r.inflated(off)
		if err != nil {
			return false
		}
		offsets[off] = in.Size() + off - int64(in.Len()) + 4 // where it ends
	}
	starts := slices.SortedFunc(maps.Keys(offsets), cmp.Compare[int64])
	for i, off := range starts[:max(len(starts)-1, 0)] {
		if offsets[off] > starts[i+1] {
			return false
		}
	}
	return true
}

// sorted reports whether ids are found by their place: they are in order, and the
// fan-out table counts them. Where it does not, git finds no base either.
func (r plainReader) sorted() bool {
	var counts [256]uint32
	for i := range r.p.Len() {
		id := r.p.Index().ID(i)
		if i > 0 && r.p.Index().ID(i-1) >= id {
			return false
		}
		for b := int(id[0]); b < len(counts); b++ {
			counts[b]++
		}
	}
	for b, n := range counts {
		if fan := r.p.Index().fan; fan != nil && binary.BigEndian.Uint32(fan[4*b:]) != n {
			return false
		}
	}
	return true
}

// inflated returns what the stream after the header at off holds, the header
// apart, and what follows it. A stream may reach into the checksum of the pack: of
// one that was cut off, these are bytes of objects.
func (r plainReader) inflated(off int64) (string, *bytes.Reader, error) {
	in := bytes.NewReader(r.p.file.data[off:])
	typ, size, _, _, err := plainHeader(in, off, r.p.hash)
	if err != nil {
		return "", nil, err
	}
	text, err := plainInflate(in, size)
	return string(rune(typ)) + text, in, err
}

func plainInflate(in *bytes.Reader, size int64) (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return "", err
	}
	if head[0]&15 != 8 || head[0]>>4 > 7 || head[1]&0x20 != 0 || binary.BigEndian.Uint16(head[:])%31 != 0 {
		return "", fmt.Errorf("not zlib")
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(in), size+1))
	if err == nil && int64(len(text)) != size {
		err = fmt.Errorf("%d bytes, not %d", len(text), size)
	}
	if in.Len() < 4 { // the checksum
		err = io.ErrUnexpectedEOF
	}
	return string(text), err
}

func plainHeader(in *bytes.Reader, off int64, hash int) (typ Type, size, base int64, id ID, err error) {
	c, err := in.ReadByte()
	typ, size = Type(c>>4&7), int64(c&15)
	for shift := 4; c >= 0x80 && err == nil; shift += 7 {
		c, err = in.ReadByte()
		size |= int64(c&0x7f) << shift
	}
	switch typ {
	case ofsDelta:
		c, err = in.ReadByte()
		n := int64(c & 0x7f)
		for c >= 0x80 && err == nil && n < 1<<48 {
			c, err = in.ReadByte()
			n = (n+1)<<7 | int64(c&0x7f)
		}
		base = off - n
	case refDelta:
		raw := make([]byte, hash)
		_, err = io.ReadFull(in, raw)
		id = ID(raw)
	case Commit, Tree, Blob, Tag:
	default:
		err = fmt.Errorf("type %d", typ)
	}
	return typ, size, base, id, err
}

func (r plainReader) at(off int64) (o object, err error) {
	if off < headerSize || off >= r.p.end || r.busy[off] {
		return o, fmt.Errorf("offset %d", off)
	}
	r.busy[off] = true
	defer delete(r.busy, off)
	in := bytes.NewReader(r.p.file.data[off:])
	typ, size, base, id, err := plainHeader(in, off, r.p.hash)
	if err != nil {
		return o, err
	}
	text, err := plainInflate(in, min(size, 1<<24))
	if err != nil || typ != ofsDelta && typ != refDelta {
		return object{typ, text}, err
	}
	if typ == refDelta {
		k := -1
		for i := range r.p.Len() {
			if r.p.Index().ID(i) == id {
				k = i
			}
		}
		if k < 0 {
			return o, fmt.Errorf("no base")
		}
		base = r.p.Index().Offset(k)
	}
	below, err := r.at(base)
	if err != nil {
		return o, err
	}
	made, err := plainApply(below.data, []byte(text))
	return object{below.typ, made}, err
}

func plainApply(base string, ops []byte) (string, error) {
	from, n := binary.Uvarint(ops)
	ops = ops[max(n, 0):]
	to, m := binary.Uvarint(ops)
	ops = ops[max(m, 0):]
	if n <= 0 || m <= 0 || from != uint64(len(base)) {
		return "", fmt.Errorf("sizes")
	}
	var out []byte
	for len(ops) > 0 && len(out) <= 1<<24 {
		c := ops[0]
		ops = ops[1:]
		if c < 0x80 {
			if c == 0 || int(c) > len(ops) {
				return "", fmt.Errorf("insert")
			}
			out = append(out, ops[:c]...)
			ops = ops[c:]
			continue
		}
		var args [7]int
		for i := range args {
			if c>>i&1 == 0 {
				continue
			}
			if len(ops) == 0 {
				return "", fmt.Errorf("copy is cut off")
			}
			args[i] = int(ops[0])
			ops = ops[1:]
		}
		at := args[0] | args[1]<<8 | args[2]<<16 | args[3]<<24
		size := cmp.Or(args[4]|args[5]<<8|args[6]<<16, 0x10000)
		if at+size > len(base) {
			return "", fmt.Errorf("copy")
		}
		out = append(out, base[at:at+size]...)
	}
	if uint64(len(out)) != to {
		return "", fmt.Errorf("%d bytes, not %d", len(out), to)
	}
	return string(out), nil
}

// TestRandomDeltas walks chains of deltas at random and compares with the plain
// reader. What a Node promises is checked on the way.
func TestRandomDeltas(t *testing.T) {
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := newBuilder()
		type made struct {
			off  int64
			id   ID
			data string
		}
		var all []made
		for i := range 60 {
			if i < 3 {
				data := randomText(r, r.IntN(200))
				off, id := b.whole(Blob, []byte(data))
				all = append(all, made{off, id, data})
				continue
			}
			base := all[r.IntN(len(all))]
			data, delta := randomDelta(r, base.data)
			var m made
			if m.data = data; r.IntN(2) == 0 {
				m.off, m.id = b.ofs(base.off, delta, []byte(data))
			} else {
				m.off, m.id = b.ref(base.id, delta, []byte(data))
			}
			if slices.ContainsFunc(all, func(o made) bool { return o.id == m.id }) {
				b.listed = b.listed[:len(b.listed)-1] // once is enough
				b.offsets = b.offsets[:len(b.offsets)-1]
				b.entries.Truncate(int(m.off) - headerSize)
				continue
			}
			all = append(all, m)
		}
		p, note, err := Open(save(t, b.pack(), b.index(1+r.IntN(2), false)), 20)
		if err != nil || note != nil {
			t.Fatal(note, err)
		}
		checkContent(t, p, walk(t, p, 1<<30, noBase), readAll(p, 1<<30, noBase))
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func randomText(r *rand.Rand, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = "ab\nc"[r.IntN(4)]
	}
	return string(text)
}

// randomDelta makes an object from base: of copies that meet, overlap, repeat or
// cover all, and of insertions.
func randomDelta(r *rand.Rand, base string) (data string, delta []byte) {
	var list [][]byte
	last := 0
	for range r.IntN(6) {
		if len(base) == 0 || r.IntN(3) == 0 {
			text := randomText(r, 1+r.IntN(30))
			list, data = append(list, insertOp(text)), data+text
			continue
		}
		from := r.IntN(len(base))
		switch r.IntN(4) {
		case 0:
			from = 0
		case 1:
			from = min(last, len(base)-1) // goes on where the last copy ended
		}
		size := 1 + r.IntN(len(base)-from)
		if r.IntN(3) == 0 {
			size = len(base) - from
		}
		list, data, last = append(list, copyFrom(from, size)), data+base[from:from+size], from+size
	}
	return data, ops(sizes(len(base), len(data)), ops(list...))
}
