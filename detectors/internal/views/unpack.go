package views

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"io"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// MaxUnpacked bounds the size of unpacked data. A release of Helm has at most one MiB,
// packed.
const MaxUnpacked = 16 << 20

// unpack unpacks b up to room bytes. It returns nil if b is not packed text, and the part
// before the damage if b is damaged.
func unpack(b []byte, room int) []byte {
	room = min(max(room, 0), MaxUnpacked)
	switch encodings.PackingOf(b) {
	case encodings.Gzip:
		if r, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
			return appendText(nil, r, room)
		}
	case encodings.Zlib:
		if r, err := zlib.NewReader(bytes.NewReader(b)); err == nil {
			return appendText(nil, r, room)
		}
	case encodings.Zip:
		return unzip(b, room)
	}
	return nil
}

// appendText appends what r reads to dst, up to room bytes, if it begins like text.
func appendText(dst []byte, r io.Reader, room int) []byte {
	r = io.LimitReader(r, int64(room))
	var head [512]byte
	n, _ := io.ReadFull(r, head[:]) // damaged data may still begin with text
	if !encodings.IsText(head[:n]) {
		return dst
	}
	out := bytes.NewBuffer(append(dst, head[:n]...))
	_, _ = out.ReadFrom(r)
	return out.Bytes()
}

// unzip returns the files of a zip that are text, with a line break between them, up to room
// bytes. It reads the header before each file (APPNOTE.TXT 4.3.7), not the directory at the
// end: so it reads a zip that was cut as far as it goes, and no byte of it twice.
func unzip(b []byte, room int) []byte {
	const headerLen, encrypted, stored, deflated = 30, 1, 0, 8
	var text []byte
	inflater := flate.NewReader(nil)
	for {
		i := bytes.Index(b, encodings.ZipMagic)
		if i < 0 || i+headerLen > len(b) || len(text) >= room {
			return text
		}
		header := b[i : i+headerLen]
		field := func(at int) int { return int(binary.LittleEndian.Uint16(header[at:])) }
		size := binary.LittleEndian.Uint32(header[18:])
		b = b[min(len(b), i+headerLen+field(26)+field(28)):] // the lengths of name and extra field
		in := bytes.NewReader(b)
		var file io.Reader
		switch method := field(8); {
		case field(6)&encrypted != 0:
			continue
		case method == stored:
			file = io.LimitReader(in, int64(size))
		case method == deflated:
			_ = inflater.(flate.Resetter).Reset(in, nil)
			file = inflater
		default:
			continue
		}
		if known := len(text); known > 0 {
			text = append(text, '\n')
		}
		text = appendText(text, file, room-len(text))
		b = b[len(b)-in.Len():]
	}
}
