package github

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// ParseTarget returns the owner, or the owner/name, that text means: either of them as it
// is, or the URL of its page, or one that git clones from. The URL has to be of the GitHub
// whose API has the URL api: no other server is asked, and none gets the token.
func ParseTarget(text, api string) (string, error) {
	name := strings.TrimSuffix(text, "/")
	if strings.Contains(name, "/") {
		name = strings.TrimSuffix(name, ".git") // no repository's name ends so
	}
	plain := checkTarget(name)
	if plain == nil {
		return name, nil
	}
	base, err := url.Parse(api)
	if err != nil {
		return "", fmt.Errorf("the URL of GitHub's API: %w", err)
	}
	base.Path = strings.TrimSuffix(base.Path, "/") + "/"
	web := webOf(base)
	u := targetURL(text, web.Host)
	if u == nil {
		return "", plain
	}
	shown := u.Scheme + "://" + u.Host + u.Path // without a token that is in it
	git := u.Scheme == "ssh" || u.Scheme == "git"
	switch {
	case u.Scheme != "https" && u.Scheme != "http" && !git:
		return "", fmt.Errorf("%s: it is not the URL of a repository or an owner, such as %s", shown, web.JoinPath("acme/app"))
	case !sameHost(u, web, git):
		return "", fmt.Errorf("%s: the GitHub that is asked is %s. If this is a GitHub, give its --api-url, %s; \"stanch git URL\" reads one repository of any server", shown, web.Host, apiOf(u.Hostname()))
	case u.User != nil && (!git || u.User.String() != "git"):
		return "", fmt.Errorf("%s: a user or a token stands in the URL: leave it out, and give the token as GITHUB_TOKEN or with --token-file", shown)
	}
	return ofPath(u.Path, shown)
}

// apiOf returns the URL of the API of the GitHub whose pages are at host, a GitHub Enterprise
// Server unless its name says otherwise.
func apiOf(host string) string {
	host = strings.TrimPrefix(strings.ToLower(host), "www.")
	if host == "github.com" || strings.HasSuffix(host, ".ghe.com") {
		return "https://api." + host
	}
	return "https://" + host + "/api/v3"
}

// targetURL reads text as a URL, as the form HOST:PATH of ssh, or as one without a scheme
// that begins with host. It returns nil if it is none of these.
func targetURL(text, host string) *url.URL {
	if !strings.Contains(text, "://") {
		user, rest, ssh := strings.Cut(text, "@")
		at, path, _ := strings.Cut(rest, ":")
		switch {
		case ssh && path != "" && !strings.Contains(at, "/"):
			text = "ssh://" + user + "@" + at + "/" + strings.TrimPrefix(path, "/")
		case strings.HasPrefix(strings.ToLower(strings.TrimPrefix(text, "www.")), strings.ToLower(host)+"/"):
			text = "https://" + text
		default:
			return nil
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil
	}
	u.Scheme = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(u.Scheme), "git+"), "svn+")
	return u
}

// sameHost reports whether u is of the server web. A port of git's own protocols is not that
// of its pages.
func sameHost(u, web *url.URL, git bool) bool {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if !git {
		host = strings.TrimPrefix(host, "www.")
	}
	if host == "ssh.github.com" && git { // where port 22 is closed
		host = "github.com"
	}
	if git || port == "443" && u.Scheme == "https" {
		return host == strings.ToLower(web.Hostname())
	}
	if port != "" {
		host = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	return host == strings.ToLower(web.Host)
}

// ofPath returns the target that the path of a URL means.
func ofPath(path, shown string) (string, error) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "orgs" && len(parts) > 1 { // pages about an organization
		parts = parts[1:2]
	}
	if len(parts) >= 2 {
		parts[1] = strings.TrimSuffix(parts[1], ".git")
	}
	target := strings.Join(parts[:min(len(parts), 2)], "/")
	if err := checkTarget(target); err != nil {
		return "", fmt.Errorf("%s: %w", shown, err)
	}
	if len(parts) > 2 {
		return "", fmt.Errorf("%s is a page within a repository, and repositories are scanned as a whole: give %s", shown, target)
	}
	return target, nil
}
