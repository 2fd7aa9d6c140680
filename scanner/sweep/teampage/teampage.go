// Package teampage is the page of "stanch sweep serve" for a team that keeps it open: the
// findings, live first, and the work of people on them. The page loads its data from the API
// of sweeps (scanner/sweep/api) in parts; this package only serves its files.
//
//	/              the page
//	/assets/NAME   its style and its scripts
package teampage

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assets embed.FS

// Policy is the Content-Security-Policy of the page: scripts, styles and data from its own
// server alone, no form that is sent by the browser itself, and no frame around it. Scripts
// cannot parse text as HTML: there is no policy of Trusted Types that would allow it
// (w3.org/TR/trusted-types).
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// A Page is what the page shares with the HTML report, which it may not import.
type Page struct {
	Style string // the style of the HTML report: html.Style
	// States are the states of findings, the most urgent first, as JSON has them: html.States.
	States any
	// Report is the path of the report as one page, for browsers without script; "" without one.
	Report string
}

// Handler returns the handler of the page. It may be called concurrently, reads no database,
// and holds the files of the page, some 100 kB, once for all requests. It knows nothing of
// users: whoever mounts it asks for the sign-in.
func (p Page) Handler() (http.Handler, error) {
	files := map[string]file{}
	err := fs.WalkDir(assets, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := assets.ReadFile(name)
		if path.Base(name) == "index.html" {
			files["/"] = newFile("index.html", p.index(text))
			return err
		}
		files["/"+name] = newFile(name, text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the files of the page: %w", err)
	}
	states, err := json.Marshal(p.States)
	if err != nil {
		return nil, fmt.Errorf("the states of findings, for the page: %w", err)
	}
	files["/assets/report.css"] = newFile("report.css", []byte(p.Style))
	files["/assets/states.js"] = newFile("states.js", fmt.Appendf(nil, "export const states = %s;\n", states))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, files) }), nil
}

// index returns the page with the link to the report.
func (p Page) index(text []byte) []byte {
	link := "Without it, findings are in <code>stanch sweep report</code> alone."
	if p.Report != "" {
		link = `<a href="` + p.Report + `">The report as one page</a> needs none.`
	}
	return bytes.ReplaceAll(text, []byte("{{report}}"), []byte(link))
}

// A file is one file of the page.
type file struct {
	text       []byte
	kind, etag string
}

func newFile(name string, text []byte) file {
	sum := sha256.Sum256(text)
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // the system's table may say otherwise, and with nosniff a wrong type stops the page
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".html":
		kind = "text/html; charset=utf-8"
	}
	return file{text, kind, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

func serve(w http.ResponseWriter, r *http.Request, files map[string]file) {
	f, ok := files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the page can only be read", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // kept, and asked about each time: a new build changes them
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, path.Base(strings.TrimSuffix(r.URL.Path, "/")), time.Time{}, bytes.NewReader(f.text))
}
