package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// TextsAgain is a scanner.Source of single texts that Texts has yielded before, in their
// present version: one request each. It leaves out texts that are not there any more. A
// RateLimited ends the reading, and Blobs returns it.
type TextsAgain struct {
	// MaxSize is that of Texts.
	MaxSize int64

	lister    *Lister
	repo      string
	ids       []finding.BlobID
	locations map[finding.BlobID]finding.Location
}

// TextsAgain returns the texts beside a repository with the given ids, see Texts.
func (l *Lister) TextsAgain(repo string, ids []finding.BlobID) (*TextsAgain, error) {
	if !fullName().MatchString(repo) {
		return nil, fmt.Errorf("%q is not a repository of the form owner/name", repo)
	}
	return &TextsAgain{lister: l, repo: repo, ids: ids, locations: map[finding.BlobID]finding.Location{}}, nil
}

// numberedText matches the ids of texts without the time of their version: paths below
// /repos/OWNER/NAME.
var numberedText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(issues|pulls|issues/comments|pulls/comments|releases|releases/assets|actions/runs|actions/artifacts)/[0-9]+$`)
})

// Blobs implements scanner.Source.
func (t *TextsAgain) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	for _, id := range t.ids {
		b, err := t.read(ctx, id)
		if limited := new(RateLimited); errors.As(err, &limited) || ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if errors.Is(err, ErrGone) {
			continue
		}
		b.ID, b.Name, b.Err = id, cmp.Or(b.Name, t.repo+" "+string(id)), err
		t.locations[id] = finding.Location{Repo: t.lister.WebURL(t.repo), Kind: b.Kind, Path: b.Name}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

// read returns the kind, the page and the content of a text.
func (t *TextsAgain) read(ctx context.Context, id finding.BlobID) (scanner.Blob, error) {
	path, _, _ := strings.Cut(string(id), "@")
	if node, ok := strings.CutPrefix(path, "discussions/"); ok {
		return t.discussion(ctx, node)
	}
	if !numberedText().MatchString(path) {
		return scanner.Blob{}, fmt.Errorf("%q is not the id of a text of GitHub", id)
	}
	file := func(kind finding.Kind, end string, maxSize int64) (scanner.Blob, error) {
		data, err := t.lister.download(ctx, "repos/"+t.repo+"/"+path+end, maxSize)
		return scanner.Blob{Kind: kind, Data: data}, err
	}
	kind := finding.KindComment
	switch space := path[:strings.LastIndexByte(path, '/')]; space {
	case "releases/assets":
		return file(finding.KindRelease, "", maxAsset)
	case "actions/runs":
		return file(finding.KindActionsLog, "/logs", t.MaxSize)
	case "actions/artifacts":
		return file(finding.KindArtifact, "/zip", t.MaxSize)
	case "issues":
		kind = finding.KindIssue
	case "pulls":
		kind = finding.KindPullRequest
	case "releases":
		kind = finding.KindRelease
	}
	var one struct {
		Title, Name, Body string
		URL               string `json:"html_url"`
		Tag               string `json:"tag_name"`
		Hunk              string `json:"diff_hunk"`
	}
	_, err := get(ctx, t.lister.sender, "repos/"+t.repo+"/"+path, &one)
	return scanner.Blob{Kind: kind, Name: one.URL, Data: joined(strings.TrimSpace(one.Tag+" "+one.Name), one.Title, one.Body, one.Hunk)}, err
}

// joined returns the parts that are not empty, with a blank line between them.
func joined(parts ...string) []byte {
	var full []string
	for _, part := range parts {
		if part != "" {
			full = append(full, part)
		}
	}
	return []byte(strings.Join(full, "\n\n"))
}

// discussion reads a discussion, a comment on one or a reply, by its node id.
func (t *TextsAgain) discussion(ctx context.Context, node string) (scanner.Blob, error) {
	var answer struct {
		Data struct {
			Node *struct{ URL, Title, Body string }
		}
		Errors []struct{ Type, Message string }
	}
	query := map[string]any{
		"query":     `query($id: ID!) { node(id: $id) { ... on Discussion { url title body } ... on DiscussionComment { url body } } }`,
		"variables": map[string]any{"id": node},
	}
	err := t.lister.do(func() (*github.Response, error) {
		req, err := t.lister.api.NewRequest("POST", "../graphql", query)
		if err != nil {
			return nil, err
		}
		return t.lister.api.Do(ctx, req, &answer)
	})
	b := scanner.Blob{Kind: finding.KindDiscussion}
	switch {
	case err != nil:
		return b, err
	case len(answer.Errors) > 0 && answer.Errors[0].Type == "RATE_LIMITED":
		return b, &RateLimited{Until: t.lister.transport.Now().Add(time.Minute)}
	case len(answer.Errors) > 0 && answer.Errors[0].Type != "NOT_FOUND":
		return b, fmt.Errorf("reading a discussion of %s again: %s", t.repo, answer.Errors[0].Message)
	case answer.Data.Node == nil:
		return b, ErrGone
	}
	b.Name, b.Data = answer.Data.Node.URL, joined(answer.Data.Node.Title, answer.Data.Node.Body)
	return b, nil
}

// Locate implements scanner.Source, for texts that Blobs has yielded.
func (t *TextsAgain) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if at, ok := t.locations[id]; ok {
			if err := yield(id, at); err != nil {
				return err
			}
		}
	}
	return nil
}
