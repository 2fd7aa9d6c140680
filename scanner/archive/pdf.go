package archive

import (
	"bytes"
	"compress/zlib"
)

// pdf reads the streams of a PDF that zlib packs (ISO 32000-1, 7.3.8), and yields as one
// text the strings that the streams show and other text in them: metadata, attached files,
// other objects. Text in a font with glyphs of its own cannot be read without the font, and
// is lost; so is an encrypted stream.
//
// Runbooks and invoices with keys are kept as PDF, and zlib hides each of their streams
// from every detector. So these few lines stay, although they read only a part.
func (w *walk) pdf(name string, data []byte, depth int) error {
	var text []byte
	for rest := data; ; {
		at := bytes.Index(rest, []byte("stream"))
		if at < 0 {
			break
		}
		dict := rest[max(0, at-512):at]
		dict = dict[bytes.LastIndex(dict, []byte("obj"))+1:]
		rest = rest[at+len("stream"):]
		if !bytes.Contains(dict, []byte("FlateDecode")) && !bytes.Contains(dict, []byte("/Fl")) {
			continue
		}
		packed := bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte{'\r'}), []byte{'\n'})
		r, err := zlib.NewReader(bytes.NewReader(packed))
		if err != nil {
			continue
		}
		plain, err := w.readAll(&meter{w: w, r: r}, depth)
		text = appendShown(text, plain)
		if err != nil && (w.left < 0 || w.ctx.Err() != nil) {
			return w.failed(name, err)
		}
		if len(text) > maxMember {
			return w.yield(name, nil, errTooLarge)
		}
	}
	if len(text) == 0 {
		return nil
	}
	return w.yield(join(name, "text"), text, nil)
}

// appendShown appends the strings of a content stream as they are shown, a line for
// each operator, and any other text as it is.
func appendShown(dst, stream []byte) []byte {
	if !bytes.Contains(stream, []byte("Tj")) && !bytes.Contains(stream, []byte("TJ")) {
		head := stream[:min(len(stream), 512)]
		if bytes.IndexByte(head, 0) >= 0 { // an image, a font
			return dst
		}
		return append(append(dst, stream...), '\n')
	}
	for i := 0; i < len(stream); {
		switch c := stream[i]; {
		case c == '(':
			dst, i = appendString(dst, stream, i+1)
		case c == 'T' && i+1 < len(stream) && (stream[i+1] == 'j' || stream[i+1] == 'J' || stream[i+1] == '*' || stream[i+1] == 'd'):
			dst = append(dst, '\n')
			i += 2
		default:
			i++
		}
	}
	return append(dst, '\n')
}

// appendString appends the literal string at i, behind its parenthesis, and returns
// where it ends (ISO 32000-1, 7.3.4.2).
func appendString(dst, stream []byte, i int) ([]byte, int) {
	for open := 1; i < len(stream); i++ {
		switch c := stream[i]; c {
		case '\\':
			if i++; i < len(stream) {
				dst = append(dst, stream[i])
			}
			continue
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return dst, i + 1
			}
		}
		dst = append(dst, stream[i])
	}
	return dst, i
}
