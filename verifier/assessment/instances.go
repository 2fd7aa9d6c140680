package assessment

import (
	"context"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// instances finds the instances of EC2 without a role, in the home region and in that where
// the key was last used. A program on such an instance needs a key, and that may be the one
// that leaked.
func (r *inquiry) instances(ctx context.Context) {
	home := r.session.HomeRegion()
	r.account.instancesIn(ctx, home)
	r.facts = append(r.facts, r.account.instances[home]...)
	if r.region != "" && r.region != home && r.session.Covers(r.region) {
		r.account.instancesIn(ctx, r.region)
		r.facts = append(r.facts, r.account.instances[r.region]...)
	}
}

// instancesIn reads the instances of a region once.
func (c *account) instancesIn(ctx context.Context, region string) {
	const name = "instances-without-role"
	if c.instances[region] != nil {
		return
	}
	n := notes{session: c.session}
	defer func() { c.instances[region] = n.facts }()
	call := operator.Call{Service: "ec2", Action: "DescribeInstances", Region: region, Params: map[string]string{
		"Filter.1.Name": "instance-state-name", "Filter.1.Value.1": "pending", "Filter.1.Value.2": "running",
		"Filter.1.Value.3": "stopping", "Filter.1.Value.4": "stopped", "MaxResults": "1000"}}
	all := 0
	var without []string
	err := eachPage(func() (bool, error) {
		var page struct {
			Instances []struct {
				ID      string `xml:"instanceId"`
				Profile string `xml:"iamInstanceProfile>arn"`
			} `xml:"reservationSet>item>instancesSet>item"`
			Next string `xml:"nextToken"`
		}
		if err := n.session.Do(ctx, call, &page); err != nil {
			return false, err
		}
		for _, i := range page.Instances {
			all++
			if i.Profile == "" {
				without = append(without, i.ID)
			}
		}
		call.Params["NextToken"] = page.Next
		return page.Next != "", nil
	})
	if err != nil {
		n.add(name, unknownPrefix+Why(err)+" (in "+region+")", neutral, source(call))
		return
	}
	text, risk := fmt.Sprintf("%d of %d instances", len(without), all), neutral
	if len(without) > 0 {
		text, risk = text+": "+strings.Join(without[:min(len(without), maxNames)], ", "), notable
	}
	n.add(name, text+" (in "+region+")", risk, source(call))
}
