package html

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// slugs name the classes in the style and the script of the page.
var slugs = [...]string{
	wording.LiveRoot: "root", wording.Live: "live", wording.IDActive: "id-live", wording.Unknown: "unknown", wording.Unverified: "unverified",
	wording.Unverifiable: "unverifiable", wording.LoneID: "lone", wording.Canary: "canary", wording.Expired: "expired", wording.Invalid: "invalid",
}

// maxToDo is how many findings stand in the list of first steps; maxShares, how many accounts and
// repositories under "where".
const (
	maxToDo   = 3
	maxShares = 8
)

func isLive(f *finding.Finding) bool { return f.Ignored == "" && wording.UrgencyOf(f) <= wording.Live }

// overview says which keys were live when AWS was last asked, where they are, and the steps
// to take. Somebody may open the page at any later time, so it never says that a key is
// live now.
func (v *view) overview() {
	list := v.findings[:v.open]
	verdict := wording.Verdict(list, v.missed() > 0)
	alive := count(list, isLive)
	calm := "calm"
	if alive > 0 {
		calm = "alarm"
	}
	v.put(`<section class="now %s" aria-labelledby="h-now"><h1 id="h-now">`, trusted(calm))
	switch {
	case len(list) == 0:
		v.put("%s", strings.ToUpper(verdict[:1])+verdict[1:]) // it is all that there is to say
	case alive == 0:
		v.put("Nothing is known to be live")
	case alive == 1:
		v.put("1 credential was live when AWS was last asked")
	default:
		v.put("%s credentials were live when AWS was last asked", printable.Thousands(int64(alive)))
	}
	v.put("</h1>")
	if len(list) > 0 {
		v.put("<p>%s.%s</p>\n", verdict, asked(list))
	}
	if len(list) > 0 || v.missed() > 0 {
		v.tiles(list, alive)
	}
	v.put(`<div class="two">` + "\n")
	v.todo(list)
	v.where(list)
	v.put("</div></section>\n")
}

// tiles writes the numbers that a reader looks for first.
func (v *view) tiles(list []finding.Finding, alive int) {
	v.put(`<ul class="tiles">` + "\n")
	v.tile("live", alive, "live")
	v.tile("ack", count(list, func(f *finding.Finding) bool { return isLive(f) && v.acknowledged(f) }), "of them acknowledged")
	v.tile("new", count(list, wording.IsNew), "new in this sweep")
	v.tile("open", count(list, func(f *finding.Finding) bool {
		return needsWork(f) && !isLive(f)
	}), "to be taken for live until verified")
	v.tile("fail", v.missed(), "not read")
	v.put("</ul>\n")
}

func count(list []finding.Finding, is func(*finding.Finding) bool) int {
	n := 0
	for i := range list {
		if is(&list[i]) {
			n++
		}
	}
	return n
}

// asked says when AWS was asked about the findings of list that are live.
func asked(list []finding.Finding) trusted {
	var first, last time.Time
	for i := range list {
		at := list[i].Verdict.At
		if !isLive(&list[i]) || at.IsZero() {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	var m markup
	switch {
	case first.IsZero():
	case wording.Moment(first) == wording.Moment(last):
		m.put(" AWS was asked at %s.", wording.Moment(last))
	default:
		m.put(" AWS was asked between %s and %s.", wording.Moment(first), wording.Moment(last))
	}
	return trusted(m.String())
}

// missed is how much could not be read.
func (v *view) missed() int { return len(v.swept.Failed) + len(v.swept.Others(v.sum.Unread)) }

func (v *view) tile(kind string, n int, label string) {
	if n > 0 || kind == "live" {
		v.put(`<li class="%s"><b>%s</b> %s</li>`+"\n", trusted(kind), printable.Thousands(int64(n)), label)
	}
}

// todo lists the most urgent findings with their first step.
func (v *view) todo(list []finding.Finding) {
	v.put(`<section aria-labelledby="h-todo"><h2 id="h-todo">To do now</h2>` + "\n")
	n := 0
	for n < len(list) && wording.UrgencyOf(&list[n]) <= wording.IDActive {
		n++
	}
	rest := count(list[n:], needsWork)
	if n > 0 {
		v.put(`<ol class="todo">` + "\n")
		for i := range list[:min(n, maxToDo)] {
			f := &list[i]
			v.put(`<li>%s <a href="#%s"><b>%s</b></a>%s`, badge(f), v.anchor(i), foreign(name(f)), v.tags(f))
			for _, who := range wording.Owner(f)[:min(1, len(wording.Owner(f)))] {
				v.put(` <span class="dim">%s</span>`, foreign(who))
			}
			v.put("<p>%s</p>", step(wording.Advice(f)[0]))
			v.put("</li>\n")
		}
		v.put("</ol>\n")
	}
	missed := v.missed()
	if n > maxToDo {
		v.put(`<p>And <a href="#findings">%s more</a>, most urgent first.</p>`+"\n", printable.Thousands(int64(n-maxToDo)))
	}
	if rest > 0 {
		v.put("<p>%s nobody could verify: take them for live until somebody has.</p>\n", printable.Plural(rest, "finding"))
	}
	if missed > 0 {
		v.put(`<p>%s could not be read, <a href="#unread">see why</a>: there may be more leaks in there.</p>`+"\n", printable.Plural(missed, "part"))
	}
	if n+rest+missed == 0 {
		v.put("<p>Nothing to shut off.</p>\n")
	}
	v.put("</section>\n")
}

// where says in which accounts and repositories something was live.
func (v *view) where(list []finding.Finding) {
	var accounts, repos index
	alive := 0
	for i := range list {
		f := &list[i]
		if !isLive(f) {
			continue
		}
		alive++
		accounts.add(f.Verdict.Identity.Account)
		for _, r := range reposOf(f) {
			repos.add(r)
		}
	}
	if len(accounts.names) == 0 {
		return
	}
	v.put(`<section aria-labelledby="h-where"><h2 id="h-where">Where it was live</h2><div class="shares">` + "\n")
	v.shares("Account", "account", &accounts, alive)
	v.shares("Repository", "repository", &repos, alive)
	v.put("</div></section>\n")
}

// shares writes a table of the names with the most live keys.
func (v *view) shares(title, filter string, x *index, alive int) {
	if len(x.names) == 0 {
		return
	}
	order := x.byName()
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x.counts[b], x.counts[a]) })
	v.put(`<table><thead><tr><th scope="col">%s</th><th scope="col" class="num">Live</th><td class="bar"></td></tr></thead><tbody>`+"\n", title)
	for _, i := range order[:min(len(order), maxShares)] {
		label := x.names[i]
		if filter == "repository" {
			label = repoName(label)
		}
		shown := account(cmp.Or(label, "not known"))
		v.put(`<tr><th scope="row"><a href="#findings" data-filter="%s" data-name="%s">%s</a></th><td class="num">%s</td><td class="bar"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="%d" height="8"/></svg></td></tr>`+"\n",
			trusted(filter), x.names[i], shown, printable.Thousands(int64(x.counts[i])), x.counts[i]*100/alive)
	}
	v.put("</tbody></table>\n")
	if n := len(order) - maxShares; n > 0 {
		v.put(`<p class="dim">And %s more</p>`+"\n", printable.Thousands(int64(n)))
	}
}
