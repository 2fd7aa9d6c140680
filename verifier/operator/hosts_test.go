package operator

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// TestHosts: after the endpoint rules of botocore.
func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		service, of, region string
		fips                bool
		want, signed        string
	}{
		{"iam", "us-east-1", "", false, "iam.amazonaws.com", "us-east-1"},
		{"iam", "eu-west-1", "eu-west-1", false, "iam.amazonaws.com", "us-east-1"},
		{"iam", "eu-west-1", "", true, "iam-fips.amazonaws.com", "us-east-1"},
		{"iam", "cn-north-1", "", false, "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		{"iam", "us-gov-west-1", "", false, "iam.us-gov.amazonaws.com", "us-gov-west-1"},
		{"iam", "us-gov-east-1", "", true, "iam.us-gov.amazonaws.com", "us-gov-west-1"},
		{"iam", "eusc-de-east-1", "", false, "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
		{"sts", "us-east-1", "", false, "sts.us-east-1.amazonaws.com", "us-east-1"},
		{"sts", "us-east-1", "eu-west-1", false, "sts.eu-west-1.amazonaws.com", "eu-west-1"},
		{"sts", "us-east-1", "us-west-2", true, "sts-fips.us-west-2.amazonaws.com", "us-west-2"},
		{"sts", "us-gov-west-1", "", true, "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
		{"sts", "cn-northwest-1", "", false, "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		{"cloudtrail", "us-east-1", "eu-west-1", false, "cloudtrail.eu-west-1.amazonaws.com", "eu-west-1"},
		{"organizations", "us-east-1", "eu-west-1", false, "organizations.us-east-1.amazonaws.com", "us-east-1"},
		{"organizations", "cn-north-1", "", false, "organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
		{"support", "cn-northwest-1", "", false, "support.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		{"health", "cn-north-1", "", false, "health.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
		{"health", "eusc-de-east-1", "", false, "health.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"},
		{"health", "us-gov-west-1", "", true, "health-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
		{"ce", "us-east-1", "eu-west-1", false, "ce.us-east-1.amazonaws.com", "us-east-1"},
		{"monitoring", "us-east-1", "", false, "monitoring.us-east-1.amazonaws.com", "us-east-1"},
	} {
		got, signed := host(tt.service, partition.OfRegion(tt.of), tt.region, tt.fips)
		if got != tt.want || signed != tt.signed {
			t.Errorf("%s of %s in %q, fips %v: %s, signed for %s; want %s, %s", tt.service, tt.of, tt.region, tt.fips, got, signed, tt.want, tt.signed)
		}
	}
}

// TestHostsOfBotocore compares the hosts of all services and regions with those of botocore.
// STANCH_HOSTS names a file with a line for each request of botocore's:
// "service partition region fips|- host signing-region".
func TestHostsOfBotocore(t *testing.T) {
	name := os.Getenv("STANCH_HOSTS")
	if name == "" {
		t.Skip("STANCH_HOSTS names no file")
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen, partitions := map[string]bool{}, map[string]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		if len(w) != 6 {
			t.Fatalf("line %q: want six words", lines.Text())
		}
		p, known := partition.Named(w[1])
		if _, asked := services[w[0]]; !asked || !known {
			t.Fatalf("line %q: not a service that stanch asks, or not a partition that it knows", lines.Text())
		}
		seen[w[0]], partitions[w[1]] = true, true
		if got, signed := host(w[0], p, w[2], w[3] == "fips"); got != w[4] || signed != w[5] {
			t.Errorf("%s: stanch asks %s, signed for %s", lines.Text(), got, signed)
		}
		if of := partition.OfRegion(w[2]); of != p {
			t.Errorf("%s: stanch takes the region for one of %s", lines.Text(), of.Name)
		}
	}
	if err := lines.Err(); err != nil || len(partitions) != 4 {
		t.Errorf("%d partitions, %v", len(partitions), err)
	}
	for service := range services {
		if !seen[service] {
			t.Errorf("%s: no line", service)
		}
	}
}
