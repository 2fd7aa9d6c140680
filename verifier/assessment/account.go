package assessment

import (
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// An account has the answers that all its keys have in common. They are read once, when
// the first key is assessed.
type account struct {
	*Assessor
	notes
	id         string
	keys       []string        // that are to be assessed, as far as they are known
	named      []verifier.Fact // by the organization
	err        error           // why there is no session
	regions    []string        // that are enabled
	allRegions bool            // false: regions is the home region alone
	details    *authorizations // nil if they could not be read
	report     *credentialReport
	exposed    *exposedKeys // nil if Trusted Advisor did not tell
	costs      *costs       // nil if Cost Explorer did not tell
	detectors  []detector
	logGroups  []logGroup // of the trails
	trailsErr  *refusal   // why the trails are not known
	principals map[string]*principal
	about      map[string]*notes          // by key id
	instances  map[string][]verifier.Fact // by region
	// credentials are the service credentials of all users, by name; nil if nobody has asked.
	credentials map[string][]operator.ServiceCredential
	eachUser    bool // service credentials are to be asked for user by user
}

// expect returns the account with the number id, of which keys are to be assessed.
// Questions about keys that take a list are asked about all of them at once.
func (a *Assessor) expect(id string, keys ...string) *account {
	c := a.accounts[id]
	if c == nil {
		c = &account{Assessor: a, id: id, principals: map[string]*principal{}, about: map[string]*notes{}, instances: map[string][]verifier.Fact{}}
		if a.accounts == nil {
			a.accounts = map[string]*account{}
		}
		a.accounts[id] = c
	}
	c.keys = append(c.keys, keys...)
	return c
}

// A logGroup is where a trail writes its events to, for metric filters to count.
type logGroup struct{ region, account, name string }

// A refusal is a call that was not answered.
type refusal struct {
	call operator.Call
	err  error
}

// A detector is GuardDuty in one region.
type detector struct{ region, id string }

// exposedKeys are the keys that AWS itself has found, with the words of Trusted Advisor.
type exposedKeys struct {
	words  map[string]string
	source string
}

// A credentialReport is IAM's table of users.
type credentialReport struct {
	columns []string
	users   map[string][]string
	source  string
	made    time.Time
	fresh   bool // made in this run; else it may be four hours old
	enough  bool // not too old for good news
}

// A principal is a user or a role, with the facts that all its keys have in common.
type principal struct {
	notes
	account *account
	name    string
	arn     string               // "" if IAM did not tell
	keys    []operator.AccessKey // of a user
	keysErr error
	may     []verifier.Fact // by simulation; nil if nobody has asked
}

// costs are the costs of an account by day.
type costs struct {
	days   []dayCosts
	unit   string // the currency
	source string
}

// dayCosts are the costs of one day.
type dayCosts struct {
	date     time.Time
	total    float64
	services map[string]float64
}
