package awskeys_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestPartitionHint: what stands near a key says where it works; the nearest mark
// counts, and what names the usual partition is no mark.
func TestPartitionHint(t *testing.T) {
	const key = "aws_access_key_id={AKIA1}\naws_secret_access_key={secret1}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", key, ""},
		{"usual", "arn:aws:iam::123456789012:user/x\nregion = us-east-1\nsts.amazonaws.com\n" + key, ""},
		{"arn", key + "role_arn = arn:aws-cn:iam::123456789012:role/x\n", "aws-cn"},
		{"arn_govcloud", key + "role_arn = arn:aws-us-gov:iam::123456789012:role/x\n", "aws-us-gov"},
		{"region", "[cn]\nregion=cn-northwest-1\n" + key, "aws-cn"},
		{"region_govcloud", "AWS_REGION=us-gov-east-1\n" + key, "aws-us-gov"},
		{"region_europe", "AWS_REGION=eusc-de-east-1\n" + key, "aws-eusc"},
		{"host", key + "endpoint: https://s3.cn-north-1.amazonaws.com.cn\n", "aws-cn"},
		{"host_without_region", key + "host: s3.amazonaws.com.cn\n", "aws-cn"},
		{"host_europe", key + "host: sqs.amazonaws.eu\n", "aws-eusc"},
		{"console", key + "https://1234.signin.amazonaws.cn/console\n", "aws-cn"},
		{"nearest", "region=cn-north-1\n" + strings.Repeat("\n", 200) + key + "region=us-gov-west-1\n", "aws-us-gov"},
		{"far", "region=cn-north-1\n" + strings.Repeat("x", 2000) + "\n" + key, ""},
		{"part_of_a_word", key + "mycn-north-1x arn:aws-cny: eusc neusc-de-east-1 amazonaws.community\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			matches := awskeys.Detector{}.Detect(nil, []byte(detectorstest.Fill(tt.text)))
			if len(matches) != 1 || matches[0].Credential.Partition != tt.want {
				t.Fatalf("%+v", matches)
			}
			fact := detectors.Fact{Name: "partition-hint", Value: tt.want}
			if slices.Contains(matches[0].Facts, fact) != (tt.want != "") {
				t.Errorf("facts %v", matches[0].Facts)
			}
		})
	}
}
