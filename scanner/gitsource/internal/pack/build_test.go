package pack

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A builder encodes a pack by hand, so that it can be wrong in any way.
type builder struct {
	hash    int
	entries bytes.Buffer
	z       *zlib.Writer // to entries; a new one costs 800 kB
	offsets []int64
	listed  []listed
}

// A listed is an entry of an index.
type listed struct {
	id  ID
	off int64
}

func newBuilder() *builder { return &builder{hash: 20} }

// add adds an entry that claims to be of the size, and returns its offset. prefix
// is what stands between header and stream.
func (b *builder) add(typ Type, size int64, prefix, content []byte) int64 {
	off := int64(headerSize + b.entries.Len())
	c := byte(typ)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b.entries.WriteByte(c | 0x80)
		c = byte(size & 0x7f)
	}
	b.entries.WriteByte(c)
	b.entries.Write(prefix)
	if b.z == nil {
		b.z = zlib.NewWriter(&b.entries)
	}
	b.z.Reset(&b.entries)
	_, _ = b.z.Write(content) // to a buffer
	_ = b.z.Close()
	b.offsets = append(b.offsets, off)
	return off
}

// list puts an object into the index.
func (b *builder) list(typ Type, data []byte, off int64) ID {
	id := Sum(b.hash, typ, data)
	b.listed = append(b.listed, listed{id, off})
	return id
}

func (b *builder) whole(typ Type, data []byte) (int64, ID) {
	off := b.add(typ, int64(len(data)), nil, data)
	return off, b.list(typ, data, off)
}

// ofs adds a delta on what is at base, which makes the blob data.
func (b *builder) ofs(base int64, instructions, data []byte) (int64, ID) {
	off := int64(headerSize + b.entries.Len())
	b.add(ofsDelta, int64(len(instructions)), distance(off-base), instructions)
	return off, b.list(Blob, data, off)
}

func (b *builder) ref(base ID, instructions, data []byte) (int64, ID) {
	off := b.add(refDelta, int64(len(instructions)), []byte(base), instructions)
	return off, b.list(Blob, data, off)
}

// distance encodes that of an OFS_DELTA.
func distance(n int64) []byte {
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		out = append([]byte{0x80 | byte(n&0x7f)}, out...)
	}
	return out
}

// pack returns the file.
func (b *builder) pack() []byte {
	data := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(b.offsets)))
	data = append(data, b.entries.Bytes()...)
	return append(data, b.sum(data)...)
}

func (b *builder) sum(data []byte) []byte {
	h := newHash(b.hash)
	h.Write(data)
	return h.Sum(nil)
}

// index returns that of the version; far makes all offsets 64-bit ones.
func (b *builder) index(version int, far bool) []byte {
	list := slices.Clone(b.listed)
	slices.SortFunc(list, func(a, b listed) int { return cmp.Compare(a.id, b.id) })
	var fan [256]uint32
	for _, l := range list {
		for i := int(l.id[0]); i < 256; i++ {
			fan[i]++
		}
	}
	var out []byte
	if version == 2 {
		out = append(out, "\xfftOc\x00\x00\x00\x02"...)
	}
	for _, n := range fan {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	if version == 1 {
		for _, l := range list {
			out = append(binary.BigEndian.AppendUint32(out, uint32(l.off)), l.id...)
		}
	} else {
		out = appendV2(out, list, far)
	}
	packed := b.pack()
	out = append(out, packed[len(packed)-b.hash:]...)
	return append(out, b.sum(out)...)
}

func appendV2(out []byte, list []listed, far bool) []byte {
	for _, l := range list {
		out = append(out, l.id...)
	}
	out = append(out, make([]byte, 4*len(list))...) // CRCs, which nobody reads
	var large []byte
	for i, l := range list {
		if far {
			out = binary.BigEndian.AppendUint32(out, 1<<31|uint32(i))
			large = binary.BigEndian.AppendUint64(large, uint64(l.off))
		} else {
			out = binary.BigEndian.AppendUint32(out, uint32(l.off))
		}
	}
	return append(out, large...)
}

// save writes the pack, and the index if there is one, and returns the stem.
func save(t testing.TB, pack, index []byte) string {
	t.Helper()
	stem := filepath.Join(t.TempDir(), "pack-x")
	if err := os.WriteFile(stem+".pack", pack, 0o600); err != nil {
		t.Fatal(err)
	}
	if index != nil {
		if err := os.WriteFile(stem+".idx", index, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return stem
}

// Instructions of deltas.

func sizes(base, result int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(base)), uint64(result))
}

func insertOp(text string) []byte { return append([]byte{byte(len(text))}, text...) }

// copyFrom encodes a copy in full, with all seven arguments.
func copyFrom(from, size int) []byte {
	return []byte{0xff, byte(from), byte(from >> 8), byte(from >> 16), byte(from >> 24), byte(size), byte(size >> 8), byte(size >> 16)}
}

func ops(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// What a pack holds.

type object struct {
	typ  Type
	data string
}

// content is what a walk, or reads, have found.
type content struct {
	objects map[ID]object
	bad     map[ID]error
	twice   []ID // visited, or reported, more than once
}

func newContent() *content { return &content{objects: map[ID]object{}, bad: map[ID]error{}} }

func (c *content) err() error {
	var all []error
	for id, err := range c.bad {
		all = append(all, fmt.Errorf("%s: %w", id, err))
	}
	return errors.Join(all...)
}

// collector is a Visitor that keeps everything.
type collector struct {
	t    testing.TB
	p    *Pack
	mu   *sync.Mutex
	into *content
}

func (v *collector) Visit(n *Node) error {
	data, err := n.Data()
	if err != nil {
		return v.Bad(n.Number(), err)
	}
	checkNode(v.t, n, data)
	v.mu.Lock()
	defer v.mu.Unlock()
	id := v.p.Index().ID(n.Number())
	if _, ok := v.into.objects[id]; ok || v.into.bad[id] != nil {
		v.into.twice = append(v.into.twice, id)
	}
	v.into.objects[id] = object{n.Type, string(data)}
	return nil
}

func (v *collector) Bad(i int, err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := v.p.Index().ID(i)
	if _, ok := v.into.objects[id]; ok || v.into.bad[id] != nil {
		v.into.twice = append(v.into.twice, id)
	}
	v.into.bad[id] = err
	return nil
}

func (v *collector) Done(any) {}

var allTypes = []Type{Commit, Tree, Blob, Tag}

func noBase(ID) (Type, []byte, error) { return broken, nil, errors.New("base is nowhere") }

// walk walks all of p.
func walk(t testing.TB, p *Pack, limit int64, base func(ID) (Type, []byte, error)) *content {
	t.Helper()
	c := newContent()
	var mu sync.Mutex
	err := p.Walk(context.Background(), Walk{Types: allTypes, Limit: limit, Base: base, Visitor: func() Visitor { return &collector{t, p, &mu, c} }})
	if err != nil {
		t.Errorf("walk: %v", err)
	}
	return c
}

// readAll reads each object on its own.
func readAll(p *Pack, limit int64, base func(ID) (Type, []byte, error)) *content {
	c := newContent()
	for i := range p.Len() {
		typ, data, err := p.Read(i, limit, base)
		if err != nil {
			c.bad[p.Index().ID(i)] = err
			continue
		}
		c.objects[p.Index().ID(i)] = object{typ, string(data)}
	}
	return c
}

// checkNode holds what a Node promises of an object.
func checkNode(t testing.TB, n *Node, data []byte) {
	t.Helper()
	if n.Size != int64(len(data)) {
		t.Errorf("node of %d bytes says %d", len(data), n.Size)
	}
	for _, size := range []int{0, 1, 100, len(data), len(data) + 1} {
		if got := n.AppendHead([]byte("x"), size); string(got) != "x"+string(data[:min(size, len(data))]) {
			t.Errorf("the first %d of %d bytes: %q", size, len(data), got)
		}
	}
	if n.Base() == nil {
		return
	}
	base, err := n.Base().Data()
	if err != nil {
		t.Errorf("base of what could be put together: %v", err)
		return
	}
	var made []byte
	for _, p := range n.Parts() {
		if int(p.At) != len(made) || p.Len <= 0 {
			t.Errorf("part %+v after %d bytes", p, len(made))
		}
		if p.From < 0 {
			made = append(made, n.delta.inserted(p)...)
		} else {
			made = append(made, base[p.From:][:p.Len]...)
		}
	}
	if !bytes.Equal(made, data) {
		t.Errorf("parts make %d bytes, which are not the %d of the object", len(made), len(data))
	}
	if len(base)+len(data) > 1<<14 { // brute force
		return
	}
	for _, span := range []int{1, 3, 20} {
		parted := n.delta.appendFresh([]byte("kept\n"), base, span)
		checkFresh(t, parted, base, data, span)
		if got := n.delta.appendFreshOf([]byte("kept\n"), data, len(base), span); !bytes.Equal(got, parted) {
			t.Errorf("pieces of %q, of the whole object: %q", parted, got)
		}
	}
}

// checkFresh holds that each run of span bytes of data is in fresh or in base, by
// brute force, and within one of the pieces that newlines set apart. A run that has
// a newline itself may span several: then it must be in fresh as it is.
func checkFresh(t testing.TB, fresh, base, data []byte, span int) {
	t.Helper()
	fresh, ok := bytes.CutPrefix(fresh, []byte("kept\n"))
	if !ok {
		t.Error("AppendFresh does not append")
	}
	if len(data) <= span && !bytes.Equal(data, base) && !bytes.Equal(data, fresh) {
		t.Errorf("of all of %q, only %q is fresh", data, fresh)
	}
	known := make(map[string]bool, len(fresh)+len(base))
	for _, text := range []string{string(fresh), string(base)} {
		for i := 0; i+span <= len(text); i++ {
			known[text[i:i+span]] = true
		}
	}
	for i := 0; i+span <= len(data); i++ {
		if !known[string(data[i:i+span])] {
			t.Errorf("%q at %d of %d bytes is neither in the fresh %q nor in the base", data[i:i+span], i, len(data), fresh)
			return
		}
	}
}
