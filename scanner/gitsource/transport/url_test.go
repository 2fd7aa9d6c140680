package transport

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestRemoteConfig(t *testing.T) {
	tests := []struct {
		url  string
		want [][2]string
	}{
		{"https://me:pw@h:8/x", [][2]string{{"http.https://h:8/.extraHeader", "Authorization: Basic bWU6cHc="}, {"http.https://h:8/.followRedirects", "false"}}},
		{"https://me@h/x", [][2]string{{"credential.https://h/.username", "me"}}},
		{"https://" + strings.Repeat("t", 20) + "@h/x", [][2]string{
			{"http.https://h/.extraHeader", "Authorization: Basic dHR0dHR0dHR0dHR0dHR0dHR0dHQ6"}, {"http.https://h/.followRedirects", "false"},
		}},
		{"https://h/x", nil},
	}
	for _, tt := range tests {
		r, err := parseRemote(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.config(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: settings are %q", tt.url, got)
		}
		if strings.Contains(r.url, "@") {
			t.Errorf("%s: argument is %s", tt.url, r.url)
		}
	}
}

// TestPageOfRepository: people paste the URL that their browser shows.
func TestPageOfRepository(t *testing.T) {
	for page, repository := range map[string]string{
		"https://github.com/acme/app/tree/main/src":            "https://github.com/acme/app",
		"https://u:hidden@github.com/acme/app/pull/12":         "https://github.com/acme/app",
		"http://www.github.com/acme/app/blob/main/x":           "http://www.github.com/acme/app",
		"https://git.example/group/sub/app/-/merge_requests/3": "https://git.example/group/sub/app",
		"https://github.com/acme/app.git":                      "",
		"https://github.com/acme/app/":                         "",
		"https://git.example/group/sub/app":                    "",
		"ssh://git@github.com/acme/app/tree/main":              "",
		"https://git.example/-/x":                              "",
		"https://ghe.example/acme/app/tree/main":               "",
	} {
		_, err := parseRemote(page)
		if repository == "" && err != nil {
			t.Errorf("%s: %v", page, err)
		}
		if repository != "" && (err == nil || !strings.HasSuffix(err.Error(), "give the repository, "+repository) || strings.Contains(err.Error(), "hidden")) {
			t.Errorf("%s: the error is %v", page, err)
		}
	}
}

func TestIsURL(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("git@host:here", 0o700); err != nil {
		t.Skip(err) // Windows has no such names
	}
	for operand, want := range map[string]bool{
		"https://github.com/a/b": true, "ssh://git@h/x": true, "file:///x": true, "git@github.com:a/b.git": true, "host:path": true,
		".": false, "..": false, "dir/sub": false, `C:\repo`: false, "C:/repo": false, "/abs:olute": false, "./a:b": false,
		"git@host:here": false, "": false, "-x": false,
	} {
		if got := IsURL(operand); got != want {
			t.Errorf("IsURL(%q) is %v", operand, got)
		}
	}
}

// TestPartOfAFileURL: git clones /app for file://work/app, a repository that nobody named.
func TestPartOfAFileURL(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there, the host is a server")
	}
	for url, path := range map[string]string{
		"file://.": ".", "file://work/app": "work/app",
		"file:///work/app": "", "file://localhost/work/app": "", "https://work/app": "",
	} {
		_, err := parseRemote(url)
		if (err != nil) != (path != "") || err != nil && !strings.HasSuffix(err.Error(), "give the path alone, "+path) {
			t.Errorf("%s: the error is %v", url, err)
		}
	}
}

func TestPortHint(t *testing.T) {
	for url, want := range map[string]string{
		"127.0.0.1:18720/app.git":    "if 18720 is a port, write http://127.0.0.1:18720/app.git",
		"git@host:2222/a/b":          "if 2222 is a port, write ssh://git@host:2222/a/b",
		"git@github.com:a/b.git":     "",
		"host:18720":                 "",
		"http://127.0.0.1:18720/app": "",
		"ssh://git@h:2222/x":         "",
	} {
		if got := portHint(url); !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("portHint(%q) is %q, want %q", url, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	for operand, want := range map[string]string{
		"https://me:pw@h/x":             "https://h/x",
		"https://token@h/x":             "https://h/x",
		"https://h/@scope/x":            "https://h/@scope/x",
		"https://me:pw@h/@scope/x":      "https://h/@scope/x",
		"https://me:p@ss@h/x":           "https://h/x",
		"https://me:pw/1@host/%zz":      "https://host/%zz",
		"https://me:p%zz@host/x":        "https://host/x",
		"ssh://git@h:2222/x":            "ssh://h:2222/x",
		"git@github.com:a/b.git":        "git@github.com:a/b.git",
		"dir/@x":                        "dir/@x",
		"https://h/A%2fb?c=%41#d":       "https://h/A%2fb?c=%41#d",
		"https://me:pw@h/A%2fb?c=%41#d": "https://h/A%2fb?c=%41#d",
	} {
		if got := Redact(operand); got != want {
			t.Errorf("Redact(%q) is %q, want %q", operand, got, want)
		}
	}
}
