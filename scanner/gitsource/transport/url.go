package transport

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

var (
	schemeURL = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`) })
	// git-clone(1), GIT URLS: the scp-like syntax has no slash before the first
	// colon. One letter before it is a Windows drive.
	scpURL  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([^/\\:@]+@[^/:]+|[^/\\:@]{2,}):[^:]`) })
	scpPort = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([^/\\:@]+@)?[^/:@]+:(\d{2,5})/`) })
	// Greedy: a password may hold "@".
	userinfo = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://).*@`) })
)

// IsURL reports whether operand names a repository to clone: it has a scheme,
// or is in git's scp-like form host:path and there is no such file.
func IsURL(operand string) bool {
	if schemeURL().MatchString(operand) {
		return true
	}
	_, err := os.Lstat(operand)
	return err != nil && scpURL().MatchString(operand)
}

// portHint says how to write a URL in git's scp-like form whose path begins as a port would,
// "" if there is none such: with a colon alone, git asks port 22 of the server for ssh.
func portHint(url string) string {
	parts := scpPort().FindStringSubmatch(url)
	if parts == nil {
		return ""
	}
	scheme := "http"
	if parts[1] != "" {
		scheme = "ssh"
	}
	return fmt.Sprintf("; git asks for it by ssh: if %s is a port, write %s://%s", parts[2], scheme, url)
}

// Redact returns operand without the user and password that a URL may hold: the name of the
// repository in reports and messages.
func Redact(operand string) string {
	if !schemeURL().MatchString(operand) {
		return operand
	}
	u, err := url.Parse(operand)
	switch {
	case err != nil:
		return userinfo().ReplaceAllString(operand, "${1}")
	case u.User == nil:
		return operand
	}
	u.User = nil
	return u.String()
}

// An address is a URL whose secrets are kept apart from it.
type address struct {
	url            string
	host           string // scheme://host/, for http
	user, password string // for http
}

func parseRemote(rawURL string) (address, error) {
	if !schemeURL().MatchString(rawURL) {
		return address{url: rawURL}, nil // scp-like: holds a user at most
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		var parse *url.Error // its text holds the URL
		if errors.As(err, &parse) {
			err = parse.Err
		}
		if userinfo().MatchString(rawURL) {
			// The cause is not safe either: "invalid port" may quote a password.
			err = errors.New("not a valid URL; does the password need percent-encoding?")
		}
		return address{}, fmt.Errorf("cloning %s: %w", userinfo().ReplaceAllString(rawURL, "${1}[redacted]@"), err)
	}
	if repository := repositoryOfPage(u); repository != "" {
		return address{}, fmt.Errorf("cloning %s: this is a page of a repository: give the repository, %s", Redact(rawURL), repository)
	}
	if u.Scheme == "file" && u.Host != "" && u.Host != "localhost" && runtime.GOOS != "windows" {
		// git would leave the host out, and clone /app for file://work/app.
		return address{}, fmt.Errorf("cloning %s: a file URL holds a whole path, as file:///srv/app: give the path alone, %s", rawURL, u.Host+u.Path)
	}
	r := address{}
	if u.User != nil {
		r.user = u.User.Username()
		r.password, _ = u.User.Password()
		u.User = nil
		if u.Scheme == "ssh" && r.user != "" {
			u.User = url.User(r.user)
		}
	}
	r.url = u.String()
	if u.Scheme == "http" || u.Scheme == "https" {
		r.host = u.Scheme + "://" + u.Host + "/"
	}
	return r, nil
}

// repositoryOfPage returns the URL of the repository that a page on GitHub or in GitLab is of: a
// file, a branch or a pull request, as browsers show them. It is "" for any other URL.
func repositoryOfPage(u *url.URL) string {
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	length := slices.Index(path, "-") // no project of GitLab is called so
	if host := strings.TrimPrefix(u.Host, "www."); host == "github.com" && len(path) > 2 {
		length = 2
	}
	if length < 2 || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/" + strings.Join(path[:length], "/")
}

// config returns the settings by which git sends the user and password of r.
func (r address) config() [][2]string {
	switch {
	case r.host == "" || r.user == "" && r.password == "":
		return nil
	case !r.sendsPassword():
		return [][2]string{{"credential." + r.host + ".username", r.user}}
	}
	basic := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + r.password))
	// If the server redirects, git sends the header to the new host as well.
	return [][2]string{
		{"http." + r.host + ".extraHeader", "Authorization: Basic " + basic},
		{"http." + r.host + ".followRedirects", "false"},
	}
}

// minTokenLength is the length from which a user without a password is taken for a
// token, as in https://TOKEN@github.com/. Shorter ones are names, as in
// https://me@dev.azure.com/, whose password a credential helper has.
const minTokenLength = 20
