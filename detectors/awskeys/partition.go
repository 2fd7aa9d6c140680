package awskeys

import (
	"regexp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
)

// nearPartition is how far from an id its partition may be named: a region stands in
// the same stanza, or in one next to it.
const nearPartition = 1000

// PartitionHint is the name of the fact that holds Credential.Partition.
const PartitionHint = "partition-hint"

// partitionWords are such that a text without any names no other partition.
var partitionWords = []string{"cn-north", "us-gov", "eusc", "aws-cn", ".com.cn", "aws.eu", "amazonaws.cn"}

// partitionMark finds what names a partition other than aws: an ARN, a region, a
// host (the partitions.json of botocore; the consoles of China and GovCloud).
var partitionMark = regexp.MustCompile(`\barn:aws-(cn|us-gov|eusc):|\b(cn)-north(?:west)?-\d|\b(us-gov)-(?:east|west)-\d|\b(eusc)-[a-z]{2}-[a-z]+-\d` +
	`|\.amazonaws\.(?:(com\.cn|cn)|(eu))\b|\b(?:signin|console)\.(amazonaws\.cn|amazonaws-us-gov\.com)\b`)

// partitionNear returns the partition other than aws that is named the nearest to s, as
// ARNs write it, and "" if none is. The id itself does not tell.
func partitionNear(text []byte, s detectors.Span) string {
	from := max(0, s.Start-nearPartition)
	window := candidates.Around(text, s, nearPartition)
	if !candidates.ContainsAny(window, partitionWords) {
		return ""
	}
	best, name := 2*nearPartition, ""
	for _, m := range partitionMark.FindAllSubmatchIndex(window, -1) {
		d := max(s.Start-from-m[1], m[0]-(s.End-from))
		if d >= best {
			continue
		}
		for i := 2; i < len(m); i += 2 {
			if m[i] >= 0 {
				best, name = d, partitionOf(string(window[m[i]:m[i+1]]))
			}
		}
	}
	return name
}

func partitionOf(mark string) string {
	switch mark {
	case "cn", "com.cn", "amazonaws.cn":
		return "aws-cn"
	case "us-gov", "amazonaws-us-gov.com":
		return "aws-us-gov"
	}
	return "aws-eusc"
}
