package html

import (
	"fmt"
	"html"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// A markup is HTML in the making. It does not use html/template, which would keep every
// method in the binary that reflection could reach: 5.6 MB.
type markup struct{ strings.Builder }

// trusted is markup already, or a number that is written as it is.
type trusted string

// foreign is text of strangers. It stands in an element of its own, so that letters
// which are written from right to left turn nothing around them.
type foreign string

// put writes format, a constant, with each string among args escaped, for elements and
// for attributes in double quotes. Nothing in it that does not print is written as it is: see printable.Quoted.
func (m *markup) put(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = trusted(html.EscapeString(printable.Quoted(a)))
		case foreign:
			args[i] = trusted("<bdi>" + html.EscapeString(printable.Quoted(string(a))) + "</bdi>")
		}
	}
	fmt.Fprintf(&m.Builder, format, args...)
}

// An index numbers names in the order in which they come, and counts them. Rows and
// menus name accounts and repositories by number, which no stranger has written.
type index struct {
	names  []string
	counts []int
	at     map[string]int
}

func (x *index) add(name string) {
	i, ok := x.at[name]
	if !ok {
		if x.at == nil {
			x.at = map[string]int{}
		}
		i = len(x.names)
		x.at[name] = i
		x.names, x.counts = append(x.names, name), append(x.counts, 0)
	}
	x.counts[i]++
}

// byName returns the numbers, ordered by name.
func (x *index) byName() []int {
	order := make([]int, len(x.names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(x.names[a], x.names[b]) })
	return order
}

var hostPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`) })

// webAddress parses raw, and returns nil unless it is the address of a page: http or
// https, with a host, without a password. The query (?) is left out.
func webAddress(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !hostPattern().MatchString(u.Host) || u.User != nil {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, Fragment: u.Fragment, RawFragment: u.RawFragment}
}

// repoName is the name of a repository for people: owner/name of an address, else repo.
func repoName(repo string) string {
	if u := webAddress(repo); u != nil {
		if name := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git"); name != "" {
			return name
		}
	}
	return repo
}

// address returns the page that shows l, or "". github says that the repositories of
// the scan are GitHub's, of whichever host.
func address(l *finding.Location, github bool) string {
	u := webAddress(l.Repo)
	if u == nil || !github && u.Host != "github.com" {
		return ""
	}
	if p := webAddress(l.Path); p != nil && p.Host == u.Host { // an issue, a comment, a release
		return p.String()
	}
	repo := u.Scheme + "://" + u.Host + strings.TrimSuffix(strings.TrimSuffix(u.EscapedPath(), "/"), ".git")
	commit := wording.ShortID(l.Commit) != l.Commit // else it is no object id
	switch {
	case l.Kind == finding.KindCommit && commit:
		return repo + "/commit/" + l.Commit
	case l.Kind == finding.KindBlob && commit:
		return blobAddress(repo+"/blob/"+l.Commit+"/", l)
	}
	return ""
}

func blobAddress(base string, l *finding.Location) string {
	name, _, member := strings.Cut(l.Path, "!")
	// A browser would take "..", and leave the repository.
	if name == "" || path.Clean("/"+name) != "/"+name || printable.Quoted(name) != name || finding.IsRedacted(name) {
		return ""
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		parts = append(parts, url.PathEscape(part))
	}
	at := base + strings.Join(parts, "/")
	if l.Line > 0 && !member {
		at += "#L" + strconv.Itoa(l.Line)
	}
	return at
}
