// Package activity reads from CloudTrail what a leaked key did: its calls, the things that
// it made, the roles that it assumed. It asks with the operator's identity and only reads.
//
// A call may return other credentials: a session, or a key of another user. They are
// followed: what they did belongs to the leaked key as well.
//
// CloudTrail's history holds management events of the last 90 days, without reads and
// writes of data such as s3:GetObject.
//
// It is public for the commands of stanch, and no contract.
package activity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

const (
	// Delay is how late CloudTrail usually tells of a call, at the most. AWS: "within an
	// average of about 5 minutes of an API call. This time is not guaranteed"; to log groups
	// and event data stores "about 15 minutes" (CloudTrail User Guide).
	Delay = 15 * time.Minute
	// History is how far back CloudTrail's own history goes.
	History = 90 * 24 * time.Hour

	// early is how long before the time of a leak a call counts all the same: that is the time
	// of a commit, by the clock of whoever made it, and bots use a key within minutes.
	early = time.Hour
	// recent is how far back Place.Recent goes.
	recent = 24 * time.Hour
	// maxPages bounds the questions about one id in one region: 50 events a page.
	maxPages = 200
	// maxFollowed bounds the ids that are read beside the leaked key: a deployment that
	// assumes a role some times a day makes hundreds. A busy region takes half a second for
	// each, see readAll.
	maxFollowed = 400
	// maxRegions bounds the regions that are read at once.
	maxRegions = 8
)

// A Reader reads CloudTrail at the rate that AWS allows, over all keys of a run. Concurrent
// calls are allowed.
type Reader struct {
	// Pace is the time between two questions to CloudTrail in one account and region, which
	// allows two a second; 0 means a little more than half a second, less than 0 none.
	Pace time.Duration
	Now  func() time.Time // nil means time.Now
	// Keys is how many keys of an account are to be read. If there are several, each region
	// is first asked for the events of all, which serves every key if a few pages hold them.
	Keys int
	// In opens a session in another account, to read what sessions of its roles did there.
	// Without a way in, that is a gap.
	In func(ctx context.Context, account string) (*operator.Session, error)

	mu      sync.Mutex
	next    map[string]time.Time // by account and region: when CloudTrail may be asked again
	regions map[string]*quietRegion
	enabled map[string][]string // regions by account
}

// A Log tells what a key did, after CloudTrail.
type Log struct {
	KeyID string
	// Since is the time from which the calls count, usually that of the leak, with the hour
	// before. Earlier ones are only in Places.
	Since time.Time
	// After says that CloudTrail's history begins before Since.
	After bool
	// Principal is the owner of the key, as its calls name it.
	Principal Principal
	Calls     []Calls // the newest first
	// Made are things that the key made or changed and that outlive it, in the order of
	// time.
	Made  []Thing
	Roles []AssumedRole // in the order of time; one for each session
	// Sessions are all credentials that were issued to the key, or to one that it was
	// followed to: sessions (ASIA) and keys (AKIA). Each is in it once.
	Sessions []Credential
	// Places are the addresses and regions that the key itself was used from and in, before
	// Since too.
	Places []Place
	// Whole says that everything since CloudTrail's history begins was read about the key
	// itself, so that Places are all that there are.
	Whole bool
	// Unread are the gaps. A Log without calls and with gaps says nothing.
	Unread []Gap
}

// A Principal is the owner of an id. Fields that CloudTrail does not tell are empty.
type Principal struct {
	Type    string // of userIdentity: IAMUser, AssumedRole, FederatedUser, Root …
	Name    string // of the user, or of the role that issued the session
	ARN     string // of the caller: of a session, not of its role
	Account string
	Issuer  string // ARN of the user or role that issued a session
}

// Calls are calls that differ by their time alone.
type Calls struct {
	ID      string // of the key or session that signed
	Action  string // service:Name as IAM has it, without the version of an API: lambda:CreateFunction
	Address string // of the caller; the name of a service if AWS called
	Agent   string // the first word of the user agent
	Region  string
	Code    string // of the error; "" if the call succeeded
	N       int
	First   time.Time
	Last    time.Time
}

// An AssumedRole is a session of a role that the key, or an id that it was followed to, has
// made.
type AssumedRole struct {
	ARN     string // of the role
	Account string // of the role
	Session string // the id of the session, if CloudTrail tells
	Time    time.Time
	Address string
	By      string // the id that signed
}

// A Credential is one that was issued.
type Credential struct {
	ID   string
	Time time.Time // when it was issued
}

// A Place is an address or a region in which the key itself was seen.
type Place struct {
	Address, Region string // one of the two is ""
	First, Last     time.Time
	// Recent are the calls of the 24 hours before the log was read, the newest first.
	Recent []Use
}

// A Use is one call.
type Use struct {
	Action string
	Time   time.Time
}

// A Gap is something that was not read.
type Gap struct {
	Region string // "" if it is about no region
	Why    string
	Err    error // of AWS; nil if there was more than is read
}

// String names the gap, and the reason for it.
func (g Gap) String() string {
	if g.Region == "" {
		return g.Why
	}
	return g.Region + ": " + g.Why
}

// Read reads the events of a key since a time, or since CloudTrail's history begins if it is
// zero or still to come, and follows the credentials that it was given. It never fails: a region that cannot
// be read is in Log.Unread. The session is of the account of the key.
func (r *Reader) Read(ctx context.Context, s *operator.Session, keyID string, since time.Time, regions []string) Log {
	now := r.now()
	start := now.Add(-History)
	since = since.Truncate(time.Second) // as CloudTrail tells times
	if since.Before(start) || since.After(now) {
		since = start
	}
	t := r.trace(s, regions, now, Log{KeyID: keyID, Since: since})
	t.from = start
	t.log.Whole = len(regions) > 0
	t.readAll(ctx, []string{keyID}, start)
	t.follow(ctx, map[string]bool{keyID: true})
	return t.finish()
}

func (r *Reader) trace(s *operator.Session, regions []string, now time.Time, log Log) *trace {
	home := site{s, regions}
	return &trace{reader: r, site: home, home: s.Account, sites: map[string]*site{s.Account: &home}, now: now, log: log, calls: map[Calls]*Calls{}, places: map[string]*Place{}}
}

// follow reads the events of credentials that were issued, and of those that were issued to
// them. seen are the ids that were read already.
func (t *trace) follow(ctx context.Context, seen map[string]bool) {
	for followed := 0; len(t.issued) > 0; {
		level := t.issued
		t.issued = nil
		level = slices.DeleteFunc(level, func(c credential) bool { known := seen[c.id]; seen[c.id] = true; return known })
		t.rank(level)
		rest := len(level) - (maxFollowed - followed)
		if rest > 0 {
			t.gap(Gap{Why: fmt.Sprintf("%d more sessions and keys that were issued to it were not followed", rest)})
			level = level[:len(level)-rest]
		}
		followed += len(level)
		t.readIssued(ctx, level)
		if rest > 0 {
			t.issued = nil
		}
	}
}

// counts returns the time from which calls count.
func (t *trace) counts() time.Time { return t.log.Since.Add(-early) }

// now returns the time.
func (r *Reader) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// Regions is the function Regions, which is asked once for an account, unless it fails.
func (r *Reader) Regions(ctx context.Context, s *operator.Session) ([]string, error) {
	r.mu.Lock()
	known := r.enabled[s.Account]
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	regions, err := Regions(ctx, s)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.enabled == nil {
			r.enabled = map[string][]string{}
		}
		r.enabled[s.Account] = regions
	}
	return regions, err
}

// Regions returns the regions that the account has enabled. If they are not known, it
// returns the home region and the error.
func Regions(ctx context.Context, s *operator.Session) ([]string, error) {
	var out struct {
		Names []string `xml:"regionInfo>item>regionName"`
	}
	err := s.Do(ctx, operator.Call{Service: "ec2", Action: "DescribeRegions"}, &out)
	names := slices.DeleteFunc(out.Names, func(region string) bool { return !s.Covers(region) }) // moto names all
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("ec2:DescribeRegions: the answer names no region")
	}
	if err != nil {
		return []string{s.HomeRegion()}, err
	}
	return names, nil
}

// A trace is one run of Read.
type trace struct {
	reader *Reader
	site          // that is read now
	home   string // the account of the key
	sites  map[string]*site
	now    time.Time
	from   time.Time // of the oldest events that count
	recent bool      // it is for Recent

	mu     sync.Mutex
	log    Log
	calls  map[Calls]*Calls // by what they have in common
	places map[string]*Place
	issued []credential // not followed yet
}

// A credential was issued to the key.
type credential struct {
	id      string
	kind    string // the role, or the user, that it is of
	account string
	at      time.Time
}

// rank sorts credentials so that those come first that tell most: keys, the newest session
// of each role, then all others.
func (t *trace) rank(level []credential) {
	slices.SortFunc(level, func(a, b credential) int {
		return cmp.Or(cmp.Compare(a.id[:2], b.id[:2]), b.at.Compare(a.at), cmp.Compare(a.id, b.id)) // AKIA before ASIA
	})
	first := map[string]bool{}
	repeated := map[string]bool{}
	for _, c := range level {
		repeated[c.id] = first[c.kind]
		first[c.kind] = true
	}
	slices.SortStableFunc(level, func(a, b credential) int {
		switch {
		case repeated[a.id] == repeated[b.id]:
			return 0
		case repeated[b.id]:
			return -1
		}
		return 1
	})
}

func (t *trace) gap(g Gap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log.Unread = append(t.log.Unread, g)
}

// finish puts the log in order.
func (t *trace) finish() Log {
	l := &t.log
	l.After = l.Since.After(t.now.Add(-History))
	for _, c := range t.calls {
		l.Calls = append(l.Calls, *c)
	}
	slices.SortFunc(l.Calls, func(a, b Calls) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Code, b.Code))
	})
	for _, p := range t.places {
		slices.SortFunc(p.Recent, func(a, b Use) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Action, b.Action)) })
		l.Places = append(l.Places, *p)
	}
	slices.SortFunc(l.Places, func(a, b Place) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Region, b.Region))
	})
	slices.SortFunc(l.Made, func(a, b Thing) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Region, b.Region))
	})
	slices.SortFunc(l.Roles, func(a, b AssumedRole) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ARN, b.ARN), cmp.Compare(a.Session, b.Session))
	})
	slices.SortFunc(l.Sessions, func(a, b Credential) int { return cmp.Or(cmp.Compare(a.ID, b.ID), b.Time.Compare(a.Time)) })
	l.Sessions = slices.CompactFunc(l.Sessions, func(a, b Credential) bool { return a.ID == b.ID })
	slices.SortFunc(l.Unread, func(a, b Gap) int { return strings.Compare(a.String(), b.String()) })
	l.Unread = slices.CompactFunc(l.Unread, func(a, b Gap) bool { return a.String() == b.String() }) // one for each session
	return *l
}
