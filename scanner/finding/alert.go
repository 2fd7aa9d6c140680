package finding

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
)

// AlertSchema is the schema of alerts that are sent as JSON. A reader may ignore fields that it
// does not know.
const AlertSchema = "stanch-alert/v1"

// The kinds of alerts.
const (
	AlertNews   = "news"   // keys that are live, or are live no more: sent at once
	AlertDigest = "digest" // all other new findings, once a period
	AlertTest   = "test"   // somebody tries whether a receiver works
)

// The events of findings in an alert.
const (
	EventLive      = "live"       // a key was found, and it is live; or one that was known turned out to be
	EventLiveAgain = "live-again" // a key that AWS refused before is live
	EventOff       = "off"        // a key that was live is live no more
	EventNew       = "new"        // a finding is new, and not known to be live
	EventChanged   = "changed"    // the state of a finding changed, and it is not known to be live
)

// An Alert tells a receiver about findings. It holds no secret: keys are named by their ids. Its
// JSON is a contract.
type Alert struct {
	Schema string `json:"schema"`
	// Text says the most important things for people, in a few lines.
	Text string `json:"text"`
	// Delivery is the same each time that an alert is sent again, because nobody knows whether
	// it has arrived.
	Delivery string         `json:"delivery"`
	Kind     string         `json:"kind"`
	Title    string         `json:"title"` // one line
	Time     time.Time      `json:"time"`
	Counts   map[string]int `json:"counts"` // the findings by event
	Findings []AlertFinding `json:"findings"`
	Omitted  int            `json:"omitted,omitempty"` // findings that are too many to list
	Page     string         `json:"page,omitempty"`    // URL, where people see all findings
}

// An AlertFinding is one finding in an alert, and its news.
type AlertFinding struct {
	Text   string         `json:"text"` // one line
	Event  string         `json:"event"`
	Before verifier.State `json:"before,omitempty"`
	State  verifier.State `json:"state"`
	At     time.Time      `json:"at"` // of the news
	Subject
	Title        string    `json:"title"` // of the rule
	Repository   string    `json:"repository,omitempty"`
	URL          string    `json:"url,omitempty"` // of the place
	Repositories int       `json:"repositories"`  // that the finding is in
	Places       int       `json:"places"`
	AtHead       bool      `json:"at_head"`
	Since        time.Time `json:"since,omitzero"` // the commit of the place
	FirstSeen    time.Time `json:"first_seen,omitzero"`
	// OffAfterSeconds is how long after FirstSeen the key was live no more.
	OffAfterSeconds int64  `json:"off_after_seconds,omitempty"`
	Known           string `json:"known,omitempty"`   // "acknowledged by ada": what somebody has said of the finding
	Owner           string `json:"owner,omitempty"`   // who works on it
	Command         string `json:"command,omitempty"` // to run now
}

// MaxAlertLines is the most findings that the text of an alert names.
const MaxAlertLines = 20

// NewAlertFinding returns the news of f, which is one of a report: it has no secret. where is the
// place to name, in the repository of that name, which people see at the URL page; it may be nil.
func NewAlertFinding(f *Finding, where *Location, repository, page, event string, before verifier.State, at time.Time) AlertFinding {
	v := &f.Verdict
	a := AlertFinding{
		Event: event, Before: before, State: v.State, At: at.UTC(), Title: f.Match.Rule.Title, Repository: repository,
		Subject: Subject{
			Fingerprint: f.Fingerprint(), KeyID: f.Match.Credential.ID, SecretSHA256: f.SecretSHA256(),
			Account: v.Identity.Account, Kind: v.Identity.Kind, Name: v.Identity.Name, ARN: v.Identity.ARN,
		},
	}
	if where != nil {
		a.Where, a.AtHead, a.Since, a.URL = placeOf(where), where.AtHead, where.Time, linkTo(page, where)
	}
	if h := f.History; h != nil {
		a.FirstSeen = h.FirstSeen
		if event == EventOff && !h.FirstSeen.IsZero() {
			a.OffAfterSeconds = int64(max(0, at.Sub(h.FirstSeen)) / time.Second)
		}
	}
	if strings.HasPrefix(a.KeyID, "AKIA") && (event == EventLive || event == EventLiveAgain) {
		a.Command = "stanch respond plan " + printable.ShellWord(a.KeyID)
		if a.Account != "" {
			a.Command += " --accounts " + a.Account
		}
		a.Command += " -o plan.json"
	}
	return a
}

// placeOf says where in a repository l is: "dir/prod.env:3".
func placeOf(l *Location) string {
	where := l.Path
	if where == "" {
		where = strings.ReplaceAll(string(l.Kind), "-", " ")
	}
	if l.Line > 0 {
		where += fmt.Sprintf(":%d", l.Line)
	}
	return printable.Text(where)
}

// linkTo returns the URL of a place in the repository at page. It is that of the repository if
// the place has none.
func linkTo(page string, l *Location) string {
	repo, err := url.Parse(page)
	if err != nil || repo.Scheme != "https" && repo.Scheme != "http" {
		return ""
	}
	if u, err := url.Parse(l.Path); err == nil && u.Host == repo.Host && u.Scheme == repo.Scheme && l.Kind != KindBlob && l.Kind != KindPath {
		return u.String() // an issue, a comment, a release
	}
	if l.Commit == "" {
		return page
	}
	name, _, member := strings.Cut(l.Path, "!") // of a member of an archive, the archive
	// A browser would take "..", and leave the repository.
	if l.Kind != KindBlob || name == "" || path.Clean("/"+name) != "/"+name || printable.Quoted(name) != name || IsRedacted(name) {
		return page + "/commit/" + l.Commit
	}
	link := page + "/blob/" + l.Commit + (&url.URL{Path: "/" + name}).EscapedPath()
	if l.Line > 0 && !member {
		link += fmt.Sprintf("#L%d", l.Line)
	}
	return link
}

// Complete fills the fields of a that follow from the others: its schema, its texts and counts.
func (a *Alert) Complete() {
	a.Schema, a.Counts = AlertSchema, map[string]int{}
	if a.Findings == nil {
		a.Findings = []AlertFinding{} // not null in JSON
	}
	for i := range a.Findings {
		f := &a.Findings[i]
		f.Text = f.line()
		a.Counts[f.Event]++
	}
	a.Title = "stanch: " + a.title()
	lines := []string{a.Title}
	for i := range a.Findings[:min(len(a.Findings), MaxAlertLines)] {
		lines = append(lines, a.Findings[i].Text)
	}
	if n := len(a.Findings) - MaxAlertLines + a.Omitted; n > 0 {
		lines = append(lines, fmt.Sprintf("… and %s more", printable.Thousands(n)))
	}
	if a.Page != "" {
		lines = append(lines, "All findings: "+a.Page)
	}
	a.Text = strings.Join(lines, "\n")
}

// title says what the alert is about: "2 leaked keys are live, 1 is off".
func (a *Alert) title() string {
	if a.Kind == AlertTest {
		return "this is a test: alerts arrive here"
	}
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, printable.Thousands(n)+" "+many)
		}
	}
	root := 0
	for i := range a.Findings {
		if f := &a.Findings[i]; f.Kind == "root" && (f.Event == EventLive || f.Event == EventLiveAgain) {
			root++
		}
	}
	live, unknown := a.Counts[EventLive], a.Counts[EventNew]
	if a.Kind == AlertNews { // of a scan that has found more live keys than an alert lists
		live += a.Omitted
	} else {
		unknown += a.Omitted
	}
	add(live, "leaked key is LIVE", "leaked keys are LIVE")
	add(a.Counts[EventLiveAgain], "leaked key is LIVE AGAIN", "leaked keys are LIVE AGAIN")
	if root > 0 {
		parts[len(parts)-1] += " (of a ROOT user)"
	}
	add(a.Counts[EventOff], "leaked key is off", "leaked keys are off")
	add(unknown, "new finding that is not known to be live", "new findings that are not known to be live")
	add(a.Counts[EventChanged], "finding with a new state", "findings with a new state")
	if len(parts) == 0 {
		return "nothing is new"
	}
	return strings.Join(parts, ", ")
}

// line says all of f for people: "LIVE AKIA… of user deploy in account 111122223333, in acme/app prod.env:3 since 2026-03-14".
func (f *AlertFinding) line() string {
	var b strings.Builder
	switch f.Event {
	case EventLive:
		b.WriteString("LIVE")
	case EventLiveAgain:
		b.WriteString("LIVE AGAIN")
	case EventOff:
		b.WriteString("OFF")
		if f.OffAfterSeconds > 0 {
			b.WriteString(" after " + roughly(time.Duration(f.OffAfterSeconds)*time.Second))
		}
	default:
		b.WriteString(strings.ToUpper(strings.ReplaceAll(string(f.State), "-", " ")))
	}
	id := f.KeyID
	if id == "" {
		id = f.Title
	}
	b.WriteString(" " + printable.Text(id))
	switch {
	case f.Kind == "root":
		b.WriteString(" of the ROOT user")
	case f.Kind != "":
		b.WriteString(" of " + printable.Text(f.Kind+" "+f.Name))
	}
	if f.Account != "" {
		b.WriteString(" in account " + f.Account)
	}
	if f.Repository != "" || f.Where != "" {
		b.WriteString(", in " + printable.Text(strings.TrimSpace(f.Repository+" "+f.Where)))
	}
	if f.Repositories > 1 {
		fmt.Fprintf(&b, " and %s", printable.Plural(f.Repositories-1, "other repository"))
	}
	if !f.Since.IsZero() {
		b.WriteString(", since " + f.Since.UTC().Format(time.DateOnly))
	}
	if f.Known != "" {
		b.WriteString(", " + printable.Text(f.Known))
	}
	if f.Owner != "" {
		b.WriteString(", owned by " + printable.Text(f.Owner))
	}
	return b.String()
}

// roughly says a duration in its largest unit: "3 h".
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// Events returns the events of a, the most urgent first.
func (a *Alert) Events() []string {
	order := []string{EventLive, EventLiveAgain, EventOff, EventChanged, EventNew}
	return slices.DeleteFunc(order, func(e string) bool { return a.Counts[e] == 0 })
}
