// Package wordsearch finds which of many words are in a text.
package wordsearch

import (
	"encoding/binary"
	"math"
	"strings"
)

// A Finder finds words in a text, with ASCII letters in either case. Once all words are added,
// it may be used concurrently.
//
// At each offset it makes a number of 19 bits of the next four bytes, without the bit that
// tells capital letters from small ones. The number is an index into a bitmap of 64 KiB, which
// says whether the four rarest bytes of a word stand there. At most offsets that lookup is all.
// The automaton of Aho and Corasick would be slower: its table does not fit the caches, and
// each step waits for the one before.
type Finder struct {
	bits  [1 << hashBits / 64]uint64
	heads [1 << hashBits / chainHashes]uint16 // index of the first link of a chain, plus one
	links []link
	short [256][]link // the words of less than four bytes, by their first byte
	count int
	index map[string]int
}

// A link is one word in the chain of words with nearly the same hash.
type link struct {
	word string
	id   int
	from int    // offset of the four bytes in the word
	next uint16 // index of the next link, plus one
}

const (
	hashBits    = 19
	chainHashes = 16
	maxLinks    = 1<<16 - 1
	gramSize    = 4
	step        = 5 // offsets of which eight bytes hold the four bytes
	fold        = 0x2020202020202020
)

// byFrequency are the characters of words, roughly as often as they are in source code.
const byFrequency = "etaoinsrdlcupm_fhgybv-wk.x/jqz:0123456789"

// hash returns the number of four bytes, which have the bits of fold.
func hash(folded uint32) uint32 { return folded * 0x9e3779b1 >> (32 - hashBits) }

func (w *Finder) has(h uint32) bool { return w.bits[h/64]&(1<<(h%64)) != 0 }

func (w *Finder) set(h uint32) { w.bits[h/64] |= 1 << (h % 64) }

// Add adds word, which is lower case and not empty, and returns its number. It returns -1 if
// there is no room.
func (w *Finder) Add(word string) int {
	if id, ok := w.index[word]; ok {
		return id
	}
	if len(w.links) == maxLinks {
		return -1
	}
	if w.index == nil {
		w.index = map[string]int{}
	}
	id := w.count
	w.count++
	w.index[word] = id
	if len(word) < gramSize {
		w.short[word[0]] = append(w.short[word[0]], link{word: word, id: id})
		w.addBeginnings(0, word, 0)
		return id
	}
	from := rarest(word)
	h := hash(binary.LittleEndian.Uint32([]byte(word[from:])) | fold&math.MaxUint32)
	head := &w.heads[h/chainHashes]
	w.links = append(w.links, link{word, id, from, *head})
	*head = uint16(len(w.links))
	w.set(h)
	return id
}

// rarest returns the offset of the four bytes of word that are the least frequent.
func rarest(word string) (from int) {
	best := -1
	for i := range len(word) - gramSize + 1 {
		score := 0
		for _, c := range []byte(word[i : i+gramSize]) {
			score += strings.IndexByte(byFrequency, c)
		}
		if score > best {
			best, from = score, i
		}
	}
	return from
}

// addBeginnings notes all beginnings of texts with word, of which the first n bytes are in gram.
func (w *Finder) addBeginnings(gram uint32, word string, n int) {
	switch {
	case len(word) < 2:
		for i := range w.bits {
			w.bits[i] = math.MaxUint64
		}
	case n == gramSize:
		w.set(hash(gram))
	case n < len(word):
		w.addBeginnings(gram|uint32(word[n]|fold&0xff)<<(8*n), word, n+1)
	default: // a short word may be followed by anything
		for c := range uint32(256) {
			if c&(fold&0xff) != 0 {
				w.addBeginnings(gram|c<<(8*n), word, n+1)
			}
		}
	}
}

// Find calls hit for each word in text, nearly in the order of their offsets, until hit returns
// false.
func (w *Finder) Find(text []byte, hit func(at, id int) bool) {
	if w.count == 0 {
		return
	}
	i := 0
	for ; i+8 <= len(text); i += step {
		x := binary.LittleEndian.Uint64(text[i:]) | fold
		a, b, c, d, e := hash(uint32(x)), hash(uint32(x>>8)), hash(uint32(x>>16)), hash(uint32(x>>24)), hash(uint32(x>>32))
		if !w.has(a) && !w.has(b) && !w.has(c) && !w.has(d) && !w.has(e) {
			continue
		}
		for k, h := range [step]uint32{a, b, c, d, e} {
			if w.has(h) && !w.at(text, i+k, h, hit) {
				return
			}
		}
	}
	for ; i < len(text); i++ {
		var last [gramSize]byte
		copy(last[:], text[i:])
		h := hash(binary.LittleEndian.Uint32(last[:]) | fold&math.MaxUint32)
		if w.has(h) && !w.at(text, i, h, hit) {
			return
		}
	}
}

// at calls hit for the words of which the four bytes at an offset, with the hash h, are a part.
func (w *Finder) at(text []byte, at int, h uint32, hit func(at, id int) bool) bool {
	for n := w.heads[h/chainHashes]; n > 0; n = w.links[n-1].next {
		l := &w.links[n-1]
		if start := at - l.from; start >= 0 && hasWord(text[start:], l.word) && !hit(start, l.id) {
			return false
		}
	}
	for i := range w.short[Lower(text[at])] {
		if l := &w.short[Lower(text[at])][i]; hasWord(text[at:], l.word) && !hit(at, l.id) {
			return false
		}
	}
	return true
}

// hasWord reports whether text begins with word, in either case. word is lower case.
func hasWord(text []byte, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if Lower(text[i]) != word[i] {
			return false
		}
	}
	return true
}

// Lower returns c in lower case, if it is a letter of ASCII.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Any reports whether text holds one of the words.
func (w *Finder) Any(text []byte) bool {
	found := false
	w.Find(text, func(int, int) bool {
		found = true
		return false
	})
	return found
}
