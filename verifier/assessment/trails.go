package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A trail writes events of one region, or of all, to a bucket.
type trail struct {
	TrailARN           string
	IsMultiRegionTrail bool
	HomeRegion         string
	LogGroup           string `json:"CloudWatchLogsLogGroupArn"` // "" if it writes to none
}

// trails finds out whether CloudTrail keeps more than the 90 days of its history. The home
// region shows the trails that cover all regions; a trail of one region shows there alone.
// So the other regions are asked only if the home region shows none that covers them. all
// says whether regions are all that the account has enabled.
func (c *account) trails(ctx context.Context, regions []string, all bool) {
	const name = "cloudtrail"
	home := c.session.HomeRegion()
	from := source(operator.Call{Service: "cloudtrail", Action: "DescribeTrails"})
	var on []string // regions that a trail covers
	for _, region := range append([]string{home}, slices.DeleteFunc(slices.Clone(regions), func(s string) bool { return s == home })...) {
		covers, everywhere, failed := c.trailsIn(ctx, region)
		switch {
		case everywhere:
			c.trailsErr = nil
			c.add(name, "on, in all regions", neutral, from)
			return
		case covers:
			on = append(on, region)
		case failed != nil && region == home: // the others cannot make up for it
			c.trailsErr = failed
			c.unknown(name, failed.call, failed.err)
			return
		case failed != nil && c.trailsErr == nil:
			c.trailsErr = failed
		}
	}
	slices.Sort(on)
	unread := c.trailsErr
	switch where := strings.Join(on, ", "); {
	case len(on) > 0 && (unread != nil || !all):
		c.add(name, "on, in "+where+"; whether in others is not known", notable, from)
	case len(on) > 0 && len(on) == len(regions):
		c.add(name, fmt.Sprintf("on, by a trail in each of %d regions", len(on)), neutral, from)
	case len(on) > 0:
		c.add(name, "on, in some regions only: "+where, notable, from)
	case unread != nil:
		c.add(name, fmt.Sprintf("%s%s (in %s)", unknownPrefix, Why(unread.err), unread.call.Region), neutral, source(unread.call))
	case !all:
		c.add(name, unknownPrefix+"there is none in "+home+", and which other regions there are is not known", notable, from)
	default:
		c.add(name, "off: only its history of 90 days tells what the key did", bad, from)
	}
}

// trailsIn reports whether some trail that shows in region covers it, or all regions. It
// keeps the log groups that trails write to.
func (c *account) trailsIn(ctx context.Context, region string) (covers, everywhere bool, failed *refusal) {
	var list struct {
		TrailList []trail `json:"trailList"`
	}
	call := operator.Call{Service: "cloudtrail", Action: "DescribeTrails", Region: region, Body: struct{}{}}
	if err := c.session.Do(ctx, call, &list); err != nil {
		return false, false, &refusal{call, err}
	}
	for _, t := range list.TrailList {
		var status struct{ IsLogging bool }
		s := operator.Call{Service: "cloudtrail", Action: "GetTrailStatus", Region: t.HomeRegion, Body: map[string]string{"Name": t.TrailARN}}
		if err := c.session.Do(ctx, s, &status); err != nil {
			failed = &refusal{s, err} // another trail may cover it
			continue
		}
		if !status.IsLogging {
			continue
		}
		covers, everywhere = true, everywhere || t.IsMultiRegionTrail
		if g, ok := parseLogGroup(t.LogGroup); ok && !slices.Contains(c.logGroups, g) {
			c.logGroups = append(c.logGroups, g)
		}
	}
	return covers, everywhere, failed
}
