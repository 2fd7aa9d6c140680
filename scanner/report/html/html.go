// Package html writes reports as one page for browsers.
package html

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // the assets of the page
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

// New returns the Handler that writes one page for browsers: live keys and the steps to
// take, then every finding with all its places, then how the scan or sweep went. It is one
// file that asks no server for anything, and shows all without its script too, which
// filters and sorts. It writes at Summary, in one call. The records decide every byte, so
// the same records make the same page for each request. It never shows the secret fields of
// a record; other text is free of secrets only if the sink has removed them.
func New(w io.Writer) finding.Handler { return &handler{w: w} }

// ContentSecurityPolicy is the policy that the page has, for servers to send too:
// no script and no style but its own, and nothing from elsewhere.
func ContentSecurityPolicy() string {
	hash := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
	}
	return "default-src 'none'; img-src data:; style-src " + hash(pageStyle) + "; script-src " + hash(pageScript) +
		"; base-uri 'none'; form-action 'none'"
}

// Style returns the style of the page. The page of "stanch sweep serve" begins with it, so that
// both look the same.
func Style() string { return pageStyle }

// A State is what a page calls a state of findings.
type State struct {
	Slug string `json:"slug"` // its class in Style
	Word string `json:"word"` // how it is written in front of a finding
}

// States returns the states in the order of their urgency.
func States() []State {
	list := make([]State, 0, len(slugs))
	for u, slug := range slugs {
		list = append(list, State{Slug: slug, Word: wording.Urgency(u).String()})
	}
	return list
}

type handler struct {
	wording.Collector
	w io.Writer
}

func (h *handler) Summary(s finding.Summary) error {
	v := newView(h, s)
	v.head()
	v.overview()
	v.list()
	v.put(`<div id="unread">` + "\n")
	v.sweep()
	v.unread("Not read", "There may be more leaks in here.", v.swept.Others(s.Unread))
	v.put("</div>\n")
	v.unread("Not read, and accepted", "Each for a known reason.", s.Accepted)
	v.charts()
	v.foot()
	if _, err := io.WriteString(h.w, v.String()); err != nil {
		return fmt.Errorf("writing the HTML report: %w", err)
	}
	return nil
}

// A view is the page in the making, with the data that several parts of it need.
type view struct {
	markup
	scan         finding.Scan
	sum          finding.Summary
	findings     []finding.Finding // the most urgent first, the ignored ones last
	open         int               // how many are not ignored
	repositories []finding.Repository
	swept        wording.Swept
	hosts        []string // of repositories
	owner        string   // "owner/", if all repositories have the same one: rows need not repeat it
	accounts     index
	repos        index
	rules        index
}

func newView(h *handler, sum finding.Summary) *view {
	v := &view{scan: h.Header, sum: sum, findings: h.Findings, repositories: h.Repositories}
	slices.SortStableFunc(v.findings, func(a, b finding.Finding) int {
		return cmp.Or(
			cmp.Compare(rank(a.Ignored != ""), rank(b.Ignored != "")),
			cmp.Compare(wording.UrgencyOf(&a), wording.UrgencyOf(&b)),
			cmp.Compare(rank(v.acknowledged(&a)), rank(v.acknowledged(&b))),
			cmp.Compare(rank(!wording.IsNew(&a)), rank(!wording.IsNew(&b))))
	})
	for i := range v.findings {
		if v.findings[i].Ignored == "" {
			v.open++
		}
	}
	v.owner = commonOwner(v.findings)
	slices.SortStableFunc(v.repositories, func(a, b finding.Repository) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range v.repositories {
		v.swept.Add(r)
		if u := webAddress(r.URL); u != nil && !slices.Contains(v.hosts, u.Host) {
			v.hosts = append(v.hosts, u.Host)
		}
	}
	return v
}

// commonOwner returns "owner/" if all repositories belong to one owner.
func commonOwner(findings []finding.Finding) string {
	common := ""
	for i := range findings {
		for k := range findings[i].Locations {
			owner, _, ok := strings.Cut(repoName(findings[i].Locations[k].Repo), "/")
			if owner += "/"; !ok || owner == "/" || common != "" && common != owner {
				return ""
			}
			common = owner
		}
	}
	return common
}

func rank(behind bool) int {
	if behind {
		return 1
	}
	return 0
}

// acknowledged reports whether an acknowledgement of f was in force at the time of the
// scan.
func (v *view) acknowledged(f *finding.Finding) bool {
	h := f.History
	return h != nil && h.AcknowledgedBy != "" && (h.AcknowledgedUntil.IsZero() || h.AcknowledgedUntil.After(v.scan.Started))
}

// isGitHub reports whether repo is on a GitHub, as all are that a scan of GitHub or a sweep read.
// A report that is made of several kinds of scans names the hosts of these in its records of
// repositories.
func (v *view) isGitHub(repo string) bool {
	if v.scan.Source == "github" || v.scan.Source == "sweep" {
		return true
	}
	u := webAddress(repo)
	return u != nil && slices.Contains(v.hosts, u.Host)
}

func (v *view) head() {
	v.put(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="%s"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/><meta name="color-scheme" content="light dark"/>
<link rel="icon" href="data:,"/>
<title>%s – stanch</title>
`, trusted(ContentSecurityPolicy()), cmp.Or(v.scan.Target, "Report"))
	v.put("<style>%s</style></head>\n<body>\n", trusted(pageStyle))
	v.put(`<a class="skip" href="#findings">Skip to the findings</a>` + "\n")
	v.put(`<header><p class="name">stanch</p><p class="about">%s %s`, foreign(wording.Source(&v.scan)), foreign(v.scan.Target))
	if !v.scan.Started.IsZero() {
		v.put(` · <time datetime="%s">%s UTC</time>`, v.scan.Started.UTC().Format(time.RFC3339), v.scan.Started.UTC().Format("2006-01-02 15:04"))
	}
	v.put(`</p></header>` + "\n<main>\n")
}

func (v *view) foot() {
	v.put("</main>\n<footer><p>")
	if counts := v.swept.Counts(); counts != "" {
		v.put("Repositories: %s. ", counts)
	}
	v.put("%s read, %s, in %s", printable.Plural(int(v.sum.Objects), "object"), wording.Size(v.sum.Bytes), wording.Elapsed(v.sum.ElapsedMS))
	if v.scan.Version != "" {
		v.put(", by stanch %s", foreign(v.scan.Version))
	}
	v.put(`.</p><p>No secret is in this page. Key ids, names and paths are: pass it on with care. <span class="js" hidden="">Keys: press <kbd>?</kbd></span></p><p id="said" class="off" role="status"></p></footer>` + "\n")
	v.put(`<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl class="keys">
<dt><kbd>/</kbd></dt><dd>filter</dd>
<dt><kbd>j</kbd> <kbd>k</kbd> or <kbd>↓</kbd> <kbd>↑</kbd></dt><dd>next and previous finding</dd>
<dt><kbd>Enter</kbd></dt><dd>open or close it</dd>
<dt><kbd>Tab</kbd></dt><dd>from a finding to its links and copy buttons</dd>
<dt><kbd>Esc</kbd></dt><dd>close it; empty the filter</dd>
<dt><kbd>?</kbd></dt><dd>this help</dd></dl>
<form method="dialog"><button>Close</button></form></dialog>
`)
	v.put("<script>%s</script>\n</body></html>\n", trusted(pageScript))
}

// sweep lists the repositories, the failed ones with the reason.
func (v *view) sweep() {
	if len(v.repositories) == 0 {
		return
	}
	v.put(`<section aria-labelledby="h-repos"><h2 id="h-repos">Repositories</h2>` + "\n")
	if n := len(v.swept.Failed); n > 0 {
		v.put(`<h3 id="failed">%s failed: there may be more leaks in here</h3>`+"\n", printable.Thousands(int64(n)))
		v.repositoryTable("Repositories that could not be read", v.swept.Failed)
	}
	rest := slices.DeleteFunc(slices.Clone(v.repositories), func(r finding.Repository) bool { return r.State == finding.RepositoryFailed })
	if len(rest) > 0 {
		var others wording.Swept
		for _, r := range rest {
			others.Add(r)
		}
		v.put("<details><summary>%s</summary>\n", cmp.Or(others.Counts(), printable.Plural(len(rest), "other")))
		v.repositoryTable("Other repositories", rest)
		v.put("</details>\n")
	}
	v.put("</section>\n")
}

func (v *view) repositoryTable(caption string, list []finding.Repository) {
	v.put(`<div class="wide" tabindex="0" role="region" aria-label="%s"><table class="repos"><caption class="off">%s</caption><thead><tr><th scope="col">Repository</th><th scope="col">State</th><th scope="col">Why</th><th scope="col">Looked at, UTC</th><th scope="col" class="num">Objects</th><th scope="col" class="num">Fetched</th></tr></thead><tbody>`+"\n", caption, caption)
	for _, r := range list {
		v.put(`<tr><th scope="row">%s%s</th><td>%s</td><td>%s</td><td>`, v.linked(r.URL, r.Name), remarks(r), foreign(r.State), foreign(r.Why))
		if !r.At.IsZero() {
			v.put("%s", r.At.UTC().Format("2006-01-02 15:04"))
		}
		v.put(`</td><td class="num">%s</td><td class="num">%s</td></tr>`+"\n", printable.Thousands(r.Objects), wording.Size(r.Fetched))
	}
	v.put("</tbody></table></div>\n")
}

// remarks says whether r is private, archived or a fork.
func remarks(r finding.Repository) trusted {
	var m markup
	for _, x := range []struct {
		is   bool
		word string
	}{{r.Private, "private"}, {r.Archived, "archived"}, {r.ForkOf != "", "fork of " + r.ForkOf}} {
		if x.is {
			m.put(` <span class="tag">%s</span>`, foreign(x.word))
		}
	}
	return trusted(m.String())
}

// linked returns text as a link to address, if that is the address of a web page.
func (v *view) linked(address, text string) trusted {
	var m markup
	if u := webAddress(address); u != nil {
		m.put(`<a href="%s" target="_blank" rel="noreferrer">%s</a>`, u.String(), foreign(text))
	} else {
		m.put("%s", foreign(text))
	}
	return trusted(m.String())
}

func (v *view) unread(title, means string, list []finding.Unread) {
	if len(list) == 0 {
		return
	}
	v.put(`<section><h2>%s</h2><p>%s</p><ul class="unread">`+"\n", title, means)
	for _, u := range list {
		v.put("<li>%s: %s", foreign(u.What), foreign(u.Why))
		if u.Accepted != "" {
			v.put(" (%s)", foreign(u.Accepted))
		}
		v.put("</li>\n")
	}
	v.put("</ul></section>\n")
}
