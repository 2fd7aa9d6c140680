package archive

import (
	"encoding/binary"
	"errors"
)

// sqlite reads the rows of all tables of a database (sqlite.org/fileformat2.html) and
// yields them as one text, a line each. In the file, the cells of a row adjoin each other,
// so a key id and its secret look like one word, and long texts are cut into pages. Deleted
// rows, and those in a write-ahead log, are found only as they stand in the file.
func (w *walk) sqlite(name string, data []byte, _ int) error {
	const header = 100
	if len(data) < header {
		return w.failed(name, errors.New("no SQLite database"))
	}
	size := int(binary.BigEndian.Uint16(data[16:18]))
	if size == 1 {
		size = 1 << 16
	}
	if size < 512 || size&(size-1) != 0 || len(data) < size {
		return w.failed(name, errors.New("no SQLite database"))
	}
	db := &database{data: data, size: size, usable: size - int(data[20])}
	for page := range len(data) / size {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		db.appendPage(page)
		if len(db.text) > maxMember {
			return w.yield(name, nil, errTooLarge)
		}
	}
	if len(db.text) == 0 {
		return nil
	}
	return w.yield(join(name, "rows"), db.text, nil)
}

type database struct {
	data         []byte
	size, usable int // of a page
	text         []byte
	payload      []byte // of a row
}

const tableLeaf = 0x0d

// appendPage appends the rows of a page that holds some. A page that is damaged, or
// only looks like one, gives no rows.
func (d *database) appendPage(number int) {
	page := d.data[number*d.size:][:d.size]
	header := page
	if number == 0 {
		header = page[100:]
	}
	if header[0] != tableLeaf {
		return
	}
	cells := int(binary.BigEndian.Uint16(header[3:]))
	for i := range cells {
		if 8+2*i+2 > len(header) {
			return
		}
		at := int(binary.BigEndian.Uint16(header[8+2*i:]))
		if at < len(page) {
			d.appendCell(page[at:])
		}
	}
}

// appendCell appends the row of a cell: its length, its number and its record, with
// the rest of it in other pages if it is long (1.6).
func (d *database) appendCell(cell []byte) {
	length, n := varint(cell)
	_, m := varint(cell[n:])
	cell = cell[n+m:]
	if n == 0 || m == 0 || length > uint64(len(d.data)) {
		return
	}
	total := int(length)
	local := total
	if most := d.usable - 35; total > most {
		least := (d.usable-12)*32/255 - 23
		if local = least + (total-least)%(d.usable-4); local > most {
			local = least
		}
	}
	if local < 0 || local > len(cell) {
		return
	}
	d.payload = append(d.payload[:0], cell[:local]...)
	if local < total {
		if local+4 > len(cell) {
			return
		}
		d.overflow(binary.BigEndian.Uint32(cell[local:]), total)
	}
	d.appendRecord(d.payload)
}

// overflow appends the pages from next on to the payload, until it is
// total bytes.
func (d *database) overflow(next uint32, total int) {
	for range len(d.data) / d.size { // a circle ends
		if next == 0 || int(next) > len(d.data)/d.size || len(d.payload) >= total {
			return
		}
		page := d.data[int(next-1)*d.size:][:d.size]
		next = binary.BigEndian.Uint32(page)
		d.payload = append(d.payload, page[4:][:max(0, min(d.usable-4, total-len(d.payload)))]...)
	}
}

// appendRecord appends the texts and blobs of a record (2.1), tabs between them.
func (d *database) appendRecord(record []byte) {
	length, n := varint(record)
	if n == 0 || length > uint64(len(record)) {
		return
	}
	types, values := record[n:max(int(length), n)], record[length:]
	for len(types) > 0 {
		kind, n := varint(types)
		if n == 0 {
			break
		}
		types = types[n:]
		size := min(sizeOf(kind), uint64(len(values)))
		if kind >= 12 && size > 0 {
			d.text = append(append(d.text, values[:size]...), '\t')
		}
		values = values[size:]
	}
	d.text = append(d.text, '\n')
}

// sizeOf returns how many bytes a value of a kind takes.
func sizeOf(kind uint64) uint64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind == 5:
		return 6
	case kind == 6 || kind == 7:
		return 8
	case kind <= 4:
		return kind
	}
	return 0
}

// varint reads a number of up to nine bytes, the last with eight bits (1.6); n is 0
// if it is cut off.
func varint(b []byte) (v uint64, n int) {
	for n = 0; n < len(b) && n < 9; n++ {
		if n == 8 {
			return v<<8 | uint64(b[n]), 9
		}
		v = v<<7 | uint64(b[n]&0x7f)
		if b[n] < 0x80 {
			return v, n + 1
		}
	}
	return 0, 0
}
