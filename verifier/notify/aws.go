package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A hubFinding is one of Security Hub's, in the AWS Security Finding Format. Names and
// lengths come from the API's model (BatchImportFindings).
type hubFinding struct {
	SchemaVersion         string
	ID                    string `json:"Id"`
	ProductARN            string `json:"ProductArn"`
	GeneratorID           string `json:"GeneratorId"`
	AccountID             string `json:"AwsAccountId"`
	CreatedAt, UpdatedAt  string
	Title, Description    string
	FindingProviderFields struct {
		Severity struct{ Label string }
		Types    []string
	}
	Severity    struct{ Label string }
	Types       []string
	Remediation struct {
		Recommendation struct{ Text string }
	}
	ProductFields map[string]string
	Resources     []resource
}

type resource struct {
	Type, ID, Region string
	Partition        string // "" if the API's model has no name for it
	Details          struct {
		AccessKey accessKey `json:"AwsIamAccessKey"`
	}
}

// MarshalJSON implements json.Marshaler: "Id" is not "ID".
func (r resource) MarshalJSON() ([]byte, error) {
	members := map[string]any{"Type": r.Type, "Id": r.ID, "Region": r.Region, "Details": r.Details}
	if r.Partition != "" {
		members["Partition"] = r.Partition
	}
	return json.Marshal(members)
}

type accessKey struct {
	AccessKeyID   string `json:"AccessKeyId"`
	AccountID     string `json:"AccountId"`
	PrincipalType string
	PrincipalName string
	Status        string `json:",omitempty"` // Active, Inactive
	CreatedAt     string `json:",omitempty"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// asff returns the finding of one key. Its id is the fingerprint of the leak, so that a
// later notice updates it.
func (n *Notifier) asff(notice Notice) hubFinding {
	own := n.Operator
	f := hubFinding{
		SchemaVersion: "2018-10-08", ID: "stanch/" + notice.Fingerprint, GeneratorID: "stanch",
		ProductARN: fmt.Sprintf("arn:%s:securityhub:%s:%s:product/%[3]s/default", own.Partition(), own.Region(), own.Account),
		// The caller's account, not the account of the key: Security Hub takes no other.
		AccountID: own.Account,
		CreatedAt: stamp(notice.Planned), UpdatedAt: stamp(notice.Time),
		Title:       cut("Leaked AWS key "+notice.KeyID+": "+notice.Result, 256),
		Description: cut(notice.Text, 1024),
		Types:       []string{"Sensitive Data Identifications/Passwords", "Effects/Data Exposure"},
		ProductFields: map[string]string{
			"stanch/result": notice.Result, "stanch/where": cut(notice.Where, 1024), "stanch/plan": notice.Plan,
			"stanch/account": notice.Account,
		},
	}
	f.Severity.Label = "CRITICAL"
	if notice.Off { // somebody still has to look at the use of the key until then
		f.Severity.Label = "MEDIUM"
	}
	f.FindingProviderFields.Severity, f.FindingProviderFields.Types = f.Severity, f.Types
	f.Remediation.Recommendation.Text = "Look in CloudTrail at what the key did, give what uses it a role, then delete it."
	if notice.SecretSHA256 != "" {
		f.ProductFields["stanch/secret-sha256"] = notice.SecretSHA256
	}
	r := resource{Type: "AwsIamAccessKey", ID: "AWS::IAM::AccessKey:" + notice.KeyID, Region: own.Region()}
	if p := own.Partition(); p == "aws" || p == "aws-cn" || p == "aws-us-gov" { // all that the model allows
		r.Partition = p
	}
	k := &r.Details.AccessKey
	*k = accessKey{AccessKeyID: notice.KeyID, AccountID: notice.Account, PrincipalType: notice.Kind, PrincipalName: notice.Name}
	if !notice.Created.IsZero() { // a session has none
		k.CreatedAt = stamp(notice.Created)
	}
	// Security Hub has no word for a key that is gone, and none for one that was not read.
	if notice.Status == "Active" || notice.Status == "Inactive" {
		k.Status = notice.Status
	}
	f.Resources = []resource{r}
	return f
}

// securityHub imports up to 100 findings.
func (n *Notifier) securityHub(ctx context.Context, findings []hubFinding) error {
	in := struct{ Findings []hubFinding }{findings}
	var out struct {
		FailedCount    int
		FailedFindings []struct{ ErrorCode, ErrorMessage string }
	}
	err := n.Operator.Do(ctx, operator.Call{
		Service: "securityhub", Action: "BatchImportFindings", Region: n.Operator.Region(),
		Method: "POST", Path: "/findings/import", Body: in,
	}, &out)
	if err == nil && out.FailedCount > 0 {
		why := ""
		for _, f := range out.FailedFindings {
			why = f.ErrorCode + " " + f.ErrorMessage
		}
		err = fmt.Errorf("securityhub:BatchImportFindings: %d of %d findings were refused: %s", out.FailedCount, len(findings), why)
	}
	return err
}

// An eventEntry is an event for EventBridge.
type eventEntry struct {
	Source, DetailType, Detail, EventBusName string
	Resources                                []string
}

// eventBridge puts up to ten events.
func (n *Notifier) eventBridge(ctx context.Context, t Target, entries []eventEntry) error {
	in := struct{ Entries []eventEntry }{entries}
	var out struct {
		FailedEntryCount int
		Entries          []struct{ ErrorCode, ErrorMessage string }
	}
	err := n.Operator.Do(ctx, operator.Call{Service: "events", Action: "PutEvents", Region: n.regionOf(t), Body: in}, &out)
	if err == nil && out.FailedEntryCount > 0 { // it says 200 all the same
		why := ""
		for _, e := range out.Entries {
			if e.ErrorCode != "" {
				why = e.ErrorCode + " " + e.ErrorMessage
			}
		}
		err = fmt.Errorf("events:PutEvents: %d of %d events were refused: %s", out.FailedEntryCount, len(entries), why)
	}
	return err
}

// sns publishes one notice.
func (n *Notifier) sns(ctx context.Context, t Target, notice Notice) error {
	subject := "stanch: " + notice.KeyID + " " + strings.ReplaceAll(notice.Result, "_", " ")
	return n.Operator.Do(ctx, operator.Call{
		Service: "sns", Action: "Publish", Region: n.regionOf(t),
		Params: map[string]string{"TopicArn": t.to, "Subject": cut(subject, 100), "Message": encode(notice)},
	}, nil)
}

func (n *Notifier) regionOf(t Target) string {
	if t.region != "" {
		return t.region
	}
	return n.Operator.Region()
}

// encode returns a notice or an alert as JSON for people and programs.
func encode(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // strings and times always marshal
	}
	return string(b)
}
