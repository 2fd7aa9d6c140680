// Package partition is the one table of AWS's partitions: the separate clouds that know
// nothing of each other's keys.
//
// The names, regions and suffixes come from botocore (botocore/data/partitions.json, and
// endpoints.json for the regions of global services).
package partition

import (
	"fmt"
	"slices"
	"strings"
)

// A Partition is one of AWS's separate clouds.
type Partition struct {
	// Name is the second field of its ARNs, such as "aws-cn".
	Name string
	// Home is the region of the partition's global services. No account can disable it.
	Home string
	// Suffix ends the names of hosts: "amazonaws.com.cn".
	Suffix string
	// regions is the prefix of the names of its regions; "" for the first partition.
	regions string
}

// table returns all partitions. The first is the one of most accounts.
func table() []Partition {
	return []Partition{
		{"aws", "us-east-1", "amazonaws.com", ""},
		{"aws-cn", "cn-north-1", "amazonaws.com.cn", "cn-"},
		{"aws-us-gov", "us-gov-west-1", "amazonaws.com", "us-gov-"},
		{"aws-eusc", "eusc-de-east-1", "amazonaws.eu", "eusc-"},
	}
}

// Default returns the partition of most accounts, aws.
func Default() Partition { return table()[0] }

// Named returns the partition with a name.
func Named(name string) (Partition, bool) {
	return find(func(p Partition) bool { return p.Name == name })
}

// OfRegion returns the partition of a region. Like the AWS CLI, it takes a region that it
// does not know, and "", for one of the default partition.
func OfRegion(region string) Partition {
	p, ok := find(func(p Partition) bool { return p.regions != "" && strings.HasPrefix(region, p.regions) })
	if !ok {
		return Default()
	}
	return p
}

// Check refuses a region of a partition that is not in the table: us-iso-east-1, us-isob-east-1,
// eu-isoe-west-1, us-isof-south-1. Another partition says of their keys that they do not exist.
// It also refuses what is no name: hosts are made from it, and "example.com/" would lead a
// signed request to somebody else's.
func Check(region string) error {
	if strings.ContainsFunc(region, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", r) }) {
		return fmt.Errorf("%q is not a region", region)
	}
	if strings.Contains(region, "-iso") {
		return fmt.Errorf("region %s is of an isolated partition: stanch knows aws, aws-cn, aws-us-gov and aws-eusc", region)
	}
	return nil
}

// OfARN returns the partition that an ARN names, or the default one.
func OfARN(arn string) Partition {
	p, ok := find(func(p Partition) bool { return strings.HasPrefix(arn, "arn:"+p.Name+":") })
	if !ok {
		return Default()
	}
	return p
}

func find(is func(Partition) bool) (Partition, bool) {
	partitions := table()
	i := slices.IndexFunc(partitions, is)
	if i < 0 {
		return Partition{}, false
	}
	return partitions[i], true
}
