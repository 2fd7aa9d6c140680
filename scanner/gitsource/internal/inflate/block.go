package inflate

// block decodes the symbols of a block to dst[op:], until its end (RFC 1951,
// 3.2.3), and returns how much of dst is filled then.
//
// One iteration refills the bit buffer once: 56 bits hold three literals of the first table and
// the lookup of the next symbol. That lookup is made before the refill, and before a match is
// copied, so that the processor does not wait for it (libdeflate's idea). After two literals and
// a length 16 bits are left, enough to look up a distance, and seldom too few to take it: a
// refill that is rarely made is a branch that the processor foresees. There is no second
// loop for the end of the input: the outer loop pads it. Nor is there one for the end of the
// output: each write checks that there is room, which replaces the compiler's own check. Most
// streams of a pack are so short that they consist of nothing but the end.
//
// src and dst do not change in the inner loop, and their capacity is their length: so all that
// it needs stays in registers.
//
//nolint:gocognit,funlen // the loop that all time goes to: calls in it lose the registers
func (d *Decoder) block(t *tables, dst []byte, op int) (int, error) {
	r := &d.in
	dst = dst[:len(dst):len(dst)]
	pos, buf, left := r.pos, r.buf, r.left
	err := error(nil)
input:
	for {
		if pos > len(r.src)-margin {
			r.pos = pos
			r.pad()
			pos = r.pos
		}
		src := r.src[:len(r.src):len(r.src)]
		if left&63 < litBits {
			buf |= load64(src, pos) << (left & 63)
			pos += 7 - int(left>>3&7)
			left |= 56
		}
		e := t.lit[buf&(1<<litBits-1)]
		for pos <= len(src)-margin {
			buf |= load64(src, pos) << (left & 63)
			pos += 7 - int(left>>3&7)
			left |= 56

			if e&literal != 0 {
				buf >>= e & 63
				left -= uint(e)
				if uint(op) >= uint(len(dst)) {
					err = errLonger
					break input
				}
				dst[op] = byte(e >> 16)
				op++
				e = t.lit[buf&(1<<litBits-1)]
				if e&literal != 0 {
					buf >>= e & 63
					left -= uint(e)
					if uint(op) >= uint(len(dst)) {
						err = errLonger
						break input
					}
					dst[op] = byte(e >> 16)
					op++
					e = t.lit[buf&(1<<litBits-1)]
					if e&literal != 0 {
						buf >>= e & 63
						left -= uint(e)
						if uint(op) >= uint(len(dst)) {
							err = errLonger
							break input
						}
						dst[op] = byte(e >> 16)
						op++
						e = t.lit[buf&(1<<litBits-1)]
						continue
					}
				}
			}
			if e&special != 0 {
				if e&longer != 0 {
					e = t.lit[uint64(e>>16)+buf>>litBits&(1<<(e>>8&63)-1)]
				}
				if e&literal != 0 {
					buf >>= e & 63
					left -= uint(e)
					if uint(op) >= uint(len(dst)) {
						err = errLonger
						break input
					}
					dst[op] = byte(e >> 16)
					op++
					e = t.lit[buf&(1<<litBits-1)]
					continue
				}
				if e&special != 0 {
					buf >>= e & 63
					left -= uint(e)
					if e&endOfBlock == 0 {
						err = errSymbol
					}
					break input
				}
			}
			coded := buf
			buf >>= e & 63
			left -= uint(e)
			length := int(e>>16) + int(coded&(1<<(e&63)-1)>>(e>>8&63))

			e = t.dist[buf&(1<<distBits-1)]
			if e&special != 0 {
				if e&longer != 0 {
					e = t.dist[uint64(e>>16)+buf>>distBits&(1<<(e>>8&63)-1)]
				}
				if e&special != 0 {
					left -= uint(e)
					err = errSymbol
					break input
				}
			}
			if left&63 < uint(e&63)+litBits {
				buf |= load64(src, pos) << (left & 63)
				pos += 7 - int(left>>3&7)
				left |= 56
			}
			coded = buf
			buf >>= e & 63
			left -= uint(e)
			dist := int(e>>16) + int(coded&(1<<(e&63)-1)>>(e>>8&63))
			e = t.lit[buf&(1<<litBits-1)]
			if dist > op {
				err = errDistance
				break input
			}

			end := op + length
			if dist < 8 || max(end+8, op+32) > len(dst) {
				n := copyMatch(dst, op, dist, length)
				op += n
				if n < length {
					err = errLonger
					break input
				}
				continue
			}
			// Few matches are longer than 32 bytes. Bytes behind the match are written over later.
			to, from := (*[32]byte)(dst[op:op+32]), (*[32]byte)(dst[op-dist:op-dist+32])
			store64(to[:], 0, load64(from[:], 0))
			store64(to[:], 8, load64(from[:], 8))
			store64(to[:], 16, load64(from[:], 16))
			store64(to[:], 24, load64(from[:], 24))
			for i := op + 32; i < end; i += 8 {
				store64(dst, i, load64(dst, i-dist))
			}
			op = end
		}
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
