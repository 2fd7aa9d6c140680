package awskeys

import (
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
)

// accountNear returns the account that is named within a few lines of s, in an ARN for
// instance. It returns "" if there is none, or more than one.
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

// accountMark finds names of accounts: in ARNs (arn:PARTITION:SERVICE:REGION:ACCOUNT:…), in
// the ids of users, roles, groups and instance profiles, in registries and in login links.
var accountMark = lazyregexp.New(`arn:aws[a-z-]*:[^:\s]*:[^:\s]*:(\d{12}):|\b(A(?:IDA|ROA|GPA|IPA)[A-Z2-7]{17})\b|\b(\d{12})\.(?:dkr\.ecr|signin\.aws)\b`)
