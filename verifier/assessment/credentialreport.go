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
)

// rootUserName is how the credential report names the root user.
const rootUserName = "<root_account>"

// value returns a cell, or "".
func (t *credentialReport) value(user, column string) string {
	line := t.users[user]
	if i := slices.Index(t.columns, column); i >= 0 && i < len(line) {
		return line[i]
	}
	return ""
}

// trusted returns a cell that is "true" or "false". If the report may be too old, only the
// word that is bad news counts: that of a password, and that of no MFA.
func (t *credentialReport) trusted(user, column, badNews string) (yes, ok bool) {
	if t == nil {
		return false, false
	}
	cell := t.value(user, column)
	return cell == "true", cell == badNews || t.enough && (cell == "true" || cell == "false")
}

// asOf says when the report was made, if not in this run.
func (t *credentialReport) asOf() string {
	if t.fresh || t.made.IsZero() {
		return ""
	}
	return ", at " + t.made.UTC().Format(time.RFC3339)
}

// at returns a time in a cell; zero if it is "N/A" or "no_information", which means never.
func (t *credentialReport) at(user, column string) time.Time {
	at, _ := time.Parse(time.RFC3339, t.value(user, column))
	return at
}

// reportTries bounds how often IAM is asked whether the credential report is made.
const reportTries = 5

// credentialReport reads the credential report, the only place where IAM says when the root
// user and the passwords of users were last used. IAM makes a report every four hours at
// most, on request.
func (c *account) credentialReport(ctx context.Context) {
	const name = "credential-report"
	generate := c.iam("GenerateCredentialReport")
	fresh := false
	for n := 1; ; n++ {
		var out struct {
			State string `xml:"GenerateCredentialReportResult>State"`
		}
		if !c.read(ctx, name, generate, &out) {
			return
		}
		if out.State == "COMPLETE" {
			break
		}
		fresh = true
		if n == reportTries {
			c.add(name, unknownPrefix+"IAM is still making it", neutral, source(generate))
			return
		}
		c.sleep(ctx, time.Duration(n)*4*c.pace()) // 2, 4, 6, 8 seconds
	}
	var out struct {
		Content string    `xml:"GetCredentialReportResult>Content"`
		Made    time.Time `xml:"GetCredentialReportResult>GeneratedTime"`
	}
	get := c.iam("GetCredentialReport")
	if !c.read(ctx, name, get, &out) {
		return
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(out.Content))
	if err == nil {
		c.report, err = parseCredentialReport(string(text), source(get))
	}
	if err == nil {
		// IAM is not asked about each user of several keys: the facts say how old they are.
		c.report.made, c.report.fresh, c.report.enough = out.Made, fresh, fresh || len(c.keys) > 1 && !out.Made.IsZero()
	}
	if err != nil {
		c.add(name, unknownPrefix+"it cannot be read: "+err.Error(), neutral, source(get))
	}
}

func parseCredentialReport(text, source string) (*credentialReport, error) {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		return nil, errors.Join(errors.New("no table"), err)
	}
	t := &credentialReport{columns: lines[0], users: map[string][]string{}, source: source}
	for _, line := range lines[1:] {
		t.users[line[0]] = line
	}
	return t, nil
}

// reported adds the facts of the credential report: the use of the root user since the key
// leaked, and the password of the key's user.
func (r *inquiry) reported() {
	t := r.account.report
	if t == nil {
		return // the fact "credential-report" says why
	}
	for _, use := range []struct{ fact, column string }{
		{"root-sign-in", "password_last_used"},
		{"root-key-used", "access_key_1_last_used_date"},
		{"root-key-used", "access_key_2_last_used_date"},
	} {
		at := t.at(rootUserName, use.column)
		if at.IsZero() {
			continue
		}
		risk := neutral
		if !at.Before(r.exposure.Since) && r.now().Sub(at) < rotation {
			risk = notable // root is for emergencies
		}
		r.add(use.fact, at.UTC().Format(time.RFC3339), risk, t.source)
	}
	if r.user == "" {
		return
	}
	if at := t.at(r.user, "password_last_used"); !at.IsZero() {
		r.add("console-last-used", at.UTC().Format(time.RFC3339), neutral, t.source)
	}
	if changed := t.at(r.user, "password_last_changed"); !changed.IsZero() && t.value(r.user, "password_enabled") == "true" {
		age := r.now().Sub(changed)
		text, risk := fmt.Sprintf("%d days", int(age.Hours()/24)), neutral
		if age > rotation {
			text, risk = text+": older than 90", notable
		}
		r.add("password-age", text, risk, t.source)
	}
}
