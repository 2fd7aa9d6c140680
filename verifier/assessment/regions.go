package assessment

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// findRegions reads which regions are enabled. If they are not known, only the home region
// is asked.
func (c *account) findRegions(ctx context.Context) {
	var err error
	if c.regions, err = activity.Regions(ctx, c.session); err != nil {
		c.unknown("regions", operator.Call{Service: "ec2", Action: "DescribeRegions"}, err)
	}
	c.allRegions = err == nil
}

// atOnce bounds how many regions are asked at once.
const atOnce = 8

// inEach calls f for each of n regions, several at a time, and returns when all are done. f
// gets the number of the region, and must write nothing that another call reads or writes.
func inEach(n int, f func(i int)) {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i := range n {
		g.Go(func() error { f(i); return nil })
	}
	_ = g.Wait() // no call fails
}
