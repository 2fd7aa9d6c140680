package regexplan

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
)

// A machine tells fast that an expression does not match at an offset. It is a deterministic
// automaton over bytes whose states are made when they are needed. It errs to one side: it
// may say yes where the expression does not match. It accepts \b, ^ and $ everywhere, takes
// all bytes other than ASCII for equal, and reads a bounded number of bytes.
//
// Package regexp has no such automaton and takes fifty times as long. A word such as "key"
// is in every other line.
type machine struct {
	prog    *syntax.Prog
	sets    []byteSet // by instruction: the bytes that it takes
	classes [256]uint8
	samples []byte // a byte of each class
	first   []uint32
}

// A byteSet is the set of bytes that an instruction takes.
type byteSet struct {
	bits [4]uint64
	wide bool // it takes any number of bytes other than ASCII
}

func (s *byteSet) has(c byte) bool { return s.bits[c/64]&(1<<(c%64)) != 0 }
func (s *byteSet) set(c byte)      { s.bits[c/64] |= 1 << (c % 64) }

// add adds a range of characters.
func (s *byteSet) add(lo, hi rune) {
	for r := lo; r <= hi && r < utf8.RuneSelf; r++ {
		s.set(byte(r))
	}
	if hi >= utf8.RuneSelf && hi != longS && hi != kelvin {
		s.wide = true
		s.bits[2], s.bits[3] = ^uint64(0), ^uint64(0)
	}
}

func (s *byteSet) merge(t *byteSet) {
	for i := range s.bits {
		s.bits[i] |= t.bits[i]
	}
	s.wide = s.wide || t.wide
}

// Reach is the number of bytes that a machine reads for the prefilter. If the match may still
// go on there, the answer is yes.
const Reach = 512

func newMachine(re *syntax.Regexp) *machine {
	prog, err := syntax.Compile(re.Simplify())
	if err != nil { // package regexp ignores this error too: a parsed expression compiles
		panic(err)
	}
	m := &machine{prog: prog, sets: make([]byteSet, len(prog.Inst))}
	distinct := map[byteSet]bool{}
	for i := range prog.Inst {
		m.sets[i] = bytesOf(&prog.Inst[i])
		distinct[m.sets[i]] = true
	}
	// Bytes that are in the same sets are one class.
	index := map[string]uint8{}
	sets := make([]byteSet, 0, len(distinct))
	for s := range distinct {
		sets = append(sets, s)
	}
	for c := range 256 {
		signature := make([]byte, len(sets)+1)
		for i := range sets {
			if sets[i].has(byte(c)) {
				signature[i] = 1
			}
		}
		if c >= utf8.RuneSelf {
			signature[len(sets)] = 1
		}
		class, ok := index[string(signature)]
		if !ok {
			class = uint8(len(m.samples))
			index[string(signature)] = class
			m.samples = append(m.samples, byte(c))
		}
		m.classes[c] = class
	}
	m.first, _ = m.closure(nil, uint32(prog.Start), make(visited, len(prog.Inst)))
	slices.Sort(m.first)
	return m
}

// bytesOf returns the bytes that an instruction takes.
func bytesOf(i *syntax.Inst) (s byteSet) {
	switch i.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
	default:
		return s
	}
	for c := range byte(utf8.RuneSelf) {
		if i.MatchRune(rune(c)) {
			s.set(c)
		}
	}
	if i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL {
		s.add(utf8.RuneSelf, unicode.MaxRune)
	}
	for _, r := range i.Rune {
		if r >= utf8.RuneSelf {
			s.add(r, r)
		}
	}
	return s
}

// visited are the instructions that a walk has come by.
type visited []bool

// closure appends to list the instructions that can be reached from pc without a byte and
// take one. It reports whether the match can end there.
func (m *machine) closure(list []uint32, pc uint32, seen visited) ([]uint32, bool) {
	if seen[pc] {
		return list, false
	}
	seen[pc] = true
	i := &m.prog.Inst[pc]
	switch i.Op {
	case syntax.InstMatch:
		return list, true
	case syntax.InstFail:
		return list, false
	case syntax.InstAlt, syntax.InstAltMatch:
		list, a := m.closure(list, i.Out, seen)
		list, b := m.closure(list, i.Arg, seen)
		return list, a || b
	case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
		return m.closure(list, i.Out, seen)
	}
	return append(list, pc), false
}

// The first states of a run. Others are made from firstState on.
const (
	unmade int32 = iota
	dead
	firstState
)

// A Run is a machine with the states made so far. It is used by one goroutine at a time.
type Run struct {
	*machine
	plan   *Plan
	next   []int32 // by state and class
	states [][]uint32
	ends   []bool // by state: a match can end there
	index  map[string]int32
	seen   visited // of a step
}

// maxStates bounds the memory of a run. If there are more states, it starts over.
const maxStates = 4096

// NewRun returns a Run of the machine of p, which is made on first use.
func (p *Plan) NewRun() *Run {
	r := &Run{machine: p.machine(), plan: p}
	r.seen = make(visited, len(r.prog.Inst))
	r.reset()
	return r
}

// Window returns the piece of text that holds every match with one of Starts at an offset.
// ok is false if there is no such match. It reads Reach bytes, or more if far is true: then the
// piece is shorter.
func (r *Run) Window(text []byte, at int, far bool) (w detectors.Span, ok bool) {
	limit := Reach
	if far && !r.plan.tail.unbounded {
		limit = maxReach
	}
	end, ok := r.mayMatch(text[at:], limit)
	switch {
	case !ok:
		return w, false
	case end < limit:
		w.End = min(at+end+utf8.UTFMax, len(text))
	default:
		w.End = r.plan.tail.endAfter(text, at)
	}
	w.Start = r.plan.before.startBefore(text, at)
	return w, true
}

func (r *Run) reset() {
	r.next, r.states, r.ends, r.index = r.next[:0], r.states[:0], r.ends[:0], map[string]int32{}
	r.state(r.first, false)
}

// state returns the number of the state with these instructions, which are sorted.
func (r *Run) state(pcs []uint32, ends bool) int32 {
	key := make([]byte, 0, 4*len(pcs)+1)
	if ends {
		key = append(key, 1)
	}
	for _, pc := range pcs {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	if s, ok := r.index[string(key)]; ok {
		return s
	}
	s := int32(len(r.states)) + firstState
	r.index[string(key)] = s
	r.states, r.ends = append(r.states, pcs), append(r.ends, ends)
	r.next = append(r.next, make([]int32, len(r.samples))...)
	return s
}

// mayMatch reports whether the expression may match at the beginning of text, and returns the
// last possible end of such a match, or limit if that is not known.
func (r *Run) mayMatch(text []byte, limit int) (end int, ok bool) {
	s := firstState
	for i, c := range text[:min(len(text), limit)] {
		class := int(r.classes[c])
		n := r.next[int(s-firstState)*len(r.samples)+class]
		if n == unmade {
			n = r.step(s, class)
		}
		if n == dead {
			return end, ok
		}
		if r.ends[n-firstState] {
			end, ok = i+1, true
		}
		s = n
	}
	if len(text) < limit {
		return end, ok
	}
	return limit, true
}

// step makes the transition of state s by a byte of class.
func (r *Run) step(s int32, class int) int32 {
	if len(r.states) >= maxStates {
		pcs, ends := r.states[s-firstState], r.ends[s-firstState]
		r.reset()
		s = r.state(pcs, ends)
	}
	c := r.samples[class]
	var list []uint32
	seen := r.seen
	clear(seen)
	ends := false
	for _, pc := range r.states[s-firstState] {
		set := &r.sets[pc]
		if !set.has(c) {
			continue
		}
		if set.wide && c >= utf8.RuneSelf && !seen[pc] {
			seen[pc] = true // the next byte may be of the same character
			list = append(list, pc)
		}
		var end bool
		list, end = r.closure(list, r.prog.Inst[pc].Out, seen)
		ends = ends || end
	}
	n := dead
	if ends || len(list) > 0 {
		slices.Sort(list)
		n = r.state(list, ends)
	}
	r.next[int(s-firstState)*len(r.samples)+class] = n
	return n
}
