// Package catalog is the one list of the detectors that are built in. To search for all of
// them, use NewSet.
//
// Every command takes its detectors and their rules from here. So each of them searches with
// a detector that is added to the list, and its rules are documented wherever rules are: in
// "stanch rules", SARIF and docs/rules.
package catalog

import (
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
)

// Detectors returns the detectors that are built in.
func Detectors() []detectors.Detector {
	return []detectors.Detector{awskeys.Detector{}}
}

// NewSet returns a set of Detectors.
func NewSet() *detectors.Set { return detectors.NewSet(Detectors()...) }

// Rules returns the rules of Detectors, in order. The slice is the caller's.
func Rules() []*detectors.Rule {
	var rules []*detectors.Rule
	for _, d := range Detectors() {
		rules = append(rules, d.Rules()...)
	}
	return rules
}
