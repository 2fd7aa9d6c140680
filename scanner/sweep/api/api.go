// Package api is the HTTP API of sweeps: it lists findings in parts, and changes their
// status, owner and comment. It is described in openapi.json, which GET /api/v1/openapi.json
// returns; a test holds the two against each other.
//
// Every answer is JSON, or CSV for an export. An error is a problem (RFC 9457). No answer holds
// a secret: the database has none.
package api

import (
	"cmp"
	_ "embed" // openapi.json
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/stanch-dev/stanch/scanner/sweep/signin"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

// Prefix is the path below which all requests are.
const Prefix = "/api/v1"

// openAPI describes the API (spec.openapis.org/oas/v3.1.1).
//
//go:embed openapi.json
var openAPI []byte

// A Server answers requests. Its fields must not change once it is used. Requests may be
// concurrent.
type Server struct {
	Store *triage.Store
	Log   *slog.Logger // nil for none

	recent *recent // made by Handler
}

func (s *Server) log() *slog.Logger { return cmp.Or(s.Log, slog.New(slog.DiscardHandler)) }

// A route is an operation of the API.
type route struct {
	method, path string
	role         signin.Role
	handle       func(*Server, http.ResponseWriter, *http.Request) error
}

// routes returns all operations.
func routes() []route {
	return []route{
		{http.MethodGet, "/findings", signin.Reader, (*Server).listFindings},
		{http.MethodGet, "/findings.csv", signin.Reader, (*Server).exportCSV},
		{http.MethodGet, "/findings.json", signin.Reader, (*Server).exportJSON},
		{http.MethodGet, "/findings/{fingerprint}", signin.Reader, (*Server).getFinding},
		{http.MethodPatch, "/findings/{fingerprint}", signin.Triager, (*Server).changeFinding},
		{http.MethodPost, "/triage", signin.Triager, (*Server).changeFindings},
		{http.MethodGet, "/summary", signin.Reader, (*Server).summarize},
		{http.MethodGet, "/repositories", signin.Reader, (*Server).listRepositories},
		{http.MethodGet, "/targets", signin.Reader, (*Server).listTargets},
		{http.MethodGet, "/me", signin.Reader, (*Server).describeUser},
		{http.MethodGet, "/openapi.json", signin.Reader, (*Server).describe},
	}
}

// Operations returns the method and the path of each operation, as "GET /findings", in order.
func Operations() []string {
	list := make([]string, 0, len(routes()))
	for _, r := range routes() {
		list = append(list, r.method+" "+r.path)
	}
	slices.Sort(list)
	return list
}

// Handler returns the handler of all requests below Prefix. The user of a request is that
// of signin.UserOf.
func (s *Server) Handler() http.Handler {
	s.recent = newRecent()
	mux := http.NewServeMux()
	byPath := map[string][]string{}
	for _, r := range routes() {
		byPath[r.path] = append(byPath[r.path], r.method)
		mux.Handle(r.method+" "+Prefix+r.path, s.guarded(r))
	}
	for path, methods := range byPath { // a problem, where the mux would answer with text
		mux.HandleFunc(Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			allow := ""
			for _, m := range methods {
				if m == http.MethodGet {
					allow += "GET, HEAD, "
				} else {
					allow += m + ", "
				}
			}
			w.Header().Set("Allow", allow[:len(allow)-2])
			s.fail(w, r, &problem{Status: http.StatusMethodNotAllowed, Detail: r.Method + " is not allowed here"})
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &problem{Status: http.StatusNotFound, Detail: "there is no such path; GET " + Prefix + "/openapi.json lists them"})
	})
	return mux
}

// guarded returns the handler of a route for users who have its role.
func (s *Server) guarded(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		user := signin.UserOf(r.Context())
		var err error
		switch {
		case user.Role < signin.Reader:
			h.Set("WWW-Authenticate", "Bearer")
			err = &problem{Status: http.StatusUnauthorized, Detail: "sign in, or send a token as Authorization: Bearer"}
		case user.Role < to.role:
			err = &problem{Status: http.StatusForbidden, Detail: "this needs the role triager"}
		default:
			err = to.handle(s, w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// A problem is an error of the API as RFC 9457 has it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Field is the parameter or the member of the body that is wrong.
	Field string `json:"field,omitempty"`
	// Conflicts are the findings that somebody else has changed.
	Conflicts []string `json:"conflicts,omitempty"`
}

func (p *problem) Error() string { return p.Detail }

// fail answers with a problem. Causes within the server are logged, and not told.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.log().Warn("a request to the API failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	writeJSON(w, p.Status, p)
}

// problemOf returns the problem that an error is.
func problemOf(err error) *problem {
	var p *problem
	var invalid *triage.InvalidError
	var conflict *triage.ConflictError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &invalid):
		return &problem{Status: http.StatusUnprocessableEntity, Detail: invalid.Error(), Field: invalid.Field}
	case errors.As(err, &conflict):
		return &problem{Status: http.StatusConflict, Detail: conflict.Error(), Conflicts: conflict.Fingerprints}
	case errors.Is(err, triage.ErrNoFinding):
		return &problem{Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, triage.ErrCursor):
		return &problem{Status: http.StatusUnprocessableEntity, Detail: err.Error() + ": begin again without it", Field: "after"}
	}
	return &problem{Status: http.StatusInternalServerError, Detail: "the server could not answer; its log says why"}
}

// etag returns the entity tag of a version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
