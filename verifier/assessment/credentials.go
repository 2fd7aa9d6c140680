package assessment

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// serviceCredentials lists the user's service-specific credentials.
func (r *inquiry) serviceCredentials(ctx context.Context) {
	c := r.iam("ListServiceSpecificCredentials")
	list, err := r.session.ServiceCredentials(ctx, r.user)
	if err != nil {
		r.unknown("service-credentials", c, err)
		return
	}
	for _, s := range list {
		risk := neutral
		if s.Status == "Active" {
			risk = notable
		}
		r.add("service-credentials", fmt.Sprintf("%s of %s, %s", s.ID, s.Service, s.Status), risk, source(c))
	}
	if len(list) == 0 {
		r.add("service-credentials", "none", neutral, source(c))
	}
}

// reportTries bounds how often IAM is asked whether the credential report is made.
const reportTries = 5

// credentialReport reads the credential report, the only place where IAM says when the root
// user and the password of the user were last used. IAM makes a report every four hours at
// most, on request.
func (r *inquiry) credentialReport(ctx context.Context) {
	const name = "credential-report"
	generate := r.iam("GenerateCredentialReport")
	for n := 1; ; n++ {
		var out struct {
			State string `xml:"GenerateCredentialReportResult>State"`
		}
		if !r.read(ctx, name, generate, &out) {
			return
		}
		if out.State == "COMPLETE" {
			break
		}
		if n == reportTries {
			r.add(name, unknownPrefix+"IAM is still making it", neutral, source(generate))
			return
		}
		r.sleep(ctx, time.Duration(n)*4*r.pace()) // 2, 4, 6, 8 seconds
	}
	var out struct {
		Content string `xml:"GetCredentialReportResult>Content"`
	}
	get := r.iam("GetCredentialReport")
	if !r.read(ctx, name, get, &out) {
		return
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(out.Content))
	if err == nil {
		err = r.readCredentialReport(string(text), source(get))
	}
	if err != nil {
		r.add(name, unknownPrefix+"it cannot be read: "+err.Error(), neutral, source(get))
	}
}

// readCredentialReport reads the rows of the root user and of the user of the key.
func (r *inquiry) readCredentialReport(text, source string) error {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		return errors.Join(errors.New("no table"), err)
	}
	for _, line := range lines[1:] {
		at := func(column string) time.Time {
			i := slices.Index(lines[0], column)
			if i < 0 {
				return time.Time{}
			}
			t, _ := time.Parse(time.RFC3339, line[i]) // or "N/A", "no_information": never
			return t
		}
		switch line[0] {
		case "<root_account>":
			r.rootUserUse(at, source)
		case r.user:
			if t := at("password_last_used"); !t.IsZero() {
				r.add("console-last-used", t.UTC().Format(time.RFC3339), neutral, source)
			}
		}
	}
	return nil
}

func (r *inquiry) rootUserUse(at func(string) time.Time, source string) {
	for _, use := range []struct{ fact, column string }{
		{"root-sign-in", "password_last_used"},
		{"root-key-used", "access_key_1_last_used_date"},
		{"root-key-used", "access_key_2_last_used_date"},
	} {
		t := at(use.column)
		if t.IsZero() {
			continue
		}
		risk := neutral
		if !t.Before(r.exposure.Since) && r.now().Sub(t) < rotation {
			risk = notable // root is for emergencies
		}
		r.add(use.fact, t.UTC().Format(time.RFC3339), risk, source)
	}
}

// accountOwner reads the tags that usually name the people behind the account.
func (r *inquiry) accountOwner(ctx context.Context) {
	body := map[string]string{"ResourceId": r.identity.Account}
	c := operator.Call{Service: "organizations", Action: "ListTagsForResource", Body: body}
	var owners []string
	for range maxPages {
		var page struct {
			Tags      []struct{ Key, Value string }
			NextToken string
		}
		if err := r.Operator.Own().Do(ctx, c, &page); err != nil {
			r.unknown("account-owner", c, err)
			return
		}
		for _, t := range page.Tags {
			switch strings.ToLower(t.Key) {
			case "owner", "team", "contact", "email", "environment", "env":
				owners = append(owners, t.Key+" "+t.Value)
			}
		}
		if page.NextToken == "" {
			break
		}
		body["NextToken"] = page.NextToken
	}
	r.add("account-owner", orNone(strings.Join(owners, ", ")), neutral, source(c))
}
