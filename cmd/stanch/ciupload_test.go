package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// codeScanning stands for GitHub's: it refuses a file of an execution that failed, as its
// maintainers say (github/codeql-action pull request 1732), and reads the category of an
// id up to the last slash.
type codeScanning struct {
	*httptest.Server
	uploads []string // "category: results", the refused ones too
	refuses string   // why it refuses every file
}

func newCodeScanning(t *testing.T) *codeScanning {
	t.Helper()
	c := &codeScanning{}
	failed := ""
	mux := http.NewServeMux()
	mux.HandleFunc("POST /repos/ada/app/code-scanning/sarifs", func(w http.ResponseWriter, r *http.Request) {
		run, err := uploaded(r.Body)
		if err != nil {
			t.Error(err)
		}
		failed = c.refuses
		if !run.Invocations[0].ExecutionSuccessful {
			failed = "unsuccessful execution"
		}
		c.uploads = append(c.uploads, fmt.Sprintf("%s: %d", run.AutomationDetails.ID[:strings.LastIndex(run.AutomationDetails.ID, "/")], len(run.Results)))
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"id":"1","url":"x"}`)
	})
	mux.HandleFunc("GET /repos/ada/app/code-scanning/sarifs/1", func(w http.ResponseWriter, _ *http.Request) {
		if failed != "" {
			fmt.Fprintf(w, `{"processing_status":"failed","errors":[%q]}`, failed)
			return
		}
		_, _ = io.WriteString(w, `{"processing_status":"complete"}`)
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// uploadedRun is the run of an uploaded file, as far as these tests look at it.
type uploadedRun struct {
	AutomationDetails struct{ ID string }
	Invocations       []struct{ ExecutionSuccessful bool }
	Results           []struct{}
}

func uploaded(body io.Reader) (run uploadedRun, err error) {
	var sent struct{ Sarif string }
	if err := json.NewDecoder(body).Decode(&sent); err != nil {
		return run, err
	}
	packed, err := base64.StdEncoding.DecodeString(sent.Sarif)
	if err != nil {
		return run, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return run, err
	}
	var log struct{ Runs []uploadedRun }
	if err := json.NewDecoder(z).Decode(&log); err != nil {
		return run, err
	}
	return log.Runs[0], nil
}

// TestCIUploadIncomplete: the findings of an incomplete scan become alerts, and close no
// alert of a complete one.
func TestCIUploadIncomplete(t *testing.T) {
	dir := scannertest.Repo(t, detectorstest.Fill(`commit base; git tag base
printf 'id {AKIA1}\nsecret {secret1}\n' >leak.env; commit leak; git tag whole
echo text | gzip | head -c 15 >cut.gz; commit cut; git tag cut
echo more | gzip | head -c 15 >more.gz; commit more; git tag more
git checkout -q base; echo text | gzip | head -c 15 >cut.gz; commit 'cut alone'; git tag alone`))
	api := newCodeScanning(t)
	t.Setenv("GITHUB_API_URL", api.URL)
	t.Setenv("STANCH_TOKEN", "ghs_token-of-this-test")
	id := func(name string) string { return scannertest.Git(t, dir, "rev-parse", name) }
	pull := func(head string) string {
		return `{"pull_request":{"number":7,"commits":1,"head":{"sha":"` + id(head) + `","repo":{"full_name":"ada/app"}},"base":{"sha":"` + id("base") + `","repo":{"full_name":"ada/app"}}},` + repository + `}`
	}
	push := `{"ref":"refs/heads/main","before":"` + id("base") + `","after":"` + id("whole") + `",` + repository + `}`
	categories := map[string]string{}
	for _, tt := range []struct {
		name, event, payload string
		status               int
		says                 string
		uploads              int
	}{
		{"whole", "pull_request", pull("whole"), cli.ExitLeaks, "SARIF was uploaded to code scanning.", 1},
		{"cut", "pull_request", pull("cut"), cli.ExitIncomplete, "in a category of its own", 1},
		{"cut_again", "pull_request", pull("cut"), cli.ExitIncomplete, "in a category of its own", 1},
		{"more", "pull_request", pull("more"), cli.ExitIncomplete, "in a category of its own", 1},
		{"nothing_found", "pull_request", pull("alone"), cli.ExitIncomplete, "SARIF was not uploaded: the scan is incomplete and found nothing", 0},
		{"push", "push", push, cli.ExitLeaks, "SARIF was uploaded to code scanning.", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api.uploads = nil
			r := runCI(t, dir, tt.event, tt.payload, "--upload-sarif", "true")
			if r.status != tt.status || !strings.Contains(r.log, tt.says) || len(api.uploads) != tt.uploads {
				t.Fatalf("exit status %d, %q, want %d, %d uploads and %q\n%s", r.status, api.uploads, tt.status, tt.uploads, tt.says, r.log)
			}
			if len(api.uploads) > 0 {
				category, results, _ := strings.Cut(api.uploads[0], ": ")
				categories[tt.name] = category
				if results != "1" {
					t.Errorf("%s results", results)
				}
			}
		})
	}
	c := categories
	if c["whole"] != "stanch" {
		t.Errorf("a complete scan has the category %q", c["whole"])
	}
	if c["cut"] != c["cut_again"] {
		t.Errorf("the same incomplete scan has the categories %q and %q", c["cut"], c["cut_again"])
	}
	if c["cut"] == c["whole"] || c["more"] == c["whole"] || c["more"] == c["cut"] {
		t.Errorf("three different scans share a category: %q", c)
	}
	if want := "stanch/push/" + id("whole"); c["push"] != want {
		t.Errorf("a push has the category %q, want %q", c["push"], want)
	}
}

// TestCIUploadRefused: permissions are named if they are the reason, and only then.
func TestCIUploadRefused(t *testing.T) {
	dir := scannertest.Repo(t, "commit base; commit head")
	api := newCodeScanning(t)
	api.refuses = "the ref is not known"
	t.Setenv("GITHUB_API_URL", api.URL)
	t.Setenv("STANCH_TOKEN", "ghs_token-of-this-test")
	r := runCI(t, dir, "pull_request", `{"pull_request":{"number":7,"commits":1,"head":{"sha":"`+scannertest.Git(t, dir, "rev-parse", "HEAD")+
		`","repo":{"full_name":"ada/app"}},"base":{"sha":"`+scannertest.Git(t, dir, "rev-parse", "HEAD~")+`","repo":{"full_name":"ada/app"}}},`+repository+`}`, "--upload-sarif", "auto")
	if r.status != cli.ExitIncomplete || !strings.Contains(r.log, api.refuses) || strings.Contains(r.log, "security-events") {
		t.Errorf("exit status %d\n%s", r.status, r.log)
	}
}
