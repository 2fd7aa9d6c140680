package assessment

import (
	"context"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A metric is the count of a metric filter of a log group.
type metric struct {
	Name      string `json:"metricName"`
	Namespace string `json:"metricNamespace"`
}

// alarms finds out whether somebody hears of calls of the root user, and of refused calls:
// that takes a metric filter on the trail's log group, and an alarm on its metric. It looks
// in the home region, where trails for all regions usually write.
func (c *account) alarms(ctx context.Context) {
	call := operator.Call{Service: "logs", Action: "DescribeMetricFilters"}
	metrics := map[string][]metric{}
	body := map[string]string{}
	for range maxPages {
		var page struct {
			List []struct {
				Pattern string   `json:"filterPattern"`
				Metrics []metric `json:"metricTransformations"`
			} `json:"metricFilters"`
			Next string `json:"nextToken"`
		}
		call.Body = body
		if !c.read(ctx, "alarms", call, &page) {
			return
		}
		for _, f := range page.List {
			kind := alarmKind(f.Pattern)
			metrics[kind] = append(metrics[kind], f.Metrics...)
		}
		if page.Next == "" {
			break
		}
		body["nextToken"] = page.Next
	}
	for _, kind := range []string{"alarm-root", "alarm-unauthorised"} {
		c.alarm(ctx, kind, metrics[kind], source(call))
	}
}

func alarmKind(pattern string) string {
	switch {
	case strings.Contains(pattern, "Root"):
		return "alarm-root"
	case strings.Contains(pattern, "AccessDenied"), strings.Contains(pattern, "UnauthorizedOperation"):
		return "alarm-unauthorised"
	}
	return ""
}

// alarm finds out whether one of metrics has an alarm.
func (c *account) alarm(ctx context.Context, kind string, metrics []metric, source string) {
	for _, m := range metrics {
		var out struct {
			Names []string `xml:"DescribeAlarmsForMetricResult>MetricAlarms>member>AlarmName"`
		}
		call := operator.Call{Service: "monitoring", Action: "DescribeAlarmsForMetric",
			Params: map[string]string{"MetricName": m.Name, "Namespace": m.Namespace}}
		if !c.read(ctx, kind, call, &out) {
			return
		}
		if len(out.Names) > 0 {
			c.add(kind, "present", neutral, source)
			return
		}
	}
	c.add(kind, "none in "+c.session.HomeRegion(), notable, source)
}
