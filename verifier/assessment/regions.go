package assessment

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// findRegions reads which regions are enabled. If they are not known, only the home region
// is asked.
func (c *account) findRegions(ctx context.Context) {
	var out struct {
		Names []string `xml:"regionInfo>item>regionName"`
	}
	call := operator.Call{Service: "ec2", Action: "DescribeRegions"}
	if !c.read(ctx, "regions", call, &out) || len(out.Names) == 0 {
		c.regions = []string{c.session.HomeRegion()}
		return
	}
	c.regions = slices.DeleteFunc(out.Names, func(region string) bool { return !c.session.Covers(region) }) // moto names all
	c.allRegions = true
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
