// Package journal records every change that stanch makes at AWS, before it makes it. The
// file tells which steps of a plan were taken (History), so that an apply can go on after a
// crash, and undo knows its steps.
package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/verifier/response"
)

// Events of a journal, in the order of an incident.
const (
	EventBegin   = "begin"   // of an apply, first or resumed
	EventIntent  = "intent"  // a step is about to be taken
	EventDone    = "done"    // it was taken, by this call or by one whose answer was lost
	EventSkipped = "skipped" // it was so already, and not by us: undo leaves it
	EventFailed  = "failed"  // AWS refused; a later apply tries again
	EventOff     = "off"     // the key was seen to be off: it makes no sessions any more
	EventConfirm = "confirm" // AWS was read again; with a step if the key works in spite of it
	EventEnd     = "end"     // of an apply, with its result

	EventUndoIntent = "undo-intent"
	EventUndone     = "undone"
	EventUndoFailed = "undo-failed"
)

// A Record is one line of a journal. It holds no secret.
type Record struct {
	Seq   int       `json:"seq"`
	Time  time.Time `json:"time"`
	Event string    `json:"event"`
	Plan  string    `json:"plan"` // its hash
	Actor string    `json:"actor,omitempty"`

	Account      string         `json:"account,omitempty"`
	KeyID        string         `json:"key_id,omitempty"`
	SecretSHA256 string         `json:"secret_sha256,omitempty"`
	Where        string         `json:"where,omitempty"`
	Step         *response.Step `json:"step,omitempty"`
	Before       string         `json:"before,omitempty"`
	After        string         `json:"after,omitempty"`
	Document     string         `json:"document,omitempty"` // of the policy that is put
	// Managed says that the policy is a managed one, for want of room for an inline one.
	Managed bool   `json:"managed,omitempty"`
	Result  string `json:"result,omitempty"`
	Code    string `json:"code,omitempty"`
	Why     string `json:"why,omitempty"`
	// Refused says that AWS refused to take a step that failed; undo leaves such a step
	// alone.
	Refused bool `json:"refused,omitempty"`

	Prev string `json:"prev"` // hash of the line before
	Hash string `json:"hash"` // of this line with an empty hash
}

// A Journal is a file of one JSON record a line, each with the hash of the one before. It is
// only ever appended to. While it is open, nobody else can open it.
//
// FILE.head holds the last hash, so that cutting off lines at the end shows as well.
// Somebody who may write both files and knows how hashes are made can still forge them:
// against that, copy the head elsewhere.
type Journal struct {
	Records []Record // all so far

	name string
	file *os.File
	lock *lock
}

// head is the content of FILE.head.
type head struct {
	Seq  int    `json:"seq"`
	Hash string `json:"hash"`
}

// Open opens or makes the journal for writing, as actor, and checks its chain. A record that
// was cut off while it was written is removed: its step was never taken. ErrHeld is in the
// error if another process has it open.
func Open(name, actor string) (j *Journal, err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	l, err := acquire(name+".lock", actor)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	records, whole, err := read(file, name)
	if err == nil {
		err = cut(file, whole)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("journal %s: %w", name, err)
	}
	j = &Journal{Records: records, name: name, file: file, lock: l}
	if n := len(records); n > 0 { // the process may have died between the last line and its head
		if err = j.putHead(head{n - 1, records[n-1].Hash}); err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("journal %s.head: %w", name, err)
		}
	}
	return j, nil
}

// cut removes an unfinished line at the end.
func cut(file *os.File, whole int64) error {
	info, err := file.Stat()
	if err != nil || info.Size() == whole {
		return err
	}
	return file.Truncate(whole)
}

// Read returns the records of a journal whose chain is whole. The error
// names the first line that does not fit. It takes no lock.
func Read(name string) ([]Record, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer file.Close()
	records, _, err := read(file, name)
	if err != nil {
		return records, fmt.Errorf("journal %s: %w", name, err)
	}
	return records, nil
}

// ErrBroken is in the error for a journal that somebody has edited.
var ErrBroken = errors.New("the chain is broken: the journal was edited")

// read returns the records, and the length of the lines that they stand in.
func read(r io.Reader, name string) (records []Record, whole int64, err error) {
	// The head is read first: a writer appends a line before it moves the head.
	known, err := readHead(name)
	if err != nil {
		return nil, 0, err
	}
	lines := bufio.NewReader(r)
	prev := ""
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // bytes behind the last newline are an unfinished record
		}
		if err != nil {
			return records, whole, err
		}
		var rec Record
		if err := json.Unmarshal(line, &rec); err != nil {
			return records, whole, fmt.Errorf("line %d: %w: %w", len(records)+1, ErrBroken, err)
		}
		want, hash := rec.sealed(len(records), prev)
		if !bytes.Equal(line, want) {
			return records, whole, fmt.Errorf("line %d: %w", len(records)+1, ErrBroken)
		}
		records, prev, whole = append(records, rec), hash, whole+int64(len(line))
	}
	switch n := len(records); {
	case known == nil && n > 1, known != nil && n <= known.Seq:
		return records, whole, fmt.Errorf("%w: lines are missing at the end, or its .head file is missing", ErrBroken)
	case known != nil && records[known.Seq].Hash != known.Hash:
		return records, whole, fmt.Errorf("line %d: %w: its .head file belongs to another line", known.Seq+1, ErrBroken)
	}
	return records, whole, nil
}

// readHead returns nil if there is no head. Then there is at most one line, since the head
// is written after each line.
func readHead(name string) (*head, error) {
	b, err := os.ReadFile(name + ".head")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var h head
	if err := json.Unmarshal(b, &h); err != nil || h.Seq < 0 {
		return nil, fmt.Errorf("%s.head: %w", name, ErrBroken)
	}
	return &h, nil
}

// sealed returns the line of r as number seq after the line with the hash prev.
func (r Record) sealed(seq int, prev string) (line []byte, hash string) {
	r.Seq, r.Prev, r.Hash = seq, prev, ""
	sum := sha256.Sum256(r.line())
	r.Hash = hex.EncodeToString(sum[:])
	return append(r.line(), '\n'), r.Hash
}

func (r Record) line() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings, a number and a time always marshal
	}
	return b
}

// Put returns only once r is durable: a crash after Put and before the step
// leaves an intent, never a change without a record.
func (j *Journal) Put(r Record) error {
	prev := ""
	if n := len(j.Records); n > 0 {
		prev = j.Records[n-1].Hash
	}
	// A monotonic clock reading and a zone would not survive the file.
	r.Time = r.Time.UTC().Round(0)
	line, hash := r.sealed(len(j.Records), prev)
	before, err := j.append(line)
	if err != nil {
		return fmt.Errorf("journal %s: %w", j.name, err)
	}
	r.Seq, r.Prev, r.Hash = len(j.Records), prev, hash
	if err := j.putHead(head{r.Seq, hash}); err != nil {
		// Lines without a head would look like a journal that somebody has edited.
		return fmt.Errorf("journal %s.head: %w", j.name, errors.Join(err, j.file.Truncate(before)))
	}
	j.Records = append(j.Records, r)

	return nil
}

// append returns where line begins.
func (j *Journal) append(line []byte) (before int64, err error) {
	before, err = j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return before, err
	}
	if _, err = j.file.Write(line); err == nil {
		err = j.file.Sync()
	}
	if err != nil { // half a line on a full disk: the next one must not follow it
		return before, errors.Join(err, j.file.Truncate(before))
	}
	return before, nil
}

func (j *Journal) putHead(h head) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return atomicfile.Write(j.name+".head", b, 0o600)
}

// Close lets others open the journal.
func (j *Journal) Close() error {
	err := j.file.Close()
	j.lock.release()
	return err
}
