// Package junit writes reports as JUnit XML, for GitLab and Jenkins.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// New returns the Handler that writes JUnit XML for GitLab and Jenkins. Each finding is a
// failed test, the worst first. Each text that could not be read is an error. If there is
// neither, there is one passed test. It writes at Summary, in one call.
func New(w io.Writer, r wording.Reading) finding.Handler { return &handler{w: w, reading: r} }

type handler struct {
	wording.Collector
	w       io.Writer
	reading wording.Reading
}

type testSuite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     string     `xml:"time,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Name    string `xml:"name,attr"`
	Class   string `xml:"classname,attr"`
	File    string `xml:"file,attr,omitempty"`
	Failure *fault `xml:"failure,omitempty"`
	Error   *fault `xml:"error,omitempty"`
}

type fault struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (j *handler) Summary(s finding.Summary) error {
	j.DropIgnored()
	wording.WorstFirst(j.Findings)
	age := wording.NewAge(j.Header, s, j.reading)
	suite := testSuite{Name: "stanch " + printable.Quoted(j.Header.Target), Time: fmt.Sprintf("%d.%03d", s.ElapsedMS/1000, s.ElapsedMS%1000)}
	for i := range j.Findings {
		suite.Cases = append(suite.Cases, caseOf(&j.Findings[i], &age))
		suite.Failures++
	}
	for _, u := range s.Unread {
		suite.Cases = append(suite.Cases, testCase{Name: "not read: " + printable.Quoted(u.What), Class: "stanch", Error: &fault{Message: printable.Quoted(u.Why)}})
		suite.Errors++
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []testCase{{Name: "no leaked credentials", Class: "stanch"}}
	}
	suite.Tests = len(suite.Cases)
	b, err := xml.MarshalIndent(suite, "", "  ")
	if err == nil {
		_, err = io.WriteString(j.w, xml.Header+string(b)+"\n")
	}
	if err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	return nil
}

func caseOf(f *finding.Finding, age *wording.Age) testCase {
	c := testCase{Class: printable.Quoted(f.Match.Rule.ID), Name: strings.TrimSpace(wording.Word(f) + " " + printable.Quoted(f.Match.Credential.ID) + " " + f.Fingerprint())}
	var lines []string
	shown := wording.FirstLocations(f.Locations, wording.MaxLocations)
	for i := range shown {
		lines = append(lines, wording.Location(&shown[i]))
	}
	if len(f.Locations) > 0 {
		c.File = printable.Quoted(f.Locations[0].Path)
	}
	c.Failure = &fault{Message: wording.Brief(f, age), Text: strings.Join(lines, "\n")}
	return c
}
