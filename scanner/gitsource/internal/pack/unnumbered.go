package pack

// A pack that Receive has copied has no index yet. To make one, all objects have to be put
// together and hashed, and to search them, nearly all are put together again. Unnumbered saves
// the second time: the first Walk hashes each object right before the visitor sees it, and
// Number then makes the index.
//
//	Receive → Received.Unnumbered → Walk, which visits and hashes → Number → Walk …
//
// Until Number is called, the objects are numbered by their place in the pack, the index knows
// only the ids of objects that were visited, and finds none.

// Unnumbered opens the pack that was received. It must be Whole.
func (got *Received) Unnumbered() (_ *Pack, err error) {
	p, err := got.open()
	if err != nil {
		return nil, err
	}
	defer recoverFault(&err)()
	p.unknown = newIDs(p.hash, len(got.offsets))
	p.replant(p.plantAt(got.offsets, func([]byte) int32 { return none }))
	p.index = &Index{hash: p.hash, n: len(got.offsets), ids: p.unknown.bytes, stride: p.hash, unsorted: true}
	return p, nil
}

// Whole reports whether one walk can put together all objects of the pack, as far as Receive
// can tell: no delta has a base outside of the pack, or makes or needs a large object.
func (got *Received) Whole() bool { return got.problem == nil && !got.odd && got.Objects > 0 }

// MaxWhole is the size of the largest object that a pack that is Whole makes from a delta. The
// Limit of the first Walk must not be lower.
const MaxWhole = held

// Number ends the time without numbers, after the first Walk: it writes the index, and returns
// for each number from before the one in the index, nil if the pack had an index. An error
// says that there is an object that the walk could not put together.
func (p *Pack) Number() (numbers []uint32, err error) {
	if p.unknown == nil {
		return nil, nil
	}
	defer recoverFault(&err)()
	order := p.unknown.sorted()
	if err := p.saveIndex(p.unknown, order); err != nil {
		return nil, err
	}
	if p.index, err = OpenIndex(p.stem+".idx", p.hash); err != nil {
		return nil, err
	}
	p.unknown = nil
	for number, entry := range order {
		p.forest.numbers[entry] = uint32(number)
	}
	return p.forest.numbers, nil
}
