package reftable

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A testTable is written as git writes it, without indexes. Records without ID and Target are
// deletions.
type testTable struct {
	blockSize int // 0: one block, not padded
	sha256    bool
	refs      []Ref
	logs      []Entry // sorted; Line is the message
}

func (t testTable) encode() []byte {
	header := binary.BigEndian.AppendUint32([]byte("REFT\x01"), uint32(t.blockSize)<<8)[:8]
	header = append(header, make([]byte, 16)...)
	if t.sha256 {
		header[4] = 2
		header = append(header, "s256"...)
	}
	out := bytes.Clone(header)
	b := newBlock(len(header))
	for _, r := range t.refs {
		kind, value := byte(0), []byte{0}
		switch {
		case r.Target != "":
			kind, value = 3, appendText(value, r.Target)
		case r.ID != "":
			kind, value = 1, append(value, r.ID...)
		}
		if t.blockSize > 0 && b.size()+len(r.Name)+len(value)+10 > t.blockSize {
			out = b.finish(out, refBlocks)
			out = append(out, make([]byte, t.blockSize-len(out)%t.blockSize)...)
			b = newBlock(0)
		}
		b.add(r.Name, kind, value)
	}
	if len(t.refs) > 0 {
		out = b.finish(out, refBlocks)
	}
	logs := 0
	if len(t.logs) > 0 {
		b = newBlock(0)
		if logs = len(out); len(t.refs) == 0 {
			b, logs = newBlock(len(header)), 0
		}
		for _, e := range t.logs {
			key := e.Ref + "\x00" + string(binary.BigEndian.AppendUint64(nil, ^e.index))
			if e.New == "" {
				b.add(key, 0, nil)
				continue
			}
			value := appendText(appendText([]byte(e.Old+e.New), "Ada"), "ada@example.com")
			value = append(value, 60, 0, 130) // 60 s, +0130
			b.add(key, 1, appendText(value, e.Line+"\n"))
		}
		out = b.finish(out, logBlocks)
	}
	out = append(append(out, header...), make([]byte, 24)...)
	out = binary.BigEndian.AppendUint64(out, uint64(logs))
	return withSum(append(out, make([]byte, 12)...), len(header))
}

// withSum corrects the checksum at the end of a table, in place.
func withSum(table []byte, header int) []byte {
	footer := table[len(table)-header-44:]
	binary.BigEndian.PutUint32(footer[header+40:], crc32.ChecksumIEEE(footer[:header+40]))
	return table
}

// A testBlock has a restart at every second record.
type testBlock struct {
	before, count     int // bytes before the block of which its offsets count; records
	records, restarts []byte
	last              string
}

func newBlock(before int) *testBlock { return &testBlock{before: before} }

func (b *testBlock) size() int { return b.before + 4 + len(b.records) + len(b.restarts) + 2 }

func (b *testBlock) add(key string, kind byte, value []byte) {
	prefix := 0
	if b.count%2 == 1 {
		for prefix < min(len(key), len(b.last)) && key[prefix] == b.last[prefix] {
			prefix++
		}
	} else {
		b.restarts = append(b.restarts, binary.BigEndian.AppendUint32(nil, uint32(b.before+4+len(b.records)))[1:]...)
	}
	b.records = appendVarint(appendVarint(b.records, prefix), (len(key)-prefix)<<3|int(kind))
	b.records = append(append(b.records, key[prefix:]...), value...)
	b.count, b.last = b.count+1, key
}

func (b *testBlock) finish(out []byte, kind byte) []byte {
	out = append(out, binary.BigEndian.AppendUint32(nil, uint32(kind)<<24|uint32(b.size()))...)
	content := append(append(b.records, b.restarts...), byte(len(b.restarts)/3>>8), byte(len(b.restarts)/3))
	if kind == refBlocks {
		return append(out, content...)
	}
	var deflated bytes.Buffer
	w := zlib.NewWriter(&deflated)
	_, _ = w.Write(content) // to memory
	_ = w.Close()
	return append(out, deflated.Bytes()...)
}

func appendText(b []byte, text string) []byte { return append(appendVarint(b, len(text)), text...) }

func appendVarint(b []byte, n int) []byte {
	digits := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		digits = append([]byte{byte(n&0x7f) | 0x80}, digits...)
	}
	return append(b, digits...)
}

// id is an object id of 20 or 32 bytes.
func id(c string, size int) pack.ID { return pack.ID(strings.Repeat(c, size)) }
