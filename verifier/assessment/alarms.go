package assessment

import (
	"context"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// parseLogGroup reads arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*.
func parseLogGroup(arn string) (logGroup, bool) {
	f := strings.Split(arn, ":")
	if len(f) < 7 || f[5] != "log-group" {
		return logGroup{}, false
	}
	return logGroup{f[3], f[4], f[6]}, true
}

// A metric is the count of a metric filter of a log group.
type metric struct {
	Name      string `json:"metricName"`
	Namespace string `json:"metricNamespace"`
	region    string
}

// alarmKinds are the calls that somebody should hear of at once: those of the root user,
// refused ones, and changes of rights. A metric filter is of a kind if its pattern has one
// of the words.
var alarmKinds = []struct {
	fact  string
	words []string
}{
	{"alarm-root", []string{"Root"}},
	{"alarm-unauthorised", []string{"AccessDenied", "UnauthorizedOperation"}},
	{"alarm-iam", []string{"CreateAccessKey", "AttachUserPolicy", "PutUserPolicy"}},
}

// alarms finds out whether somebody hears of calls of alarmKinds: that takes a metric
// filter on the log group of a trail, and an alarm on its metric. The group says in which
// region they are.
func (c *account) alarms(ctx context.Context) {
	filters := operator.Call{Service: "logs", Action: "DescribeMetricFilters"}
	metrics := map[string][]metric{}
	unread := ""
	if c.trailsErr != nil {
		unread = "the log groups of trails, " + Why(c.trailsErr.err)
	}
	for _, g := range c.logGroups {
		if g.account != c.id { // that of a trail of the organization
			unread = fmt.Sprintf("the trail writes to a log group of account %s", g.account)
		} else if err := c.metrics(ctx, g, metrics); err != nil {
			unread = Why(err)
		}
	}
	for _, kind := range alarmKinds {
		where, err := c.alarmOn(ctx, metrics[kind.fact])
		alarm := operator.Call{Service: "monitoring", Action: "DescribeAlarmsForMetric"}
		switch {
		case where != "":
			c.add(kind.fact, "present, in "+where, neutral, source(filters))
		case err != nil:
			c.unknown(kind.fact, alarm, err)
		case unread != "":
			c.add(kind.fact, unknownPrefix+unread, neutral, source(filters))
		case len(c.logGroups) == 0:
			c.add(kind.fact, "none: no trail writes to a log group", notable, source(filters))
		default:
			c.add(kind.fact, "none", notable, source(filters))
		}
	}
}

// metrics adds the metrics of a log group to those of each kind.
func (c *account) metrics(ctx context.Context, g logGroup, metrics map[string][]metric) error {
	body := map[string]string{"logGroupName": g.name}
	call := operator.Call{Service: "logs", Action: "DescribeMetricFilters", Region: g.region, Body: body}
	return eachPage(func() (bool, error) {
		var page struct {
			List []struct {
				Pattern string   `json:"filterPattern"`
				Metrics []metric `json:"metricTransformations"`
			} `json:"metricFilters"`
			Next string `json:"nextToken"`
		}
		if err := c.session.Do(ctx, call, &page); err != nil {
			return false, err
		}
		for _, f := range page.List {
			for _, kind := range alarmKinds {
				if !matches([]string{f.Pattern}, kind.words) {
					continue
				}
				for _, m := range f.Metrics {
					m.region = g.region
					metrics[kind.fact] = append(metrics[kind.fact], m)
				}
			}
		}
		body["nextToken"] = page.Next
		return page.Next != "", nil
	})
}

// alarmOn returns the region where one of metrics has an alarm that does something, or "".
func (c *account) alarmOn(ctx context.Context, metrics []metric) (region string, err error) {
	for _, m := range metrics {
		var out struct {
			Alarms []struct {
				On      bool     `xml:"ActionsEnabled"`
				Actions []string `xml:"AlarmActions>member"`
			} `xml:"DescribeAlarmsForMetricResult>MetricAlarms>member"`
		}
		call := operator.Call{Service: "monitoring", Action: "DescribeAlarmsForMetric", Region: m.region,
			Params: map[string]string{"MetricName": m.Name, "Namespace": m.Namespace}}
		if err := c.session.Do(ctx, call, &out); err != nil {
			return "", err
		}
		for _, alarm := range out.Alarms {
			if alarm.On && len(alarm.Actions) > 0 { // else nobody hears of it
				return m.region, nil
			}
		}
	}
	return "", nil
}
