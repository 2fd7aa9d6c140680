package views

import "bytes"

// minWide is the least number of wide characters in a run. Shorter runs are numbers in a
// binary file. An id has twenty, but a part of it may be encoded once more.
const minWide = 8

// decodeWide reads runs of UTF-16 and UTF-32 of either byte order, with a byte
// order mark or without, in a file that may hold other things: the strings of a
// program, for instance. The order hardly matters for ASCII: each character is one byte
// between zeros. Other characters become a substitute.
func decodeWide(text []byte, _ int) *View {
	v, done := &View{}, 0
	var narrow []byte
	for i := 0; ; {
		k := bytes.IndexByte(text[i:], 0)
		if k < 0 {
			break
		}
		i += k
		next := i + 1
		for next < len(text) && text[next] == 0 {
			next++
		}
		// The character before the zeros begins the run if one or three of them
		// come after it, and else the one behind: big-endian, after a zero.
		start, zeros := i-1, next-i
		if start < done || zeros != 1 && zeros != 3 {
			start = next
			zeros = zerosAt(text, start+1)
		}
		end := start
		if zeros == 1 || zeros == 3 {
			narrow, end = appendNarrow(narrow[:0], text, start, zeros+1)
			if len(narrow) >= minWide {
				v.appendVerbatim(text, done, start)
				v.appendDecoded(narrow, start, end)
				done = end
			}
		}
		i = min(max(next, end), len(text))
	}
	if done == 0 {
		return nil
	}
	v.appendVerbatim(text, done, len(text))
	return v
}

// zerosAt counts the zeros at i, up to four.
func zerosAt(text []byte, i int) (n int) {
	for n < 4 && i+n < len(text) && text[i+n] == 0 {
		n++
	}
	return n
}

// appendNarrow appends the characters that begin at i, one every width bytes with
// zeros between them, and returns where they end.
func appendNarrow(dst, text []byte, i, width int) ([]byte, int) {
	big := i > 0 && (text[i-1] == 0 || text[i-1] == 0xfe && text[i] == 0xff)
	for i < len(text) && text[i] != 0 {
		c := text[i]
		if c >= 0x80 {
			c = 0x1a
		}
		zeros := zerosAt(text, i+1)
		if zeros < width-1 {
			if last := i+1+zeros == len(text); big || last { // its zeros are before it
				return append(dst, c), i + 1
			}
			break
		}
		dst = append(dst, c)
		i += width
		if zeros >= width {
			break
		}
	}
	return dst, min(i, len(text))
}
