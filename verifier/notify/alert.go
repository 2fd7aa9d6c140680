package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// SendAlert sends an alert to a target, in one attempt. The target can tell by the alert's
// Delivery that it gets one again, if it looks: the header Stanch-Delivery of a webhook, the
// Message-ID of a mail, the deduplication id of an SNS FIFO topic, "delivery" in the JSON.
// Security Hub keeps one finding for each leak anyway.
func (n *Notifier) SendAlert(ctx context.Context, t Target, a *finding.Alert) error {
	if t.AWS() && n.Operator == nil {
		return errors.New("no identity of your own to tell AWS with")
	}
	switch t.kind {
	case "securityhub":
		return n.alertHub(ctx, a)
	case "eventbridge":
		return n.alertBus(ctx, t, a)
	case "sns":
		return n.alertTopic(ctx, t, a)
	case "mailto":
		return t.mail.send(ctx, t.to, a.Title, a.Text+commands(a), a.Delivery, a.Time)
	}
	body := slackMessage(a)
	if t.kind == "webhook" {
		escaped := *a
		escaped.Text = slackEscaper.Replace(a.Text)
		body = encode(&escaped)
	}
	_, err := n.postOnce(ctx, t, body, a.Delivery)
	return err
}

// commands returns what to run now, for people.
func commands(a *finding.Alert) string {
	var b strings.Builder
	for i := range a.Findings[:min(len(a.Findings), finding.MaxAlertLines)] {
		if command := a.Findings[i].Command; command != "" {
			b.WriteString("\n" + command)
		}
	}
	if b.Len() > 0 {
		return "\n\nTo shut them off, begin with a plan, which changes nothing:" + b.String()
	}
	return ""
}

// alertHub imports the findings of a.
func (n *Notifier) alertHub(ctx context.Context, a *finding.Alert) error {
	if a.Kind == finding.AlertTest {
		return errors.New("a test would stay in Security Hub as a finding for 90 days, so there is none")
	}
	var findings []hubFinding
	for i := range a.Findings {
		findings = append(findings, n.alertFinding(&a.Findings[i]))
	}
	// Within a call, the order of two findings with one id is not defined: the last one counts.
	slices.Reverse(findings)
	seen := map[string]bool{}
	findings = slices.DeleteFunc(findings, func(f hubFinding) bool {
		again := seen[f.ID]
		seen[f.ID] = true
		return again
	})
	for part := range slices.Chunk(findings, 100) { // a call takes no more
		if err := n.securityHub(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// alertFinding returns the finding of Security Hub for f: the same as that of a response.
func (n *Notifier) alertFinding(f *finding.AlertFinding) hubFinding {
	notice := Notice{
		Text: f.Text, Time: f.At, Planned: f.FirstSeen, Result: f.Event, Off: f.Event == finding.EventOff, Subject: f.Subject,
	}
	if notice.Planned.IsZero() {
		notice.Planned = f.At
	}
	notice.Where = strings.TrimSpace(f.Repository + " " + f.Where)
	if f.State == verifier.Live {
		notice.Status = "Active"
	}
	hub := n.asff(notice)
	hub.Title = cut(f.Text, 256)
	if notice.Result != finding.EventLive && notice.Result != finding.EventLiveAgain {
		hub.Severity.Label = "MEDIUM"
		hub.FindingProviderFields.Severity = hub.Severity
	}
	hub.Remediation.Recommendation.Text = cmp.Or(f.Command, hub.Remediation.Recommendation.Text)
	if f.KeyID == "" {
		hub.Resources = []resource{{Type: "Other", ID: "stanch/" + f.Fingerprint, Region: n.Operator.Region(), Partition: hub.Resources[0].Partition}}
	}
	return hub
}

// alertBus puts an event for each finding of a.
func (n *Notifier) alertBus(ctx context.Context, t Target, a *finding.Alert) error {
	type detail struct {
		Schema   string `json:"schema"`
		Delivery string `json:"delivery"`
		Kind     string `json:"kind"`
		Page     string `json:"page,omitempty"`
		finding.AlertFinding
	}
	var entries []eventEntry
	for i := range a.Findings {
		f := &a.Findings[i]
		e := eventEntry{Source: "stanch", DetailType: "Leaked Key Found", Detail: encode(detail{a.Schema, a.Delivery, a.Kind, a.Page, *f}), EventBusName: t.to, Resources: []string{}}
		if f.ARN != "" {
			e.Resources = []string{f.ARN}
		}
		entries = append(entries, e)
	}
	if a.Kind == finding.AlertTest {
		entries = []eventEntry{{Source: "stanch", DetailType: "Test", Detail: encode(a), EventBusName: t.to, Resources: []string{}}}
	}
	for part := range slices.Chunk(entries, 10) { // a call takes no more
		if err := n.eventBridge(ctx, t, part); err != nil {
			return err
		}
	}
	return nil
}

// maxMessage is less than the 256 KiB that SNS takes.
const maxMessage = 250 << 10

// alertTopic publishes a. Findings that a message has no room for are counted as omitted.
func (n *Notifier) alertTopic(ctx context.Context, t Target, a *finding.Alert) error {
	short := *a
	message := encode(&short)
	for len(message) > maxMessage && len(short.Findings) > 0 {
		half := len(short.Findings) / 2
		short.Omitted += len(short.Findings) - half
		short.Findings = short.Findings[:half]
		message = encode(&short)
	}
	params := map[string]string{"TopicArn": t.to, "Subject": subject(a.Title), "Message": message}
	if strings.HasSuffix(t.to, ".fifo") {
		params["MessageGroupId"], params["MessageDeduplicationId"] = "stanch", a.Delivery
	}
	return n.Operator.Do(ctx, operator.Call{Service: "sns", Action: "Publish", Region: n.regionOf(t), Params: params}, nil)
}

// subject returns title as the subject of a message of SNS: ASCII, less than 100 characters.
func subject(title string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, title)
	return ascii[:min(len(ascii), 99)]
}

// A slackBlock is a part of a message of Slack's Block Kit
// (docs.slack.dev/reference/block-kit/blocks).
type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// slackMessage returns a as a message for an incoming webhook of Slack: a headline, a section for
// each finding, the link to the page. A message has at most 50 blocks, a headline 150 characters
// and a section 3,000.
func slackMessage(a *finding.Alert) string {
	blocks := []slackBlock{{Type: "header", Text: &slackText{"plain_text", cut(a.Title, 150)}}}
	section := func(text string) {
		blocks = append(blocks, slackBlock{Type: "section", Text: &slackText{"mrkdwn", cut(text, 3000)}})
	}
	shown := min(len(a.Findings), finding.MaxAlertLines)
	for i := range a.Findings[:shown] {
		section(slackFinding(&a.Findings[i]))
	}
	if n := len(a.Findings) - shown + a.Omitted; n > 0 {
		section(fmt.Sprintf("… and %d more", n))
	}
	if a.Page != "" {
		blocks = append(blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", "<" + slackEscaper.Replace(a.Page) + "|All findings>"}}})
	}
	return encode(map[string]any{"text": slackEscaper.Replace(cut(a.Text, 3000)), "blocks": blocks})
}

func slackFinding(f *finding.AlertFinding) string {
	var b strings.Builder
	b.WriteString(slackEscaper.Replace(cut(f.Text, 1500)))
	if f.URL != "" {
		b.WriteString("\n<" + slackEscaper.Replace(cut(f.URL, 900)) + "|Show the place>")
	}
	if f.Command != "" {
		b.WriteString("\nDo now: `" + slackEscaper.Replace(strings.ReplaceAll(f.Command, "`", "")) + "`")
	}
	return b.String()
}
