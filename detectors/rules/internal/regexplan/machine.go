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

// Reach is the number of bytes that MayMatch reads: nearly all matches end before it.
const Reach = 128

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

// MayMatch reports whether text may have a match with one of Starts at an offset. It reads Reach
// bytes.
func (r *Run) MayMatch(text []byte, at int) bool {
	_, _, ok := r.mayMatch(text[at:], Reach)
	return ok
}

// A Window is a piece of a text.
type Window struct {
	detectors.Span
	// From and To bound the bytes of the text that it depends on. From is negative if it
	// depends on the beginning of the text, and To is beyond the end if it depends on that.
	From, To int
}

// Far is the most that Window reads behind a start.
const Far = maxReach

// Window returns the piece of text that holds every match with one of Starts at an offset. It
// is empty if there is no such match. It reads reach bytes behind the start. If a match may go on
// there, the piece is as long as a match can be.
func (r *Run) Window(text []byte, at, reach int) Window {
	if r.plan.tail.unbounded {
		reach = min(reach, maxUnbounded)
	}
	end, read, ok := r.mayMatch(text[at:], reach)
	w := Window{From: at, To: at + read}
	switch {
	case !ok:
		return w
	case end < reach:
		w.End = at + end + utf8.UTFMax
	default:
		w.End = r.plan.tail.endAfter(text, at)
		w.To = len(text) + 1
	}
	w.Start = r.plan.before.startBefore(text, at)
	if w.From = w.Start; w.Start == 0 {
		w.From = -1
	}
	w.To, w.End = max(w.To, w.End), min(w.End, len(text))
	return w
}

// maxUnbounded bounds the bytes that are read for a match that may go on to the end of the text.
const maxUnbounded = 512

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
// last possible end of such a match, or limit if that is not known. It also returns how many
// bytes it has read, with the end of the text as one more.
func (r *Run) mayMatch(text []byte, limit int) (end, read int, ok bool) {
	s := firstState
	for i, c := range text[:min(len(text), limit)] {
		class := int(r.classes[c])
		n := r.next[int(s-firstState)*len(r.samples)+class]
		if n == unmade {
			n = r.step(s, class)
		}
		if n == dead {
			return end, i + 1, ok
		}
		if r.ends[n-firstState] {
			end, ok = i+1, true
		}
		s = n
	}
	if len(text) < limit {
		return end, len(text) + 1, ok
	}
	return limit, limit, true
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
