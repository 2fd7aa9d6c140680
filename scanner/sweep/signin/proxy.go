package signin

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Proxy signs users in, and says by headers who they are: oauth2-proxy and the like. It has
// to remove these headers from the requests of its own clients.
type Proxy struct {
	From []netip.Prefix // addresses that it sends requests from
	User string         // name of the header with the name of the user
	// Groups is the name of the header with the groups of the user, by commas. A user in one
	// of TriageGroups is a Triager, others are Readers.
	Groups       string
	TriageGroups []string
}

// errForged says that the header came from elsewhere.
var errForged = errors.New("the header that names the user comes from an address that is not --trust-proxy")

// errUnclear says that the header names nobody.
var errUnclear = errors.New("the header that names the user has to be there once, with a name of at most 200 characters that can be shown")

// userOf returns the user that the headers of a request name, or Nobody without the header.
// The error says why the headers cannot be trusted.
func (p *Proxy) userOf(r *http.Request) (User, error) {
	if p == nil || len(r.Header.Values(p.User)) == 0 {
		return User{}, nil
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !slices.ContainsFunc(p.From, func(n netip.Prefix) bool { return n.Contains(from.Addr().Unmap().WithZone("")) }) {
		return User{}, errForged
	}
	names := r.Header.Values(p.User)
	name := cleanName(names[0])
	if len(names) != 1 || name == "" {
		return User{}, errUnclear
	}
	u := User{Name: name, Role: Reader}
	for _, line := range r.Header.Values(p.Groups) {
		for group := range strings.SplitSeq(line, ",") {
			if slices.Contains(p.TriageGroups, strings.TrimSpace(group)) {
				u.Role = Triager
			}
		}
	}
	return u, nil
}

// cleanName returns a name of a user without spaces around it, or "" if it cannot be shown.
func cleanName(name string) string {
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > 200 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return ""
	}
	return name
}
