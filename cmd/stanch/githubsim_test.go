package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/github"
)

// TestGitHubSimulator reads what GitHub's own description of its API has as examples.
func TestGitHubSimulator(t *testing.T) {
	l, err := github.NewLister(gitHubSimulator(t), github.Static{Secret: detectors.NewSecret("ghs-of-this-test")}, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"lovely-org", "ada/app"} {
		list, err := l.List(t.Context(), target)
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %+v, %v", target, list, err)
			continue
		}
		r := list[0]
		if got, want := fmt.Sprintf("%s, size %d, pushed %d", r.Name, r.Size, r.PushedAt.Year()), "octocat/Hello-World, size 108, pushed 2011"; got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
		if !slices.Contains(r.Topics, "electron") {
			t.Errorf("%s: topics %q", target, r.Topics)
		}
	}
	events, _, err := l.Activity(t.Context(), "ada/app", time.Time{})
	if err != nil || len(events) != 2 {
		t.Fatalf("%+v, %v", events, err)
	}
	if got, want := fmt.Sprintf("%s at %d", events[0].Ref, events[0].At.Year()), "refs/heads/main at 2011"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(events[0].Before) != 40 {
		t.Errorf("before is %q", events[0].Before)
	}
	if events[0].Actor == "" {
		t.Error("no actor")
	}
	for kind, want := range map[string]string{
		github.Issues:   `issues/comments/1@2011-04-14T16:00:49Z: Me too`,
		github.Pulls:    `pulls/1347@2011-01-26T19:01:12Z: Amazing new feature`,
		github.Releases: `releases/1: v1.0.0`,
		github.Actions:  `actions/runs/30433642: http: no Location header`, // it has no example of one
		// The query has passed GitHub's schema; the simulator has no repository.
		github.Discussions: `discussions: GitHub's GraphQL: Assert condition failed: no repository found`,
	} {
		texts, err := l.Texts("ada/app", []string{kind}, "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		err = texts.Blobs(t.Context(), func(b scanner.Blob) error {
			text := string(b.Data)
			if b.Err != nil {
				text = b.Err.Error()
			}
			got = append(got, string(b.ID)+": "+text)
			return nil
		})
		if err != nil || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%s: got %q, want %q: %v", kind, got, want, err)
		}
	}
}
