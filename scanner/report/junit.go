package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// JUnit returns the Handler that writes JUnit XML, as GitLab and Jenkins show it: a
// failed test for each finding, the worst first, an error for what could not be
// read, and one passed test if there is neither. It writes at Summary, in one call.
func JUnit(w io.Writer) finding.Handler { return &junit{w: w} }

type junit struct {
	w        io.Writer
	o        Options
	scan     finding.Scan
	findings []finding.Finding
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string      `xml:"name,attr"`
	Class   string      `xml:"classname,attr"`
	File    string      `xml:"file,attr,omitempty"`
	Failure *junitFault `xml:"failure,omitempty"`
	Error   *junitFault `xml:"error,omitempty"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (j *junit) Scan(s finding.Scan) error {
	j.scan = s
	return nil
}

func (j *junit) Finding(f finding.Finding) error {
	if f.Ignored == "" {
		j.findings = append(j.findings, f)
	}
	return nil
}

func (*junit) Repository(finding.Repository) error { return nil }

func (j *junit) Summary(s finding.Summary) error {
	worstFirst(j.findings)
	age := newAge(j.scan, s, j.o)
	suite := junitSuite{Name: "stanch " + printable.Quoted(j.scan.Target), Time: fmt.Sprintf("%d.%03d", s.ElapsedMS/1000, s.ElapsedMS%1000)}
	for i := range j.findings {
		suite.Cases = append(suite.Cases, junitFinding(&j.findings[i], &age))
		suite.Failures++
	}
	for _, u := range s.Unread {
		suite.Cases = append(suite.Cases, junitCase{Name: "not read: " + printable.Quoted(u.What), Class: "stanch", Error: &junitFault{Message: printable.Quoted(u.Why)}})
		suite.Errors++
	}
	if len(suite.Cases) == 0 {
		suite.Cases = []junitCase{{Name: "no leaked credentials", Class: "stanch"}}
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

func junitFinding(f *finding.Finding, age *age) junitCase {
	c := junitCase{Class: printable.Quoted(f.Match.Rule.ID), Name: strings.TrimSpace(word(f) + " " + printable.Quoted(f.Match.Credential.ID) + " " + f.Fingerprint())}
	var places []string
	for i := range firstPlaces(f.Locations, maxPlaces) {
		places = append(places, place(&f.Locations[i]))
	}
	if len(f.Locations) > 0 {
		c.File = printable.Quoted(f.Locations[0].Path)
	}
	c.Failure = &junitFault{Message: brief(f, age), Text: strings.Join(places, "\n")}
	return c
}
