package report

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
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// GitHub refuses files with more than 25,000 results, shows 5,000 of them and
// reads 1,000 locations of each. A handful of places is enough to find the rest.
const (
	maxResults       = 25_000
	maxRelated       = 20
	maxNotifications = 100
)

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	sarifTime   = "2006-01-02T15:04:05.000Z"
	homePage    = "https://github.com/stanch-dev/stanch"
	rulePages   = homePage + "/blob/main/docs/rules/"
	// Rules of users have no page of their own: this says where they are from.
	ownRulePage = homePage + "/blob/main/docs/configuration.md"
)

var semver = regexp.MustCompile(`^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$`)

// SARIF returns the Handler that writes SARIF 2.1.0 with all that GitHub code
// scanning asks for beyond the schema. The rules are documented whether or not
// they found anything. It writes at Summary, in one call, the worst first: what
// is over GitHub's limit is cut, and a notification says so.
//
// A result never quotes the text that was found.
func SARIF(w io.Writer, o Options) finding.Handler {
	h := &sarif{w: w, o: Options{Now: o.Now, Again: o.Again}, category: cmp.Or(o.Category, "stanch/"), lineHash: o.LineHash, index: map[string]int{}, rules: []sarifRule{}}
	for _, r := range o.Rules {
		h.rule(r)
	}
	return h
}

type sarif struct {
	w        io.Writer
	o        Options // without what is not retained
	age      age
	category string
	lineHash func(string, int) string
	scan     finding.Scan
	rules    []sarifRule
	index    map[string]int // of rules, by ID
	findings []finding.Finding
}

func (h *sarif) Scan(s finding.Scan) error {
	h.scan = s
	return nil
}

func (h *sarif) Finding(f finding.Finding) error {
	h.findings = append(h.findings, f)
	return nil
}

func (*sarif) Repository(finding.Repository) error { return nil }

func (h *sarif) Summary(s finding.Summary) error {
	worstFirst(h.findings)
	h.age = newAge(h.scan, s, h.o)
	run := sarifRun{
		AutomationDetails: sarifAutomation{h.id(s)},
		Invocations:       []sarifInvocation{h.invocation(s)},
		ColumnKind:        "unicodeCodePoints",
		Results:           []sarifResult{}, // null would mean that nothing was scanned
	}
	for i := range h.findings[:min(len(h.findings), maxResults)] {
		run.Results = append(run.Results, h.result(&h.findings[i]))
	}
	run.Tool.Driver = h.driver() // last: replayed findings bring rules along
	b, err := json.MarshalIndent(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}, "", "  ")
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
func (h *sarif) id(s finding.Summary) string {
	var missing []string
	for _, u := range s.Unread {
		missing = append(missing, fmt.Sprintf("%q %q", u.What, u.Why))
	}
	if n := len(h.findings) - maxResults; n > 0 {
		missing = append(missing, fmt.Sprintf("%d findings", n))
	}
	if len(missing) == 0 {
		return h.category
	}
	slices.Sort(missing) // they are read in any order
	sum := sha256.Sum256([]byte(strings.Join(missing, "\n")))
	return fmt.Sprintf("%s/incomplete/%x/", strings.TrimSuffix(h.category, "/"), sum[:8])
}

func (h *sarif) driver() sarifDriver {
	d := sarifDriver{Name: "stanch", Version: h.scan.Version, InformationURI: homePage, Rules: h.rules}
	if v := strings.TrimPrefix(h.scan.Version, "v"); semver.MatchString(v) {
		d.SemanticVersion = v
	}
	return d
}

// rule adds r unless it is known, and returns its index.
func (h *sarif) rule(r *detectors.Rule) int {
	if i, ok := h.index[r.ID]; ok {
		return i
	}
	title, help := cmp.Or(r.Title, r.ID), cmp.Or(r.Help, r.Title, r.ID)
	first, _, _ := strings.Cut(strings.TrimSpace(help), "\n\n")
	page := rulePages + segment(r.ID) + ".md"
	if r.Value {
		page = ownRulePage
	}
	h.index[r.ID] = len(h.rules)
	h.rules = append(h.rules, sarifRule{
		ID:               r.ID,
		Name:             pascal(r.ID),
		ShortDescription: sarifMessage{Text: sentence(title)},
		FullDescription:  sarifMessage{Text: sentence(first)},
		Help:             sarifMessage{Text: sentence(help), Markdown: help},
		HelpURI:          page,
		Properties: sarifRuleProperties{
			SecuritySeverity: "9.5", // over 9.0 is critical; GitHub knows no severity of results
			Precision:        "high",
			Tags:             []string{"security", "secret", "external/cwe/cwe-798"},
		},
	})
	return h.index[r.ID]
}

func (h *sarif) invocation(s finding.Summary) sarifInvocation {
	// GitHub refuses a file of an execution that failed. One that could not read
	// something did not: that is in the notifications.
	inv := sarifInvocation{ExecutionSuccessful: !s.Stopped}
	if !h.scan.Started.IsZero() {
		inv.StartTimeUTC = h.scan.Started.UTC().Format(sarifTime)
		end := h.scan.Started.Add(time.Duration(s.ElapsedMS) * time.Millisecond)
		inv.EndTimeUTC = end.UTC().Format(sarifTime)
	}
	say := func(level, text string) {
		inv.Notifications = append(inv.Notifications, sarifNotification{level, sarifMessage{Text: text}})
	}
	for i, u := range s.Unread {
		if i == maxNotifications {
			say("error", "Not read: "+thousands(int64(len(s.Unread)-i))+" more.")
			break
		}
		say("error", sentence("Not read: "+quiet(u.What)+": "+quiet(u.Why)))
	}
	if n := len(h.findings) - maxResults; n > 0 {
		say("warning", "Over the limit of code scanning: "+plural(n, "more finding")+" not in this file.")
	}
	return inv
}

func (h *sarif) result(f *finding.Finding) sarifResult {
	r := sarifResult{
		RuleID:    f.Match.Rule.ID,
		RuleIndex: h.rule(&detectors.Rule{ID: f.Match.Rule.ID, Title: f.Match.Rule.Title, Value: f.Match.Rule.Value}),
		Level:     level(f),
		Message:   sarifMessage{Text: message(f, &h.age)},
		Locations: []sarifLocation{{PhysicalLocation: physical(&finding.Location{Blob: "unknown"})}},
		PartialFingerprints: map[string]string{
			// The only one that GitHub reads; of the form hash:count.
			"primaryLocationLineHash": f.Fingerprint() + ":1", // replaced if the line is at HEAD
			finding.Schema:            f.Fingerprint(),
		},
		Suppressions: []sarifSuppression{}, // if one result says, all have to
		Properties:   sarifProperties{State: string(f.Verdict.State), KeyID: f.Match.Credential.ID},
	}
	places := firstPlaces(f.Locations, 1+maxRelated)
	for i := range places {
		l := &places[i]
		loc := sarifLocation{PhysicalLocation: physical(l), Properties: holding(l)}
		if i == 0 { // one: each further one would be an alert of its own
			r.Locations[0] = loc
			if hash := h.hash(l); hash != "" {
				r.PartialFingerprints["primaryLocationLineHash"] = hash
			}
			continue
		}
		loc.Message = &sarifMessage{Text: sentence(quiet(place(l)))}
		r.RelatedLocations = append(r.RelatedLocations, loc)
	}
	if f.Ignored != "" {
		r.Suppressions = append(r.Suppressions, sarifSuppression{"external", f.Ignored})
	}
	return r
}

// hash is what codeql-action would work out, "" if that can only be our own.
func (h *sarif) hash(l *finding.Location) string {
	if h.lineHash == nil || !l.AtHead || l.Kind != scanner.KindBlob {
		return ""
	}
	return h.lineHash(l.Path, l.Line)
}

func level(f *finding.Finding) string {
	switch classOf(f) {
	case liveRoot, live, idActive:
		return "error"
	case unknown, unverified, unverifiable:
		switch f.Match.Confidence {
		case detectors.Low:
			return "note"
		case detectors.Medium:
			return "warning"
		}
		return "error"
	case loneID:
		if f.Match.Confidence == detectors.High {
			return "warning"
		}
		return "note"
	case canary, invalid:
		return "warning"
	}
	return "note"
}

// message says what was found and what to do. Places are in the locations.
func message(f *finding.Finding, age *age) string {
	s := word(f) + ": " + quiet(f.Match.Rule.Title)
	if f.Match.Credential.ID != "" {
		s += " " + quiet(f.Match.Credential.ID)
	}
	s += quiet(doubt(f))
	parts := append([]string{s}, whose(f)...)
	if f.Verdict.Reason != "" {
		parts = append(parts, f.Verdict.Reason)
	}
	parts = append(parts, nonEmpty(age.of(f))...)
	for i := range parts[1:] {
		parts[i+1] = quiet(parts[i+1])
	}
	if buried(f) {
		parts = append(parts, quiet(unreachable(&f.Locations[0])))
	}
	if n := len(f.Locations); n > 1 {
		parts = append(parts, "in "+plural(n, "place"))
	}
	s = sentence(strings.Join(parts, "; "))
	for _, step := range advice(f) {
		step, command, _ := strings.Cut(step, "\n")
		if command != "" {
			step += " `" + command + "`."
		}
		s += " " + step
	}
	return s
}

// holding says what holds l today, for programs; nil if there is nothing to say.
func holding(l *finding.Location) *sarifLocationProperties {
	if len(l.Refs) == 0 && l.Unreachable == "" {
		return nil
	}
	return &sarifLocationProperties{l.Refs, l.MoreRefs, l.Unreachable}
}

// physical is where l is in the checkout. GitHub refuses results without a file
// and a region; what is in no file (the message of a commit) gets a path that
// cannot be mistaken for one of the repository: git/commit-message/ID,
// git/config/config, github/comment/URL.
func physical(l *finding.Location) sarifPhysicalLocation {
	name := l.Path
	switch l.Kind {
	case scanner.KindCommit, scanner.KindTag, scanner.KindNote, scanner.KindRefName, scanner.KindConfig, scanner.KindReflog:
		name = "git/" + string(l.Kind) + "/" + cmp.Or(name, l.Commit, string(l.Blob))
	case scanner.KindIssue, scanner.KindPullRequest, scanner.KindComment, scanner.KindDiscussion, scanner.KindRelease, scanner.KindActionsLog, scanner.KindArtifact:
		name = "github/" + string(l.Kind) + "/" + cmp.Or(name, string(l.Blob))
	default:
		name = cmp.Or(name, "git/blob/"+string(l.Blob))
	}
	line, column := max(l.Line, 1), max(l.Column, 1)
	return sarifPhysicalLocation{
		ArtifactLocation: sarifArtifactLocation{relativeURI(name)},
		Region:           sarifRegion{line, column, line, max(l.EndColumn, column)},
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

// segment percent-encodes all but what is unreserved. A colon would make a
// scheme of what stands before it.
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

// quiet makes the text of a stranger inert in a SARIF message, where [text](1)
// is a link.
func quiet(s string) string { return brackets.Replace(printable.Quoted(s)) }

var brackets = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// pascal turns aws-access-key into AwsAccessKey.
func pascal(id string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(id, func(r rune) bool { return strings.ContainsRune("-_. ", r) }) {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}
