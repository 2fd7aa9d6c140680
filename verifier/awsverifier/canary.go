package awsverifier

import "strings"

// canaryList returns the list of canary accounts that has account, or "". Every use of a
// canary alarms its owner, so the check comes before any request. The numbers are those that
// TruffleHog ships (pkg/detectors/aws/access_keys/canary.go at 3ab759fe, 2026-08).
func canaryList(account string) string {
	switch account {
	case "052310077262", "171436882533", "266735846894", "534261010715", "595918472158",
		"717712589309", "730335385048", "819147034852", "893192397702", "992382622183":
		return "canarytokens.org (Thinkst)"
	case "044858866125", "251535659677", "344043088457", "351906852752", "390477818340",
		"426127672474", "427150556519", "439872796651", "445142720921", "465867158099",
		"637958123769", "693412236332", "732624840810", "735421457923", "959235150393",
		"982842642351":
		return "other canary services"
	}
	return ""
}

// canaryUser reports whether arn, from the answer of STS, belongs to a Thinkst canary in an
// account that is on no list.
func canaryUser(arn string) bool { return strings.Contains(arn, "canarytokens.com@@") }
