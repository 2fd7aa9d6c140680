package inflate

// preSymbols is the number of symbols in which code lengths are written (RFC 1951, 3.2.7).
const preSymbols = 19

// A precode decodes code lengths. It maps the next 7 bits to symbol<<3 | length of its
// code; length 0 means that there is no such code.
type precode [128]uint8

// preOrder is the order in which the lengths of the precode come.
var preOrder = [preSymbols]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readTables reads the codes of a dynamic block (RFC 1951, 3.2.7).
func (d *Decoder) readTables() error {
	d.in.refill()
	lits := int(d.in.take(5)) + 257
	dists := int(d.in.take(5)) + 1
	if lits > maxLitLen || dists > maxDist {
		return errNumCodes
	}
	if !d.readPrecode() {
		return errLengths
	}
	n, err := d.readLengths(lits + dists)
	if err != nil {
		return err
	}
	k := n
	for k > 0 && int(d.lengths[k-1]>>4) >= lits {
		k--
	}
	if !build(d.dynamic.lit[:], litBits, d.lengths[:k], 0, litEntries[:]) ||
		!build(d.dynamic.dist[:], distBits, d.lengths[k:n], lits, distEntries[:]) {
		return errLengths
	}
	return nil
}

// readPrecode reads the code of the code lengths, and reports whether it is one.
func (d *Decoder) readPrecode() bool {
	num := d.in.take(4) + 4
	var lengths [preSymbols]uint8
	var count [8]uint8
	for i, sym := range preOrder[:num] {
		if i&15 == 0 {
			d.in.refill() // 16 times 3 bits
		}
		n := uint8(d.in.take(3))
		lengths[sym] = n
		count[n]++
	}
	var next [8]uint8
	sum, space := uint8(0), 0
	for n := 1; n < 8; n++ {
		next[n] = sum
		sum += count[n]
		space += int(count[n]) << (7 - n)
	}
	if space != 1<<7 {
		// Nothing but a single code of one bit may be incomplete.
		d.pre = precode{}
		if sum != 1 || count[1] != 1 {
			return sum == 0
		}
	}
	var sorted [preSymbols]uint8
	for sym, n := range lengths {
		if n != 0 {
			sorted[next[n]] = uint8(sym)<<3 | n
			next[n]++
		}
	}
	d.pre.fill(&count, sorted[:sum])
	return true
}

// fill is the function fill, for the large tables.
func (p *precode) fill(count *[8]uint8, sorted []uint8) {
	code, i := uint(0), 0
	for n := uint(1); n < 8; n++ {
		size := uint(1) << n
		copy(p[size/2:size], p[:size/2])
		for range count[n] {
			p[code] = sorted[i]
			i++
			code = increment(code, size-1)
		}
	}
}

// readLengths reads the lengths of num codes to d.lengths, as build takes them,
// and returns how many of them are not 0.
func (d *Decoder) readLengths(num int) (int, error) {
	n, prev := 0, uint(0)
	for i := 0; i < num; {
		if d.in.left&63 < 7+7 {
			d.in.refill()
		}
		e := uint(d.pre[d.in.buf&127])
		if e&7 == 0 {
			return 0, errCode
		}
		d.in.take(e & 7)
		sym := e >> 3
		if sym < 16 {
			// Written even if it is 0, and then written over: cheaper than a
			// branch that nobody can predict.
			d.lengths[n] = uint16(uint(i)<<4 | sym)
			n += int((sym + 15) >> 4)
			prev = sym
			i++
			continue
		}
		var times int
		switch sym {
		case 16:
			if i == 0 {
				return 0, errLengths
			}
			times = 3 + int(d.in.take(2))
		case 17:
			prev = 0
			times = 3 + int(d.in.take(3))
		default:
			prev = 0
			times = 11 + int(d.in.take(7))
		}
		if i+times > num {
			return 0, errLengths
		}
		if prev != 0 {
			for j := range times {
				d.lengths[n+j] = uint16(uint(i+j)<<4 | prev)
			}
			n += times
		}
		i += times
	}
	return n, nil
}
