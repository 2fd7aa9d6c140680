package project

import (
	"slices"
	"sync/atomic"

	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/suppress"
)

// Unused has entries of a file that hid nothing.
type Unused struct {
	Name  string
	IsOwn bool // it is the OwnBaseline of the project
	// Line is that of the table that lists fingerprints, 0 in a baseline.
	Line    int
	Entries []baseline.Entry
}

// Unused returns the entries that hid nothing in the scans so far: of baselines in stanch's
// own format, and fingerprints in its configuration. Nothing follows from that unless a scan
// has read everything. With configurations that the user names, it returns none: the entries
// may be about findings of the rules that these replace.
func (c *Config) Unused() (all []Unused) {
	if len(c.options.Files) > 0 {
		return nil
	}
	for _, list := range slices.Concat(c.lists, c.allowed) {
		if entries := list.Gone(); len(entries) > 0 {
			all = append(all, Unused{list.name, list.isOwn, list.line, entries})
		}
	}
	return all
}

// An UnusedTable is a table of a configuration whose conditions nothing has met.
type UnusedTable struct {
	Name, Header string // of the file, and [[allow]] or [[unread]]
	rules.Note
}

// UnusedTables returns the tables [[allow]] without fingerprints, and the tables [[unread]], that
// have hidden and accepted nothing in the scans so far. The same limits hold as for Unused.
func (c *Config) UnusedTables() (all []UnusedTable) {
	if len(c.options.Files) > 0 {
		return nil
	}
	for _, t := range c.tables {
		if !t.used.Load() {
			all = append(all, t.UnusedTable)
		}
	}
	return all
}

// A table is one of a configuration, either of both. A sweep runs several scans at once.
type table struct {
	UnusedTable
	allow  *rules.Allow
	unread *rules.Unread
	used   atomic.Bool
}

// addTables keeps the tables of own that have not expired, for Unused and UnusedTables.
func (c *Config) addTables(own *rules.Own) {
	for _, a := range own.Allow {
		switch {
		case a.Expired(c.now):
		case len(a.Fingerprints) == 0:
			c.tables = append(c.tables, &table{UnusedTable: UnusedTable{own.Name, "[[allow]]", a.Note}, allow: a})
		default:
			var list []baseline.Entry
			for _, fingerprint := range a.Fingerprints {
				list = append(list, baseline.Entry{Fingerprint: fingerprint})
			}
			c.allowed = append(c.allowed, namedList{own.Name, false, a.Line, baseline.NewList(list)})
		}
	}
	for _, u := range own.Unread {
		if !u.Expired(c.now) {
			c.tables = append(c.tables, &table{UnusedTable: UnusedTable{own.Name, "[[unread]]", u.Note}, unread: u})
		}
	}
}

// noteUsed is a filter that ignores nothing, and notes which entries there are findings for:
// the first entry that knows a finding hides it from the others. A place that was omitted may
// meet any condition.
func (c *Config) noteUsed(f *finding.Finding) string {
	for _, list := range slices.Concat(c.lists, c.allowed) {
		list.Knows(f)
	}
	for i := range f.Locations {
		l := &f.Locations[i]
		path := suppress.NameOnce(c.name, l)
		for _, t := range c.tables {
			if t.allow != nil && !t.used.Load() && (f.Omitted > 0 || suppress.Allows(t.allow, f, l, path)) {
				t.used.Store(true)
			}
		}
	}
	return ""
}

// noteAccepted notes which tables accept part.
func (c *Config) noteAccepted(part finding.Unread) {
	for _, t := range c.tables {
		if t.unread != nil && suppress.Accepts(t.unread, part) {
			t.used.Store(true)
		}
	}
}
