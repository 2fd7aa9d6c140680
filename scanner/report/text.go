package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

const (
	maxPlaces  = 5  // of one finding, unless verbose
	maxUnread  = 20 // likewise
	labelWidth = 8
)

// Text returns the Handler for people: what leaked, where, whose it is, whether
// it works and what to do now, the worst first. It writes at Summary, in one
// call. Nothing that came from elsewhere can move the cursor: see safe.
func Text(w io.Writer, o Options) finding.Handler { return &text{w: w, o: o} }

type text struct {
	w        io.Writer
	o        Options
	scan     finding.Scan
	findings []finding.Finding
	swept    swept
	age      age
	out      page
}

func (t *text) Scan(s finding.Scan) error {
	t.scan = s
	return nil
}

func (t *text) Finding(f finding.Finding) error {
	t.findings = append(t.findings, f)
	return nil
}

func (t *text) Repository(r finding.Repository) error {
	t.swept.add(r)
	return nil
}

func (t *text) Summary(s finding.Summary) error {
	t.out = page{color: t.o.Color}
	t.age = newAge(t.scan, s, t.o)
	t.age.ago = true
	if t.o.Verbose {
		t.header()
	}
	worstFirst(t.findings)
	newFirst(t.findings, t.scan.Started)
	ignored := 0
	for i := range t.findings {
		f := &t.findings[i]
		if f.Ignored != "" {
			ignored++
		}
		if f.Ignored == "" || t.o.Verbose {
			t.finding(f)
		}
	}
	t.unread("NOT READ", "there may be more leaks in here", t.swept.others(s.Unread))
	if t.o.Verbose {
		t.unread("ACCEPTED", "not read, and known to you", s.Accepted)
	}
	t.repositories()
	t.total(s, ignored)
	if _, err := io.WriteString(t.w, t.out.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (t *text) header() {
	t.out.put(dim, fmt.Sprintf("stanch %s, %s %s", printable.Quoted(t.scan.Version), printable.Quoted(t.scan.Source), printable.Quoted(t.scan.Target)))
	if !t.scan.Started.IsZero() {
		t.out.put(dim, ", "+t.scan.Started.Format(time.RFC3339))
	}
	t.out.nl()
	t.out.nl()
}

func (t *text) finding(f *finding.Finding) {
	head, st := word(f), classes[classOf(f)].style
	if f.Ignored != "" {
		head, st = "IGNORED", dim
	}
	t.out.put(st, head)
	if f.Match.Credential.ID != "" {
		t.out.put(plain, "  ")
		t.out.put(bold, f.Match.Credential.ID)
	}
	t.out.put(plain, "  "+printable.Quoted(f.Match.Rule.Title)+doubt(f))
	if isNew(f, t.scan.Started) {
		t.out.put(warn, "  new")
	}
	t.out.nl()
	t.field("ignored", plain, nonEmpty(printable.Quoted(f.Ignored)))
	if f.Overruled != "" {
		t.field("ignored", warn, []string{"no, since it is live: " + printable.Quoted(f.Overruled)})
	}
	t.field("why", plain, nonEmpty(printable.Quoted(f.Verdict.Reason)))
	t.field("when", plain, nonEmpty(t.age.of(f)))
	t.field("whose", plain, whose(f))
	t.field("seen", plain, nonEmpty(seen(f.History)))
	t.field("where", plain, t.places(f))
	t.facts(f)
	t.secrets(f)
	if f.Ignored == "" {
		t.steps(f)
	}
	t.field("id", dim, []string{printable.Quoted(f.Match.Rule.ID) + " " + printable.Quoted(f.Fingerprint())}) // what ignore files name
	t.out.nl()
}

// doubt is what a reader should know before believing in f, or "".
func doubt(f *finding.Finding) string {
	var s []string
	if f.Match.Confidence != "high" && f.Match.Confidence != "" {
		s = append(s, printable.Quoted(string(f.Match.Confidence))+" confidence")
	}
	if f.Match.Grade != "strong" && f.Match.Grade != "" {
		s = append(s, printable.Quoted(f.Match.Grade)+" id")
	}
	if f.Match.Rank > 0 {
		s = append(s, "the secret may be of another id")
	}
	if len(s) == 0 {
		return ""
	}
	return " (" + strings.Join(s, ", ") + ")"
}

func (t *text) field(label string, st style, lines []string) {
	for i, l := range lines {
		if i > 0 {
			label = ""
		}
		t.out.put(plain, "  ")
		t.out.put(dim, label)
		t.out.put(plain, strings.Repeat(" ", labelWidth-len(label)))
		t.out.put(st, l)
		t.out.nl()
	}
}

// secrets writes the secret parts, which f holds only if the user asked to be shown them.
func (t *text) secrets(f *finding.Finding) {
	secret := "secret"
	if f.Match.Rule.Value {
		secret = "value"
	}
	t.field(secret, plain, nonEmpty(printable.Quoted(f.Match.Credential.Secret.Reveal())))
	t.field("token", plain, nonEmpty(printable.Quoted(f.Match.Credential.Token.Reveal())))
}

func (t *text) facts(f *finding.Finding) {
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

func (t *text) steps(f *finding.Finding) {
	label := "now"
	for _, step := range advice(f) {
		step, command, _ := strings.Cut(step, "\n")
		t.field(label, plain, []string{step})
		if command != "" {
			t.field("", bold, []string{"  " + command})
		}
		label = ""
	}
}

func (t *text) places(f *finding.Finding) []string {
	shown := f.Locations
	if !t.o.Verbose {
		shown = firstPlaces(f.Locations, maxPlaces)
	}
	var lines []string
	for i := range shown {
		line := place(&shown[i])
		if t.scan.Source != "git" && shown[i].Repo != "" { // one of several
			line = printable.Quoted(shown[i].Repo) + "  " + line
		}
		lines = append(lines, line)
	}
	if more := len(f.Locations) - len(shown) + f.Omitted; more > 0 {
		lines = append(lines, "+ "+plural(more, "more place"))
	}
	return lines
}

// firstPlaces returns the first n of list, or one fewer and the first place of a
// part that would not be seen: of an id and a secret from two files, both count.
func firstPlaces(list []finding.Location, n int) []finding.Location {
	if len(list) <= n {
		return list
	}
	seen := map[string]bool{}
	for _, l := range list[:n] {
		seen[l.Part] = true
	}
	for _, l := range list[n:] {
		if !seen[l.Part] {
			return append(slices.Clone(list[:n-1]), l)
		}
	}
	return list[:n]
}

// place writes one location in a line, as PATH:LINE where there is a path, so
// that editors and terminals can open it.
func place(l *finding.Location) string {
	var b strings.Builder
	if l.Part != "" {
		b.WriteString(printable.Quoted(l.Part) + " in ")
	}
	b.WriteString(where(l))
	if l.Line > 0 {
		fmt.Fprintf(&b, ":%d", l.Line)
	}
	if l.SecretLine > 0 {
		fmt.Fprintf(&b, " (secret on line %d)", l.SecretLine)
	}
	var about []string
	if l.Commit != "" && l.Kind != scanner.KindCommit {
		about = append(about, "commit "+printable.Quoted(short(l.Commit)))
	}
	if who := l.Author; who != "" || l.Email != "" {
		if who == "" {
			who = l.Email
		}
		about = append(about, printable.Quoted(who))
	}
	if !l.Time.IsZero() {
		about = append(about, l.Time.Format(time.DateOnly))
	}
	about = append(about, holders(l)...)
	if l.Ignored != "" {
		about = append(about, "ignored: "+printable.Quoted(l.Ignored))
	}
	if len(about) > 0 {
		b.WriteString("  " + strings.Join(about, ", "))
	}
	return b.String()
}

// where names the text that l is in.
func where(l *finding.Location) string {
	name := l.Path
	if name == "" {
		name = "object " + short(string(l.Blob))
	}
	switch l.Kind {
	case scanner.KindBlob, "":
		return printable.Quoted(name)
	case scanner.KindCommit:
		return "message of commit " + printable.Quoted(short(cmp.Or(l.Commit, l.Path, string(l.Blob))))
	case scanner.KindTag:
		return "message of tag " + printable.Quoted(short(cmp.Or(l.Path, string(l.Blob))))
	case scanner.KindRefName:
		return "name of ref " + printable.Quoted(name)
	case scanner.KindPath:
		return "file name " + printable.Quoted(name)
	case scanner.KindConfig, scanner.KindReflog:
		return printable.Quoted(".git/" + name)
	case scanner.KindIndex:
		return "staged file " + printable.Quoted(name)
	case scanner.KindWorktree:
		return "changed file " + printable.Quoted(name)
	}
	return printable.Quoted(string(l.Kind)) + " " + printable.Quoted(name)
}

// short abbreviates object ids, and nothing else.
func short(id string) string {
	if (len(id) == 40 || len(id) == 64) && strings.Trim(id, "0123456789abcdef") == "" {
		return id[:10]
	}
	return id
}

func (t *text) unread(word, means string, u []finding.Unread) {
	if len(u) == 0 {
		return
	}
	t.out.put(warn, word)
	t.out.put(plain, "  "+means)
	t.out.nl()
	for i, x := range u {
		if i == maxUnread && !t.o.Verbose {
			t.out.put(plain, "  + "+fmt.Sprintf("%s more", thousands(int64(len(u)-i))))
			t.out.nl()
			break
		}
		line := "  " + printable.Quoted(x.What) + ": " + printable.Quoted(x.Why)
		if x.Accepted != "" {
			line += " (" + printable.Quoted(x.Accepted) + ")"
		}
		t.out.put(plain, line)
		t.out.nl()
	}
	t.out.nl()
}

// total writes the last line, the one that is read first.
func (t *text) total(s finding.Summary, ignored int) {
	st, line := t.verdict(len(t.findings)-ignored, len(s.Unread) > 0)
	t.out.put(st, line)
	rest := ""
	if ignored > 0 {
		rest += fmt.Sprintf(" · %s ignored", thousands(int64(ignored)))
	}
	if n := len(s.Accepted); n > 0 {
		rest += fmt.Sprintf(" · %s not read and accepted", thousands(int64(n)))
	}
	if n := len(s.Unread); n > 0 {
		rest += fmt.Sprintf(" · %s not read", thousands(int64(n)))
	}
	t.out.put(plain, fmt.Sprintf("%s · %s object%s, %s read in %s", rest,
		thousands(s.Objects), ending(s.Objects), size(s.Bytes), elapsed(s.ElapsedMS)))
	t.out.nl()
	if a := s.Again; a != nil {
		st := plain
		if a.Asked < a.Of {
			st = warn
		}
		t.out.put(st, fmt.Sprintf("%s of %s asked", thousands(int64(a.Asked)), thousands(int64(a.Of))))
		t.out.nl()
	}
}

func (t *text) verdict(n int, incomplete bool) (style, string) {
	if n == 0 && incomplete {
		return warn, "no leaked credentials found in what could be read"
	}
	if n == 0 {
		return good, "no leaked credentials found"
	}
	var now, before [len(classes)]int
	for i := range t.findings[:n] { // the ignored ones are last
		f := &t.findings[i]
		if c := classOf(f); word(f) == classes[c].word {
			now[c]++
		} else {
			before[c]++
		}
	}
	var parts []string
	st := plain
	for c := range classes {
		if len(parts) == 0 && now[c]+before[c] > 0 {
			st = classes[c].style
		}
		if k := now[c]; k > 0 {
			parts = append(parts, thousands(int64(k))+" "+classes[c].count)
		}
		if k := before[c]; k > 0 {
			parts = append(parts, thousands(int64(k))+" "+classes[c].count+" when last asked")
		}
	}
	return st, plural(n, "leaked credential") + ": " + strings.Join(parts, ", ")
}
