package partition

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct{ region, arn, want string }{
		{"us-east-1", "arn:aws:iam::111122223333:user/x", "aws"},
		{"cn-northwest-1", "arn:aws-cn:iam::111122223333:user/x", "aws-cn"},
		{"us-gov-east-1", "arn:aws-us-gov:iam::111122223333:user/x", "aws-us-gov"},
		{"eusc-de-east-1", "arn:aws-eusc:iam::111122223333:user/x", "aws-eusc"},
		{"", "", "aws"},
		{"xx-new-1", "arn:aws-xx:iam::111122223333:user/x", "aws"},
	} {
		if got := OfRegion(tt.region).Name; got != tt.want {
			t.Errorf("OfRegion(%q) = %s, want %s", tt.region, got, tt.want)
		}
		if got := OfARN(tt.arn).Name; got != tt.want {
			t.Errorf("OfARN(%q) = %s, want %s", tt.arn, got, tt.want)
		}
	}
	if p, ok := Named("aws-cn"); !ok || p.Home != "cn-north-1" {
		t.Errorf("Named(aws-cn) = %v, %v", p, ok)
	}
	if p, ok := Named("aws-xx"); ok {
		t.Errorf("Named(aws-xx) = %v", p)
	}
}

// TestHomes: each home region is of its own partition.
func TestHomes(t *testing.T) {
	for _, p := range table() {
		if got := OfRegion(p.Home).Name; got != p.Name {
			t.Errorf("%s is of %s, want %s", p.Home, got, p.Name)
		}
	}
}

// TestCheck: the isolated partitions are not taken for the default one, and nothing else for a
// region.
func TestCheck(t *testing.T) {
	for _, region := range []string{"us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "N/A", "example.com/", "a@b", "x.y", "US-EAST-1", "us-east-1\n"} {
		if err := Check(region); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(region)) {
			t.Errorf("%s: %v", region, err)
		}
	}
	for _, region := range []string{"", "us-east-1", "xx-new-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"} {
		if err := Check(region); err != nil {
			t.Error(err)
		}
	}
}
