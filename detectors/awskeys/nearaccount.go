package awskeys

import (
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
)

// accountNear returns the account that the ARNs within a few lines of s name, or the
// unique ids of users and roles, and "" if several are named.
func accountNear(text []byte, s detectors.Span) string {
	const near = 400
	account := ""
	for _, m := range accountMark().FindAllSubmatch(candidates.Around(text, s, near), -1) {
		named := string(m[1]) + string(m[3])
		if named == "" {
			named, _ = keyformat.Account(string(m[2]))
		}
		switch {
		case named == "":
		case account != "" && account != named:
			return ""
		default:
			account = named
		}
	}
	return account
}

// accountMark finds what names an account: arn:PARTITION:SERVICE:REGION:ACCOUNT:…,
// with partitions aws, aws-cn …, the ids of users, roles, groups and instance
// profiles, which are never reported, registries and login links.
var accountMark = lazyregexp.New(`arn:aws[a-z-]*:[^:\s]*:[^:\s]*:(\d{12}):|\b(A(?:IDA|ROA|GPA|IPA)[A-Z2-7]{17})\b|\b(\d{12})\.(?:dkr\.ecr|signin\.aws)\b`)
