package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// each calls do for all findings of a filter, page after page.
func (s *Server) each(ctx context.Context, f triage.Filter, sort triage.Sort, do func([]triage.Row) error) error {
	for after := ""; ; {
		page, err := s.Store.List(ctx, f, sort, after, 500)
		if err != nil {
			return err
		}
		if err := do(page.Findings); err != nil {
			return err
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// export returns the filter and the order of an export.
func export(r *http.Request) (triage.Filter, triage.Sort, error) {
	p := parametersOf(r, append([]string{"sort"}, filterNames...)...)
	filter, sort := p.filter(), p.sort()
	return filter, sort, p.err
}

// cut ends an answer that has begun, so that the client does not take it for complete.
func (s *Server) cut(r *http.Request, err error) {
	if r.Context().Err() == nil {
		s.log().Warn("an export was cut off", "path", r.URL.Path, "err", err)
	}
	panic(http.ErrAbortHandler)
}

func (s *Server) exportJSON(w http.ResponseWriter, r *http.Request) error {
	filter, sort, err := export(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="findings.json"`)
	w.Header().Set("Content-Type", "application/json")
	begun := "["
	err = s.each(r.Context(), filter, sort, func(rows []triage.Row) error {
		for i := range rows {
			text, err := json.Marshal(&rows[i])
			if err != nil {
				return err
			}
			if _, err := w.Write(append([]byte(begun+"\n"), text...)); err != nil {
				return err
			}
			begun = ","
		}
		return nil
	})
	if err != nil {
		s.cut(r, err)
	}
	if begun == "[" {
		_, _ = w.Write([]byte("["))
	}
	_, _ = w.Write([]byte("\n]\n"))
	return nil
}

func (s *Server) exportCSV(w http.ResponseWriter, r *http.Request) error {
	filter, sort, err := export(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="findings.csv"`)
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	out := csv.NewWriter(w)
	_ = out.Write([]string{
		"fingerprint", "rule", "key_id", "account", "user", "state", "status", "owner", "until", "comment", "first_seen", "verified", "dead_since",
		"repository", "path", "line", "places", "repositories",
	})
	err = s.each(r.Context(), filter, sort, func(rows []triage.Row) error {
		for i := range rows {
			f := &rows[i]
			if err := out.Write([]string{
				f.Fingerprint, f.Rule, cell(f.KeyID), f.Account, cell(f.User), string(f.State), string(f.Status), cell(f.Owner), f.Until, cell(f.Comment),
				moment(&f.FirstSeen), moment(f.Verified), moment(f.DeadSince), cell(f.Where.Repository), cell(f.Where.Path), strconv.Itoa(f.Where.Line),
				strconv.Itoa(f.Places), strconv.Itoa(f.Repositories),
			}); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
	if err != nil {
		s.cut(r, err)
	}
	return nil
}

// cell returns text that a spreadsheet takes for text, not for a formula
// (owasp.org/www-community/attacks/CSV_Injection).
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}
