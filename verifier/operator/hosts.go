package operator

import (
	"cmp"
	"slices"

	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// host returns where AWS answers for a service, and the region that a request is signed for,
// after the endpoint rules of botocore (TestHostsOfBotocore compares them). The region "" is
// the home region of the partition. With fips it is a host whose cryptography is validated
// after FIPS 140: the rules name one for every service and region, and AWS has them in the
// United States and Canada.
func host(name string, p partition.Partition, region string, fips bool) (host, signed string) {
	region = cmp.Or(region, p.Home)
	if services[name].global {
		region = homeOf(name, p)
	}
	label := name
	if fips && (p.Name != "aws-us-gov" || !isFIPSInGovCloud(name)) {
		label += "-fips"
	}
	switch {
	case name == "iam" && p.Name == "aws-us-gov":
		return "iam.us-gov." + p.Suffix, region
	case name == "iam" && (fips || p.Name == "aws"):
		return label + "." + p.Suffix, region
	case p.Name == "aws-eusc" && (name == "health" || !fips && name == "ce"):
		return label + "." + region + ".api.amazonwebservices.eu", region
	}
	return label + "." + region + "." + p.Suffix, region
}

// homeOf returns the region of a global service. In China it is the older region for some and
// the newer one for others.
func homeOf(name string, p partition.Partition) string {
	if p.Name == "aws-cn" && name != "iam" && name != "support" {
		return "cn-northwest-1"
	}
	return p.Home
}

// isFIPSInGovCloud reports whether the usual host of a service in GovCloud is a FIPS host.
func isFIPSInGovCloud(name string) bool {
	return !slices.Contains([]string{"account", "ce", "health", "securityhub", "support"}, name)
}
