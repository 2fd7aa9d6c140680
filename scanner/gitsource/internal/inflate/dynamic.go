package inflate

// preSymbols is the number of symbols in which code lengths are written (RFC 1951, 3.2.7).
const preSymbols = 19

// preBits is the most bits of a code of a code length.
const preBits = 7

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
	n, count, err := d.readLengths(lits + dists)
	if err != nil {
		return err
	}
	k := n
	for k > 0 && int(d.lengths[k-1]>>4) >= lits {
		k--
	}
	distCount := countLengths(d.lengths[k:n])
	for i := range count {
		count[i] -= distCount[i]
	}
	if !d.build(d.dynamic.lit[:], litBits, d.lengths[:k], count, 0, litEntries[:]) ||
		!d.build(d.dynamic.dist[:], distBits, d.lengths[k:n], distCount, lits, distEntries[:]) {
		return errLengths
	}
	return nil
}

// readPrecode reads the code of the code lengths, and reports whether it is one.
func (d *Decoder) readPrecode() bool {
	num := d.in.take(4) + 4
	var bySymbol [preSymbols]uint16
	for i, sym := range preOrder[:num] {
		if i&15 == 0 {
			d.in.refill() // 16 times 3 bits
		}
		bySymbol[sym] = uint16(d.in.take(3))
	}
	var lengths [preSymbols]uint16
	n := 0
	for sym, length := range bySymbol {
		if length != 0 {
			lengths[n] = uint16(sym<<4) | length
			n++
		}
	}
	return d.build(d.pre[:], preBits, lengths[:n], countLengths(lengths[:n]), 0, preEntries[:])
}

// readLengths reads the lengths of num codes to d.lengths, as build takes them. It
// returns how many of them are not 0, and counts them while it waits for the next lookup.
// The bit buffer is copied, since such a lookup would wait longer for one in memory.
func (d *Decoder) readLengths(num int) (n int, count lengthCount, err error) {
	prev := uint16(0)
	buf, left := d.in.buf, d.in.left
	for i := 0; i < num; {
		if left&63 < preBits+7 {
			d.in.buf, d.in.left = buf, left
			d.in.refill()
			buf, left = d.in.buf, d.in.left
		}
		e := d.pre[buf&(1<<preBits-1)]
		coded := buf
		buf >>= e & 63
		left -= uint(e)
		if e&literal != 0 {
			// Written even if it is 0, and then written over: cheaper than a
			// branch that nobody can predict.
			prev = uint16(e >> 16 & maxBits)
			d.lengths[n] = uint16(i<<4) | prev
			n += int((prev + 15) >> 4)
			count[prev]++
			i++
			continue
		}
		if e&special != 0 {
			err = errCode
			break
		}
		times := int(e>>16) + int(coded&(1<<(e&63)-1)>>(e>>8&63))
		if e&zeros != 0 {
			prev = 0
		} else if i == 0 {
			err = errLengths
			break
		}
		if i+times > num {
			err = errLengths
			break
		}
		if prev != 0 {
			for j := range times {
				d.lengths[n+j] = uint16((i+j)<<4) | prev
			}
			n += times
			count[prev&maxBits] += uint16(times)
		}
		i += times
	}
	d.in.buf, d.in.left = buf, left
	return n, count, err
}
