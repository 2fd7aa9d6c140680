package main

import (
	"encoding/json"
	"encoding/xml"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestMotoIncident runs testdata/moto: an incident in an organization of two
// accounts, against moto. Its authentication is on, so that stanch may make the
// calls that the policy of "stanch respond policy" names, and no others.
//
//	fill FILE...   replaces {ID}, {SECRET} and {MEMBER} by the leaked key and its account,
//	               {ID2} and {SECRET2} by that of the user lone
//	keystatus WANT [lone] holds that ListAccessKeys says WANT of the leaked key, or of lone's
//	told           holds that moto took what it was told, and that it has the form of botocore's model
func TestMotoIncident(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	m := startMoto(t)
	member := m.addAccount()
	admin := m.assume(member, "OrganizationAccountAccessRole")
	as := func(action string, params ...string) []byte {
		return m.callAs(admin, "iam", "2010-05-08", action, params...)
	}
	as("CreateRole", "RoleName", "stanch-respond", "AssumeRolePolicyDocument", permissions.Trust("arn:aws:iam::123456789012:root", "example", true))
	as("PutRolePolicy", "RoleName", "stanch-respond", "PolicyName", "respond", "PolicyDocument", forMoto(t, permissions.Responder("aws")))
	as("PutRolePolicy", "RoleName", "stanch-respond", "PolicyName", "assess", "PolicyDocument", assessment.Permissions())
	as("CreateUser", "UserName", "deploy", "Path", "/ci/")
	as("AttachUserPolicy", "UserName", "deploy", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")
	as("AttachUserPolicy", "UserName", "deploy", "PolicyArn", "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")
	var leaked accessKey
	if err := xml.Unmarshal(as("CreateAccessKey", "UserName", "deploy"), &leaked); err != nil {
		t.Fatal(err)
	}
	m.call("CreateUser", "UserName", "olga")
	m.call("PutUserPolicy", "UserName", "olga", "PolicyName", "respond", "PolicyDocument", forMoto(t, permissions.Operator("aws", "stanch-respond")))
	olga := m.createKey("olga")
	m.callAs("none", "sns", "2010-03-31", "CreateTopic", "Name", "alerts")
	// A key that may switch itself off.
	as("CreateUser", "UserName", "lone")
	as("PutUserPolicy", "UserName", "lone", "PolicyName", "self", "PolicyDocument",
		operator.Policy(operator.Statement{Effect: "Allow", Action: []string{"iam:UpdateAccessKey"}, Resource: []string{"*"}}))
	var lone accessKey
	if err := xml.Unmarshal(as("CreateAccessKey", "UserName", "lone"), &lone); err != nil {
		t.Fatal(err)
	}
	m.authenticate()
	told := &recorder{next: verifiertest.MotoProxy(m.url), bodies: map[string]string{}}
	proxy := httptest.NewServer(told)
	t.Cleanup(proxy.Close)

	fill := strings.NewReplacer("{ID}", leaked.ID, "{SECRET}", leaked.Secret, "{MEMBER}", member, "{ID2}", lone.ID, "{SECRET2}", lone.Secret)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/moto", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			for name, value := range map[string]string{
				"AWS": proxy.URL, "MEMBER": member, "LAST4": leaked.ID[16:], "SELF4": lone.ID[16:], "AWS_ACCESS_KEY_ID": olga.ID, "AWS_SECRET_ACCESS_KEY": olga.Secret,
				"AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
				"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
				"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com", "CI": "",
			} {
				e.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fill": func(ts *testscript.TestScript, _ bool, args []string) {
				for _, name := range args {
					ts.Check(os.WriteFile(ts.MkAbs(name), []byte(fill.Replace(ts.ReadFile(name))), 0o600))
				}
			},
			"keystatus": func(ts *testscript.TestScript, _ bool, args []string) {
				// Not through stanch: what stanch says is what is to be checked.
				key := m.assumeSigned(proxy.URL, olga, member)
				user, id := "deploy", leaked.ID
				if len(args) > 1 {
					user, id = "lone", lone.ID
				}
				if got := key.status(t, user, id); got != args[0] {
					ts.Fatalf("ListAccessKeys says %s, want %s", got, args[0])
				}
			},
			"settings": writeSettings,
			"told":     func(ts *testscript.TestScript, _ bool, _ []string) { told.check(ts) },
		},
	})
}

// forMoto returns policy as moto can read it: without the statements that deny
// something under a condition, which it would deny always, and for all resources,
// since it judges calls to IAM as calls on "*".
func forMoto(t *testing.T, policy string) string {
	t.Helper()
	var p struct{ Statement []operator.Statement }
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		t.Fatal(err)
	}
	p.Statement = slices.DeleteFunc(p.Statement, func(s operator.Statement) bool { return s.Effect == "Deny" })
	for i := range p.Statement {
		p.Statement[i].Resource, p.Statement[i].Condition = []string{"*"}, nil
	}
	return operator.Policy(p.Statement...)
}

// addAccount makes an organization with a member account, and returns its number.
func (m *moto) addAccount() string {
	m.t.Helper()
	m.organization("CreateOrganization", `{"FeatureSet":"ALL"}`)
	var made struct {
		CreateAccountStatus struct {
			AccountID string `json:"AccountId"`
		}
	}
	body := m.organization("CreateAccount", `{"Email":"prod@example.com","AccountName":"production"}`)
	if err := json.Unmarshal(body, &made); err != nil {
		m.t.Fatal(err)
	}
	return made.CreateAccountStatus.AccountID
}

// assume returns the id of a session of a role, which is enough for moto before
// authenticate.
func (m *moto) assume(account, role string) (id string) {
	m.t.Helper()
	body := m.callAs("none", "sts", "2011-06-15", "AssumeRole", "RoleArn", "arn:aws:iam::"+account+":role/"+role, "RoleSessionName", "admin")
	found := regexp.MustCompile(`<AccessKeyId>(\w+)<`).FindSubmatch(body)
	if found == nil {
		m.t.Fatalf("AssumeRole: %s", body)
	}
	return string(found[1])
}

// A reader lists keys with a session of its own.
type reader struct{ session *operator.Session }

func (m *moto) assumeSigned(url string, own accessKey, account string) reader {
	m.t.Helper()
	m.t.Setenv("AWS_ACCESS_KEY_ID", own.ID)
	m.t.Setenv("AWS_SECRET_ACCESS_KEY", own.Secret)
	m.t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	m.t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	o, err := operator.New(m.t.Context(), operator.Config{Role: "stanch-respond", ExternalID: "example", Endpoint: url})
	if err != nil {
		m.t.Fatal(err)
	}
	s, err := o.In(m.t.Context(), account, "test", "")
	if err != nil {
		m.t.Fatal(err)
	}
	return reader{s}
}

func (r reader) status(t *testing.T, user, id string) string {
	t.Helper()
	keys, err := r.session.AccessKeys(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.ID == id {
			return k.Status
		}
	}
	return "absent"
}
