package assessment

import (
	"context"
	"slices"

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
