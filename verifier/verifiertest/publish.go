package verifiertest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// publish takes notices as strictly as AWS does, and keeps them.
func (acct *Account) publish(service string, form url.Values, body []byte) Response {
	acct.Published[service] = append(acct.Published[service], string(body))
	switch service {
	case "sns":
		subject := form.Get("Subject")
		switch {
		case !strings.HasPrefix(form.Get("TopicArn"), "arn:aws:sns:"):
			return Failure(http.StatusNotFound, "NotFound", "Topic does not exist")
		case utf8.RuneCountInString(subject) > 100, strings.ContainsAny(subject, "\n\r"), form.Get("Message") == "":
			return Failure(http.StatusBadRequest, "InvalidParameter", "Invalid parameter: Subject")
		}
		return answer("sns", "Publish", element("MessageId", RequestID))
	case "events":
		return putEvents(body)
	}
	return acct.importFindings(body)
}

// putEvents says 200 also where it refuses: the entries tell.
func putEvents(body []byte) Response {
	var in struct {
		Entries []struct{ Source, DetailType, Detail, EventBusName string }
	}
	if err := json.Unmarshal(body, &in); err != nil || len(in.Entries) == 0 || len(in.Entries) > 10 {
		return JSONFailure(http.StatusBadRequest, "ValidationException", "Entries")
	}
	var out struct {
		FailedEntryCount int
		Entries          []map[string]string
	}
	for _, e := range in.Entries {
		switch {
		case !json.Valid([]byte(e.Detail)), e.Source == "", e.DetailType == "":
			out.FailedEntryCount++
			out.Entries = append(out.Entries, map[string]string{"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."})
		case e.EventBusName == "no-such-bus":
			out.FailedEntryCount++
			out.Entries = append(out.Entries, map[string]string{"ErrorCode": "ResourceNotFoundException", "ErrorMessage": "Event bus no-such-bus does not exist."})
		default:
			out.Entries = append(out.Entries, map[string]string{"EventId": RequestID})
		}
	}
	b, _ := json.Marshal(out) // strings and a number always marshal
	return response(http.StatusOK, string(b))
}

var asffTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

// importFindings checks findings against the requirements of the API's reference.
func (acct *Account) importFindings(body []byte) Response {
	var in struct{ Findings []map[string]any }
	if err := json.Unmarshal(body, &in); err != nil || len(in.Findings) == 0 || len(in.Findings) > 100 {
		return JSONFailure(http.StatusBadRequest, "InvalidInputException", "Findings")
	}
	var out struct {
		SuccessCount, FailedCount int
		FailedFindings            []map[string]string
	}
	for _, f := range in.Findings {
		if why := acct.badFinding(f); why != "" {
			out.FailedCount++
			out.FailedFindings = append(out.FailedFindings, map[string]string{"ErrorCode": "InvalidInput", "ErrorMessage": why})
			continue
		}
		out.SuccessCount++
	}
	b, _ := json.Marshal(out) // strings and numbers always marshal
	return response(http.StatusOK, string(b))
}

func (acct *Account) badFinding(f map[string]any) (why string) {
	text := func(name string) string { s, _ := f[name].(string); return s }
	for _, name := range []string{"SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "CreatedAt", "UpdatedAt", "Title", "Description"} {
		if text(name) == "" {
			return "missing " + name
		}
	}
	resources, _ := f["Resources"].([]any)
	switch {
	case text("AwsAccountId") != acct.ID, !strings.HasSuffix(text("ProductArn"), ":"+acct.ID+":product/"+acct.ID+"/default"):
		return "account " + text("AwsAccountId") + " is not the caller's"
	case text("SchemaVersion") != "2018-10-08", len(resources) == 0, f["FindingProviderFields"] == nil:
		return "SchemaVersion, Resources or FindingProviderFields"
	case !asffTime.MatchString(text("CreatedAt")), !asffTime.MatchString(text("UpdatedAt")):
		return "CreatedAt or UpdatedAt"
	case utf8.RuneCountInString(text("Title")) > 256, utf8.RuneCountInString(text("Description")) > 1024:
		return "Title or Description is too long"
	}
	return ""
}
