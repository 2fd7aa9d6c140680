package activity

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// An event is one call, as CloudTrail describes it (CloudTrail User Guide, "CloudTrail
// record contents"). Any field may be missing.
type event struct {
	ID, Source, Name             string
	Address, Agent, Code, Region string
	Identity                     identity
	Request, Response            any // JSON
	Resources                    []struct{ ResourceType, ResourceName string }
	at                           time.Time
	by                           string // the id that signed
	account                      string // "" if it is that of the key
}

// An identity is the field userIdentity.
type identity struct {
	Type, ARN, AccountID, UserName string
	SessionContext                 struct {
		SessionIssuer struct{ Type, ARN, AccountID, UserName string }
	}
}

// parse reads a record. Fields of an unexpected type are empty.
func parse(rec record, id, region string, at time.Time) event {
	var text struct {
		EventSource, EventName, SourceIPAddress, UserAgent, ErrorCode string
		UserIdentity                                                  identity
		RequestParameters, ResponseElements                           any
	}
	// An error says that the text is not whole. The fields that could be read are used.
	_ = json.Unmarshal([]byte(rec.CloudTrailEvent), &text)
	e := event{
		ID: rec.EventID, Source: text.EventSource, Name: text.EventName, Address: text.SourceIPAddress, Agent: text.UserAgent,
		Code: text.ErrorCode, Region: region, Identity: text.UserIdentity, Request: text.RequestParameters,
		Response: text.ResponseElements, Resources: rec.Resources, at: at, by: id,
	}
	if e.Name == "" {
		e.Name = rec.EventName
	}
	if e.Source == "" {
		e.Source = rec.EventSource
	}
	if e.Name == "" {
		e.Name = "unreadable event"
	}
	return e
}

// action returns the call as service:Name, without the version of an API.
func (e event) action() string {
	service, _, _ := strings.Cut(e.Source, ".")
	return strings.TrimPrefix(service+":"+unversioned(e.Name), ":")
}

// own reports whether the event is a question of stanch to STS. The call has to fit as well:
// an intruder with this user agent hides nothing else.
func (e event) own() bool {
	return e.Name == "GetCallerIdentity" && strings.Contains(e.Agent, "app/stanch-")
}

// note adds one event to the log.
func (t *trace) note(id, region string, at time.Time, rec record) {
	e := parse(rec, id, region, at)
	e.account = t.away()
	if e.own() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if id == t.log.KeyID {
		t.place(e)
		t.owner(e)
	}
	if at.Before(t.counts()) {
		return
	}
	t.count(e)
	if e.Code == "" { // a refused call makes nothing
		t.issue(e)
		t.log.Made = append(t.log.Made, made(e)...)
	}
}

// owner completes the owner of the key. Events may lack some of it.
func (t *trace) owner(e event) {
	p, issuer := &t.log.Principal, e.Identity.SessionContext.SessionIssuer
	set := func(field *string, values ...string) {
		for _, v := range values {
			if *field == "" {
				*field = v
			}
		}
	}
	set(&p.Type, e.Identity.Type)
	set(&p.Name, e.Identity.UserName, issuer.UserName)
	set(&p.ARN, e.Identity.ARN)
	set(&p.Account, e.Identity.AccountID, issuer.AccountID)
	set(&p.Issuer, issuer.ARN)
}

// count adds e to the calls that are like it.
func (t *trace) count(e event) {
	agent, _, _ := strings.Cut(e.Agent, " ")
	alike := Calls{ID: e.by, Action: e.action(), Address: e.Address, Agent: agent, Region: e.Region, Code: e.Code}
	c := t.calls[alike]
	if c == nil {
		first := alike
		first.First, first.Last = e.at, e.at
		c = &first
		t.calls[alike] = c
	}
	c.N++
	c.First, c.Last = earlier(c.First, e.at), later(c.Last, e.at)
}

// place notes where a call came from, and in which region it was.
func (t *trace) place(e event) {
	for _, at := range []Place{{Address: e.Address}, {Region: e.Region}} {
		if at.Address == "" && at.Region == "" {
			continue
		}
		name := at.Address + " " + at.Region
		p := t.places[name]
		if p == nil {
			p = &Place{Address: at.Address, Region: at.Region, First: e.at, Last: e.at}
			t.places[name] = p
		}
		p.First, p.Last = earlier(p.First, e.at), later(p.Last, e.at)
		if t.now.Sub(e.at) <= recent {
			p.Recent = append(p.Recent, Use{e.action(), e.at})
		}
	}
}

// issue notes the credentials that a call returned.
func (t *trace) issue(e event) {
	switch e.action() {
	case "signin:GetSigninToken", "signin:ConsoleLogin":
		t.log.Unread = append(t.log.Unread, Gap{Region: e.Region, Why: "a session of the console was made with " + e.by +
			": its calls have another id, so look for the same user or role"})
	}
	id, kind := e.text("response.credentials.accessKeyId"), e.text("request.roleArn", "request.targetPrincipal")
	if id == "" {
		id, kind = e.text("response.accessKey.accessKeyId"), e.text("response.accessKey.userName", "request.userName")
	}
	account := ""
	if role := e.text("request.roleArn"); role != "" && strings.HasPrefix(e.Name, "AssumeRole") {
		account = operator.AccountOfARN(role)
		t.log.Roles = append(t.log.Roles, AssumedRole{ARN: role, Account: account, Session: id, Time: e.at, Address: e.Address, By: e.by})
	}
	root := e.action() == "sts:AssumeRoot"
	if root {
		t.log.Unread = append(t.log.Unread, Gap{Why: "a session of the root user of account " + cmp.Or(operator.AccountOfARN(e.text("request.targetPrincipal")), e.text("request.targetPrincipal"), "unknown") +
			" was made with " + e.by + ": CloudTrail tells there what it did"})
	}
	if !operator.IsAccessKeyID(id) {
		return
	}
	t.log.Sessions = append(t.log.Sessions, Credential{id, e.at})
	if !root {
		t.issued = append(t.issued, credential{id: id, kind: kind, account: cmp.Or(account, t.session.Account), at: e.at})
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// text returns the first text that one of paths leads to. A path begins with request or
// response, and the names of fields follow: "response.user.userName". The case of names does
// not count: CloudTrail writes sSHPublicKeyId.
func (e event) text(paths ...string) string {
	for _, path := range paths {
		if list := e.texts(path); len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// texts returns all texts that a path leads to. "[]" is each element of a list.
func (e event) texts(path string) (list []string) {
	steps := strings.Split(path, ".")
	at := []any{e.Request}
	if steps[0] == "response" {
		at = []any{e.Response}
	}
	for _, step := range steps[1:] {
		var next []any
		for _, v := range at {
			switch v := v.(type) {
			case map[string]any:
				next = append(next, field(v, step)...)
			case []any:
				if step == "[]" {
					next = append(next, v...)
				}
			}
		}
		at = next
	}
	for _, v := range at {
		if s, ok := v.(string); ok && s != "" {
			list = append(list, s)
		}
	}
	return list
}

// field returns the field of v with a name in any case.
func field(v map[string]any, name string) []any {
	if value, ok := v[name]; ok {
		return []any{value}
	}
	for key, value := range v {
		if strings.EqualFold(key, name) {
			return []any{value}
		}
	}
	return nil
}
