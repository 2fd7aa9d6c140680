package assessment

import (
	"cmp"
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
	// Selects says that it does not simply write all management events.
	Selects bool `json:"HasCustomEventSelectors"`
}

// A coverage says what the trails that show in one region do.
type coverage struct {
	here, everywhere bool // they write the events of the region, of all regions
	failed           *refusal
	broken           string // why one of them writes nothing; "" if there is none
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
	broken := ""
	for _, region := range append([]string{home}, slices.DeleteFunc(slices.Clone(regions), func(s string) bool { return s == home })...) {
		seen := c.trailsIn(ctx, region)
		broken = cmp.Or(broken, seen.broken)
		switch {
		case seen.everywhere:
			c.trailsErr = nil
			c.add(name, "on, in all regions", neutral, from)
			return
		case seen.here:
			on = append(on, region)
		case seen.failed != nil && region == home: // the others cannot make up for it
			c.trailsErr = seen.failed
			c.unknown(name, seen.failed.call, seen.failed.err)
			return
		case seen.failed != nil && c.trailsErr == nil:
			c.trailsErr = seen.failed
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
	case broken != "":
		c.add(name, "off: "+broken+"; only its history of 90 days tells what the key did", bad, from)
	default:
		c.add(name, "off: only its history of 90 days tells what the key did", bad, from)
	}
}

// trailsIn finds out what the trails do that show in region. It keeps the log groups that
// they write to.
func (c *account) trailsIn(ctx context.Context, region string) (seen coverage) {
	var list struct {
		TrailList []trail `json:"trailList"`
	}
	call := operator.Call{Service: "cloudtrail", Action: "DescribeTrails", Region: region, Body: struct{}{}}
	if err := c.session.Do(ctx, call, &list); err != nil {
		return coverage{failed: &refusal{call, err}}
	}
	for _, t := range list.TrailList {
		var status struct {
			IsLogging           bool
			LatestDeliveryError string // of the bucket
		}
		s := operator.Call{Service: "cloudtrail", Action: "GetTrailStatus", Region: t.HomeRegion, Body: map[string]string{"Name": t.TrailARN}}
		if err := c.session.Do(ctx, s, &status); err != nil {
			seen.failed = &refusal{s, err} // another trail may cover it
			continue
		}
		if !status.IsLogging {
			continue
		}
		switch writes, failed := c.writesManagementEvents(ctx, t); {
		case failed != nil:
			seen.failed = failed
			continue
		case !writes:
			seen.broken = "trail " + t.TrailARN + " leaves out management events that change something"
			continue
		}
		if g, ok := parseLogGroup(t.LogGroup); ok && !slices.Contains(c.logGroups, g) {
			c.logGroups = append(c.logGroups, g)
		}
		if status.LatestDeliveryError != "" {
			seen.broken = "trail " + t.TrailARN + " cannot write to its bucket (" + status.LatestDeliveryError + ")"
			continue
		}
		seen.here, seen.everywhere = true, seen.everywhere || t.IsMultiRegionTrail
	}
	return seen
}

// writesManagementEvents reports whether a trail writes the calls that change something, such
// as those of IAM. One that is for events of data does not, nor one whose selectors an
// intruder has changed (PutEventSelectors).
func (c *account) writesManagementEvents(ctx context.Context, t trail) (bool, *refusal) {
	if !t.Selects {
		return true, nil
	}
	var out struct {
		EventSelectors []struct {
			ReadWriteType           string
			IncludeManagementEvents bool
		}
		AdvancedEventSelectors []struct {
			FieldSelectors []struct {
				Field  string
				Equals []string
			}
		}
	}
	call := operator.Call{Service: "cloudtrail", Action: "GetEventSelectors", Region: t.HomeRegion, Body: map[string]string{"TrailName": t.TrailARN}}
	if err := c.session.Do(ctx, call, &out); err != nil {
		return false, &refusal{call, err}
	}
	writes := false
	for _, s := range out.EventSelectors {
		writes = writes || s.IncludeManagementEvents && s.ReadWriteType != "ReadOnly"
	}
	for _, s := range out.AdvancedEventSelectors {
		fields := map[string][]string{}
		for _, f := range s.FieldSelectors {
			fields[f.Field] = f.Equals
		}
		writes = writes || slices.Contains(fields["eventCategory"], "Management") && !slices.Contains(fields["readOnly"], "true")
	}
	return writes, nil
}
