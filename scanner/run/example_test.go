package run_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// A scan of a text, with the rules and ignore files of the current folder, that asks nobody.
func ExampleScan() {
	config, err := project.Read(project.Options{Within: "."})
	if err != nil {
		fmt.Println(err)
		return
	}
	var page strings.Builder
	handler, err := report.New("json", &page, report.Options{Now: time.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	scan := run.Scan{
		Options: run.Options{Project: config, Verifier: awsverifier.Offline{}},
		Header:  finding.Scan{Source: "stdin", Target: "stdin", Started: time.Now()},
		Handler: handler,
		FailOn:  run.FailOnAny,
	}
	result, err := scan.Scan(context.Background(), &dirsource.Stream{Reader: strings.NewReader("no key here\n"), Name: "stdin"})
	fmt.Println(result.Leaks, len(result.Summary.Unread), err)
	// Output: 0 0 <nil>
}
