package finding

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Schema names the contract of the JSON stream. Within a version, fields and
// record types may be added; readers ignore those that they do not know.
const Schema = "stanch/v1"

// The values of the field "type".
const (
	typeScan       = "scan"
	typeFinding    = "finding"
	typeRepository = "repository"
	typeSummary    = "summary"
)

// JSON returns the Handler that writes the stream itself: one record a line, in
// one call, as it comes. Replay reads it.
func JSON(w io.Writer) Handler { return jsonHandler{w} }

type jsonHandler struct{ w io.Writer }

func (h jsonHandler) Scan(s Scan) error {
	return h.put(struct {
		Type   string `json:"type"`
		Schema string `json:"schema"`
		Scan
	}{typeScan, Schema, s})
}

func (h jsonHandler) Finding(f Finding) error {
	return h.put(struct {
		Type string `json:"type"`
		record
	}{typeFinding, f.record(true)}) // f has its secrets only if they are to be shown
}

func (h jsonHandler) Repository(r Repository) error {
	return h.put(struct {
		Type string `json:"type"`
		Repository
	}{typeRepository, r})
}

func (h jsonHandler) Summary(s Summary) error {
	return h.put(struct {
		Type string `json:"type"`
		Summary
	}{typeSummary, s})
}

// unescape makes encoding/json write a byte that is not UTF-8 the way that it
// writes the U+FFFD which a reader makes of it, so that a replay changes nothing.
var unescape = strings.NewReplacer(`\\`, `\\`, `\ufffd`, "\ufffd")

func (h jsonHandler) put(record any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // nobody embeds a line in a page, and paths hold "&"
	err := e.Encode(record)
	if err == nil {
		_, err = io.WriteString(h.w, unescape.Replace(b.String()))
	}
	if err != nil {
		return fmt.Errorf("writing the JSON report: %w", err)
	}
	return nil
}
