package reftable

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write writes tables and the list of them, the oldest first.
func write(t testing.TB, tables ...[]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	var list strings.Builder
	for i, data := range tables {
		name := fmt.Sprintf("%d.ref", i)
		fmt.Fprintln(&list, name)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "tables.list"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// many returns refs in several blocks.
func many(n, size int) (refs []Ref) {
	for i := range n {
		refs = append(refs, Ref{Name: fmt.Sprintf("refs/tags/v%04d", i), ID: id(string(rune('a'+i%26)), size)})
	}
	return refs
}

// TestRefs: a newer record hides an older one, and a deletion is one.
func TestRefs(t *testing.T) {
	const size = 20
	head, main := Ref{Name: "HEAD", Target: "refs/heads/main"}, Ref{Name: "refs/heads/main", ID: id("m", size)}
	moved, gone := Ref{Name: main.Name, ID: id("n", size)}, Ref{Name: main.Name}
	tests := []struct {
		name   string
		tables []testTable
		want   []Ref
	}{
		{"none", nil, []Ref{}},
		{"empty", []testTable{{}}, []Ref{}},
		{"one", []testTable{{refs: []Ref{head, main}}}, []Ref{head, main}},
		{"moved", []testTable{{refs: []Ref{head, main}}, {refs: []Ref{moved}}}, []Ref{head, moved}},
		{"deleted", []testTable{{refs: []Ref{head, main}}, {refs: []Ref{gone}}}, []Ref{head}},
		{"again", []testTable{{refs: []Ref{head, main}}, {refs: []Ref{gone}}, {refs: []Ref{moved}}}, []Ref{head, moved}},
		{"logs_alone", []testTable{{logs: []Entry{{Ref: "HEAD", New: id("n", size)}}}}, []Ref{}},
		{"blocks", []testTable{{blockSize: 256, refs: many(300, size)}}, many(300, size)},
		{"block_not_padded", []testTable{{refs: many(300, size)}}, many(300, size)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tables [][]byte
			for _, table := range tt.tables {
				tables = append(tables, table.encode())
			}
			s, errs := Open(write(t, tables...), size)
			got, more := s.Refs()
			if diff := cmp.Diff(tt.want, got); diff != "" || len(errs)+len(more) > 0 {
				t.Errorf("refs (-want +got), %v, %v:\n%s", errs, more, diff)
			}
			for _, want := range tt.want {
				if ref, ok, err := s.Ref(want.Name); ref != want || !ok || err != nil {
					t.Errorf("%s: got %v, %v, %v", want.Name, ref, ok, err)
				}
			}
			for _, name := range []string{"", "refs/heads", "refs/tags/v0003x", "z", "refs/heads/main"} {
				_, ok, err := s.Ref(name)
				if listed := strings.Contains(fmt.Sprint(tt.want), "{"+name+" "); ok != listed || err != nil {
					t.Errorf("%q: found %v, %v", name, ok, err)
				}
			}
		})
	}
}

// TestLastBlock: the last block, damaged so that it calls itself an index, is missed.
func TestLastBlock(t *testing.T) {
	table := testTable{blockSize: 256, refs: many(300, 20)}.encode()
	last := (len(table) - 68 - 1) / 256 * 256
	if table[last] != refBlocks {
		t.Fatalf("a block of kind %q", table[last])
	}
	table[last] = indexBlocks
	s, _ := Open(write(t, table), 20)
	refs, errs := s.Refs()
	if len(errs) != 1 || len(refs) == 0 || len(refs) == 300 {
		t.Errorf("%d refs, %v", len(refs), errs)
	}
}

func TestLogs(t *testing.T) {
	for _, size := range []int{20, 32} {
		zero, a, b := id("\x00", size), id("a", size), id("b", size)
		older := testTable{sha256: size == 32, refs: many(3, size), logs: []Entry{
			{Ref: "HEAD", index: 300, Old: a, New: b, Line: "second"},
			{Ref: "HEAD", index: 2, Old: zero, New: a, Line: "first"},
			{Ref: "refs/heads/empty", index: 2, Old: zero, New: zero},
			{Ref: "refs/stash", index: 9, Old: zero, New: a, Line: "dropped"},
		}}
		newer := testTable{sha256: size == 32, logs: []Entry{{Ref: "HEAD", index: 301, Old: b, New: a, Line: "third"}, {Ref: "refs/stash", index: 9}}}
		s, errs := Open(write(t, older.encode(), newer.encode()), size)
		entries, more := s.Logs()
		var got []string
		for _, e := range entries {
			got = append(got, e.Ref+" "+e.Line)
		}
		line := "HEAD %s %s Ada <ada@example.com> 60 +0130\t%s"
		want := []string{fmt.Sprintf(line, b, a, "third"), fmt.Sprintf(line, a, b, "second"), fmt.Sprintf(line, zero, a, "first")}
		if diff := cmp.Diff(want, got); diff != "" || len(errs)+len(more) > 0 {
			t.Errorf("logs (-want +got), %v, %v:\n%s", errs, more, diff)
		}
	}
}

// TestDamaged: a part that cannot be read is an error, and the others are read.
func TestDamaged(t *testing.T) {
	const size = 20
	refs := many(60, size)
	table := testTable{blockSize: 256, refs: refs, logs: []Entry{{Ref: "HEAD", index: 1, Old: id("a", size), New: id("b", size), Line: "message"}}}
	whole := table.encode()
	older := testTable{refs: []Ref{{Name: "refs/heads/main", ID: id("m", size)}}}.encode()
	garble := func(at int, text string) []byte {
		data := bytes.Clone(whole)
		copy(data[at:], text)
		return data
	}
	logs := bytes.LastIndexByte(whole[:len(whole)-68], logBlocks)
	tests := []struct {
		name       string
		data       []byte
		refs, logs int // that are read all the same, with that of the older table
		err        string
	}{
		{"whole", whole, 61, 1, ""},
		{"kind_of_block", garble(512, "x"), 54, 1, "block at 512: it is of another kind"},
		{"zeros", garble(512, strings.Repeat("\x00", 256)), 54, 1, "block at 512: it is of another kind"},
		{"length", garble(513, "\xff\xff\xff"), 54, 1, "block at 512: its length is wrong"},
		{"key", garble(520, "\x7f"), 56, 1, "block at 512: damaged: the keys are not in order"},
		{"first_kind", garble(24, "x"), 55, 1, "block at 0: it is of another kind"},
		{"header", garble(9, "x"), 1, 0, "header and footer differ"},
		{"version", garble(4, "\x09"), 1, 0, "reftable of version 9, which is not known"},
		{"magic", garble(0, "R3FT"), 1, 0, "not a reftable"},
		{"footer", garble(len(whole)-30, "x"), 1, 0, "checksum of the footer"},
		{"cut", whole[:len(whole)/2], 1, 0, "checksum of the footer"},
		{"short", whole[:40], 1, 0, "cut off after 40 bytes"},
		{"empty", nil, 1, 0, "not a reftable"},
		{"other_ids", testTable{sha256: true, refs: many(1, 32)}.encode(), 1, 0, `ids of format "s256"`},
		{"log", garble(logs+20, "xx"), 61, 0, fmt.Sprintf("block at %d: inflate: ", logs)},
		{"bomb", bomb(), 1, 0, "more text than the refs of a repository have"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, errs := Open(write(t, older, tt.data), size)
			s.room = min(s.room, 1<<20)
			refs, noRefs := s.Refs()
			logs, noLogs := s.Logs()
			if tt.name == "bomb" {
				refs = refs[:1]
			}
			if len(refs) != tt.refs || len(logs) != tt.logs {
				t.Errorf("%d refs, %d entries of logs, want %d, %d", len(refs), len(logs), tt.refs, tt.logs)
			}
			errs = append(append(errs, noRefs...), noLogs...)
			if got := errors.Join(errs...); tt.err == "" && got != nil || tt.err != "" && (got == nil || !strings.Contains(got.Error(), "table 1.ref: ") || !strings.Contains(got.Error(), tt.err)) {
				t.Errorf("error %v, want %q", got, tt.err)
			}
			// The older record counts only if no newer one may hide it.
			_, ok, err := s.Ref("refs/heads/main")
			if sure := tt.refs > 50 && (tt.err == "" || tt.name == "log"); tt.name != "bomb" && (ok != sure || (err == nil) != sure) {
				t.Errorf("refs/heads/main: found %v, %v", ok, err)
			}
		})
	}
}

// bomb returns a table whose names are a thousand times as long as itself.
func bomb() []byte {
	b := newBlock(24)
	for i := range 1000 {
		b.count, b.last = 2*i, "" // a restart for the first alone
		if i > 0 {
			b.count, b.last = 1, strings.Repeat("n", maxKey/2)+fmt.Sprintf("%05d", i-1)
		}
		b.add(strings.Repeat("n", maxKey/2)+fmt.Sprintf("%05d", i), 0, []byte{0})
	}
	empty := testTable{}.encode()
	return append(b.finish(empty[:24:24], refBlocks), empty[24:]...)
}

// TestLists: a list may name no file elsewhere, and a table that is gone is an error.
func TestLists(t *testing.T) {
	dir := write(t, testTable{refs: many(2, 20)}.encode())
	for list, want := range map[string]string{
		"0.ref\n":               "",
		"0.ref":                 "",
		"../x/0.ref\n0.ref\n":   `table ../x/0.ref: "../x/0.ref" is not the name of a table`,
		"gone.ref\n0.ref\n":     "table gone.ref: the file is missing",
		"0.ref\n\x1b[31m.ref\n": "table ",
	} {
		if err := os.WriteFile(filepath.Join(dir, "tables.list"), []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		s, errs := Open(dir, 20)
		refs, more := s.Refs()
		if got := errors.Join(append(errs, more...)...); len(refs) != 2 || (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("%q: %d refs, %v", list, len(refs), got)
		}
	}
}

// TestMerging: tables that git merges while they are read are found in their new place.
func TestMerging(t *testing.T) {
	table := testTable{refs: many(2, 20)}.encode()
	dir := write(t, table)
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		last := "0.ref"
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name, list := fmt.Sprintf("%d.ref", i), filepath.Join(dir, "tables.list")
			err := errors.Join(os.WriteFile(filepath.Join(dir, name), table, 0o600), os.WriteFile(list+".lock", []byte(name+"\n"), 0o600),
				os.Rename(list+".lock", list), os.Remove(filepath.Join(dir, last)))
			if err != nil {
				t.Error(err)
				return
			}
			last = name
		}
	})
	for range 2000 {
		s, errs := Open(dir, 20)
		if refs, more := s.Refs(); len(refs) != 2 || len(errs)+len(more) > 0 {
			t.Fatal(len(refs), errs, more)
		}
	}
	close(stop)
	writer.Wait()
}

// FuzzTable: a table is read or refused. Its checksum is corrected, which fuzzing does not
// find.
func FuzzTable(f *testing.F) {
	logs := []Entry{{Ref: "HEAD", index: 1, Old: id("a", 20), New: id("b", 20), Line: "message"}}
	f.Add(testTable{blockSize: 256, refs: many(30, 20), logs: logs}.encode())
	f.Add(testTable{refs: append([]Ref{{Name: "HEAD", Target: "refs/heads/main"}, {Name: "gone"}}, many(3, 20)...)}.encode())
	f.Add(testTable{logs: logs}.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 92 || len(data) > 1<<16 {
			t.Skip("parse refuses it, or a small table shows as much")
		}
		data = bytes.Clone(data)
		copy(data[len(data)-68:], data[:24])
		parsed, err := parse(withSum(data, 24), 20)
		if err != nil {
			return
		}
		s := &Stack{tables: []*table{parsed}, names: []string{"fuzz"}, room: 1 << 20}
		refs, _ := s.Refs()
		entries, _ := s.Logs()
		total := 0
		for _, r := range refs {
			total += len(r.Name) + len(r.Target)
		}
		for _, e := range entries {
			total += len(e.Ref) + len(e.Line)
		}
		if total > 1<<20 {
			t.Errorf("%d bytes of text", total)
		}
		for _, r := range refs[:min(len(refs), 3)] {
			if got, ok, err := s.Ref(r.Name); err == nil && (!ok || got != r) {
				t.Errorf("%q: listed as %v, found as %v, %v", r.Name, r, got, ok)
			}
		}
	})
}

// BenchmarkRef looks one ref up among 100,000.
func BenchmarkRef(b *testing.B) {
	refs := make([]Ref, 100000)
	for i := range refs {
		refs[i] = Ref{Name: fmt.Sprintf("refs/tags/v%06d", i), ID: id("a", 20)}
	}
	s, _ := Open(write(b, testTable{blockSize: 4096, refs: refs}.encode()), 20)
	for b.Loop() {
		if _, ok, err := s.Ref("refs/tags/v000100"); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
