package github

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// An Analysis is a SARIF file and the commit that it describes.
type Analysis struct {
	SARIF   []byte
	Commit  string // its id
	Ref     string // full name: refs/heads/…, refs/tags/…, refs/pull/N/head
	Started time.Time
}

// maxSARIF is how many bytes GitHub takes, compressed (docs.github.com, "SARIF
// support for code scanning").
const maxSARIF = 10 << 20

// polls is how often GitHub is asked whether it is done with an upload, and
// pollPause the first pause, which doubles: two minutes in all.
const (
	polls     = 7
	pollPause = time.Second
)

// ErrPending says that GitHub has taken an upload and was still working on it.
var ErrPending = errors.New("GitHub has not yet processed the upload")

// Upload uploads an analysis and waits until GitHub has processed it. The error wraps
// ErrDenied if the token may not, and ErrPending if GitHub takes its time.
func (c *Client) Upload(ctx context.Context, a Analysis) error {
	packed, err := pack(a.SARIF)
	if err != nil {
		return err
	}
	body := &github.SarifAnalysis{
		CommitSHA: &a.Commit, Ref: &a.Ref, Sarif: &packed,
		StartedAt: &github.Timestamp{Time: a.Started.UTC()}, ToolName: github.String("stanch"),
	}
	var id *github.SarifID
	err = c.do(func() (*github.Response, error) {
		var resp *github.Response
		var err error
		id, resp, err = c.api.CodeScanning.UploadSarif(ctx, c.owner, c.name, body)
		return resp, err
	})
	if err != nil {
		return fmt.Errorf("uploading SARIF to code scanning: %w", err)
	}
	if id.GetID() == "" {
		return errors.New("uploading SARIF to code scanning: the answer names no upload; is this the API of GitHub?")
	}
	if err := c.processed(ctx, id.GetID()); err != nil {
		return fmt.Errorf("SARIF upload %s: %w", id.GetID(), err)
	}
	return nil
}

// pack compresses and encodes a file as the API wants it.
func pack(sarif []byte) (string, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(sarif)
	if err = errors.Join(err, z.Close()); err != nil {
		return "", fmt.Errorf("compressing SARIF: %w", err)
	}
	if b.Len() > maxSARIF {
		return "", fmt.Errorf("the SARIF file has %d bytes compressed, GitHub takes %d", b.Len(), maxSARIF)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// upload is the state of one, as GitHub describes it. go-github leaves out the errors.
type upload struct {
	Status string   `json:"processing_status"`
	Errors []string `json:"errors"`
}

// processed waits until GitHub is done with the upload.
func (c *Client) processed(ctx context.Context, id string) error {
	pause := pollPause
	for range polls {
		var u upload
		err := c.do(func() (*github.Response, error) {
			req, err := c.api.NewRequest("GET", fmt.Sprintf("repos/%s/%s/code-scanning/sarifs/%s", c.owner, c.name, id), nil)
			if err != nil {
				return nil, err
			}
			return c.api.Do(ctx, req, &u)
		})
		switch {
		case err != nil:
			return err
		case u.Status == "failed":
			return fmt.Errorf("GitHub refuses it: %s", strings.Join(u.Errors, "; "))
		case u.Status == "complete":
			return nil
		}
		if err := c.Pause(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
	return ErrPending
}
