package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// The limits of parameters.
const (
	defaultLimit = 50
	maxLimit     = 200
	maxText      = 500 // bytes of any parameter but a cursor
	maxCursor    = 4096
)

// parameters reads the query of a request. The first parameter that is wrong is an error.
type parameters struct {
	values url.Values
	err    error
}

// parametersOf returns the query of a request, which may have the parameters known.
func parametersOf(r *http.Request, known ...string) *parameters {
	p := &parameters{}
	p.values, p.err = url.ParseQuery(r.URL.RawQuery)
	if p.err != nil {
		p.err = &problem{Status: http.StatusBadRequest, Detail: "the query: " + p.err.Error()}
		return p
	}
	for name, values := range p.values {
		most := maxText
		if name == "after" {
			most = maxCursor
		}
		switch {
		case !slices.Contains(known, name):
			p.fail(name, "there is no such parameter")
		case name != "state" && name != "status" && len(values) > 1:
			p.fail(name, "it is there more than once")
		case slices.ContainsFunc(values, func(v string) bool { return len(v) > most }):
			p.fail(name, fmt.Sprintf("it may have %d bytes", most))
		case slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) || strings.ContainsRune(v, 0) }):
			p.fail(name, "it is no text in UTF-8")
		}
	}
	return p
}

func (p *parameters) fail(name, why string) {
	if p.err == nil {
		p.err = &problem{Status: http.StatusBadRequest, Detail: "the parameter " + strconv.Quote(name) + ": " + why, Field: name}
	}
}

func (p *parameters) text(name string) string { return p.values.Get(name) }

// list returns the values of a parameter, which may be there more than once or have commas.
func (p *parameters) list(name string) (list []string) {
	for _, v := range p.values[name] {
		for one := range strings.SplitSeq(v, ",") {
			if one != "" {
				list = append(list, one)
			}
		}
	}
	if len(list) > 20 {
		p.fail(name, "it has more than 20 values")
	}
	return list
}

// filter returns the filter of a list of findings.
func (p *parameters) filter() triage.Filter {
	f := triage.Filter{Target: p.text("target"), Repository: p.text("repository"), Owner: p.text("owner"), Text: p.text("q"), NewSince: p.time("new_since")}
	if f.Owner == "-" {
		f.Owner, f.Unowned = "", true
	}
	for _, s := range p.list("state") {
		state, err := triage.ParseState(s)
		if err != nil {
			p.fail("state", err.Error())
		}
		f.States = append(f.States, state)
	}
	for _, s := range p.list("status") {
		status, err := triage.ParseStatus(s)
		if err != nil {
			p.fail("status", err.Error())
		}
		f.Statuses = append(f.Statuses, status)
	}
	f.Ignored = p.bool("ignored")
	return f
}

func (p *parameters) bool(name string) bool {
	switch v := p.text(name); v {
	case "", "false":
		return false
	case "true":
		return true
	default:
		p.fail(name, "true or false")
		return false
	}
}

// time returns a moment, or the beginning of a day in UTC.
func (p *parameters) time(name string) time.Time {
	text := p.text(name)
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 && t.Year() < 10_000 {
			return t
		}
	}
	p.fail(name, "use a day such as 2027-01-31, or a time such as 2027-01-31T08:00:00Z")
	return time.Time{}
}

// limit returns how many rows a page has.
func (p *parameters) limit(usual, most int) int {
	text := p.text("limit")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		p.fail("limit", fmt.Sprintf("use a number from 1 to %d", most))
		return usual
	}
	return n
}

// sort returns the order of a list.
func (p *parameters) sort() triage.Sort {
	s := triage.Sort(p.text("sort"))
	switch {
	case s == "":
		return triage.Sorts()[0]
	case !slices.Contains(triage.Sorts(), s):
		p.fail("sort", fmt.Sprintf("use one of %q", triage.Sorts()))
	}
	return s
}
