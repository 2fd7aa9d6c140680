package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Call is the source of the texts in one document of JSON: the tool call that an AI assistant
// is about to make, or the prompt that it is about to be sent. Each text is named after its
// field, as in tool_input.content.
type Call struct {
	texts []*callText
	// FromCopilot reports whether GitHub Copilot makes the call: others name no toolArgs.
	FromCopilot bool
}

var _ scanner.Source = (*Call)(nil)

// A callText is a string of several lines, or the strings of one object or list that have a
// single line, one a line.
type callText struct {
	field string
	data  []byte
	// fields name the line of a text that was put together; nil for a string on its own.
	fields []string
	// old are the lines that were there before the call: an edit states them too.
	old map[int]bool
}

// maxNesting is how deep a document may be nested: far deeper than any tool call.
const maxNesting = 100

// ReadCall reads the document from r.
func ReadCall(r io.Reader) (*Call, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the tool call from standard input: %w", err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("standard input holds no tool call in JSON: %w", err)
	}
	c := &Call{}
	object, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("standard input holds no tool call: it is JSON, but no object")
	}
	_, c.FromCopilot = object["toolArgs"]
	if err := c.add("", doc, 0); err != nil {
		return nil, err
	}
	return c, nil
}

// add adds the texts of an object or a list. The name of a field says how to read its value,
// and an id and its secret may be two fields, so strings of one line stay together.
func (c *Call) add(field string, value any, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("the tool call is nested more than %d deep", maxNesting)
	}
	lines := &callText{field: field, old: map[int]bool{}}
	for _, m := range members(field, value) {
		text, ok := m.value.(string)
		switch {
		case !ok:
			if err := c.add(m.field, m.value, depth+1); err != nil {
				return err
			}
		case strings.ContainsAny(text, "\r\n"):
			c.texts = append(c.texts, &callText{field: m.field, data: []byte(text), old: oldLines(text, m.before)})
		default:
			lines.fields = append(lines.fields, m.field)
			lines.old[len(lines.fields)] = oldLines(text, m.before)[1]
			lines.data = append(lines.data, m.label+text+"\n"...)
		}
	}
	if len(lines.fields) > 0 {
		c.texts = append(c.texts, lines)
	}
	return nil
}

// A member is a value in an object or a list. label is its name in the text, and before is the
// text that it replaces, if it is a part of an edit.
type member struct {
	field, label, before string
	value                any
}

// members returns the members of an object or a list, without those that an edit takes away,
// and nothing for any other value.
func members(field string, value any) (list []member) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if rest, ok := strings.CutPrefix(key, "old"); ok && isString(v["new"+rest]) {
				continue
			}
			m := member{field: strings.TrimPrefix(field+"."+key, "."), label: key + ": ", value: decoded(key, v[key])}
			if rest, ok := strings.CutPrefix(key, "new"); ok { // old_string and new_string, oldString and newString …
				m.before, _ = v["old"+rest].(string)
			}
			list = append(list, m)
		}
	case []any:
		for i, element := range v {
			list = append(list, member{field: fmt.Sprintf("%s[%d]", field, i), value: element})
		}
	}
	return list
}

func isString(v any) bool {
	_, ok := v.(string)
	return ok
}

// decoded returns the value of a field. Some assistants send the arguments of a tool as a
// string of JSON.
func decoded(key string, value any) any {
	text, ok := value.(string)
	if !ok || !slices.Contains([]string{"tool_input", "toolArgs", "tool_args", "arguments"}, key) {
		return value
	}
	var inner any
	if json.Unmarshal([]byte(text), &inner) != nil {
		return value
	}
	return inner
}

// patchMark begins a patch as Codex makes it, in which a line that is added begins with a plus.
const patchMark = "*** Begin Patch"

// oldLines returns the numbers of the lines of text that were there before: those that stand in
// before, which text replaces, or those of a patch that it does not add.
func oldLines(text, before string) map[int]bool {
	old, known := map[int]bool{}, map[string]bool{}
	for line := range strings.Lines(before) {
		known[strings.TrimSpace(line)] = true
	}
	patch := strings.HasPrefix(strings.TrimSpace(text), patchMark)
	n := 0
	for line := range strings.Lines(text) {
		n++
		switch {
		case patch:
			old[n] = strings.HasPrefix(line, "-") || strings.HasPrefix(line, " ")
		default:
			old[n] = known[strings.TrimSpace(line)]
		}
	}
	return old
}

// Blobs implements scanner.Source.
func (c *Call) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	for i, t := range c.texts {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := scanner.Blob{ID: blobOf(i), Kind: finding.KindBlob, Name: t.field, Data: bytes.Clone(t.data), New: t.isNew}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

func blobOf(i int) finding.BlobID { return finding.BlobID(fmt.Sprintf("text %d", i)) }

// isNew reports whether one of the lines that data[from:to] is part of is new.
func (t *callText) isNew(from, to int) bool {
	first := 1 + bytes.Count(t.data[:from], []byte("\n"))
	last := first + bytes.Count(t.data[from:to], []byte("\n"))
	for n := first; n <= last; n++ {
		if !t.old[n] {
			return true
		}
	}
	return false
}

// Locate implements scanner.Source. The Path of a location is the field.
func (c *Call) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for i, t := range c.texts {
		if !slices.Contains(ids, blobOf(i)) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(blobOf(i), finding.Location{Kind: finding.KindBlob, Path: t.field}); err != nil {
			return err
		}
	}
	return nil
}

// Place names the field and the line of a location in c, and those of its secret if that is
// elsewhere.
func (c *Call) Place(l *finding.Location) string {
	at := c.place(l.Path, l.Line)
	if l.SecretLine == 0 || l.SecretLine == l.Line {
		return at
	}
	return at + ", with its secret in " + c.place(l.Path, l.SecretLine)
}

func (c *Call) place(field string, line int) string {
	for _, t := range c.texts {
		switch {
		case t.field != field:
		case t.fields == nil:
			return fmt.Sprintf("%s line %d", field, line)
		case line >= 1 && line <= len(t.fields):
			return t.fields[line-1]
		}
	}
	return field
}
