package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ghost is the id of no object.
var ghost = ID(bytes.Repeat([]byte{0xee}, 20))

// TestDamage: what is wrong with an object is its error, and no other's.
func TestDamage(t *testing.T) {
	base := []byte("the base, which is " + strings.Repeat("long ", 20))
	copyAll := copyFrom(0, len(base))
	good := ops(sizes(len(base), len(base)+1), copyAll, insertOp("!"))
	type list struct {
		want string // in the error of each bad object
		bad  int    // how many those are
		make func(b *builder, off int64, id ID)
	}
	junk := []byte("unreadable")
	tests := map[string]list{
		"delta_says_other_base_size": {"delta for a base of", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base)+1, len(base)+1), copyAll, insertOp("!")), junk)
		}},
		"delta_makes_less": {"as it says", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), len(base)+2), copyAll, insertOp("!")), junk)
		}},
		"delta_makes_more": {"damaged", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), len(base)), copyAll, insertOp("!")), junk)
		}},
		"copy_past_the_base": {"leads outside", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), 10), copyFrom(len(base)-9, 10)), junk)
		}},
		"copy_from_far": {"leads outside", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), 10), copyFrom(1<<32-1, 10)), junk)
		}},
		"copy_cut_off": {"leads outside", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), len(base)), copyAll[:3]), junk)
		}},
		"insert_cut_off": {"leads outside", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), 10), insertOp("0123456789")[:5]), junk)
		}},
		"reserved_instruction": {"leads outside", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), 0), []byte{0}), junk)
		}},
		"delta_without_sizes": {"no sizes", 1, func(b *builder, off int64, _ ID) { b.ofs(off, []byte{0x80}, junk) }},
		"empty_delta":         {"no sizes", 1, func(b *builder, off int64, _ ID) { b.ofs(off, nil, junk) }},
		"endless_size": {"no sizes", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, bytes.Repeat([]byte{0xff}, 30), junk)
		}},
		"delta_of_damaged_delta": {"damaged", 3, func(b *builder, off int64, _ ID) {
			off, id := b.ofs(off, nil, junk)
			b.ofs(off, good, []byte("1"))
			b.ref(id, good, []byte("2"))
		}},
		"missing_base": {"base is nowhere", 1, func(b *builder, _ int64, _ ID) { b.ref(ghost, good, junk) }},
		"delta_of_missing_base": {"base is nowhere", 2, func(b *builder, _ int64, _ ID) {
			off, _ := b.ref(ghost, good, []byte("1"))
			b.ofs(off, good, []byte("2"))
		}},
		"own_base": {"lead to itself", 1, func(b *builder, _ int64, _ ID) { b.ref(Sum(20, Blob, junk), good, junk) }},
		"circle": {"lead to itself", 2, func(b *builder, _ int64, _ ID) {
			b.ref(Sum(20, Blob, []byte("1")), good, []byte("2"))
			b.ref(Sum(20, Blob, []byte("2")), good, []byte("1"))
		}},
		"tail_of_a_circle": {"itself", 4, func(b *builder, _ int64, _ ID) {
			b.ref(Sum(20, Blob, []byte("1")), good, []byte("2"))
			off, _ := b.ref(Sum(20, Blob, []byte("2")), good, []byte("1"))
			off, _ = b.ofs(off, good, []byte("3"))
			b.ofs(off, good, []byte("4"))
		}},
		"base_before_the_pack": {"no base before it", 1, func(b *builder, _ int64, _ ID) { b.ofs(-5000, good, junk) }},
		"base_between_objects": {"at offset ", 1, func(b *builder, off int64, _ ID) { b.ofs(off+1, good, junk) }},
		"wrong_size":           {"another size", 1, func(b *builder, _ int64, _ ID) { b.list(Blob, junk, b.add(Blob, 9, nil, junk)) }},
		"wrong_size_more":      {"another size", 1, func(b *builder, _ int64, _ ID) { b.list(Blob, junk, b.add(Blob, 11, nil, junk)) }},
		"unknown_type":         {"unknown type 5", 1, func(b *builder, _ int64, _ ID) { b.list(Blob, junk, b.add(5, 10, nil, junk)) }},
		"type_zero":            {"unknown type 0", 1, func(b *builder, _ int64, _ ID) { b.list(Blob, junk, b.add(0, 10, nil, junk)) }},
		"8_gigabytes":          {"which the rest of the pack cannot hold", 1, func(b *builder, _ int64, _ ID) { b.list(Blob, junk, b.add(Blob, 8<<30, nil, junk)) }},
		"8_gigabytes_of_delta": {"which the rest of the pack cannot hold", 1, func(b *builder, off int64, _ ID) {
			end := int64(headerSize + b.entries.Len())
			b.list(Blob, junk, b.add(ofsDelta, 8<<30, distance(end-off), good))
		}},
		"exabytes": {"claims", 1, func(b *builder, _ int64, _ ID) { b.list(Blob, junk, b.add(Blob, 1<<60-1, nil, junk)) }},
		"delta_claims_gigabytes": {"as it says", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), 2_000_000_000), bytes.Repeat(copyAll, 10)), junk)
		}},
		"delta_bomb_beyond_int32": {"larger than", 1, func(b *builder, off int64, _ ID) {
			b.ofs(off, ops(sizes(len(base), 5_000_000_000), bytes.Repeat(copyAll, 10)), junk)
		}},
		"offset_outside":   {"outside of the pack", 1, func(b *builder, _ int64, _ ID) { b.offsets = append(b.offsets, 0); b.list(Blob, junk, 1<<30) }},
		"offset_in_header": {"outside of the pack", 1, func(b *builder, _ int64, _ ID) { b.offsets = append(b.offsets, 0); b.list(Blob, junk, 3) }},
		"offset_in_stream": {"damaged", 1, func(b *builder, _ int64, _ ID) { b.list(Blob, junk, b.add(Blob, 10, nil, junk)+9) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBuilder()
			off, baseID := b.whole(Blob, base)
			_, goodID := b.ofs(off, good, append(bytes.Clone(base), '!'))
			tt.make(b, off, baseID)
			b.whole(Tag, []byte("tag"))
			stem := save(t, b.pack(), b.index(2, true))
			p, note, err := Open(stem, 20)
			if err != nil || note != nil {
				t.Fatal(note, err)
			}
			defer p.Close()
			for how, got := range map[string]*content{"walk": walk(t, p, 1<<30, noBase), "read": readAll(p, 1<<30, noBase)} {
				if len(got.bad) != tt.bad || len(got.objects) != p.Len()-tt.bad {
					t.Errorf("%s: %d objects are bad, want %d: %v", how, len(got.bad), tt.bad, got.err())
				}
				if len(got.twice) > 0 {
					t.Errorf("%s: reported twice: %s", how, got.twice)
				}
				if o := got.objects[goodID]; o.data != string(base)+"!" {
					t.Errorf("%s: a good object is %q", how, o.data)
				}
				for _, err := range got.bad {
					if !strings.Contains(err.Error(), tt.want) {
						t.Errorf("%s: error is %v, want %q", how, err, tt.want)
					}
				}
			}
		})
	}
}

// TestTooLarge: claims are weighed before there is memory for them.
func TestTooLarge(t *testing.T) {
	b := newBuilder()
	base := bytes.Repeat([]byte("0123456789abcdef"), 1<<12) // 64 KiB
	off, _ := b.whole(Blob, base)
	bomb := ops(sizes(len(base), 1<<16*30000), bytes.Repeat(copyFrom(0, 1<<16), 30000)) // 1.8 GiB
	_, bombID := b.ofs(off, bomb, []byte("a bomb"))
	eight := b.list(Blob, []byte("8 GB"), b.add(Blob, 8<<30, nil, []byte("8 GB")))
	p, note, err := Open(save(t, b.pack(), b.index(2, false)), 20)
	if err != nil || note != nil {
		t.Fatal(note, err)
	}
	defer p.Close()
	for how, read := range map[string]func() *content{
		"walk": func() *content { return walk(t, p, 256<<20, noBase) },
		"read": func() *content { return readAll(p, 256<<20, noBase) },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := read()
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 32 {
			t.Errorf("%s: %d MiB for a pack of %d bytes", how, n, b.entries.Len())
		}
		var tooLarge *TooLargeError
		if !errors.As(got.bad[bombID], &tooLarge) || tooLarge.Size != 1<<16*30000 {
			t.Errorf("%s: the bomb is %v", how, got.bad[bombID])
		}
		if !errors.Is(got.bad[eight], ErrDamaged) {
			t.Errorf("%s: what claims 8 GB is %v", how, got.bad[eight])
		}
	}
}

// TestTooLargeWithoutIndex: a pack of a KB that has no index, and claims 8 GB, is
// refused in little memory. What is before the claim is read.
func TestTooLargeWithoutIndex(t *testing.T) {
	const eight = 8 << 30
	base := make([]byte, 1<<16)
	bomb := func(from, size int) []byte { // a byte of instructions for each 64 KiB
		return ops(sizes(from, size), bytes.Repeat([]byte{0x80}, size>>16))
	}
	tests := []struct {
		name string
		make func(b *builder, off int64, id ID)
		want string // in the note
		read int    // objects
	}{
		{"whole", func(b *builder, _ int64, _ ID) { b.add(Blob, eight, nil, base) }, "which the rest of the pack cannot hold", 1},
		{"instructions", func(b *builder, off int64, _ ID) {
			b.add(ofsDelta, eight, distance(headerSize+int64(b.entries.Len())-off), bomb(len(base), len(base)))
		}, "which the rest of the pack cannot hold", 1},
		{"delta", func(b *builder, off int64, _ ID) { b.ofs(off, bomb(len(base), eight), nil) }, "1 of 2 objects have no base, or are deltas of more than 64 MiB", 1},
		{"delta_by_id", func(b *builder, _ int64, id ID) { b.ref(id, bomb(len(base), eight), nil) }, "1 of 2 objects", 1},
		{"delta_of_2_gigabytes", func(b *builder, off int64, _ ID) { b.ofs(off, bomb(len(base), 1<<31-1<<16), nil) }, "1 of 2 objects", 1},
		{"chain", func(b *builder, off int64, _ ID) {
			off, _ = b.ofs(off, bomb(len(base), eight), nil)
			for range 8 {
				off, _ = b.ofs(off, bomb(eight, eight)[:20], nil)
			}
		}, "9 of 10 objects", 1},
		{"chain_by_id", func(b *builder, _ int64, id ID) {
			for i := range 9 {
				_, id = b.ref(id, bomb(len(base), eight)[:1000], []byte{byte(i)})
			}
		}, "9 of 10 objects", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilder()
			off, id := b.whole(Blob, base)
			tt.make(b, off, id)
			data := b.pack()
			stem := save(t, data, nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, note, err := Open(stem, 20)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			got := walk(t, p, 1<<30, noBase)
			runtime.ReadMemStats(&after)
			if note == nil || !strings.Contains(note.Error(), tt.want) || !errors.Is(note, ErrDamaged) {
				t.Errorf("note %v, want %q", note, tt.want)
			}
			if len(got.objects) != tt.read || got.objects[id].data != string(base) {
				t.Errorf("%d objects of %d are read, %v", len(got.objects), p.Len(), got.err())
			}
			if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 16 || len(data) > 1100 {
				t.Errorf("%d MiB for a pack of %d bytes", n, len(data))
			}
		})
	}
}

// TestLimit: what is over the limit is a TooLargeError, whole or delta.
func TestLimit(t *testing.T) {
	b := newBuilder()
	off, _ := b.whole(Blob, bytes.Repeat([]byte("a"), 1000))
	_, made := b.ofs(off, ops(sizes(1000, 2000), copyFrom(0, 1000), copyFrom(0, 1000)), bytes.Repeat([]byte("a"), 2000))
	p, _, err := Open(save(t, b.pack(), b.index(2, false)), 20)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for limit, want := range map[int64]int{999: 0, 1000: 1, 1999: 1, 2000: 2} {
		for how, got := range map[string]*content{"walk": walk(t, p, limit, noBase), "read": readAll(p, limit, noBase)} {
			if how == "read" && limit < 1000 {
				continue // bug: see TestReadLimit
			}
			if len(got.objects) != want || len(got.objects)+len(got.bad) != 2 {
				t.Errorf("%s with limit %d: %d objects, want %d", how, limit, len(got.objects), want)
			}
			for id, err := range got.bad {
				var tooLarge *TooLargeError
				if !errors.As(err, &tooLarge) && (id != made || limit >= 1000) {
					t.Errorf("%s with limit %d: %v", how, limit, err)
				}
			}
		}
	}
}

// TestReadLimit: Read keeps its limit, below a MiB too.
func TestReadLimit(t *testing.T) {
	b := newBuilder()
	b.whole(Blob, make([]byte, 1000))
	p, _, err := Open(save(t, b.pack(), b.index(2, false)), 20)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := readAll(p, 999, noBase); len(got.objects) > 0 {
		t.Error("an object over the limit is read")
	}
}

// TestSameOffset: two ids at one offset, or an offset within an entry, as a
// mutated index has them.
func TestSameOffset(t *testing.T) {
	for _, shift := range []int64{0, 1, 2, 3} {
		b := newBuilder()
		off := b.add(Blob, 1000, nil, make([]byte, 1000))
		b.list(Blob, make([]byte, 1000), off)
		b.list(Blob, []byte("other"), off+shift)
		b.offsets = append(b.offsets, 0)
		p, _, err := Open(save(t, b.pack(), b.index(2, false)), 20)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for how, read := range map[string]func() *content{
			"walk": func() *content { return walk(t, p, 1<<30, noBase) }, "read": func() *content { return readAll(p, 1<<30, noBase) },
		} {
			func() {
				defer func() {
					if v := recover(); v != nil {
						t.Errorf("%s, shift %d: panic: %v", how, shift, v)
					}
				}()
				if got := read(); len(got.objects)+len(got.bad) != 2 {
					t.Errorf("%s, shift %d: %d objects and %d errors for 2", how, shift, len(got.objects), len(got.bad))
				}
			}()
		}
	}
}

// small is a pack of a few objects of every kind, and what is in it.
func small() (*builder, map[ID]object) {
	b, want := newBuilder(), map[ID]object{}
	add := func(typ Type, data string) (int64, ID) {
		off, id := b.whole(typ, []byte(data))
		want[id] = object{typ, data}
		return off, id
	}
	text := strings.Repeat("some text\n", 30)
	off, id := add(Blob, text)
	made := text[:100] + "new" + text[100:]
	delta := ops(sizes(len(text), len(made)), copyFrom(0, 100), insertOp("new"), copyFrom(100, len(text)-100))
	_, next := b.ofs(off, delta, []byte(made))
	want[next] = object{Blob, made}
	end := made + "end"
	_, last := b.ref(next, ops(sizes(len(made), len(end)), copyFrom(0, len(made)), insertOp("end")), []byte(end))
	want[last] = object{Blob, end}
	short := text[50:150]
	_, fourth := b.ref(id, ops(sizes(len(text), len(short)), copyFrom(50, 100)), []byte(short))
	want[fourth] = object{Blob, short}
	add(Blob, "")
	add(Blob, "x")
	add(Commit, "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n")
	add(Tree, "100644 f\x00aaaaaaaaaaaaaaaaaaaa")
	add(Tag, "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag t\n\nm\n")
	return b, want
}

// TestTruncated cuts a pack at many lengths, with its index and without.
func TestTruncated(t *testing.T) {
	b, want := small()
	whole, index := b.pack(), b.index(2, false)
	for n := 0; n < len(whole); n += 3 {
		for _, idx := range [][]byte{index, nil} {
			p, note, err := Open(save(t, whole[:n], idx), 20)
			if err != nil {
				if n >= headerSize+20 {
					t.Errorf("cut to %d bytes: %v", n, err)
				}
				continue
			}
			got := walk(t, p, 1<<30, noBase)
			if note == nil && len(got.bad) == 0 {
				t.Errorf("cut to %d bytes, and nothing is said", n)
			}
			for id, o := range got.objects {
				if want[id] != o {
					t.Errorf("cut to %d bytes: %s is %q", n, id, o.data)
				}
			}
			if idx != nil && len(got.objects)+len(got.bad) != len(want) {
				t.Errorf("cut to %d bytes: %d objects and %d errors for %d", n, len(got.objects), len(got.bad), len(want))
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestTruncatedIndex: an index that is cut off is replaced by a scan of the pack.
func TestTruncatedIndex(t *testing.T) {
	b, want := small()
	for _, version := range []int{1, 2} {
		index := b.index(version, false)
		for n := 0; n < len(index); n += 11 {
			p, note, err := Open(save(t, b.pack(), index[:n]), 20)
			if err != nil {
				t.Fatal(err)
			}
			if got := walk(t, p, 1<<30, noBase); note == nil || len(got.objects) != len(want) {
				t.Errorf("version %d cut to %d of %d bytes: note %v, %d objects", version, n, len(index), note, len(got.objects))
			}
			_ = p.Close()
		}
	}
}

// TestCutWhileMapped: a file that gets shorter after Open is an error of the
// objects that are gone, each once, not the end of the process. What was read into
// memory is all there.
func TestCutWhileMapped(t *testing.T) {
	b := newBuilder()
	first, _ := b.whole(Blob, []byte("first"))
	b.ofs(first, ops(sizes(5, 6), copyFrom(0, 5), insertOp("!")), []byte("first!"))
	big := make([]byte, 1<<20)
	for i := range big {
		big[i] = byte(i * i >> 7 * i) // does not compress well
	}
	for i := range 8 {
		big[0] = byte(i)
		off, _ := b.whole(Blob, big)
		b.ofs(off, ops(sizes(len(big), 3), copyFrom(0, 3)), fmt.Append(nil, "delta", i))
	}
	last, _ := b.ofs(first, ops(sizes(5, 4), copyFrom(0, 4)), []byte("firs")) // of a base that is still there
	b.ofs(last, ops(sizes(4, 3), copyFrom(0, 3)), []byte("fir"))
	for _, size := range []int64{0, 1, 5000} {
		for _, planted := range []bool{false, true} {
			stem := save(t, b.pack(), b.index(2, false))
			p, _, err := Open(stem, 20)
			if err != nil {
				t.Fatal(err)
			}
			if planted {
				p.trees()
			}
			if err := os.Truncate(stem+".pack", size); err != nil {
				t.Fatal(err)
			}
			for how, got := range map[string]*content{"walk": walk(t, p, 1<<30, noBase), "read": readAll(p, 1<<30, noBase)} {
				mapped := p.file.unmap != nil
				if mapped != (len(got.bad) > 0) || len(got.objects)+len(got.bad) != p.Len() || len(got.twice) > 0 {
					t.Errorf("%s, cut to %d, planted %v: %d objects, %d errors of %d, twice %s", how, size, planted, len(got.objects), len(got.bad), p.Len(), got.twice)
				}
			}
			_ = p.Close()
		}
	}
}

// TestCutIndexWhileMapped is TestCutWhileMapped for the index.
func TestCutIndexWhileMapped(t *testing.T) {
	for how, use := range map[string]func(*testing.T, *Pack){
		"walk": func(t *testing.T, p *Pack) { t.Helper(); checkFelled(t, p) },
		"read": func(_ *testing.T, p *Pack) { _, _, _ = p.Read(0, 1<<30, noBase) },
		"read_walk": func(t *testing.T, p *Pack) {
			t.Helper()
			_, _, _ = p.Read(0, 1<<30, noBase)
			checkFelled(t, p)
		},
		"find": func(_ *testing.T, p *Pack) { _ = Guard(func() error { p.Index().Find([]byte(ghost)); return nil }) },
		"id":   func(_ *testing.T, p *Pack) { _ = Guard(func() error { p.Index().ID(0); return nil }) },
	} {
		t.Run(how, func(t *testing.T) {
			b, _ := small()
			stem := save(t, b.pack(), b.index(2, false))
			p, _, err := Open(stem, 20)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if err := os.Truncate(stem+".idx", 0); err != nil {
				t.Fatal(err)
			}
			defer panicOnFault()() // else the process would end here
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("panic: %v", v)
				}
			}()
			use(t, p)
		})
	}
}

// checkFelled checks that a walk says that the index is gone, if it was mapped.
func checkFelled(t *testing.T, p *Pack) {
	t.Helper()
	err := p.Walk(t.Context(), Walk{Types: []Type{Blob}, Limit: 1 << 30, Base: noBase, Visitor: func() Visitor {
		return &identifier{p: p, hash: newHash(20), ids: newIDs(20, p.Len())}
	}})
	if errors.Is(err, ErrDamaged) != (p.index.file.unmap != nil) {
		t.Errorf("walk: %v", err)
	}
}

// TestUnlinked: git gc may delete a pack that is open.
func TestUnlinked(t *testing.T) {
	b, want := small()
	stem := save(t, b.pack(), b.index(2, false))
	p, _, err := Open(stem, 20)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := os.RemoveAll(filepath.Dir(stem)); err != nil {
		t.Skip("open files cannot be removed here:", err)
	}
	checkContent(t, p, walk(t, p, 1<<30, noBase), readAll(p, 1<<30, noBase))
	if p.Len() != len(want) {
		t.Errorf("%d objects", p.Len())
	}
}

// TestOddFiles: what is no pack is an error at once.
func TestOddFiles(t *testing.T) {
	b, _ := small()
	for name, put := range map[string]func(file string) error{
		"missing": func(string) error { return nil },
		"empty":   func(file string) error { return os.WriteFile(file, nil, 0o600) },
		"text":    func(file string) error { return os.WriteFile(file, []byte(strings.Repeat("text ", 20)), 0o600) },
		"version_4": func(file string) error {
			return os.WriteFile(file, append([]byte("PACK\x00\x00\x00\x04"), b.pack()[8:]...), 0o600)
		},
		"directory": func(file string) error { return os.Mkdir(file, 0o700) },
		"fifo":      func(file string) error { return exec.Command("mkfifo", file).Run() },
		"device":    func(file string) error { return os.Symlink("/dev/zero", file) },
		"circle":    func(file string) error { return os.Symlink(file, file) },
	} {
		t.Run(name, func(t *testing.T) {
			stem := save(t, nil, b.index(2, false))
			_ = os.Remove(stem + ".pack")
			if err := put(stem + ".pack"); err != nil {
				t.Skip(err)
			}
			done := make(chan error, 1)
			go func() {
				_, _, err := Open(stem, 20)
				done <- err
			}()
			select {
			case err := <-done:
				if err == nil {
					t.Error("no error")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("Open waits")
			}
		})
	}
}

// TestEmpty reads a pack without objects, which git makes for an empty push.
func TestEmpty(t *testing.T) {
	b := newBuilder()
	for _, index := range [][]byte{b.index(1, false), b.index(2, false), nil} {
		p, note, err := Open(save(t, b.pack(), index), 20)
		if err != nil || note != nil {
			t.Fatal(note, err)
		}
		if got := walk(t, p, 1<<30, noBase); p.Len() != 0 || len(got.objects)+len(got.bad) > 0 || p.Index().Find([]byte(ghost)) >= 0 {
			t.Errorf("%d objects in an empty pack", p.Len())
		}
		_ = p.Close()
	}
}

// TestOutside reads deltas whose base is elsewhere, as in a thin pack.
func TestOutside(t *testing.T) {
	base := []byte(strings.Repeat("base ", 50))
	b := newBuilder()
	made := string(base) + "!"
	off, first := b.ref(Sum(20, Blob, base), ops(sizes(len(base), len(made)), copyFrom(0, len(base)), insertOp("!")), []byte(made))
	_, second := b.ofs(off, ops(sizes(len(made), len(made)+1), copyFrom(0, len(made)), insertOp("?")), []byte(made+"?"))
	p, note, err := Open(save(t, b.pack(), b.index(2, false)), 20)
	if err != nil || note != nil {
		t.Fatal(note, err)
	}
	defer p.Close()
	outside := func(ID) (Type, []byte, error) { return Blob, base, nil }
	for how, got := range map[string]*content{"walk": walk(t, p, 1<<30, outside), "read": readAll(p, 1<<30, outside)} {
		if got.objects[first].data != made || got.objects[second].data != made+"?" || len(got.bad) > 0 {
			t.Errorf("%s: %v, %v", how, texts(got), got.err())
		}
	}
}

// TestChainWithoutIndex: each delta by id is known only when its base is. Chains
// that are longer than any of git's are given up, and not followed one by one.
func TestChainWithoutIndex(t *testing.T) {
	for _, n := range []int{50, 500} {
		b := newBuilder()
		text := "start"
		_, id := b.whole(Blob, []byte(text))
		for i := range n {
			next := fmt.Sprint("text ", i)
			_, id = b.ref(id, ops(sizes(len(text), len(next)), insertOp(next)), []byte(next))
			text = next
		}
		p, note, err := Open(save(t, b.pack(), nil), 20)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Len(); n == 50 && (got != n+1 || note != nil) || n > 50 && (got < 60 || got > 70 || note == nil) {
			t.Errorf("%d links: %d objects, note %v", n, got, note)
		}
		_ = p.Close()
	}
}

// TestManyCPUs: there are machines with more than 64.
func TestManyCPUs(t *testing.T) {
	if testing.Short() {
		t.Skip("makes an index of a million objects")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(100))
	b := newBuilder()
	b.whole(Blob, []byte("x"))
	const n = 66 << 14
	p := &Pack{hash: 20, file: &mapping{data: b.pack()}, index: &Index{hash: 20, n: n, stride: 20, offEvery: 4, ids: make([]byte, 20*n)}}
	p.index.offsets = bytes.Repeat(binary.BigEndian.AppendUint32(nil, headerSize), n)
	p.end = int64(len(p.file.data) - 20)
	done := make(chan bool)
	go func() {
		p.plant()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("plant hangs")
	}
}

// TestCancelled: a walk ends when it is told to, and when a visitor says so.
func TestCancelled(t *testing.T) {
	b, _ := small()
	p, _, err := Open(save(t, b.pack(), b.index(2, false)), 20)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := Walk{Types: allTypes, Limit: 1 << 30, Base: noBase, Visitor: func() Visitor { return stopper{} }}
	if err := p.Walk(ctx, w); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := p.Walk(t.Context(), w); !errors.Is(err, errStop) {
		t.Errorf("stopped: %v", err)
	}
}

var errStop = errors.New("stop")

type stopper struct{}

func (stopper) Visit(*Node) error    { return errStop }
func (stopper) Bad(int, error) error { return errStop }
func (stopper) Done(any)             {}
