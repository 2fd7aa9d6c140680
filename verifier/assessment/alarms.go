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
func (r *inquiry) alarms(ctx context.Context) {
	c := operator.Call{Service: "logs", Action: "DescribeMetricFilters"}
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
		c.Body = body
		if !r.read(ctx, "alarms", c, &page) {
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
		r.alarm(ctx, kind, metrics[kind], source(c))
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
func (r *inquiry) alarm(ctx context.Context, kind string, metrics []metric, source string) {
	for _, m := range metrics {
		var out struct {
			Names []string `xml:"DescribeAlarmsForMetricResult>MetricAlarms>member>AlarmName"`
		}
		c := operator.Call{Service: "monitoring", Action: "DescribeAlarmsForMetric",
			Params: map[string]string{"MetricName": m.Name, "Namespace": m.Namespace}}
		if !r.read(ctx, kind, c, &out) {
			return
		}
		if len(out.Names) > 0 {
			r.add(kind, "present", neutral, source)
			return
		}
	}
	r.add(kind, "none in "+r.session.HomeRegion(), notable, source)
}
