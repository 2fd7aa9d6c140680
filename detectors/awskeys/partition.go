package awskeys

import (
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
	"github.com/stanch-dev/stanch/detectors/internal/marks"
)

// nearPartition bounds the distance between an id and the name of its partition. A region
// stands in the same stanza or in the next.
const nearPartition = 1000

// PartitionHint is the name of the fact with Credential.Partition.
const PartitionHint = "partition-hint"

// partitionWords are parts of all names that partitionMark finds: a text without one of them
// names no other partition.
var partitionWords = []string{"cn-north", "us-gov", "eusc", "aws-cn", ".com.cn", "aws.eu", "amazonaws.cn"}

var partitionWordSet = sync.OnceValue(func() *marks.Set { return marks.New(partitionWords...) })

// partitionMark finds the names of partitions other than aws: in ARNs, regions and hosts
// (the partitions.json of botocore; the consoles of China and GovCloud).
var partitionMark = lazyregexp.New(`\barn:aws-(cn|us-gov|eusc):|\b(cn)-north(?:west)?-\d|\b(us-gov)-(?:east|west)-\d|\b(eusc)-[a-z]{2}-[a-z]+-\d` +
	`|\.amazonaws\.(?:(com\.cn|cn)|(eu))\b|\b(?:signin|console)\.(amazonaws\.cn|amazonaws-us-gov\.com)\b`)

// partitionNear returns the partition other than aws whose name is nearest to s, as ARNs
// write it, or "" if there is none. An id does not tell its partition.
func partitionNear(text []byte, s detectors.Span) string {
	window := candidates.Around(text, s, nearPartition)
	if partitionWordSet().In(window).None() {
		return ""
	}
	at := min(s.Start, nearPartition)
	s = detectors.Span{Start: at, End: at + s.End - s.Start}
	best, name := 2*nearPartition, ""
	for _, m := range partitionMark().FindAllSubmatchIndex(window, -1) {
		d := max(s.Start-m[1], m[0]-s.End)
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
