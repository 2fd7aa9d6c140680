package activity

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// A Thing is something that a key made or changed and that outlives it. Fields that
// CloudTrail does not tell are empty.
type Thing struct {
	Kind string // "access key", "policy attached to a role"
	Name string // an id, a name or an ARN
	Of   string // the user, role, group, function or policy that it belongs to
	// Call is the call that made it, as Calls.Action.
	Call    string
	Region  string
	Time    time.Time
	Account string // "" if it is that of the key
	// By is the id that signed, Address where the call came from.
	By, Address string
	// Role is the ARN of the role, or the instance profile, that it was given: it goes on
	// acting with these rights.
	Role string
	// Access says that it lets somebody in or gives rights. Other things run, and cost money.
	Access bool
	// Look and Remove are commands of the AWS CLI that look at it, and that shut it off or
	// remove it. Remove is "" where no single command does it.
	Look, Remove string
}

// String names t in a line of text.
func (t Thing) String() string {
	s := strings.TrimSpace(t.Kind + " " + t.Name)
	if t.Of != "" && t.Of != t.Name {
		s += " of " + t.Of
	}
	if t.Role != "" {
		s += " with " + t.Role
	}
	if t.Account != "" {
		s += " in account " + t.Account
	}
	return s
}

// A maker describes the things that a call makes.
type maker struct {
	kind     string
	access   bool
	name, of string // paths, see event.texts; alternatives are separated by |
	// look and remove are commands. {name} and {of} stand for the values above, or for
	// a placeholder.
	look, remove string
}

// creates are the first words of calls that make something, for calls that are not in
// makers.
var creates = []string{"Create", "Run", "Request", "Launch", "Import", "Register", "Copy", "Restore", "Allocate", "Publish", "Invite"}

// shares matches calls that let others in by a policy of a resource, for calls that are not in
// makers: dynamodb:PutResourcePolicy, backup:PutBackupVaultAccessPolicy, sqs:AddPermission.
var shares = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(Put|Set|Add)\w*((Resource|Access|AccessPoint|Destination|FileSystem|Permissions)Policy|Permissions?)$`)
})

// made returns the things that e made.
func made(e event) []Thing {
	action := e.action()
	m, known := makers()[action]
	switch {
	case !known && shares().MatchString(unversioned(e.Name)):
		return e.unknownThings(action, true)
	case !known && !slices.ContainsFunc(creates, func(word string) bool { return strings.HasPrefix(e.Name, word) }):
		return nil
	case !known:
		return e.unknownThings(action, false)
	case needsActive[action] && e.text("request.status") != "Active", setsOnly[action] != "" && !e.has(setsOnly[action]):
		return nil
	}
	names := e.all(m.name)
	if len(names) == 0 {
		names = []string{""}
	}
	of := e.text(strings.Split(m.of, "|")...)
	if of == "" && strings.HasPrefix(action, "iam:") && strings.Contains(m.of, "userName") {
		of = e.Identity.UserName // IAM takes the caller if no user is named
	}
	var things []Thing
	for _, name := range names {
		t := e.thing(m.kind, name, of, action)
		t.Access = m.access || t.Role != ""
		t.Look, t.Remove = t.command(m.look), t.command(m.remove)
		if t.Look == "" {
			t.Look = e.lookUp()
		}
		things = append(things, t)
	}
	return things
}

// unknownThings returns the things that a call made which makers does not know, by the
// resources that CloudTrail names. shared says that they let others in.
func (e event) unknownThings(action string, shared bool) (things []Thing) {
	for _, r := range e.Resources {
		if r.ResourceName == "" {
			continue
		}
		t := e.thing("result of "+action, r.ResourceName, "", action)
		t.Kind = strings.TrimSpace(r.ResourceType)
		things = append(things, t)
	}
	if len(things) == 0 {
		things = append(things, e.thing("result of "+action, "", "", action))
	}
	for i := range things {
		t := &things[i]
		t.Look, t.Access = e.lookUp(), t.Role != ""
		if shared {
			t.Kind, t.Of, t.Name, t.Access = Shared, t.Name, "", true
		}
	}
	return things
}

func (e event) thing(kind, name, of, action string) Thing {
	return Thing{Kind: kind, Name: name, Of: of, Call: action, Region: e.Region, Time: e.at, Account: e.account, By: e.by, Address: e.Address, Role: e.passedRole()}
}

var roleARN = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:(role|instance-profile)/\S+$`)
})

// passedRole returns the role or the instance profile that a call gives to what it makes
// (iam:PassRole), "" if it gives none. The answer names that of a launch template. Calls to IAM and STS are about roles, and give none.
func (e event) passedRole() string {
	if service, _, _ := strings.Cut(e.Source, "."); service == "iam" || service == "sts" {
		return ""
	}
	return cmp.Or(roleIn("", e.Request), roleIn("", e.Response))
}

// roleIn returns the first ARN of a role in v, or the name of an instance profile, which EC2
// takes as well. name is that of the field with v. Roles of services themselves are none.
func roleIn(name string, v any) string {
	profile := strings.EqualFold(name, "iamInstanceProfile")
	switch v := v.(type) {
	case string:
		if profile || roleARN().MatchString(v) && !strings.Contains(v, ":role/aws-service-role/") {
			return v
		}
	case []any:
		for _, element := range v {
			if role := roleIn(name, element); role != "" {
				return role
			}
		}
	case map[string]any:
		for _, field := range slices.Sorted(maps.Keys(v)) {
			below := field
			if profile {
				below = name // its fields are arn and name
			}
			if role := roleIn(below, v[field]); role != "" {
				return role
			}
		}
	}
	return ""
}

// lookUp is the command that shows the event itself.
func (e event) lookUp() string {
	if e.ID == "" {
		return ""
	}
	return "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue=" + printable.CommandWord(e.ID, "EVENT") + " --region " + printable.CommandWord(e.Region, "REGION")
}

// all returns the texts of the first of several paths that has any.
func (e event) all(paths string) []string {
	for _, path := range strings.Split(paths, "|") {
		if list := e.texts(path); len(list) > 0 {
			return list
		}
	}
	return nil
}

// command fills in a command of makers.
func (t Thing) command(template string) string {
	if template == "" {
		return ""
	}
	c := strings.NewReplacer("{name}", printable.CommandWord(t.Name, "NAME"), "{of}", printable.CommandWord(t.Of, "NAME")).Replace(template)
	if !slices.ContainsFunc(global, func(service string) bool { return strings.HasPrefix(t.Call, service+":") }) {
		c += " --region " + printable.CommandWord(t.Region, "REGION")
	}
	return c
}

// global are services that one region serves.
var global = []string{"iam", "organizations", "s3"}

// needsActive are calls that set a status: only Active lets somebody in.
var needsActive = map[string]bool{"iam:UpdateAccessKey": true, "iam:UpdateServiceSpecificCredential": true, "iam:UpdateSSHPublicKey": true, "iam:UpdateSigningCertificate": true}

// setsOnly are calls that change much, with the field of the request that matters.
var setsOnly = map[string]string{"ec2:ModifyInstanceAttribute": "userData", "rds:ModifyDBInstance": "masterUserPassword"}

// has reports whether the request has a field, with any value: CloudTrail hides the value of
// a secret one.
func (e event) has(name string) bool {
	request, _ := e.Request.(map[string]any)
	return len(field(request, name)) > 0
}
