// Package plaintext writes reports for people: on a terminal, in a log, in a mail.
package plaintext

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

const labelWidth = 8

// Options are the options of New.
type Options struct {
	Color   bool // SGR colours
	Verbose bool // every place and fact, and ignored findings
	// Width is how many columns the reader's terminal has: sentences are wrapped to it between
	// words, and commands, which are pasted, are not. 0 wraps nothing.
	Width int
	// Staged is for a hook: nobody was asked about the keys, and those that may be live have
	// not left this machine. No step says to shut one off, and ignored findings have a line
	// each: the entry that hides them may be new as well.
	Staged bool
	// ListAll, unless it is "", is the flag that lists all findings of a sweep. Without it the
	// report lists those that are new and those that are live, and counts the others.
	ListAll string
	Reading wording.Reading
}

// styles has the style of each urgency.
var styles = [wording.Urgencies]style{
	wording.LiveRoot: alarm, wording.Live: alarm, wording.IDActive: alarm,
	wording.Unknown: warn, wording.Unverified: warn, wording.Unverifiable: warn,
	wording.LoneID: note, wording.Canary: warn, wording.Expired: dim, wording.Invalid: dim,
}

// New returns the Handler for people: the leaked key, its places and owner, whether
// it works and the steps to take, the worst first. It writes at Summary, in one
// call. Nothing that came from elsewhere can move the cursor: see printable.Quoted.
func New(w io.Writer, o Options) finding.Handler { return &handler{w: w, o: o} }

type handler struct {
	wording.Collector
	w     io.Writer
	o     Options
	total wording.Total
	age   wording.Age
	out   page
}

func (t *handler) Summary(s finding.Summary) error {
	for _, r := range t.Repositories {
		t.total.Swept.Add(r)
	}
	t.out = page{color: t.o.Color}
	t.o.Reading.Ago = true
	t.age = wording.NewAge(t.Header, s, t.o.Reading)
	if t.o.Verbose {
		t.header()
	}
	wording.WorstFirst(t.Findings)
	wording.NewFirst(t.Findings)
	var hidden []finding.Unread
	var known wording.Total
	for i := range t.Findings {
		f := &t.Findings[i]
		t.total.Add(f)
		if t.isKnown(f) {
			known.Add(f)
			continue
		}
		if f.Ignored != "" {
			hidden = append(hidden, finding.Unread{What: ignoredName(f), Why: f.Ignored})
		}
		if f.Ignored == "" || t.o.Verbose {
			t.finding(f)
		}
	}
	if t.o.Staged && !t.o.Verbose {
		t.list("IGNORED", "not counted", hidden, wording.MaxLocations)
	}
	if n := known.Count(); n > 0 {
		t.out.put(dim, fmt.Sprintf("%s not listed: known from earlier sweeps, and not live (%s lists them)", printable.Plural(n, "leaked credential"), t.o.ListAll))
		t.out.nl()
		t.out.nl()
	}
	t.unread("NOT READ", "there may be more leaks in these", t.total.Swept.Others(s.Unread))
	if t.o.Verbose {
		t.unread("ACCEPTED", "not read, for a known reason", s.Accepted)
	}
	t.repositories()
	t.end(s)
	if _, err := io.WriteString(t.w, t.out.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (t *handler) header() {
	t.out.put(dim, fmt.Sprintf("stanch %s, %s %s", printable.Quoted(t.Header.Version), printable.Quoted(wording.Source(&t.Header)), printable.Quoted(t.Header.Target)))
	if !t.Header.Started.IsZero() {
		t.out.put(dim, ", "+t.Header.Started.Format(time.RFC3339))
	}
	t.out.nl()
	t.out.nl()
}

func (t *handler) finding(f *finding.Finding) {
	head, st := wording.Word(f), styles[wording.UrgencyOf(f)]
	if f.Ignored != "" {
		head, st = "IGNORED", dim
	}
	t.out.put(st, head)
	if f.Match.Credential.ID != "" {
		t.out.put(plain, "  ")
		t.out.put(bold, f.Match.Credential.ID)
	}
	title, isNew := printable.Quoted(f.Match.Rule.Title)+wording.Doubt(f), wording.IsNew(f)
	below := t.tooWide(head + "  " + f.Match.Credential.ID + "  " + title + "  new")
	if !below {
		t.out.put(plain, "  "+title)
	}
	if isNew {
		t.out.put(warn, "  new")
	}
	t.out.nl()
	if below {
		t.field("", plain, []string{title})
	}
	t.field("ignored", plain, wording.NonEmpty(printable.Quoted(f.Ignored)))
	if f.Overruled != "" {
		t.field("ignored", warn, []string{"no, because it is live; otherwise: " + printable.Quoted(f.Overruled)})
	}
	mayBeLive := t.o.Staged && wording.UrgencyOf(f) <= wording.Unverifiable
	if !t.o.Staged || wording.UrgencyOf(f) != wording.Unverified { // a hook asks nobody
		t.field("why", plain, wording.NonEmpty(printable.Quoted(f.Verdict.Reason)))
	}
	t.field("when", plain, wording.NonEmpty(t.age.Describe(f)))
	t.field("whose", plain, wording.Owner(f))
	t.field("seen", plain, wording.NonEmpty(seen(f.History)))
	t.field("where", plain, t.locations(f))
	t.field("also", plain, wording.NonEmpty(wording.Candidates(f)))
	t.facts(f)
	t.secrets(f)
	if f.Ignored == "" && !mayBeLive {
		t.steps(f)
	}
	if t.o.Verbose {
		label := "ignore"
		for _, way := range wording.Allow(f) {
			t.row(label, dim, way)
			label = ""
		}
	}
	t.fingerprint(printable.Quoted(f.Fingerprint()), "("+printable.Quoted(f.Match.Rule.ID)+")")
	t.out.nl()
}

// isKnown reports whether a report that does not list all leaves f out: an earlier sweep
// reported it, and it is not live.
func (t *handler) isKnown(f *finding.Finding) bool {
	return t.o.ListAll != "" && f.Ignored == "" && !wording.IsNew(f) && wording.UrgencyOf(f) > wording.IDActive
}

// tooWide reports whether the reader's terminal has not the columns for line.
func (t *handler) tooWide(line string) bool {
	return t.o.Width > 0 && utf8.RuneCountInString(line) > t.o.Width
}

// fingerprint writes the fingerprint of a finding, which people paste, and its rule.
func (t *handler) fingerprint(fingerprint, rule string) {
	const label = "fingerprint"
	switch {
	case !t.tooWide("  " + label + " " + fingerprint + " " + rule):
		t.row(label, dim, fingerprint+" "+rule)
		return
	case !t.tooWide("  " + label + " " + fingerprint):
		t.row(label, dim, fingerprint)
	default:
		t.out.put(dim, "  "+label)
		t.out.nl()
		t.out.put(dim, "  "+fingerprint)
		t.out.nl()
	}
	t.field("", dim, []string{rule})
}

func (t *handler) field(label string, st style, lines []string) {
	for _, l := range lines {
		for _, row := range printable.Wrap(l, t.o.Width-labelWidth-2) {
			t.row(label, st, row)
			label = ""
		}
	}
}

func (t *handler) row(label string, st style, text string) {
	t.out.put(plain, "  ")
	t.out.put(dim, label)
	t.out.put(plain, strings.Repeat(" ", max(1, labelWidth-len(label))))
	t.out.put(st, text)
	t.out.nl()
}

// secrets writes the secret parts, which f holds only if the user asked to be shown them.
func (t *handler) secrets(f *finding.Finding) {
	secret := "secret"
	if f.Match.Rule.Value {
		secret = "value"
	}
	t.field(secret, plain, wording.NonEmpty(printable.Quoted(f.Match.Credential.Secret.Reveal())))
	for i := range f.Candidates {
		if c := &f.Candidates[i]; !c.Secret.IsZero() {
			t.field("or", plain, []string{printable.Quoted(c.Secret.Reveal()) + "  " + wording.CandidateAt(f, c)})
		}
	}
	t.field("token", plain, wording.NonEmpty(printable.Quoted(f.Match.Credential.Token.Reveal())))
}

func (t *handler) facts(f *finding.Finding) {
	label := "known"
	for _, x := range f.Facts() {
		if x.Risk < 1 && !t.o.Verbose {
			continue
		}
		st := plain
		if x.Risk >= 2 {
			st = warn
		}
		t.field(label, st, []string{printable.Quoted(x.Name) + ": " + printable.Quoted(x.Value)})
		label = ""
	}
}

func (t *handler) steps(f *finding.Finding) {
	label := "do"
	for _, step := range wording.Advice(f) {
		step, command, _ := strings.Cut(step, "\n")
		t.field(label, plain, []string{step})
		if command != "" {
			t.row("", bold, "  "+command)
		}
		label = ""
	}
}

func (t *handler) locations(f *finding.Finding) []string {
	shown := f.Locations
	if !t.o.Verbose {
		shown = wording.FirstLocations(f.Locations, wording.MaxLocations)
	}
	var lines []string
	for _, l := range shown {
		if l.Ignored == f.Ignored { // that stands above
			l.Ignored = ""
		}
		lines = append(lines, wording.LocationIn(&t.Header, &l))
	}
	if more := len(f.Locations) - len(shown) + f.Omitted; more > 0 {
		lines = append(lines, "+ "+printable.Plural(more, "more place"))
	}
	return lines
}

// ignoredName names an ignored finding in a line: its id and first place.
func ignoredName(f *finding.Finding) string {
	name := f.Match.Credential.ID
	if len(f.Locations) == 0 {
		return name
	}
	name = strings.TrimSpace(name + " in " + wording.Where(&f.Locations[0]))
	if line := f.Locations[0].Line; line > 0 {
		name += fmt.Sprintf(":%d", line)
	}
	return name
}

func (t *handler) unread(word, means string, u []finding.Unread) {
	t.list(word, means, u, wording.MaxUnread)
}

// list writes the first parts of u.
func (t *handler) list(word, means string, u []finding.Unread, most int) {
	if len(u) == 0 {
		return
	}
	t.out.put(warn, word)
	t.out.put(plain, "  "+means)
	t.out.nl()
	for i, x := range u {
		if i == most && !t.o.Verbose {
			t.out.put(plain, "  + "+fmt.Sprintf("%s more", printable.Thousands(int64(len(u)-i))))
			t.out.nl()
			break
		}
		line := "  " + printable.Quoted(x.What) + ": " + printable.Quoted(x.Why)
		if x.Accepted != "" {
			line += " (" + printable.Quoted(x.Accepted) + ")"
		}
		for i, row := range printable.Wrap(line, t.o.Width) {
			if i > 0 {
				row = "    " + row
			}
			t.out.put(plain, row)
			t.out.nl()
		}
	}
	t.out.nl()
}

// end writes the last line.
func (t *handler) end(s finding.Summary) {
	counted := t.Findings[:len(t.Findings)-t.total.Ignored] // the ignored ones are last
	incomplete := len(s.Unread) > 0
	verdict, rest := t.total.Verdict(incomplete), t.total.Rest(&s)
	st := verdictStyle(counted, incomplete)
	if t.tooWide(verdict + rest) {
		t.wrapped(st, verdict)
		t.wrapped(plain, strings.TrimPrefix(rest, " · "))
	} else {
		t.out.put(st, verdict)
		t.wrapped(plain, rest)
	}
	if a := s.Again; a != nil {
		st := plain
		if a.Asked < a.Of {
			st = warn
		}
		t.out.put(st, fmt.Sprintf("asked AWS again about %s of %s", printable.Thousands(int64(a.Asked)), printable.Thousands(int64(a.Of))))
		t.out.nl()
	}
}

// wrapped writes a line in as many rows as it takes.
func (t *handler) wrapped(st style, line string) {
	for _, row := range printable.Wrap(line, t.o.Width) {
		t.out.put(st, row)
		t.out.nl()
	}
}

// verdictStyle is the style of the most urgent of findings.
func verdictStyle(findings []finding.Finding, incomplete bool) style {
	switch {
	case len(findings) == 0 && incomplete:
		return warn
	case len(findings) == 0:
		return good
	}
	worst := wording.Invalid
	for i := range findings {
		worst = min(worst, wording.UrgencyOf(&findings[i]))
	}
	return styles[worst]
}
