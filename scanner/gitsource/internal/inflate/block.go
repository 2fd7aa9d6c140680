package inflate

import "encoding/binary"

// block decodes the symbols of a block to dst[op:], until its end (RFC 1951,
// 3.2.3), and returns how much of dst is filled then.
//
// One iteration refills the bit buffer once: 56 bits hold three literals of the first table
// and one length. There is no second loop for the ends of input and output. Each iteration
// checks that there is room and input, which replaces the compiler's own check. Most
// streams of a pack are so short that they consist of nothing but the end.
//
//nolint:gocognit,funlen // the loop that all time goes to: calls in it lose the registers
func (d *Decoder) block(t *tables, dst []byte, op int) (int, error) {
	r := &d.in
	src, pos, buf, left := r.src, r.pos, r.buf, r.left
	err := error(nil)
	for {
		if pos > len(src)-8 {
			r.pos = pos
			r.pad()
			src, pos = r.src, r.pos
		}
		buf |= load64(src, pos) << (left & 63)
		pos += 7 - int(left>>3&7)
		left |= 56

		e := t.lit[buf&(1<<litBits-1)]
		if e&literal != 0 {
			buf >>= e & 63
			left -= uint(e)
			if uint(op) >= uint(len(dst)) {
				err = errLonger
				break
			}
			dst[op] = byte(e >> 16)
			op++
			e = t.lit[buf&(1<<litBits-1)]
			if e&literal != 0 {
				buf >>= e & 63
				left -= uint(e)
				if uint(op) >= uint(len(dst)) {
					err = errLonger
					break
				}
				dst[op] = byte(e >> 16)
				op++
				e = t.lit[buf&(1<<litBits-1)]
				if e&literal != 0 {
					buf >>= e & 63
					left -= uint(e)
					if uint(op) >= uint(len(dst)) {
						err = errLonger
						break
					}
					dst[op] = byte(e >> 16)
					op++
					e = t.lit[buf&(1<<litBits-1)]
				}
			}
		}
		if e&(special|literal) != 0 {
			if e&longer != 0 {
				e = t.lit[uint64(e>>16)+buf>>litBits&(1<<(e>>8&15)-1)]
			}
			if e&literal != 0 {
				buf >>= e & 63
				left -= uint(e)
				if uint(op) >= uint(len(dst)) {
					err = errLonger
					break
				}
				dst[op] = byte(e >> 16)
				op++
				continue
			}
			if e&special != 0 {
				buf >>= e & 63
				left -= uint(e)
				if e&endOfBlock == 0 {
					err = errSymbol
				}
				break
			}
		}
		length := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		left -= uint(e)

		if left&63 < maxBits+13 {
			if pos > len(src)-8 {
				r.pos = pos
				r.pad()
				src, pos = r.src, r.pos
			}
			buf |= load64(src, pos) << (left & 63)
			pos += 7 - int(left>>3&7)
			left |= 56
		}
		e = t.dist[buf&(1<<distBits-1)]
		if e&special != 0 {
			if e&longer != 0 {
				e = t.dist[uint64(e>>16)+buf>>distBits&(1<<(e>>8&15)-1)]
			}
			if e&special != 0 {
				left -= uint(e)
				err = errSymbol
				break
			}
		}
		dist := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		left -= uint(e)
		if dist > op {
			err = errDistance
			break
		}

		end := op + length
		if dist < 8 || end+16 > len(dst) {
			n := copyMatch(dst, op, dist, length)
			op += n
			if n < length {
				err = errLonger
				break
			}
			continue
		}
		// Few matches are longer than 16 bytes.
		from := op - dist
		a, b := (*[16]byte)(dst[op:op+16]), (*[16]byte)(dst[from:from+16])
		binary.LittleEndian.PutUint64(a[:8], binary.LittleEndian.Uint64(b[:8]))
		binary.LittleEndian.PutUint64(a[8:], binary.LittleEndian.Uint64(b[8:]))
		for i := op + 16; i < end; i += 8 {
			store64(dst, i, load64(dst, i-dist))
		}
		op = end
	}
	r.pos, r.buf, r.left = pos, buf, left
	return op, err
}

// copyMatch copies length bytes, or as many as there is room for, from dist bytes before op to
// op, and returns how many. Where the two overlap, bytes that were copied are copied again
// (RFC 1951, 3.2.3).
func copyMatch(dst []byte, op, dist, length int) int {
	to := dst[op:]
	if len(to) > length {
		to = to[:length]
	}
	from := dst[op-dist : op]
	if dist == 1 {
		b := from[0]
		for i := range to {
			to[i] = b
		}
		return len(to)
	}
	for n := 0; n < len(to); {
		// From the same place each time: a repeated pattern doubles.
		n += copy(to[n:], dst[op-dist:op+n])
	}
	return len(to)
}
