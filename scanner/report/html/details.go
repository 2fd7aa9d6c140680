package html

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// details writes all that is known of f: the steps to take, the owner, the places.
func (v *view) details(m *markup, f *finding.Finding) {
	m.put("<div>")
	if f.Ignored == "" {
		m.put(`<h3>To do now</h3><ol class="steps">`)
		for _, s := range wording.Advice(f) {
			m.put("<li>%s</li>", step(s))
		}
		m.put("</ol>")
		if id := f.Fingerprint(); isFingerprint(id) && !isLive(f) { // a live one is reported all the same
			m.put(`<h3>If it is no leak</h3><p>Allow it, and say why:%s</p>`, code("stanch allow "+id+` --reason "why it is no leak"`))
		}
	}
	m.put("<h3>%s</h3><ul class=\"places\">", printable.Plural(len(f.Locations)+f.Omitted, "place"))
	for i := range f.Locations {
		v.location(m, &f.Locations[i])
	}
	if f.Omitted > 0 {
		m.put("<li>and %s more, which the report does not hold</li>", printable.Thousands(int64(f.Omitted)))
	}
	m.put("</ul></div><div><h3>Known</h3><dl>")
	v.known(m, f)
	m.put("</dl></div>")
}

// step is one step of an advice; a click selects its command as a whole.
func step(s string) trusted {
	var m markup
	s, command, _ := strings.Cut(s, "\n")
	m.put("%s", s)
	if command != "" {
		m.put(" %s", code(command))
	}
	return trusted(m.String())
}

// code writes a command, no flag of which a line may break: half a flag is another flag.
func code(command string) trusted {
	var m markup
	m.put(`<code class="cmd">`)
	for i, word := range strings.Split(command, " ") {
		if i > 0 {
			m.put(" ")
		}
		if strings.HasPrefix(word, "-") && len(word) < 24 {
			m.put(`<span class="whole">%s</span>`, word)
		} else {
			m.put("%s", word)
		}
	}
	m.put("</code>")
	return trusted(m.String())
}

// risks are the words for how bad a fact is.
var risks = [...]string{"", "worth knowing", "bad", "act now"}

func (v *view) known(m *markup, f *finding.Finding) {
	field := func(label, value string) {
		if value != "" {
			m.put("<dt>%s</dt><dd>%s</dd>", label, foreign(value))
		}
	}
	field("why", f.Verdict.Reason)
	age := wording.NewAge(v.scan, v.sum, wording.Reading{})
	field("when", age.Describe(f))
	field("ignored", f.Ignored)
	field("not ignored, since it is live", f.Overruled)
	if a := f.Verdict.Identity.Account; a != "" {
		m.put("<dt>account</dt><dd>%s</dd>", account(a))
	}
	field("identity", strings.TrimSpace(f.Verdict.Identity.Kind+" "+f.Verdict.Identity.Name))
	field("arn", f.Verdict.Identity.ARN)
	facts := slices.Clone(f.Facts())
	slices.SortStableFunc(facts, func(a, b detectors.Fact) int { return cmp.Compare(b.Risk, a.Risk) })
	for _, x := range facts {
		risk := min(max(x.Risk, 0), len(risks)-1)
		m.put(`<dt>%s</dt><dd class="risk%d">%s`, foreign(x.Name), risk, foreign(x.Value))
		if word := risks[risk]; word != "" {
			m.put(` <span class="tag">%s</span>`, word)
		}
		m.put("</dd>")
	}
	field("also", wording.Candidates(f))
	v.history(m, f)
	field("doubt", strings.Trim(wording.Doubt(f), " ()"))
	field("rule", f.Match.Rule.ID)
	if id := f.Fingerprint(); id != "" {
		m.put(`<dt>fingerprint</dt><dd><span class="id">%s</span></dd>`, foreign(id))
	}
}

// history writes the history of f in earlier sweeps, oldest event first.
func (v *view) history(m *markup, f *finding.Finding) {
	at := func(label string, t time.Time) {
		if !t.IsZero() {
			m.put(`<dt>%s</dt><dd><time datetime="%s">%s</time></dd>`, label, t.UTC().Format(time.RFC3339), wording.Moment(t))
		}
	}
	at("verified", f.Verdict.At)
	h := f.History
	if h == nil {
		return
	}
	at("first seen", h.FirstSeen)
	at("last seen", h.LastSeen)
	at("gone from HEAD", h.GoneSince)
	at("dead since", h.DeadSince)
	if h.Owner != "" {
		m.put("<dt>owner</dt><dd>%s</dd>", foreign(h.Owner))
	}
	if h.AcknowledgedBy == "" {
		return
	}
	m.put("<dt>%s</dt><dd>by %s", wording.Status(h), foreign(h.AcknowledgedBy))
	switch {
	case h.AcknowledgedUntil.IsZero():
	case v.acknowledged(f):
		m.put(" until %s", date(h.AcknowledgedUntil))
	default:
		m.put(" until %s, which is over", date(h.AcknowledgedUntil))
	}
	if h.Note != "" {
		m.put(": %s", foreign(h.Note))
	}
	m.put("</dd>")
}

// location writes one location, as a link to its line if there is a page of it.
func (v *view) location(m *markup, l *finding.Location) {
	m.put("<li>")
	if l.Repo != "" {
		m.put(`<span class="repo">%s</span> `, foreign(repoName(l.Repo)))
	}
	at := wording.Where(l)
	if l.Line > 0 {
		at += ":" + strconv.Itoa(l.Line)
	}
	if l.Part != "" {
		m.put("%s in ", foreign(l.Part))
	}
	m.put("%s", v.linked(address(l, v.isGitHub(l.Repo)), at))
	if l.SecretLine > 0 {
		m.put(" (secret on line %d)", l.SecretLine)
	}
	var about []string
	if l.Commit != "" {
		about = append(about, "commit "+wording.ShortID(l.Commit))
	}
	about = append(about, wording.NonEmpty(strings.TrimSpace(l.Author+" "+l.Email))...)
	if !l.Time.IsZero() {
		about = append(about, "committed "+date(l.Time))
	}
	about = append(about, wording.Reachability(l)...)
	if l.Ignored != "" {
		about = append(about, "ignored: "+l.Ignored)
	}
	m.put(`<span class="dim">`)
	for i, s := range about {
		if i > 0 {
			m.put(" · ")
		}
		m.put("%s", foreign(s))
	}
	m.put("</span></li>")
}
