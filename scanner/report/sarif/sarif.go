// Package sarif writes reports as SARIF 2.1.0, for code scanning.
package sarif

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// GitHub refuses files with more than 25,000 results, shows 5,000 of them and
// reads 1,000 locations of each. A handful of places is enough to find the rest.
const (
	maxResults       = 25_000
	maxRelated       = 20
	maxNotifications = 100
)

const (
	schema     = "https://json.schemastore.org/sarif-2.1.0.json"
	timeFormat = "2006-01-02T15:04:05.000Z"
	homePage   = "https://github.com/stanch-dev/stanch"
	rulePages  = homePage + "/blob/main/docs/rules/"
	// Rules of users have no page of their own: this says where they are from.
	ownRulePage = homePage + "/blob/main/docs/configuration.md"
)

var semver = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$`) })

// Options are the options of New.
type Options struct {
	// Rules have the documentation of the rules that found something.
	Rules []*detectors.Rule
	// Category is the category in code scanning, "stanch/" if it is "": an upload replaces
	// the one before it in the same category. It ends with "/", since GitHub takes the rest
	// after the last slash for the id of a run. An incomplete report is in a category below
	// it.
	Category string
	// LineHash returns the hash (package function LineHash) of a line of a file at HEAD, or
	// "" if it cannot. nil always returns "".
	LineHash func(path string, line int) string
	Reading  wording.Reading
}

// New returns the Handler that writes SARIF 2.1.0 with all that GitHub code
// scanning asks for beyond the schema. It documents the rules that found something: the
// pages of all would be most of a file. It writes at Summary, in one call, the worst
// first. Findings over GitHub's limit are cut, and a notification says so.
//
// A result never quotes the text that was found.
func New(w io.Writer, o Options) finding.Handler {
	h := &handler{w: w, reading: o.Reading, category: cmp.Or(o.Category, "stanch/"), lineHash: o.LineHash,
		known: map[string]*detectors.Rule{}, index: map[string]int{}, rules: []rule{}}
	for _, r := range o.Rules {
		h.known[r.ID] = r
	}
	return h
}

type handler struct {
	wording.Collector
	w        io.Writer
	reading  wording.Reading
	age      wording.Age
	category string
	lineHash func(string, int) string
	known    map[string]*detectors.Rule // with documentation, by ID
	rules    []rule                     // that found something, in the order of their worst findings
	index    map[string]int             // of rules, by ID
}

func (h *handler) Summary(s finding.Summary) error {
	wording.WorstFirst(h.Findings)
	h.age = wording.NewAge(h.Header, s, h.reading)
	this := run{
		AutomationDetails: automation{h.id(s)},
		Invocations:       []invocation{h.invocation(s)},
		ColumnKind:        "unicodeCodePoints",
		Results:           []result{}, // null would mean that nothing was scanned
	}
	for i := range h.Findings[:min(len(h.Findings), maxResults)] {
		this.Results = append(this.Results, h.result(&h.Findings[i]))
	}
	this.Tool.Driver = h.driver() // last: results bring their rules along
	b, err := json.MarshalIndent(log{schema, "2.1.0", []run{this}}, "", "  ")
	if err == nil {
		_, err = h.w.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the SARIF report: %w", err)
	}
	return nil
}

// id is the category of the file. Code scanning compares a file with the one before it in
// the same category, and closes the alerts that the new one does not name. A file that
// misses something must not close alerts for it. So it has a category of its own, which it
// shares only with files that miss the very same things.
func (h *handler) id(s finding.Summary) string {
	var missing []string
	for _, u := range s.Unread {
		missing = append(missing, fmt.Sprintf("%q %q", u.What, u.Why))
	}
	if n := len(h.Findings) - maxResults; n > 0 {
		missing = append(missing, fmt.Sprintf("%d findings", n))
	}
	if len(missing) == 0 {
		return h.category
	}
	slices.Sort(missing) // they are read in any order
	sum := sha256.Sum256([]byte(strings.Join(missing, "\n")))
	return fmt.Sprintf("%s/incomplete/%x/", strings.TrimSuffix(h.category, "/"), sum[:8])
}

func (h *handler) driver() driver {
	d := driver{Name: "stanch", Version: h.Header.Version, InformationURI: homePage, Rules: h.rules}
	if v := strings.TrimPrefix(h.Header.Version, "v"); semver().MatchString(v) {
		d.SemanticVersion = v
	}
	return d
}

// rule adds the rule of a finding unless it is there, and returns its index.
func (h *handler) rule(r *detectors.Rule) int {
	if i, ok := h.index[r.ID]; ok {
		return i
	}
	if documented := h.known[r.ID]; documented != nil {
		r = documented
	}
	title, help := cmp.Or(r.Title, r.ID), cmp.Or(r.Help, r.Title, r.ID)
	first, _, _ := strings.Cut(strings.TrimSpace(help), "\n\n")
	page := rulePages + segment(r.ID) + ".md"
	if r.Value {
		page = ownRulePage
	}
	h.index[r.ID] = len(h.rules)
	h.rules = append(h.rules, rule{
		ID:               r.ID,
		Name:             pascal(r.ID),
		ShortDescription: message{Text: wording.Sentence(title)},
		FullDescription:  message{Text: wording.Sentence(first)},
		Help:             message{Text: wording.Sentence(help), Markdown: help},
		HelpURI:          page,
		Properties: ruleProperties{
			SecuritySeverity: "9.5", // over 9.0 is critical; GitHub knows no severity of results
			Precision:        "high",
			Tags:             []string{"security", "secret", "external/cwe/cwe-798"},
		},
	})
	return h.index[r.ID]
}

func (h *handler) invocation(s finding.Summary) invocation {
	// GitHub refuses a file whose execution failed. An execution that could not read
	// something has not failed: the notifications say so.
	inv := invocation{ExecutionSuccessful: !s.Stopped}
	if !h.Header.Started.IsZero() {
		inv.StartTimeUTC = h.Header.Started.UTC().Format(timeFormat)
		end := h.Header.Started.Add(time.Duration(s.ElapsedMS) * time.Millisecond)
		inv.EndTimeUTC = end.UTC().Format(timeFormat)
	}
	say := func(level, text string) {
		inv.Notifications = append(inv.Notifications, notification{level, message{Text: text}})
	}
	for i, u := range s.Unread {
		if i == maxNotifications {
			say("error", "Not read: "+printable.Thousands(int64(len(s.Unread)-i))+" more.")
			break
		}
		say("error", wording.Sentence("Not read: "+escape(u.What)+": "+escape(u.Why)))
	}
	if n := len(h.Findings) - maxResults; n > 0 {
		say("warning", "Over the limit of code scanning: "+printable.Plural(n, "more finding")+" not in this file.")
	}
	return inv
}

func (h *handler) result(f *finding.Finding) result {
	r := result{
		RuleID:    f.Match.Rule.ID,
		RuleIndex: h.rule(&detectors.Rule{ID: f.Match.Rule.ID, Title: f.Match.Rule.Title, Value: f.Match.Rule.Value}),
		Level:     wording.Level(f),
		Rank:      100 - 100*int(wording.UrgencyOf(f))/int(wording.Urgencies-1),
		Message:   message{Text: h.message(f)},
		Locations: []location{{PhysicalLocation: physical(&finding.Location{Blob: "unknown"})}},
		PartialFingerprints: map[string]string{
			// The only fingerprint that GitHub reads. It has the form hash:count.
			"primaryLocationLineHash": f.Fingerprint() + ":1", // replaced if the line is at HEAD
			finding.Schema:            f.Fingerprint(),
		},
		Suppressions: []suppression{}, // if one result says, all have to
		Properties:   properties{State: string(f.Verdict.State), KeyID: f.Match.Credential.ID},
	}
	shown := wording.FirstLocations(f.Locations, 1+maxRelated)
	for i := range shown {
		l := &shown[i]
		loc := location{PhysicalLocation: physical(l), Properties: holding(l)}
		if i == 0 { // one: each further one would be an alert of its own
			r.Locations[0] = loc
			if hash := h.hash(l); hash != "" {
				r.PartialFingerprints["primaryLocationLineHash"] = hash
			}
			continue
		}
		loc.Message = &message{Text: wording.Sentence(escape(wording.LocationIn(&h.Header, l)))}
		r.RelatedLocations = append(r.RelatedLocations, loc)
	}
	if f.Ignored != "" {
		r.Suppressions = append(r.Suppressions, suppression{"external", f.Ignored})
	}
	return r
}

// hash returns the hash that codeql-action would compute, "" if only stanch's own
// fingerprint is known.
func (h *handler) hash(l *finding.Location) string {
	if h.lineHash == nil || !l.AtHead || l.Kind != finding.KindBlob {
		return ""
	}
	return h.lineHash(l.Path, l.Line)
}

// message names the key and the steps to take, and ends with the first place: code scanning shows
// the line of a file, and cannot say that it is gone, or in which repository it is.
func (h *handler) message(f *finding.Finding) string {
	s := wording.Word(f) + ": " + escape(f.Match.Rule.Title)
	if f.Match.Credential.ID != "" {
		s += " " + escape(f.Match.Credential.ID)
	}
	s += escape(wording.Doubt(f))
	parts := append([]string{s}, wording.Owner(f)...)
	if f.Verdict.Reason != "" {
		parts = append(parts, f.Verdict.Reason)
	}
	parts = append(parts, wording.NonEmpty(h.age.Describe(f))...)
	parts = append(parts, wording.NonEmpty(wording.Candidates(f))...)
	for i := range parts[1:] {
		parts[i+1] = escape(parts[i+1])
	}
	if len(f.Locations) > 0 {
		if repo := wording.Repo(&h.Header, &f.Locations[0]); repo != "" {
			parts = append(parts, "in "+escape(repo))
		}
	}
	if n := len(f.Locations); n > 1 {
		parts = append(parts, "in "+printable.Plural(n, "place"))
	}
	s = wording.Sentence(strings.Join(parts, "; "))
	for _, step := range wording.Advice(f) {
		step, command, _ := strings.Cut(step, "\n")
		if command != "" {
			step += " `" + command + "`."
		}
		s += " " + step
	}
	if len(f.Locations) > 0 && len(wording.About(&f.Locations[0])) > 0 {
		s += " " + wording.Sentence("Where: "+escape(wording.Location(&f.Locations[0])))
	}
	return s
}

// holding says for programs which commit brought l, and which refs or logs hold it today; nil if
// there are none.
func holding(l *finding.Location) *locationProperties {
	if l.Commit == "" && len(l.Refs) == 0 && l.Unreachable == "" {
		return nil
	}
	p := &locationProperties{Commit: l.Commit, Refs: l.Refs, MoreRefs: l.MoreRefs, Unreachable: l.Unreachable}
	if l.Commit != "" {
		p.AtHead = &l.AtHead
	}
	return p
}

// physical is where l is in the checkout. GitHub refuses results without a file
// and a region; a text in no file (the message of a commit) gets a path that
// cannot be mistaken for one of the repository: git/commit-message/ID,
// git/config/config, github/comment/URL.
func physical(l *finding.Location) physicalLocation {
	name := l.Path
	switch l.Kind {
	case finding.KindCommit, finding.KindTag, finding.KindNote, finding.KindRefName, finding.KindConfig, finding.KindReflog:
		name = "git/" + string(l.Kind) + "/" + cmp.Or(name, l.Commit, string(l.Blob))
	case finding.KindIssue, finding.KindPullRequest, finding.KindComment, finding.KindDiscussion, finding.KindRelease, finding.KindActionsLog, finding.KindArtifact:
		name = "github/" + string(l.Kind) + "/" + cmp.Or(name, string(l.Blob))
	default:
		name = cmp.Or(name, "git/blob/"+string(l.Blob))
	}
	line, column := max(l.Line, 1), max(l.Column, 1)
	return physicalLocation{
		ArtifactLocation: artifactLocation{relativeURI(name)},
		Region:           region{line, column, line, max(l.EndColumn, column)},
	}
}

// relativeURI returns a path as a relative reference (RFC 3986): always below
// the root, whatever a tree object says.
func relativeURI(p string) string {
	parts := strings.Split(strings.TrimPrefix(path.Clean("/"+p), "/"), "/")
	for i := range parts {
		parts[i] = segment(parts[i])
	}
	return cmp.Or(strings.Join(parts, "/"), "unknown")
}

// segment percent-encodes all but unreserved characters. A colon would make a scheme of the
// text before it.
func segment(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// escape makes the text of a stranger inert in a SARIF message, where [text](1)
// is a link.
func escape(s string) string { return brackets.Replace(printable.Quoted(s)) }

var brackets = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)

// pascal turns aws-access-key into AwsAccessKey.
func pascal(id string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(id, func(r rune) bool { return strings.ContainsRune("-_. ", r) }) {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}
