package verifiertest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// An AWS is an STS that also answers for IAM and the other services that stanch asks, for
// any number of accounts. It checks all requests as an STS does. Bodies have the form that
// AWS gives them, errors included.
//
// It has features that moto lacks: keys that are really off when they are Inactive, root
// keys, service-specific credentials, LookupEvents, and errors of every class.
type AWS struct {
	*STS
	accounts map[string]*Account
	denied   map[string]bool // permissions
	next     map[string][]Response
	policies map[string][]string // by id of a session: those of its role, and its session policy
	made     uint64              // seed of the last session
	// Tracks makes IAM record each use of a key as its last use, as AWS does. Set it before
	// the first request.
	Tracks bool
	// Lag is how long STS goes on knowing a key that IAM has set to Inactive, as it
	// does at AWS for some seconds. Set it before the first request.
	Lag    time.Duration
	limits map[string]*limit    // by permission
	issued map[string]time.Time // by id of a session: when STS has issued it
}

// An Account is IAM's knowledge of one account. Change it through AWS.Change.
type Account struct {
	ID    string
	Users map[string]*IAMUser
	Roles map[string]*IAMRole
	// Policies are the customer-managed policies, by ARN.
	Policies map[string]*ManagedPolicy
	// RootKeys are the keys of the root user. Management accounts may assume the root user
	// of other accounts.
	RootKeys   []*IAMKey
	Management bool
	// Published are the bodies that were sent to Security Hub, EventBridge and SNS,
	// by service.
	Published map[string][]string
	// Events are the history of CloudTrail.
	Events Trail

	// Answers are the bodies of the answers to calls that read, by "service:Action"
	// or, where it differs, "service:Action:region".
	Answers map[string]string
}

// An IAMUser is a user with everything that a response to a leak deals with.
type IAMUser struct {
	Name, Path   string
	Created      time.Time
	Keys         []*IAMKey
	Inline       map[string]string
	Attached     []string // ARNs
	Groups       []string
	MFA          int
	Console      bool
	Boundary     string // ARN
	Tags         map[string]string
	ServiceCreds []*ServiceCredential
}

// An IAMRole is a role that anybody with the external id may assume.
type IAMRole struct {
	Name, Path, ExternalID string
	Inline, Tags           map[string]string
	Attached               []string // ARNs
	// Policy, if not "", is the policy that is attached to it; "" allows all.
	Policy string
	// Code, if not "", is that of the MFA device without which nobody may assume it.
	Code string
	// Elsewhere, if not "", is the account to which its sessions turn out to belong.
	Elsewhere string
}

// An IAMKey is an access key of a user.
type IAMKey struct {
	Credential  detectors.Credential
	Inactive    bool
	Created     time.Time
	Used        time.Time
	UsedService string
}

// A ServiceCredential is a service-specific credential of a user.
type ServiceCredential struct {
	ID, Name, Service string
	Inactive          bool
	Created           time.Time
}

// NewAWS returns an AWS that serves until the test ends.
func NewAWS(t testing.TB) *AWS {
	t.Helper()
	a := &AWS{
		STS: NewUnstartedSTS(), accounts: map[string]*Account{}, denied: map[string]bool{},
		next: map[string][]Response{}, policies: map[string][]string{}, issued: map[string]time.Time{},
	}
	a.service, a.used = a.answer, a.use
	a.Start()
	t.Cleanup(a.Close)
	return a
}

// Change calls f with the account id, which is made if there is none yet, and
// then lets the keys of its users work as they are.
func (a *AWS) Change(id string, f func(*Account)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acct := a.accounts[id]
	if acct == nil {
		acct = &Account{ID: id, Users: map[string]*IAMUser{}, Roles: map[string]*IAMRole{}, Policies: map[string]*ManagedPolicy{}, Answers: map[string]string{}, Published: map[string][]string{}}
		a.accounts[id] = acct
	}
	f(acct)
	for _, u := range acct.Users {
		for _, k := range u.Keys {
			a.enable(acct, u, k)
		}
	}
	for _, k := range acct.RootKeys {
		a.enableAs("arn:aws:iam::"+acct.ID+":root", acct.ID, k)
	}
}

func (a *AWS) enable(acct *Account, u *IAMUser, k *IAMKey) {
	a.enableAs(u.arn(acct), detectorstest.KeyID("AIDA", acct.ID, uint64(len(u.Name)))+"A", k)
}

func (a *AWS) enableAs(arn, userID string, k *IAMKey) {
	state := Active
	if k.Inactive {
		state = Inactive
	}
	a.keys[k.Credential.ID] = Key{Credential: k.Credential, ARN: arn, State: state, UserID: userID}
}

// User returns a user of an account with one active key, made from seed a year
// ago and never used.
func (acct *Account) User(name string, seed uint64) *IAMUser {
	u := &IAMUser{Name: name, Path: "/", Created: time.Now().AddDate(-1, 0, 0), Inline: map[string]string{}, Tags: map[string]string{}}
	u.Keys = []*IAMKey{{Credential: LongTerm(acct.ID, seed), Created: u.Created}}
	acct.Users[name] = u
	return u
}

// Role makes a role.
func (acct *Account) Role(name, externalID string) *IAMRole {
	r := &IAMRole{Name: name, Path: "/", ExternalID: externalID, Inline: map[string]string{}, Tags: map[string]string{}}
	acct.Roles[name] = r
	return r
}

func (u *IAMUser) arn(acct *Account) string {
	return "arn:aws:iam::" + acct.ID + ":user" + u.Path + u.Name
}

func (r *IAMRole) arn(acct *Account) string {
	return "arn:aws:iam::" + acct.ID + ":role" + r.Path + r.Name
}

// Deny takes a permission from everybody, until Allow gives it back. Permissions
// have the names that requests have: "guardduty:GET /detector" of a REST service.
func (a *AWS) Deny(permission string) { a.set(permission, true) }

// Allow gives a permission back.
func (a *AWS) Allow(permission string) { a.set(permission, false) }

func (a *AWS) set(permission string, denied bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.denied[permission] = denied
}

// Next answers the next calls of a permission with responses, before it looks at anything
// else in them.
func (a *AWS) Next(permission string, responses ...Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next[permission] = append(a.next[permission], responses...)
}

// EndSessions makes all sessions of roles that were made so far expire.
func (a *AWS) EndSessions() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, k := range a.keys {
		if strings.HasPrefix(id, "ASIA") {
			k.State = Expired
			a.keys[id] = k
		}
	}
}

// use notes that a key was used.
func (a *AWS) use(id, service string) {
	for _, acct := range a.accounts {
		for _, u := range acct.Users {
			for _, k := range u.Keys {
				if a.Tracks && k.Credential.ID == id {
					k.Used, k.UsedService = time.Now(), service
				}
			}
		}
	}
}

func (a *AWS) answer(key Key, req Request, _ *http.Request, body []byte) Response {
	permission := req.Service + ":" + req.Action
	if !a.limits[permission].admits(req.Region) {
		return JSONFailure(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	}
	if list := a.next[permission]; len(list) > 0 {
		a.next[permission] = list[1:]
		return list[0]
	}
	if a.denied[permission] {
		return refusal(req.Service, key.ARN, permission)
	}
	form, _ := url.ParseQuery(string(body)) // of JSON nobody reads it
	acct := a.accounts[accountOf(key.ARN)]
	switch {
	case a.deniesOlder(acct, key):
		return explicitDeny(key.ARN, permission)
	case permission == "sts:AssumeRole":
		return a.assume(form)
	case permission == "sts:GetSessionToken":
		return a.sessionToken(key)
	case permission == "sts:AssumeRoot":
		return a.assumeRoot(acct, key, req, form)
	case acct == nil:
		return Failure(http.StatusForbidden, "AccessDenied", "account "+accountOf(key.ARN)+" is not known here")
	}
	if !a.allowed(acct, key, permission, form) {
		return refusal(req.Service, key.ARN, permission)
	}
	for _, name := range []string{permission + ":" + req.Region, permission} {
		if text, ok := acct.Answers[name]; ok {
			return response(http.StatusOK, text)
		}
	}
	switch permission {
	case "cloudtrail:LookupEvents":
		return acct.Events.lookUp(req.Region, body)
	case "ec2:DescribeRegions":
		return oneRegion()
	case "securityhub:POST /findings/import", "events:PutEvents", "sns:Publish":
		return acct.publish(req.Service, form, body)
	}
	if r, ok := emptyAnswer(permission); ok {
		return r
	}
	if req.Service == "iam" {
		return a.iam(acct, key, req.Action, form)
	}
	return JSONFailure(http.StatusBadRequest, "UnknownOperationException", permission)
}

// refusal is in the words and in the form of each service.
func refusal(service, arn, permission string) Response {
	text := "User: " + arn + " is not authorized to perform: " + permission + " because no identity-based policy allows the " + permission + " action"
	switch service {
	case "iam", "sts":
		return Failure(http.StatusForbidden, "AccessDenied", text)
	case "monitoring", "sns":
		return Failure(http.StatusForbidden, "AuthorizationError", text)
	case "ec2":
		return response(http.StatusForbidden, "<Response><Errors><Error>"+element("Code", "UnauthorizedOperation")+
			element("Message", "You are not authorized to perform this operation. "+text)+"</Error></Errors>"+element("RequestID", RequestID)+"</Response>")
	}
	return JSONFailure(http.StatusBadRequest, "AccessDeniedException", text)
}

func (a *AWS) assume(form url.Values) Response {
	arn := form.Get("RoleArn")
	acct := a.accounts[accountOf(arn)]
	var role *IAMRole
	if acct != nil {
		role = acct.Roles[arn[strings.LastIndexByte(arn, '/')+1:]]
	}
	if role == nil || role.ExternalID != form.Get("ExternalId") || role.Code != form.Get("TokenCode") {
		return Failure(http.StatusForbidden, "AccessDenied", "not authorized to perform: sts:AssumeRole on resource: "+arn)
	}
	home := acct.ID
	if role.Elsewhere != "" {
		home = role.Elsewhere
	}
	a.made++
	k := Role(home, role.Name, 1<<20+a.made)
	k.ARN = "arn:aws:sts::" + home + ":assumed-role/" + role.Name + "/" + form.Get("RoleSessionName")
	a.policies[k.Credential.ID] = []string{role.Policy, form.Get("Policy")}
	return a.session("AssumeRole", k, time.Hour)
}

// session makes k work, and answers with it.
func (a *AWS) session(action string, k Key, life time.Duration) Response {
	a.keys[k.Credential.ID], a.issued[k.Credential.ID] = k, a.now()
	return answer("sts", action, "<Credentials>"+
		element("AccessKeyId", k.Credential.ID)+element("SecretAccessKey", k.Credential.Secret.Reveal())+
		element("SessionToken", k.Credential.Token.Reveal())+
		element("Expiration", a.now().Add(life).UTC().Format(time.RFC3339))+"</Credentials>")
}

// Writes returns the calls so far that change something, by key id: "service:Action".
func (a *AWS) Writes() map[string][]string {
	reads := []string{"Get", "List", "Describe", "Lookup", "Simulate", "Assume"}
	writes := map[string][]string{}
	for _, r := range a.Requests() {
		if !slices.ContainsFunc(reads, func(verb string) bool { return strings.HasPrefix(r.Action, verb) }) {
			writes[r.KeyID] = append(writes[r.KeyID], r.Service+":"+r.Action)
		}
	}
	return writes
}

// At returns an AWS that runs elsewhere, at url. Only its URL may be used.
func At(url string) *AWS {
	return &AWS{STS: &STS{Server: &httptest.Server{URL: url}}}
}
