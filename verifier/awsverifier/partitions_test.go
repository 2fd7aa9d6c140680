package awsverifier_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestPartitions: further ones are asked one after the other, and only about a key
// that none before knows. "invalid" is what all of them say.
func TestPartitions(t *testing.T) {
	const account = detectorstest.Account
	in := func(partition string, seed uint64) verifiertest.Key {
		k := verifiertest.User(account, "alice", seed)
		k.ARN = strings.Replace(k.ARN, "arn:aws:", "arn:"+partition+":", 1)
		return k
	}
	all := []string{"aws-cn", "aws-us-gov", "aws-eusc"}
	session := verifiertest.Role(account, "gone", 9)
	hinted := func(k verifiertest.Key, partition string) verifiertest.Key {
		k.Credential.Partition = partition
		return k
	}
	for _, tt := range []struct {
		name       string
		key        verifiertest.Key
		known      bool
		partitions []string
		state      verifier.State
		regions    []string
	}{
		{"first", in("aws", 1), true, all, verifier.Live, []string{"us-east-1"}},
		{"second", in("aws-cn", 2), true, all, verifier.Live, []string{"us-east-1", "cn-north-1"}},
		{"last", in("aws-eusc", 3), true, all, verifier.Live, []string{"us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"}},
		{"not asked for", in("aws-cn", 4), true, nil, verifier.Invalid, []string{"us-east-1"}},
		{"nowhere", in("aws", 5), false, all, verifier.Invalid, []string{"us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"}},
		{"hint", hinted(in("aws-us-gov", 6), "aws-us-gov"), true, nil, verifier.Live, []string{"us-gov-west-1"}},
		{"hint before the others", hinted(in("aws-eusc", 7), "aws-eusc"), true, all, verifier.Live, []string{"eusc-de-east-1"}},
		{"wrong hint", hinted(in("aws", 8), "aws-cn"), true, nil, verifier.Live, []string{"cn-north-1", "us-east-1"}},
		{"hint, nowhere", hinted(in("aws", 5), "aws-cn"), false, all, verifier.Invalid,
			[]string{"cn-north-1", "us-east-1", "us-gov-west-1", "eusc-de-east-1"}},
		{"a hint that is none", hinted(in("aws", 10), "aws-iso"), true, nil, verifier.Live, []string{"us-east-1"}},
		{"the token tells more", hinted(session, "aws-cn"), false, all, verifier.Invalid, []string{"us-east-1"}},
		{"the token tells", session, false, all, verifier.Invalid, []string{"us-east-1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sts := verifiertest.NewSTS(t)
			if tt.known {
				sts.Set(tt.key)
			}
			c, err := awsverifier.New(awsverifier.Config{Endpoint: sts.URL, Partitions: tt.partitions, Backoff: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			v := c.Verify(t.Context(), tt.key.Credential)
			var regions []string
			for _, r := range sts.Requests() {
				regions = append(regions, r.Region)
			}
			if v.State != tt.state || v.At.IsZero() || !slices.Equal(regions, tt.regions) {
				t.Errorf("%s after %q; want %s after %q", v.State, regions, tt.state, tt.regions)
			}
		})
	}
	sts := verifiertest.NewSTS(t)
	c, err := awsverifier.New(awsverifier.Config{Endpoint: sts.URL})
	if err != nil {
		t.Fatal(err)
	}
	isolated := verifiertest.Session(account, "us-iso-east-1", time.Now(), 11)
	if v := c.Verify(t.Context(), isolated); v.State != verifier.Skipped || !strings.Contains(v.Reason, "us-iso-east-1") || len(sts.Requests()) > 0 || c.Asks(t.Context(), isolated) {
		t.Errorf("a key of an isolated partition: %+v", v)
	}
	if _, err := awsverifier.New(awsverifier.Config{Partitions: []string{"aws-iso"}}); err == nil {
		t.Error("an unknown partition is accepted")
	}
}
