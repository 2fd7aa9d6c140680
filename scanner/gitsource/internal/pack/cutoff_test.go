package pack

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// TestCutOff: of a pack that git is still writing, each object is read that is there as
// a whole, wherever it ends, and that it ends is told from damage.
func TestCutOff(t *testing.T) {
	b, want := small()
	whole := b.pack()
	ends := append(bytesOf(b.offsets[1:]), len(whole)-20) // of the entries, in their order
	at := func(file []byte) (*Pack, error) {
		stem := save(t, file, nil)
		p, note, err := OpenAlone(stem+".pack", 20)
		return p, errors.Join(note, err)
	}
	for n := range len(whole) {
		p, err := at(whole[:n])
		if !errors.Is(err, ErrCutOff) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
		if p == nil {
			if n >= headerSize+20 {
				t.Errorf("cut to %d bytes: nothing is read", n)
			}
			continue
		}
		there := 0
		for _, end := range ends {
			if end <= n {
				there++
			}
		}
		if p.Len() != there {
			t.Errorf("cut to %d bytes: %d objects, %d are there", n, p.Len(), there)
		}
		for id, o := range walk(t, p, 1<<30, noBase).objects {
			if want[id] != o {
				t.Errorf("cut to %d bytes: %s is %q", n, id, o.data)
			}
		}
		_ = p.Close()
	}
	for i, off := range b.offsets {
		bad := bytes.Clone(whole)
		bad[off] |= 0x70 // a delta by id, of 20 bytes that are none
		copy(bad[off+1:], bytes.Repeat([]byte{0xff}, 6))
		p, err := at(bad)
		if err == nil || errors.Is(err, ErrCutOff) {
			t.Errorf("object %d is damaged: %v", i, err)
		}
		if p != nil {
			_ = p.Close()
		}
	}
}

func bytesOf(offsets []int64) (list []int) {
	for _, off := range offsets {
		list = append(list, int(off))
	}
	return list
}

// TestOpenIndexed: git looks up nothing in a pack without an index, or in an index
// without a pack.
func TestOpenIndexed(t *testing.T) {
	b, want := small()
	for name, gone := range map[string]string{"both": "", "no_index": ".idx", "no_pack": ".pack"} {
		t.Run(name, func(t *testing.T) {
			stem := save(t, b.pack(), b.index(2, false))
			if gone != "" {
				if err := os.Remove(stem + gone); err != nil {
					t.Fatal(err)
				}
			}
			p, note, err := OpenIndexed(stem, 20)
			if gone != "" {
				if !errors.Is(err, os.ErrNotExist) || note != nil || p != nil {
					t.Errorf("%v, %v", note, err)
				}
				return
			}
			if err != nil || note != nil || p.Len() != len(want) {
				t.Fatal(note, err)
			}
			_ = p.Close()
		})
	}
}
