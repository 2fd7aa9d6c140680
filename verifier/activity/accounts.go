package activity

import (
	"context"
	"slices"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A site is an account whose CloudTrail is read, with the regions.
type site struct {
	session *operator.Session
	regions []string
}

// in makes the site of an account the current one, and reports whether there is a way in. why
// begins the gap that says that there is none.
func (t *trace) in(ctx context.Context, account, why string) bool {
	if t.sites[account] == nil {
		if t.reader.In == nil {
			t.gap(Gap{Why: why + ": CloudTrail tells there what its sessions did"})
			return false
		}
		s, err := t.reader.In(ctx, account)
		if err != nil {
			t.gap(Gap{Why: why + ": CloudTrail tells there what its sessions did, and cannot be read: " + err.Error()})
			return false
		}
		regions, err := Regions(ctx, s)
		if err != nil {
			t.gap(Gap{Why: "the list of regions of account " + account + " is not known", Err: err})
		}
		t.sites[account] = &site{s, regions}
	}
	t.site = *t.sites[account]
	return true
}

// readIssued reads what credentials did, each in its own account.
func (t *trace) readIssued(ctx context.Context, issued []credential) {
	home := t.site
	for len(issued) > 0 {
		account, kind := issued[0].account, issued[0].kind
		var ids []string
		issued = slices.DeleteFunc(issued, func(c credential) bool {
			if c.account == account {
				ids = append(ids, c.id)
			}
			return c.account == account
		})
		if t.in(ctx, account, "role "+kind+" is of another account") {
			t.readAll(ctx, ids, t.counts())
		}
		t.site = home
	}
}

// away returns the account of the current site, "" if it is that of the key.
func (t *trace) away() string {
	if t.session.Account == t.home {
		return ""
	}
	return t.session.Account
}

// here names a region of the current site.
func (t *trace) here(region string) string {
	if t.away() == "" {
		return region
	}
	return region + " of account " + t.away()
}
