package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/signin"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// maxBody is how many bytes the body of a request may have: enough for triage.MaxFindings
// findings with their versions.
const maxBody = 1 << 20

// A text is a member of a body that may be absent. It must not be null.
type text struct{ value *string }

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	var value *string
	if err := json.Unmarshal(b, &value); err != nil || value == nil {
		return errors.New("status, owner, comment and until have to be strings")
	}
	t.value = value
	return nil
}

// A version is the version of a finding. It may be absent, and must not be null.
type version struct{ value *int64 }

// UnmarshalJSON implements json.Unmarshaler. 7.0 is a whole number
// (json-schema.org/draft/2020-12/json-schema-core, section 6.3).
func (v *version) UnmarshalJSON(b []byte) error {
	number, err := strconv.ParseFloat(string(b), 64)
	if err != nil || number < 0 || number > 1<<53 || number != math.Trunc(number) {
		return errors.New("a version has to be a whole number")
	}
	n := int64(number)
	v.value = &n
	return nil
}

// An edit is the body of a change: members that are absent change nothing.
type edit struct {
	Status  text `json:"status"`
	Owner   text `json:"owner"`
	Comment text `json:"comment"`
	Until   text `json:"until"` // last day of the status in UTC, "" for good
}

// of returns e as the store takes it.
func (e *edit) of() (triage.Edit, error) {
	out := triage.Edit{Owner: e.Owner.value, Comment: e.Comment.value}
	if e.Status.value == nil && e.Owner.value == nil && e.Comment.value == nil && e.Until.value == nil {
		return out, &triage.InvalidError{Field: "body", Why: "it changes nothing: give it status, owner, comment or until"}
	}
	if e.Status.value != nil {
		status, err := triage.ParseStatus(*e.Status.value)
		if err != nil {
			return out, &triage.InvalidError{Field: "status", Why: err.Error()}
		}
		out.Status = &status
	}
	switch {
	case e.Until.value == nil:
	case *e.Until.value == "":
		out.Until = &time.Time{}
	default:
		end, err := triage.LastMoment(*e.Until.value)
		if err != nil {
			return out, &triage.InvalidError{Field: "until", Why: err.Error()}
		}
		out.Until = &end
	}
	return out, nil
}

// decode reads the body of a request, which has to be JSON with the members of v alone.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &problem{Status: http.StatusUnsupportedMediaType, Detail: "send Content-Type: application/json"}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body may have %d bytes", maxBody)}
	case err != nil:
		return &problem{Status: http.StatusBadRequest, Detail: "the body ends too early"}
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return &problem{Status: http.StatusBadRequest, Detail: "the body: " + explain(err)}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &problem{Status: http.StatusBadRequest, Detail: "the body: more follows the JSON"}
	}
	return nil
}

// explain returns an error of JSON without the text of the body and the names of Go's types.
func explain(err error) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return "it has to be a JSON object"
	case errors.As(err, &kind):
		return kind.Field + " has the wrong type"
	case errors.As(err, &syntax), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it is no JSON"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// author returns who changes findings by a request. The page says in a header that it is
// the page; a program need not.
func author(r *http.Request) triage.Author {
	via := "api"
	if r.Header.Get("Stanch-Client") == "page" {
		via = "page"
	}
	return triage.Author{Name: signin.UserOf(r.Context()).Name, Via: via}
}

func (s *Server) changeFinding(w http.ResponseWriter, r *http.Request) error {
	if p := parametersOf(r); p.err != nil {
		return p.err
	}
	var body struct {
		edit
		Version version `json:"version"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	e, err := body.of()
	if err != nil {
		return err
	}
	item := triage.Item{Fingerprint: r.PathValue("fingerprint"), Version: body.Version.value}
	precondition := r.Header.Get("If-Match")
	if precondition != "" && precondition != "*" {
		version, err := strconv.ParseInt(strings.Trim(precondition, `"`), 10, 64)
		if err != nil || etag(version) != precondition {
			return &problem{Status: http.StatusPreconditionFailed, Detail: "If-Match is no ETag of this finding"}
		}
		item.Version = &version
	}
	if _, err = s.Store.Apply(r.Context(), author(r), e, []triage.Item{item}); err != nil {
		p := problemOf(err)
		if p.Status == http.StatusConflict && precondition != "" {
			p.Status = http.StatusPreconditionFailed // RFC 9110, section 13.1.1
		}
		return p.orCause(err)
	}
	s.recent.forget()
	d, err := s.Store.Detail(r.Context(), item.Fingerprint)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(d.Version))
	writeJSON(w, http.StatusOK, detail{d, commands(&d)})
	return nil
}

// orCause returns the problem, or its cause if that is for the log.
func (p *problem) orCause(err error) error {
	if p.Status >= http.StatusInternalServerError {
		return err
	}
	return p
}

func (s *Server) changeFindings(w http.ResponseWriter, r *http.Request) error {
	if p := parametersOf(r); p.err != nil {
		return p.err
	}
	var body struct {
		edit
		Findings []struct {
			Fingerprint *string `json:"fingerprint"`
			Version     version `json:"version"`
		} `json:"findings"`
	}
	if err := decode(w, r, &body); err != nil {
		return err
	}
	if len(body.Findings) == 0 {
		return &triage.InvalidError{Field: "findings", Why: "it names none"}
	}
	e, err := body.of()
	if err != nil {
		return err
	}
	items := make([]triage.Item, len(body.Findings))
	for i, f := range body.Findings {
		if f.Fingerprint == nil {
			return &triage.InvalidError{Field: "findings", Why: "one has no fingerprint"}
		}
		items[i] = triage.Item{Fingerprint: *f.Fingerprint, Version: f.Version.value}
	}
	done, err := s.Store.Apply(r.Context(), author(r), e, items)
	if err != nil {
		return err
	}
	s.recent.forget()
	writeJSON(w, http.StatusOK, map[string]any{"versions": done.Versions, "changed": done.Changed})
	return nil
}
