package github

import (
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	const com, enterprise, ghe, local = "https://api.github.com", "https://git.acme.example/api/v3", "https://api.acme.ghe.com/", "http://127.0.0.1:8080/api/v3"
	for _, tt := range []struct{ text, api, want string }{
		{"acme", com, "acme"},
		{"acme/app", com, "acme/app"},
		{"acme/app.git", com, "acme/app"},
		{"acme/", com, "acme"},
		{"acme/app/", com, "acme/app"},
		{"acme/app.git/", com, "acme/app"},
		{"https://github.com/acme", com, "acme"},
		{"https://github.com/acme/", com, "acme"},
		{"https://github.com/acme?tab=repositories", com, "acme"},
		{"https://github.com/orgs/acme/repositories", com, "acme"},
		{"https://github.com/acme/app", com, "acme/app"},
		{"https://github.com/acme/app/", com, "acme/app"},
		{"https://github.com/acme/app.git", com, "acme/app"},
		{"https://github.com/acme/app.git/", com, "acme/app"},
		{"https://github.com/acme/app#readme", com, "acme/app"},
		{"https://GitHub.com:443/acme/app", com, "acme/app"},
		{"http://www.github.com/acme/app", com, "acme/app"},
		{"github.com/acme", com, "acme"},
		{"www.github.com/acme/app", com, "acme/app"},
		{"git@github.com:acme/app.git", com, "acme/app"},
		{"ssh://git@github.com/acme/app.git", com, "acme/app"},
		{"ssh://git@ssh.github.com:443/acme/app.git", com, "acme/app"},
		{"git+ssh://git@github.com/acme/app", com, "acme/app"},
		{"git://github.com/acme/app.git", com, "acme/app"},
		{"https://git.acme.example/tools/app", enterprise, "tools/app"},
		{"git.acme.example/tools", enterprise, "tools"},
		{"git@git.acme.example:tools/app.git", enterprise, "tools/app"},
		{"https://acme.ghe.com/tools", ghe, "tools"},
		{"http://127.0.0.1:8080/acme", local, "acme"},
	} {
		if got, err := ParseTarget(tt.text, tt.api); err != nil || got != tt.want {
			t.Errorf("%s at %s: %q, %v, want %q", tt.text, tt.api, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ text, api, says string }{
		{"", com, "not the name"},
		{"a b", com, "not the name"},
		{"bad name", com, "not the name"},
		{"/", com, "not the name"},
		{"acme//", com, "not the name"},
		{"acme/app/x", com, "not the name"},
		{"./app", com, "not the name"},
		{"acme/.", com, "not the name"},
		{"acme/..", com, "not the name"},
		{"acme.git", com, "not the name"},
		{"acme/.git", com, "not the name"},
		{"https://github.com/acme/..", com, "not the name"},
		{strings.Repeat("a", 40), com, "not the name"},
		{"acme/" + strings.Repeat("a", 101), com, "not the name"},
		{"https://gitlab.com/acme/app", com, "is asked is github.com"},
		{"https://github.com.evil.example/acme", com, "is asked is github.com"},
		{"https://evil.example/github.com/acme", com, "is asked is github.com"},
		{"https://github.com:8443/acme", com, "is asked is github.com"},
		{"https://gist.github.com/acme/1", com, "is asked is github.com"},
		{"git@gitlab.com:acme/app.git", com, "is asked is github.com"},
		{"https://github.com/acme", enterprise, "is asked is git.acme.example"},
		{"https://git.acme.example/acme", com, "--api-url, https://git.acme.example/api/v3"},
		{"https://www.github.com/acme", enterprise, "--api-url, https://api.github.com;"},
		{"https://acme.ghe.com/tools", com, "--api-url, https://api.acme.ghe.com;"},
		{"https://github.com/acme/app/tree/main", com, "give acme/app"},
		{"https://github.com/acme/app/pull/7", com, "give acme/app"},
		{"https://github.com/", com, "not the name"},
		{"https://github.com", com, "not the name"},
		{"https://github.com/-/app", com, "not the name"},
		{"file:///acme/app", com, "not the name"},
		{"ftp://github.com/acme", com, "not the URL"},
		{"https://pass@github.com/acme", com, "leave it out"},
		{"https://me:pass@github.com/acme", com, "leave it out"},
		{"https://pass@evil.example/acme", com, "is asked"},
	} {
		got, err := ParseTarget(tt.text, tt.api)
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "pass") {
			t.Errorf("%s at %s: %q, %v, want %q", tt.text, tt.api, got, err, tt.says)
		}
	}
}
