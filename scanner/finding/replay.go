package finding

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/textfile"
)

// ErrTruncated says that a report comes from a scan that did not finish.
var ErrTruncated = errors.New("the stream ends without a summary: the scan was interrupted")

// maxLine bounds one record: a credential in some hundred thousand places.
const maxLine = 256 << 20

// Replay reads a stream that the JSON format wrote and passes it on to h, so
// that a saved report can be turned into any format. It ignores record types and
// fields that it does not know.
//
// Secrets that were saved with the report are dropped unless showSecrets.
//
// If the stream has no summary, Replay passes on all that there is, then a summary that
// says that the rest is missing, and returns ErrTruncated.
func Replay(r io.Reader, h Handler, showSecrets bool) error {
	r, err := textfile.Reader(r)
	if err != nil {
		return fmt.Errorf("not a report: %w", err)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	p := player{h: h, show: showSecrets}
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		err := p.play(lines.Bytes())
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && p.started && !p.done && !lines.Scan() && lines.Err() == nil {
			break // the last line was cut off
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return p.end()
}

// A player passes the lines of one stream on.
type player struct {
	h             Handler
	show          bool
	started, done bool
	sum           Summary // counted along, for streams without one
}

func (p *player) play(line []byte) error {
	var head struct{ Type, Schema, Version string }
	if err := json.Unmarshal(line, &head); err != nil {
		if !p.started {
			return fmt.Errorf("not a record of a report, which \"stanch git -f json\" writes: %w", err)
		}
		return fmt.Errorf("not a record of a report: %w", err)
	}
	switch head.Type {
	case typeScan:
		if head.Schema != Schema {
			return fmt.Errorf("schema %q, written by stanch %q, is not %q: read it with that version",
				head.Schema, head.Version, Schema)
		}
		if p.started {
			return errors.New("a second report begins: save each in a file of its own, and make one of them with 'stanch report a.jsonl b.jsonl'")
		}
		p.started = true
		return decode(line, p.h.Scan)
	case typeFinding, typeRepository, typeSummary:
		if !p.started || p.done {
			return fmt.Errorf("a record of type %q outside of a scan", head.Type)
		}
	default:
		return nil
	}
	switch head.Type {
	case typeSummary:
		p.done = true
		var has struct {
			MayBeLive *int `json:"may_be_live"`
		}
		if err := json.Unmarshal(line, &has); err != nil {
			return err
		}
		return decode(line, func(s Summary) error {
			if has.MayBeLive == nil { // earlier versions did not count them
				s.MayBeLive = p.sum.MayBeLive
			}
			return p.h.Summary(s)
		})
	case typeRepository:
		return decode(line, p.h.Repository)
	}
	return decode(line, func(f Finding) error {
		p.sum.Count(&f)
		if !p.show {
			f.Match.Credential.Secret, f.Match.Credential.Token = detectors.Secret{}, detectors.Secret{}
			f.Candidates = WithoutSecrets(f.Candidates)
		}
		return p.h.Finding(f)
	})
}

func decode[T any](line []byte, handle func(T) error) error {
	var record T
	if err := json.Unmarshal(line, &record); err != nil {
		return err
	}
	return handle(record)
}

func (p *player) end() error {
	switch {
	case p.done:
		return nil
	case !p.started:
		return errors.New(`no report: the stream holds no scan, which "stanch git -f json" writes`)
	}
	p.sum.Stopped = true
	p.sum.Unread = []Unread{{What: "the rest of the report", Why: ErrTruncated.Error()}}
	return errors.Join(ErrTruncated, p.h.Summary(p.sum))
}
