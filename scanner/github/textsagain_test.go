package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// TestTextsAgain reads each kind of text by the id that Texts gave it. A text that is gone is
// left out, and one that is refused is yielded with its error.
func TestTextsAgain(t *testing.T) {
	s, l := newTextServer(t)
	put := func(path, body string) {
		s.fakes[path] = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	put("issues/1", `{"title":"t","body":"b","html_url":"https://github.com/ada/app/issues/1"}`)
	put("pulls/2", `{"title":"t","body":"b","html_url":"https://github.com/ada/app/pull/2"}`)
	put("issues/comments/3", `{"body":"b","html_url":"https://github.com/ada/app/issues/1#issuecomment-3"}`)
	put("pulls/comments/4", `{"body":"b","diff_hunk":"+d"}`)
	put("releases/5", `{"tag_name":"v1","name":"n","body":"b"}`)
	put("releases/assets/6", "file")
	s.fakes["actions/runs/7/logs"] = says(302, ``, "Location: "+s.URL+"/a-log")
	s.fakes["actions/artifacts/8/zip"] = says(302, ``, "Location: "+s.URL+"/a-zip")
	put("/a-log", "log")
	put("/a-zip", "zip")
	s.fakes["issues/9"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	s.fakes["issues/10"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }
	graph := func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Variables struct{ ID string } }
		_ = json.NewDecoder(r.Body).Decode(&q)
		if q.Variables.ID == "D_gone" {
			_, _ = io.WriteString(w, `{"data":{"node":null},"errors":[{"type":"NOT_FOUND","message":"no such node"}]}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"data":{"node":{"title":"t","body":"%s","url":"https://github.com/ada/app/discussions/1"}}}`, q.Variables.ID)
	}
	for _, path := range []string{"/graphql", "/api/graphql", "graphql"} {
		s.fakes[path] = graph
	}
	at := "@2026-01-02T12:00:00Z"
	ids := []finding.BlobID{
		finding.BlobID("issues/1" + at), "pulls/2", finding.BlobID("issues/comments/3" + at), "pulls/comments/4", "releases/5", "releases/assets/6", "actions/runs/7",
		"actions/artifacts/8", "issues/9", "issues/10", "discussions/D_1", "discussions/D_gone", "../../user", "issues/1/../../../user",
	}
	src, err := l.TextsAgain("ada/app", ids)
	if err != nil {
		t.Fatal(err)
	}
	var got, unread []string
	if err := src.Blobs(t.Context(), func(b scanner.Blob) error {
		id := strings.TrimSuffix(string(b.ID), at)
		switch b.Err {
		case nil:
			got = append(got, strings.ReplaceAll(fmt.Sprintf("%s %s: %s", b.Kind, id, b.Data), "\n\n", "|"))
		default:
			unread = append(unread, id)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"issue issues/1: t|b", "pull-request pulls/2: t|b", "comment issues/comments/3: b", "comment pulls/comments/4: b|+d", "release releases/5: v1 n|b",
		"release releases/assets/6: file", "actions-log actions/runs/7: log", "artifact actions/artifacts/8: zip", "discussion discussions/D_1: t|D_1",
	}
	if !slices.Equal(got, want) || !slices.Equal(unread, []string{"issues/10", "../../user", "issues/1/../../../user"}) {
		t.Errorf("got %q, want %q, unread %q, asked %q", got, want, unread, s.asked)
	}
	var places []string
	if err := src.Locate(t.Context(), ids[:3], func(_ finding.BlobID, at finding.Location) error { places = append(places, at.Path); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(places) != 3 || places[2] != "https://github.com/ada/app/issues/1#issuecomment-3" {
		t.Errorf("located at %q", places)
	}
	s.fakes["issues/1"] = says(429, `{"message":"slow down"}`, "Retry-After: 600")
	if err := src.Blobs(t.Context(), func(scanner.Blob) error { return nil }); !errors.As(err, new(*RateLimited)) {
		t.Errorf("limited: %v", err)
	}
}
