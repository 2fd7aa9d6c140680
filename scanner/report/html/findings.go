package html

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// anchor returns the id of the i-th finding on the page. It comes from the fingerprint, so
// that a link to it still works tomorrow.
func (v *view) anchor(i int) trusted {
	if f := v.findings[i].Fingerprint(); len(f) == 32 && strings.Trim(f, "0123456789abcdef") == "" {
		return trusted("f-" + f)
	}
	return trusted("n-" + strconv.Itoa(i)) // of a stream that stanch did not write
}

// name is the name of a finding in a row.
func name(f *finding.Finding) string {
	return cmp.Or(f.Match.Credential.ID, f.Match.Rule.Title, f.Match.Rule.ID)
}

func badge(f *finding.Finding) trusted {
	c := wording.UrgencyOf(f)
	if f.Ignored != "" {
		return `<span class="badge ignored">IGNORED</span>`
	}
	return trusted(fmt.Sprintf(`<span class="badge %s">%s</span>`, slugs[c], wording.Word(f)))
}

// reposOf returns the repositories of f, each once.
func reposOf(f *finding.Finding) []string {
	var list []string
	for i := range f.Locations {
		if r := f.Locations[i].Repo; r != "" && (len(list) == 0 || list[len(list)-1] != r) {
			list = append(list, r)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// tags returns the history of a finding, in a word each.
func (v *view) tags(f *finding.Finding) trusted {
	var m markup
	for _, word := range v.past(f) {
		m.put(` <span class="tag %s">%s</span>`, word, word)
	}
	return trusted(m.String())
}

// past returns which of new, acknowledged, gone and dead is true of f.
func (v *view) past(f *finding.Finding) []string {
	var words []string
	if wording.IsNew(f, v.scan.Started) {
		words = append(words, "new")
	}
	if v.acknowledged(f) {
		words = append(words, "acknowledged")
	}
	if h := f.History; h != nil && !h.GoneSince.IsZero() {
		words = append(words, "gone")
	}
	return words
}

// list writes all findings, with the menus that filter and sort them.
func (v *view) list() {
	v.put(`<section aria-labelledby="findings"><h2 id="findings" tabindex="-1">Findings</h2>` + "\n")
	var rows markup
	for i := range v.findings {
		v.row(&rows, i)
	}
	if len(v.findings) == 0 {
		v.put("<p>None.</p></section>\n")
		return
	}
	v.filters()
	v.put(`<ol id="list">`+"\n"+"%s</ol><button id=\"more\" type=\"button\" hidden=\"\">Show more</button></section>\n", trusted(rows.String()))
}

// filters writes the menus, which are hidden without the script.
func (v *view) filters() {
	v.put(`<form id="filter" class="js" hidden="" role="search" aria-label="Findings"><label class="text"><span>Filter</span><input type="search" name="text" autocomplete="off" spellcheck="false" placeholder="key, path … ( / )"/></label>` + "\n")
	v.put(`<label><span>State</span><select name="state"><option value="">not ignored (%d)</option><option value="*">all (%d)</option><optgroup label="State">`, v.open, len(v.findings))
	var by [wording.Urgencies + 1]int
	past := map[string]int{}
	for i := range v.findings {
		f := &v.findings[i]
		if f.Ignored != "" {
			by[wording.Urgencies]++
			continue
		}
		by[wording.UrgencyOf(f)]++
		for _, word := range v.past(f) {
			past[word]++
		}
	}
	for c, n := range by[:wording.Urgencies] {
		if n > 0 {
			v.put(`<option value="%s">%s (%d)</option>`, slugs[c], strings.ToLower(wording.Urgency(c).String()), n)
		}
	}
	if n := by[wording.Urgencies]; n > 0 {
		v.put(`<option value="ignored">ignored (%d)</option>`, n)
	}
	v.put("</optgroup>")
	if len(past) > 0 {
		v.put(`<optgroup label="History">`)
		for _, word := range []string{"new", "acknowledged", "gone"} {
			if n := past[word]; n > 0 {
				v.put(`<option value="%s">%s (%d)</option>`, word, word, n)
			}
		}
		v.put("</optgroup>")
	}
	v.put("</select></label>\n")
	v.menu("Account", "account", &v.accounts)
	v.menu("Repository", "repository", &v.repos)
	v.menu("Rule", "rule", &v.rules)
	v.put(`<label><span>Order</span><select name="order"><option value="">urgency</option><option value="newest">newest first</option><option value="oldest">oldest first</option><option value="account">account</option><option value="repository">repository</option><option value="places">most places</option></select></label>` + "\n")
	v.put(`<output name="shown" aria-live="polite">%d shown</output></form>`+"\n", v.open)
}

func (v *view) menu(title, name string, x *index) {
	v.put(`<label><span>%s</span><select name="%s"><option value="">all</option>`, title, name)
	for _, i := range x.byName() {
		label := x.names[i]
		if name == "repository" {
			label = repoName(label)
		}
		v.put(`<option value="%d" data-name="%s">%s (%d)</option>`, i, x.names[i], cmp.Or(label, "not known"), x.counts[i])
	}
	v.put("</select></label>\n")
}

// row writes the i-th finding: a line, and the details that it opens. The details are in a
// noscript element. A browser that runs the script keeps them as text until the user opens
// them, so thousands of findings cost no more than their lines. Other browsers show them.
func (v *view) row(m *markup, i int) {
	f := &v.findings[i]
	slug := slugs[wording.UrgencyOf(f)]
	if f.Ignored != "" {
		slug = "ignored"
	}
	repos := reposOf(f)
	var numbers []string
	for _, r := range repos {
		numbers = append(numbers, strconv.Itoa(v.repos.add(r)))
	}
	m.put(`<li id="%s" class="%s" data-h="%s" data-a="%d" data-r="%s" data-u="%d" data-t="%d" data-n="%d"><details><summary>%s`,
		v.anchor(i), slug, strings.Join(v.past(f), " "), v.accounts.add(f.Verdict.Identity.Account), strings.Join(numbers, " "), v.rules.add(f.Match.Rule.ID),
		firstSeen(f).Unix(), len(f.Locations)+f.Omitted, badge(f))
	title := ""
	if f.Match.Credential.ID != "" {
		title = f.Match.Rule.Title
	}
	m.put(`<span class="key"><b>%s</b>%s</span> <span class="what">%s</span> `, foreign(name(f)), v.tags(f), foreign(title))
	m.put(`<span class="who">%s</span> `, foreign(strings.TrimSpace(f.Verdict.Identity.Account+" "+f.Verdict.Identity.Name)))
	v.rowLocation(m, f, repos)
	m.put("</summary><noscript><div class=\"more\">")
	v.details(m, f)
	m.put("</div></noscript></details></li>\n")
}

// rowLocation writes the first place of a finding, and how many others there are.
func (v *view) rowLocation(m *markup, f *finding.Finding, repos []string) {
	if len(f.Locations) == 0 {
		m.put(`<span class="repo"></span><span class="at"></span><span class="seen"></span>`)
		return
	}
	l := &f.Locations[0]
	at := wording.Where(l)
	if l.Line > 0 {
		at += ":" + strconv.Itoa(l.Line)
	}
	m.put(`<span class="repo">%s`, foreign(strings.TrimPrefix(repoName(l.Repo), v.owner)))
	if n := len(repos) - 1; n > 0 {
		m.put(` <span class="dim">+%d</span>`, n)
	}
	m.put(`</span> <span class="at">%s`, foreign(at))
	if n := len(f.Locations) + f.Omitted - 1; n > 0 {
		m.put(` <span class="dim">+%s</span>`, wording.Thousands(int64(n)))
	}
	m.put(`</span> <span class="seen">%s</span>`, date(firstSeen(f)))
}

// firstSeen is when a sweep saw f first; without sweeps, when it was committed.
func firstSeen(f *finding.Finding) time.Time {
	if f.History != nil && !f.History.FirstSeen.IsZero() {
		return f.History.FirstSeen.UTC()
	}
	var first time.Time
	for i := range f.Locations {
		if t := f.Locations[i].Time; !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first.UTC()
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// details writes all that is known of f: the steps to take, the owner, the places.
func (v *view) details(m *markup, f *finding.Finding) {
	m.put("<div>")
	if f.Ignored == "" {
		m.put(`<h3>What to do now</h3><ol class="steps">`)
		for _, s := range wording.Advice(f) {
			m.put("<li>%s</li>", step(s))
		}
		m.put("</ol>")
	}
	m.put("<h3>%s</h3><ul class=\"places\">", wording.Plural(len(f.Locations)+f.Omitted, "place"))
	for i := range f.Locations {
		v.location(m, &f.Locations[i])
	}
	if f.Omitted > 0 {
		m.put("<li>and %s more, which the report does not hold</li>", wording.Thousands(int64(f.Omitted)))
	}
	m.put("</ul></div><div><h3>What is known</h3><dl>")
	v.known(m, f)
	m.put("</dl></div>")
}

// step is one step of an advice; a click selects its command as a whole.
func step(s string) trusted {
	var m markup
	s, command, _ := strings.Cut(s, "\n")
	m.put("%s", s)
	if command != "" {
		m.put(` <code class="cmd">%s</code>`, command)
	}
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
	field("account", f.Verdict.Identity.Account)
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
	field("fingerprint", f.Fingerprint())
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
	if h.AcknowledgedBy == "" {
		return
	}
	m.put("<dt>acknowledged</dt><dd>by %s", foreign(h.AcknowledgedBy))
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
	m.put("%s", v.linked(address(l, v.github()), at))
	if l.SecretLine > 0 {
		m.put(" (secret on line %d)", l.SecretLine)
	}
	var about []string
	if l.Commit != "" {
		about = append(about, "commit "+wording.ShortID(l.Commit))
	}
	about = append(about, wording.NonEmpty(strings.TrimSpace(l.Author+" "+l.Email))...)
	about = append(about, wording.NonEmpty(date(l.Time))...)
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
