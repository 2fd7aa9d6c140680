package pack

// A delta is a list of instructions that make an object from its base: copy a
// range of the base, or insert the bytes that follow (gitformat-pack(5),
// "Deltified representation").
type delta struct {
	baseSize, size int64
	ops            []byte
}

// parseDelta reads the two sizes that a delta begins with and checks that the
// instructions stay within the base and make an object of the size.
func parseDelta(data []byte, baseSize int) (d delta, err error) {
	var ok1, ok2 bool
	d.baseSize, data, ok1 = varint(data)
	d.size, d.ops, ok2 = varint(data)
	if !ok1 || !ok2 {
		return d, damaged("delta has no sizes")
	}
	if d.baseSize != int64(baseSize) {
		return d, damaged("delta for a base of %d bytes, which has %d", d.baseSize, baseSize)
	}
	made, valid := d.check()
	if !valid {
		return d, damaged("delta has an instruction that leads outside of its base")
	}
	if made != d.size {
		return d, damaged("delta makes %d bytes and not %d, as it says", made, d.size)
	}
	return d, nil
}

// check returns how many bytes d makes. valid is false if an instruction is cut
// off, unknown or leads outside of the base.
func (d *delta) check() (made int64, valid bool) {
	for ops := d.ops; len(ops) > 0; {
		c := ops[0]
		if c < 0x80 {
			if c == 0 || len(ops) <= int(c) {
				return 0, false
			}
			made += int64(c)
			ops = ops[1+int(c):]
			continue
		}
		from, size, n := copyOp(ops)
		if n > len(ops) || from+size > d.baseSize {
			return 0, false
		}
		made += size
		ops = ops[n:]
	}
	return made, true
}

// copyOp reads the copy instruction that ops begins with: what it copies, and its
// own length, which is more than there is if it is cut off.
func copyOp(ops []byte) (from, size int64, n int) {
	c := ops[0]
	n = 1
	if len(ops) >= 8 { // the usual case needs no checks
		for i := range 4 {
			if c>>i&1 != 0 {
				from |= int64(ops[n]) << (8 * i)
				n++
			}
		}
		for i := range 3 {
			if c>>(4+i)&1 != 0 {
				size |= int64(ops[n]) << (8 * i)
				n++
			}
		}
	} else {
		for i := range 7 {
			if c>>i&1 == 0 {
				continue
			}
			if n >= len(ops) {
				return 0, 0, len(ops) + 1
			}
			if i < 4 {
				from |= int64(ops[n]) << (8 * i)
			} else {
				size |= int64(ops[n]) << (8 * (i - 4))
			}
			n++
		}
	}
	if size == 0 {
		size = 0x10000
	}
	return from, size, n
}

// apply makes the object from its base in dst, which has its size.
func (d *delta) apply(dst, base []byte) {
	for ops := d.ops; len(ops) > 0; {
		c := ops[0]
		if c < 0x80 {
			n := copy(dst, ops[1:1+int(c)])
			dst, ops = dst[n:], ops[1+n:]
			continue
		}
		from, size, n := copyOp(ops)
		copy(dst[:size], base[from:from+size])
		dst, ops = dst[size:], ops[n:]
	}
}

// varint reads a number of 7 bits a byte, the lowest first.
func varint(b []byte) (n int64, rest []byte, ok bool) {
	for i, c := range b {
		if i == 8 { // 56 bits: more than any file has
			break
		}
		n |= int64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}

// A Part is a piece of an object that is made by a delta: bytes [At, At+len) of
// it. Copied ones stand in the base at From; of others From is -1.
type Part struct {
	At, From, Len int
}

// parts calls yield for each part, with adjoining copies joined.
func (d *delta) parts(yield func(Part, []byte)) {
	var last Part
	at := 0
	for ops := d.ops; len(ops) > 0; {
		c := ops[0]
		if c < 0x80 {
			if last.Len > 0 {
				yield(last, nil)
				last = Part{}
			}
			yield(Part{at, -1, int(c)}, ops[1:1+int(c)])
			at += int(c)
			ops = ops[1+int(c):]
			continue
		}
		from, size, n := copyOp(ops)
		ops = ops[n:]
		if last.Len > 0 && last.From+last.Len == int(from) {
			last.Len += int(size)
		} else {
			if last.Len > 0 {
				yield(last, nil)
			}
			last = Part{at, int(from), int(size)}
		}
		at += int(size)
	}
	if last.Len > 0 {
		yield(last, nil)
	}
}

// appendFresh appends to dst the pieces of the object that may hold what the base
// does not: what is inserted, and span bytes to each side of every place where
// two parts meet. Pieces are set apart by a newline. Any run of span bytes of the
// object lies within a piece, or within the base.
func (d *delta) appendFresh(dst, base []byte, span int) []byte {
	d.parts(func(p Part, inserted []byte) {
		if p.From < 0 {
			dst = append(dst, inserted...)
			return
		}
		text := base[p.From : p.From+p.Len]
		// What begins or ends with the base, as the object does, meets nothing there.
		first := p.At == 0 && p.From == 0
		last := p.At+p.Len == int(d.size) && p.From+p.Len == len(base)
		switch {
		case first && last:
		case first:
			dst = append(dst, text[max(len(text)-span, 0):]...)
		case last:
			dst = append(dst, text[:min(span, len(text))]...)
		case len(text) <= 2*span:
			dst = append(dst, text...)
		default:
			dst = append(dst, text[:span]...)
			dst = append(dst, '\n')
			dst = append(dst, text[len(text)-span:]...)
		}
	})
	return dst
}

// appendHead appends the first bytes of the object, as many as size at most.
func (d *delta) appendHead(dst, base []byte, size int) []byte {
	for ops := d.ops; len(ops) > 0 && size > 0; {
		piece := ops[1:]
		if c := ops[0]; c < 0x80 {
			piece, ops = piece[:c], ops[1+int(c):]
		} else {
			from, length, n := copyOp(ops)
			piece, ops = base[from:from+length], ops[n:]
		}
		piece = piece[:min(size, len(piece))]
		dst = append(dst, piece...)
		size -= len(piece)
	}
	return dst
}
