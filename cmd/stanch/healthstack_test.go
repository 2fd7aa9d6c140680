package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestHealthEventStack makes the stack of docs/deploy/health-event.yaml at moto. Its rule
// takes events of AWS Health about credentials alone, and none that AWS has closed. Its state
// machine gives such an event to the container, without the pages of text that ECS would
// refuse, and the container's command shuts the key off: at verifiertest's AWS, where keys
// that are off are off.
func TestHealthEventStack(t *testing.T) {
	m := startMoto(t)
	stack := m.healthStack(readPage(t, "docs/deploy/health-event.yaml"))

	event := detectorstest.Fill(`{
		"eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED", "service": "RISK", "affectedAccount": "123456789012",
		"eventArn": "arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/1",
		"eventDescription": [{"language": "en_US", "latestDescription": "` + strings.Repeat(`Your \"account\" may be compromised! `, 400) + `"}],
		"affectedEntities": [{"entityValue": "{AKIA1}"}]}`)
	status := func(code string) string { return strings.Replace(event, "{", `{"statusCode": "`+code+`",`, 1) }
	taken := m.matching(stack.pattern, [][2]string{
		{"aws.health", event},
		{"aws.health", strings.Replace(event, "AWS_RISK_CREDENTIALS_EXPOSED", "AWS_RISK_IAM_QUARANTINE", 1)},
		{"aws.health", strings.Replace(event, "AWS_RISK_CREDENTIALS_EXPOSED", "AWS_EC2_INSTANCE_STOP_SCHEDULED", 1)},
		{"aws.ec2", event},
		{"aws.health", status("open")},
		{"aws.health", status("closed")},
	})
	if len(taken) != 3 {
		t.Fatalf("the rule takes %d events: %q", len(taken), taken)
	}

	given, told := m.execute(stack.definition, taken[0])
	const overrides = 8192 // of a task (API reference of ECS, RunTask), with the JSON around the event
	if n := len(given); n == 0 || n > overrides/2 {
		t.Errorf("the container gets %d characters", n)
	}
	if !strings.Contains(told, "It may still work") || !strings.Contains(told, detectorstest.Fill("{AKIA1}")) {
		t.Errorf("if the task fails, people are told %q", told)
	}
	aws := verifiertest.NewAWS(t)
	var user *verifiertest.IAMUser
	aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		user = a.User("alice", 1)
		verifiertest.SignAs(t, a.User("task", 11).Keys[0].Credential)
	})
	t.Setenv("STANCH_EVENT", given)
	command := append(slices.Clone(stack.command), "--aws-endpoint", aws.URL)
	i := slices.Index(command, "--journal")
	command[i+1] = filepath.Join(t.TempDir(), filepath.Base(command[i+1]))
	for _, want := range []string{"CONTAINED  AKIA", "contained-already"} { // EventBridge may send it twice
		var out, errs bytes.Buffer
		code := cli.ExitCode(&errs, run(t.Context(), command, strings.NewReader(""), &out, &errs))
		if code != cli.ExitClean || !strings.Contains(out.String(), want) {
			t.Errorf("%q: exit code %d, want %q\n%s%s", command, code, want, out.String(), errs.String())
		}
	}
	if !user.Keys[0].Inactive || len(user.Inline) != 1 {
		t.Errorf("inactive %v, policies %q", user.Keys[0].Inactive, user.Inline)
	}
	aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		if n := len(a.Published["sns"]); n != 1 {
			t.Errorf("%d notices", n)
		}
	})
}

// A healthStack is the part of a stack that decides what happens to an event.
type healthStack struct {
	pattern    string // of the rule, JSON
	definition string // of the state machine, JSON
	command    []string
}

func (m *moto) healthStack(template string) (s healthStack) {
	m.t.Helper()
	topic := "arn:aws:sns:us-east-1:123456789012:responders"
	m.callAs("none", "sns", "2010-03-31", "CreateTopic", "Name", "responders")
	params := []string{"StackName", "health", "TemplateBody", template, "Capabilities.member.1", "CAPABILITY_IAM"}
	for i, p := range [][2]string{
		{"Image", "stanch"}, {"Cluster", "arn:aws:ecs:us-east-1:123456789012:cluster/default"}, {"Subnets", "subnet-1"}, {"SecurityGroup", "sg-1"},
		{"FileSystem", "fs-1"}, {"AccessPoint", "fsap-1"}, {"Policy", "arn:aws:iam::aws:policy/ReadOnlyAccess"}, {"Topic", topic},
	} {
		member := "Parameters.member." + string(rune('1'+i))
		params = append(params, member+".ParameterKey", p[0], member+".ParameterValue", p[1])
	}
	m.callAs("none", "cloudformation", "2010-05-15", "CreateStack", params...)
	var made struct {
		Resources []struct {
			Logical string `xml:"LogicalResourceId"`
			ID      string `xml:"PhysicalResourceId"`
		} `xml:"DescribeStackResourcesResult>StackResources>member"`
	}
	if err := xml.Unmarshal(m.callAs("none", "cloudformation", "2010-05-15", "DescribeStackResources", "StackName", "health"), &made); err != nil {
		m.t.Fatal(err)
	}
	for _, r := range made.Resources {
		switch r.Logical {
		case "Rule":
			var rule struct{ EventPattern string }
			m.json("events", "AWSEvents.DescribeRule", map[string]any{"Name": r.ID}, &rule)
			s.pattern = rule.EventPattern
			// moto refuses events for a target that it cannot start.
			m.json("events", "AWSEvents.RemoveTargets", map[string]any{"Rule": r.ID, "Ids": []string{"shut-off"}}, nil)
		case "ShutOff":
			var machine struct{ Definition string }
			m.json("states", "AWSStepFunctions.DescribeStateMachine", map[string]any{"stateMachineArn": r.ID}, &machine)
			s.definition = machine.Definition
		case "Task":
			var task struct {
				TaskDefinition struct{ ContainerDefinitions []struct{ Command []string } }
			}
			m.json("ecs", "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition", map[string]any{"taskDefinition": r.ID}, &task)
			s.command = task.TaskDefinition.ContainerDefinitions[0].Command
		}
	}
	if s.pattern == "" || s.definition == "" || len(s.command) == 0 {
		m.t.Fatalf("the stack lacks something: %+v", s)
	}
	return s
}

// matching sends events, each a source and a detail, and returns those that a rule with
// pattern takes, as EventBridge delivers them.
func (m *moto) matching(pattern string, events [][2]string) (taken []string) {
	m.t.Helper()
	m.json("logs", "Logs_20140328.CreateLogGroup", map[string]any{"logGroupName": "taken"}, nil)
	m.json("events", "AWSEvents.PutRule", map[string]any{"Name": "taken", "EventPattern": pattern}, nil)
	m.json("events", "AWSEvents.PutTargets", map[string]any{"Rule": "taken", "Targets": []map[string]string{
		{"Id": "log", "Arn": "arn:aws:logs:us-east-1:123456789012:log-group:taken"},
	}}, nil)
	for _, e := range events {
		m.json("events", "AWSEvents.PutEvents", map[string]any{"Entries": []map[string]string{
			{"Source": e[0], "DetailType": "AWS Health Event", "Detail": e[1]},
		}}, nil)
	}
	var log struct{ Events []struct{ Message string } }
	m.json("logs", "Logs_20140328.FilterLogEvents", map[string]any{"logGroupName": "taken"}, &log)
	for _, e := range log.Events {
		taken = append(taken, e.Message)
	}
	return taken
}

// execute runs the state machine on an event. It returns the event as the container gets it,
// and the message for people. moto itself fails to run the task, as AWS does if the container
// exits with a code other than 0.
func (m *moto) execute(definition, event string) (given, told string) {
	m.t.Helper()
	m.post("/moto-api/config", `{"stepfunctions": {"execute_state_machine": true}}`)
	var machine struct{ StateMachineArn string }
	m.json("states", "AWSStepFunctions.CreateStateMachine", map[string]any{
		"name": "health", "definition": definition, "roleArn": "arn:aws:iam::123456789012:role/states",
	}, &machine)
	var started struct{ ExecutionArn string }
	m.json("states", "AWSStepFunctions.StartExecution", map[string]any{"stateMachineArn": machine.StateMachineArn, "input": event}, &started)
	var history struct {
		Events []struct {
			Type                      string
			TaskScheduledEventDetails struct{ Resource, Parameters string }
		}
	}
	ended := func() bool {
		m.json("states", "AWSStepFunctions.GetExecutionHistory", map[string]any{"executionArn": started.ExecutionArn}, &history)
		return len(history.Events) > 0 && strings.HasPrefix(history.Events[len(history.Events)-1].Type, "Execution") && len(history.Events) > 1
	}
	for deadline := time.Now().Add(90 * time.Second); !ended(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("the execution does not end: %+v", history)
		}
	}
	for _, e := range history.Events {
		var p struct {
			Message   string
			Overrides struct {
				ContainerOverrides []struct {
					Name        string
					Environment []struct{ Name, Value string }
				}
			}
		}
		if e.TaskScheduledEventDetails.Parameters == "" {
			continue
		}
		if err := json.Unmarshal([]byte(e.TaskScheduledEventDetails.Parameters), &p); err != nil {
			m.t.Fatal(err)
		}
		switch e.TaskScheduledEventDetails.Resource {
		case "runTask.sync":
			if c := p.Overrides.ContainerOverrides[0]; c.Name == "stanch" && c.Environment[0].Name == "STANCH_EVENT" {
				given = c.Environment[0].Value
			}
		case "publish":
			told = p.Message
		}
	}
	return given, told
}

// json calls a service that speaks JSON. out may be nil.
func (m *moto) json(service, target string, body map[string]any, out any) {
	m.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, m.url.String(), bytes.NewReader(text))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	answer := m.send(r)
	if out == nil {
		return
	}
	if err := json.Unmarshal(answer, out); err != nil {
		m.t.Fatalf("%s: %v: %s", target, err, answer)
	}
}

// post sends a body of JSON to moto's own API.
func (m *moto) post(path, body string) {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodPost, m.url.String()+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		m.t.Fatalf("moto: %s", resp.Status)
	}
}
