package api

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/signin"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// filterNames are the parameters of parameters.filter.
var filterNames = []string{"target", "repository", "state", "status", "owner", "q", "new_since", "ignored"}

// writeJSON writes an answer.
func writeJSON(w http.ResponseWriter, status int, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // it escapes <, > and &; a client that is gone gets nothing
}

func (s *Server) listFindings(w http.ResponseWriter, r *http.Request) error {
	p := parametersOf(r, append([]string{"sort", "after", "limit"}, filterNames...)...)
	filter, sort, limit := p.filter(), p.sort(), p.limit(defaultLimit, maxLimit)
	if p.err != nil {
		return p.err
	}
	page, err := s.Store.List(r.Context(), filter, sort, p.text("after"), limit)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

// A detail is a finding with the steps that shut its key off.
type detail struct {
	triage.Detail
	Commands []string `json:"commands"`
}

func (s *Server) getFinding(w http.ResponseWriter, r *http.Request) error {
	if p := parametersOf(r); p.err != nil {
		return p.err
	}
	d, err := s.Store.Detail(r.Context(), r.PathValue("fingerprint"))
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(d.Version))
	writeJSON(w, http.StatusOK, detail{d, commands(&d)})
	return nil
}

func (s *Server) summarize(w http.ResponseWriter, r *http.Request) error {
	p := parametersOf(r, "new_since")
	since := p.time("new_since")
	if p.err != nil {
		return p.err
	}
	if since.IsZero() {
		since = s.Store.Now().Add(-24 * time.Hour).Truncate(time.Minute) // for all who ask in this minute
	}
	sum, err := s.recent.get(r.Context(), s.Store.Now(), since, s.Store.Summary)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, sum)
	return nil
}

func (s *Server) listRepositories(w http.ResponseWriter, r *http.Request) error {
	p := parametersOf(r, "limit")
	limit := p.limit(1000, 10_000)
	if p.err != nil {
		return p.err
	}
	groups, err := s.Store.GroupsOfRepositories(r.Context(), limit)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"repositories": groups})
	return nil
}

func (s *Server) listTargets(w http.ResponseWriter, r *http.Request) error {
	if p := parametersOf(r); p.err != nil {
		return p.err
	}
	targets, err := s.Store.Ages(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"targets": targets})
	return nil
}

func (s *Server) describeUser(w http.ResponseWriter, r *http.Request) error {
	if p := parametersOf(r); p.err != nil {
		return p.err
	}
	user := signin.UserOf(r.Context())
	role := "reader"
	if user.Role >= signin.Triager {
		role = "triager"
	}
	writeJSON(w, http.StatusOK, map[string]any{"name": user.Name, "role": role, "session": user.Session})
	return nil
}

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI)
	return nil
}
