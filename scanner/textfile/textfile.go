// Package textfile reads the beginning of files that people and other programs write: editors
// of Windows put a byte order mark there, and ">" of PowerShell 5 writes UTF-16.
package textfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

var errUTF16 = errors.New(`it is UTF-16, as ">" of PowerShell writes it: save it as UTF-8`)

// UTF8 returns data without a byte order mark. Data in UTF-16 is an error: read as UTF-8, it
// would be a list of nothing.
func UTF8(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, errUTF16
	case bytes.IndexByte(data, 0) >= 0:
		return nil, errors.New("it is not text: it holds a zero byte")
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// Reader is UTF8 for a text that is read piece by piece. It looks at the beginning alone.
func Reader(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, _ := b.Peek(3) // the error, if any, is that of the next read
	text, err := UTF8(head)
	if err != nil {
		return nil, err
	}
	_, err = b.Discard(len(head) - len(text))
	return b, err
}
