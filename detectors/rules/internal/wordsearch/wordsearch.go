// Package wordsearch finds which of many words are in a text.
package wordsearch

// A Finder finds words in a text, with ASCII letters in either case.
//
// It reads a text once and keeps six bits of each of the last three bytes. These 18 bits are
// an index into a bitmap of 32 KiB, which says whether a word begins so. At most offsets
// that lookup is all. The automaton of Aho and Corasick would be slower: its table does not
// fit the caches, and each step waits for the one before. With five bits a byte, "%s" would
// be "es".
type Finder struct {
	bits  [keys / 64]uint64
	heads [keys]uint16 // index of the first link of a chain, plus one
	links []link
	list  []string
	index map[string]int
}

// A link is one word in the chain of words that begin alike.
type link struct {
	word string
	id   int
	next uint16 // index of the next link, plus one
}

const (
	maxLinks  = 1<<16 - 1
	classBits = 6
	keys      = 1 << (3 * classBits)
)

// byteClasses has a number for each letter, in either case, and each digit, and a few
// for all other bytes.
var byteClasses = func() (classes [256]uint8) {
	for c := range classes {
		switch c := byte(c); {
		case 'a' <= Lower(c) && Lower(c) <= 'z':
			classes[c] = Lower(c) - 'a'
		case '0' <= c && c <= '9':
			classes[c] = 26 + c - '0'
		default:
			classes[c] = 36 + c%28
		}
	}
	return classes
}()

// Add adds word, which is lower case and not empty, and returns its number. It returns -1 if
// there is no room.
func (w *Finder) Add(word string) int {
	if id, ok := w.index[word]; ok {
		return id
	}
	starts := []uint{0}
	for i := range 3 {
		var longer []uint
		for _, k := range starts {
			if i < len(word) {
				longer = append(longer, k<<classBits|uint(byteClasses[word[i]]))
				continue
			}
			for c := range uint(1 << classBits) { // a short word may be followed by anything
				longer = append(longer, k<<classBits|c)
			}
		}
		starts = longer
	}
	if len(w.links)+len(starts) > maxLinks {
		return -1
	}
	id := len(w.list)
	if w.index == nil {
		w.index = map[string]int{}
	}
	w.index[word] = id
	w.list = append(w.list, word)
	for _, k := range starts {
		w.bits[k/64] |= 1 << (k % 64)
		w.links = append(w.links, link{word, id, w.heads[k]})
		w.heads[k] = uint16(len(w.links))
	}
	return id
}

// Find calls hit for each word in text, in the order of their offsets, until hit returns
// false.
func (w *Finder) Find(text []byte, hit func(at, id int) bool) {
	if len(w.links) == 0 {
		return
	}
	k := uint(0)
	for i, c := range text {
		k = (k<<classBits | uint(byteClasses[c])) % keys
		if w.bits[k/64]&(1<<(k%64)) != 0 && i >= 2 && !w.at(text, i-2, k, hit) {
			return
		}
	}
	for i := len(text); i < len(text)+2; i++ { // a short word at the end
		if k = k << classBits % keys; i >= 2 && !w.at(text, i-2, k, hit) {
			return
		}
	}
}

func (w *Finder) at(text []byte, at int, k uint, hit func(at, id int) bool) bool {
	for n := w.heads[k]; n > 0; n = w.links[n-1].next {
		if l := &w.links[n-1]; hasWord(text[at:], l.word) && !hit(at, l.id) {
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
