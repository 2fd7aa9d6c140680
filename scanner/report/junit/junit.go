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
// failed test, the worst first; one that is ignored is a skipped test. Each text that could
// not be read is an error. If nothing failed, there is one passed test. It writes at Summary,
// in one call.
//
// Jenkins shows the attribute "message" and the text of a failure. GitLab shows the text alone,
// so that it says all.
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
	Skipped  int        `xml:"skipped,attr"`
	Time     string     `xml:"time,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Name    string `xml:"name,attr"`
	Class   string `xml:"classname,attr"`
	File    string `xml:"file,attr,omitempty"`
	Failure *fault `xml:"failure,omitempty"`
	Error   *fault `xml:"error,omitempty"`
	Skipped *fault `xml:"skipped,omitempty"`
}

type fault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

func (j *handler) Summary(s finding.Summary) error {
	wording.WorstFirst(j.Findings)
	age := wording.NewAge(j.Header, s, j.reading)
	suite := testSuite{Name: "stanch " + printable.Quoted(j.Header.Target), Time: fmt.Sprintf("%d.%03d", s.ElapsedMS/1000, s.ElapsedMS%1000)}
	var ignored []testCase
	for i := range j.Findings {
		c := j.caseOf(&j.Findings[i], &age)
		if c.Skipped != nil {
			ignored = append(ignored, c)
			continue
		}
		suite.Cases = append(suite.Cases, c)
		suite.Failures++
	}
	named := map[string]int{}
	for _, u := range s.Unread {
		name, why := "not read: "+printable.Quoted(u.What), printable.Quoted(u.Why)
		if named[name]++; named[name] > 1 { // two cases with one name are one to CI
			name += fmt.Sprintf(" (%d)", named[name])
		}
		suite.Cases = append(suite.Cases, testCase{Name: name, Class: "stanch", Error: &fault{Message: why, Type: "not read", Text: why + "\nThere may be leaks in it."}})
		suite.Errors++
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []testCase{{Name: "no leaked credentials", Class: "stanch"}}
	}
	suite.Cases, suite.Skipped = append(suite.Cases, ignored...), len(ignored)
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

// caseOf returns the test case of a finding. The fingerprint makes its name the only one.
func (j *handler) caseOf(f *finding.Finding, age *wording.Age) testCase {
	c := testCase{Class: printable.Quoted(f.Match.Rule.ID), Name: strings.TrimSpace(wording.Word(f) + " " + printable.Quoted(f.Match.Credential.ID) + " " + f.Fingerprint())}
	if len(f.Locations) > 0 && f.Locations[0].Kind == finding.KindBlob {
		file, _, _ := strings.Cut(f.Locations[0].Path, "!") // an archive has members
		c.File = printable.Quoted(file)
	}
	if f.Ignored != "" {
		why := "ignored: " + printable.Quoted(f.Ignored)
		c.Name = strings.TrimSpace("IGNORED " + printable.Quoted(f.Match.Credential.ID) + " " + f.Fingerprint())
		c.Skipped = &fault{Message: why, Text: strings.Join(append([]string{why}, j.where(f)...), "\n")}
		return c
	}
	head := wording.Headline(f, age)
	lines := append([]string{head}, j.where(f)...)
	lines = append(append(lines, wording.Steps(f)...), "fingerprint: "+printable.Quoted(f.Fingerprint()))
	c.Failure = &fault{Message: head, Type: strings.ToLower(wording.Word(f)), Text: strings.Join(lines, "\n")}
	return c
}

// where lists the first places of f, and counts the others.
func (j *handler) where(f *finding.Finding) (lines []string) {
	shown := wording.FirstLocations(f.Locations, wording.MaxLocations)
	for i := range shown {
		lines = append(lines, "where: "+wording.LocationIn(&j.Header, &shown[i]))
	}
	if more := len(f.Locations) - len(shown) + f.Omitted; more > 0 {
		lines = append(lines, "where: "+printable.Plural(more, "more place"))
	}
	return lines
}
