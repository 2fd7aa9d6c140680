// Package inventory recognises the operator's own access keys. A file lists them by the hash
// of their ids, so that a scan can say offline: this is a key of that user. list.go makes
// the list, with the operator's own identity.
//
// The file is JSON, an object a line. The first says how the others are to be read:
//
//	{"type":"inventory","schema":"stanch-inventory/v1","salt":"…","created":"…"}
//	{"type":"key","id_hmac":"…","account":"123456789012","user":"alice","status":"Active","created":"…"}
//
// id_hmac is the HMAC-SHA256 of the key id under salt, in hexadecimal. It only keeps ids
// out of sight: they have 39 random bits, which can be tried out. Ids are no secrets, but
// not everybody should read who has which key.
//
// The package is public for the commands of stanch. Its contract is the file.
package inventory

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/textfile"
)

// Schema is the schema of the files that this package writes, and the only one that it
// reads.
const Schema = "stanch-inventory/v1"

// The types of lines.
const (
	typeHeader = "inventory"
	typeKey    = "key"
)

const saltLen = 16

// A Key is an access key of the operator.
type Key struct {
	Account string    // twelve digits
	User    string    // of IAM
	Status  string    // "Active" or "Inactive", when the list was made
	Created time.Time // the key
	Listed  time.Time // the list
}

type header struct {
	Type    string    `json:"type"`
	Schema  string    `json:"schema"`
	Salt    string    `json:"salt"`
	Created time.Time `json:"created"`
}

type line struct {
	Type    string    `json:"type"`
	IDHMAC  string    `json:"id_hmac"`
	Account string    `json:"account"`
	User    string    `json:"user"`
	Status  string    `json:"status"`
	Created time.Time `json:"created"`
}

// An Inventory holds the keys of one or more files. Its zero value holds none.
// Concurrent calls of Find are allowed.
type Inventory struct{ files []saltedKeys }

// A saltedKeys holds the keys of one file.
type saltedKeys struct {
	salt []byte
	keys map[string]Key // by the HMAC of the id
}

// Find returns the key with the given id.
func (inv *Inventory) Find(id string) (Key, bool) {
	if id == "" {
		return Key{}, false
	}
	for _, f := range inv.files {
		if k, ok := f.keys[hash(f.salt, id)]; ok {
			return k, true
		}
	}
	return Key{}, false
}

// Len returns how many keys there are.
func (inv *Inventory) Len() (n int) {
	for _, f := range inv.files {
		n += len(f.keys)
	}
	return n
}

func hash(salt []byte, id string) string {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(id))
	return hex.EncodeToString(h.Sum(nil))
}

// A Writer writes a file.
type Writer struct {
	enc  *json.Encoder
	salt []byte
}

// NewWriter begins a file that is made at now.
func NewWriter(w io.Writer, now time.Time) (*Writer, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails: crypto/rand
	out := &Writer{json.NewEncoder(w), salt}
	return out, out.enc.Encode(header{typeHeader, Schema, hex.EncodeToString(salt), now.UTC()})
}

// Write adds a key. The file has one Listed for all keys.
func (w *Writer) Write(id string, k Key) error {
	return w.enc.Encode(line{typeKey, hash(w.salt, id), k.Account, k.User, k.Status, k.Created.UTC()})
}

// Read adds the keys of a file. It is strict: a line that it does not understand may
// be a key that would not be recognised. Errors name the line.
func (inv *Inventory) Read(r io.Reader) error {
	r, err := textfile.Reader(r)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(r)
	f, n := saltedKeys{keys: map[string]Key{}}, 0
	listed := time.Time{}
	for lines.Scan() {
		n++
		var err error
		if n == 1 {
			f.salt, listed, err = readHeader(lines.Bytes())
		} else {
			err = f.add(lines.Bytes(), listed)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	if n == 0 {
		return errors.New("line 1: the file is empty: an inventory without keys has a first line as well")
	}
	inv.files = append(inv.files, f)
	return nil
}

func readHeader(b []byte) (salt []byte, listed time.Time, err error) {
	var h header
	if err := decode(b, &h); err != nil {
		return nil, listed, fmt.Errorf("not the first line of an inventory: %w", err)
	}
	if h.Type != typeHeader || h.Schema != Schema {
		return nil, listed, fmt.Errorf("type %q, schema %q: want %q and %q", h.Type, h.Schema, typeHeader, Schema)
	}
	salt, err = hex.DecodeString(h.Salt)
	if err != nil || len(salt) != saltLen {
		return nil, listed, fmt.Errorf("salt: want %d hexadecimal digits", 2*saltLen)
	}
	return salt, h.Created, nil
}

var (
	hmacShape    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })
	accountShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{12}$`) })
)

func (f *saltedKeys) add(b []byte, listed time.Time) error {
	var l line
	if err := decode(b, &l); err != nil {
		return err
	}
	switch {
	case l.Type != typeKey:
		return fmt.Errorf("type %q: want %q", l.Type, typeKey)
	case !hmacShape().MatchString(l.IDHMAC):
		return errors.New("id_hmac: want 64 hexadecimal digits")
	case !accountShape().MatchString(l.Account):
		return fmt.Errorf("account %q: want twelve digits", l.Account)
	case l.User == "":
		return errors.New("user is missing")
	case l.Status != "Active" && l.Status != "Inactive":
		return fmt.Errorf("status %q: want Active or Inactive", l.Status)
	}
	f.keys[l.IDHMAC] = Key{l.Account, l.User, l.Status, l.Created, listed}
	return nil
}

// decode reads one object of which every field is known.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not an object of an inventory: %w", err)
	}
	if d.More() {
		return errors.New("more than one object")
	}
	return nil
}
