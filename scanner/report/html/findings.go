package html

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// anchor returns the id of the i-th finding on the page. It comes from the fingerprint, so
// that a link to it still works tomorrow.
func (v *view) anchor(i int) trusted {
	if f := v.findings[i].Fingerprint(); isFingerprint(f) {
		return trusted("f-" + f)
	}
	return trusted("n-" + strconv.Itoa(i)) // of a stream that stanch did not write
}

func isFingerprint(s string) bool { return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == "" }

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
	if wording.IsNew(f) {
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

// chunk is how many rows one element of the list holds. A browser skips rows off the screen
// faster if it skips them by the fifty than one by one. page.js has the same number.
const chunk = 50

// list writes all findings, with the menus that filter and sort them, and the headings of the
// columns. A column that says nothing, or the same in each row, is left out.
func (v *view) list() {
	v.put(`<section aria-labelledby="findings"><h2 id="findings" tabindex="-1">Findings</h2>` + "\n")
	if len(v.findings) == 0 {
		v.put("<p>None.</p></section>\n")
		return
	}
	var dates seen
	owners := false
	for i := range v.findings {
		f := &v.findings[i]
		v.accounts.add(f.Verdict.Identity.Account)
		v.rules.add(f.Match.Rule.ID)
		for _, r := range reposOf(f) {
			v.repos.add(r)
		}
		dates.add(f)
		owners = owners || who(f) != ""
	}
	var without []string
	for _, x := range []struct {
		is   bool
		name string
	}{{owners, "no-who"}, {len(v.repos.names) > 1, "no-repo"}, {dates.heading() != "", "no-seen"}} {
		if !x.is {
			without = append(without, x.name)
		}
	}
	v.put(`<div class="columns %s"><div id="top">`+"\n", strings.Join(without, " "))
	v.filters()
	v.put(`<div class="heads" aria-hidden="true"><span>State</span><span class="key">Key</span><span class="what">Rule</span><span class="who">Account, owner</span>`+
		`<span class="repo">Repository</span><span class="at">First place, + others</span><span class="seen">%s</span></div></div>`+"\n", dates.heading())
	v.put(`<div id="list"><ol>` + "\n")
	for i := range v.findings {
		if i > 0 && i%chunk == 0 {
			v.put("</ol><ol>\n")
		}
		v.row(i)
	}
	v.put("</ol></div></div>\n")
	v.put(`<p id="more" hidden=""><button type="button">Show more</button> <button type="button">Show all</button></p><p id="folded" hidden=""><span></span> <button type="button">Show them</button></p></section>` + "\n")
}

// seen is which dates the rows show.
type seen struct{ bySweep, byCommit bool }

func (s *seen) add(f *finding.Finding) {
	switch {
	case firstSeen(f).IsZero():
	case bySweep(f):
		s.bySweep = true
	default:
		s.byCommit = true
	}
}

// heading names the dates, "" if there are none.
func (s *seen) heading() string {
	switch {
	case s.bySweep && s.byCommit:
		return "First seen or committed, UTC"
	case s.bySweep:
		return "First seen, UTC"
	case s.byCommit:
		return "Committed, UTC"
	}
	return ""
}

// needsWork reports whether somebody has to shut f off, or to find out whether it works.
func needsWork(f *finding.Finding) bool {
	return f.Ignored == "" && wording.UrgencyOf(f) <= wording.Unverifiable
}

// filters writes the menus, which are hidden without the script.
func (v *view) filters() {
	v.put(`<form id="filter" class="js" hidden="" role="search" aria-label="Findings"><label class="text"><span>Filter</span><input type="search" name="text" autocomplete="off" spellcheck="false" placeholder="key, path … ( / )"/></label>` + "\n")
	v.put(`<label><span>State</span><select name="state">`)
	if urgent := count(v.findings, needsWork); urgent > 0 { // the first option is the one that the page begins with
		v.put(`<option value="urgent">live or unknown (%d)</option>`, urgent)
	}
	v.put(`<option value="open">not ignored (%d)</option><option value="*">all (%d)</option><optgroup label="State">`, v.open, len(v.findings))
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
	v.put(`<output name="shown" aria-live="polite"></output></form><p id="filtered"></p>` + "\n")
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
func (v *view) row(i int) {
	m, f := &v.markup, &v.findings[i]
	slug := slugs[wording.UrgencyOf(f)]
	if f.Ignored != "" {
		slug = "ignored"
	}
	repos := reposOf(f)
	var numbers []string
	for _, r := range repos {
		numbers = append(numbers, strconv.Itoa(v.repos.at[r]))
	}
	m.put(`<li id="%s" class="%s" data-h="%s" data-a="%d" data-r="%s" data-u="%d" data-t="%d" data-n="%d"><details><summary>%s`,
		v.anchor(i), slug, strings.Join(v.past(f), " "), v.accounts.at[f.Verdict.Identity.Account], strings.Join(numbers, " "), v.rules.at[f.Match.Rule.ID],
		firstSeen(f).Unix(), len(f.Locations)+f.Omitted, badge(f))
	title := ""
	if f.Match.Credential.ID != "" {
		title = f.Match.Rule.Title
	}
	m.put(`<span class="key"><b>%s</b>%s</span> <span class="what">%s</span> `, foreign(name(f)), v.tags(f), foreign(title))
	m.put(`<span class="who">%s`, account(f.Verdict.Identity.Account))
	if name := f.Verdict.Identity.Name; name != "" {
		m.put(` %s`, foreign(name))
	}
	m.put("</span> ")
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
		m.put(` <span class="dim">+%s</span>`, printable.Thousands(int64(n)))
	}
	kind := "seen commit"
	if bySweep(f) {
		kind = "seen"
	}
	m.put(`</span> <span class="%s">%s</span>`, kind, date(firstSeen(f)))
}

func who(f *finding.Finding) string { return f.Verdict.Identity.Account + f.Verdict.Identity.Name }

// account writes the number of an account, which no line may break: half a number is the number
// of nothing.
func account(s string) trusted {
	var m markup
	if len(s) == 12 && strings.Trim(s, "0123456789") == "" {
		m.put(`<span class="whole">%s</span>`, s)
	} else if s != "" {
		m.put("%s", foreign(s))
	}
	return trusted(m.String())
}

// bySweep reports whether a sweep knows when it saw f first.
func bySweep(f *finding.Finding) bool { return f.History != nil && !f.History.FirstSeen.IsZero() }

// firstSeen is when a sweep saw f first; without sweeps, when it was committed.
func firstSeen(f *finding.Finding) time.Time {
	if bySweep(f) {
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
