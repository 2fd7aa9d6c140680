package activity

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// sameCall is how far the times may differ that IAM and CloudTrail tell of one call. IAM
// tells minutes.
const sameCall = 2 * time.Minute

// Incomparable says why it is not known which places are new since the leak; "" if it is
// known. A place is new only if the key was used elsewhere before: a key that was never used
// before its leak may just have been taken into use.
func (l Log) Incomparable() string {
	switch {
	case !l.After:
		return "the key leaked before CloudTrail's history of 90 days begins, or nobody knows when"
	case !l.Whole:
		return "CloudTrail's history could not be read as a whole"
	case !slices.ContainsFunc(l.Places, func(p Place) bool { return p.First.Before(l.Since) }):
		return "CloudTrail shows no use of the key before the leak"
	}
	return ""
}

// many addresses before the leak mean that a new one says little: functions, containers and
// jobs of CI have others each day.
const many = 10

// Changing says why an address that is new since the leak says nothing, although there is
// something to compare with; "" if it does.
func (l Log) Changing() string {
	if n := len(l.Known()); n >= many {
		return fmt.Sprintf("the key was used from %d addresses before the leak, so it may get new ones all the time", n)
	}
	return ""
}

// New returns the addresses and regions in which the key was seen only since the leak.
// Addresses of AWS's own services are none. Ask Incomparable first: without anything to
// compare with, all places would be new. The same for addresses with Changing.
func (l Log) New() (list []Place) {
	if l.Incomparable() != "" {
		return nil
	}
	changing := l.Changing() != ""
	for _, p := range l.Places {
		if !p.First.Before(l.Since) && !ofAWS(p.Address) && (p.Address == "" || !changing) {
			list = append(list, p)
		}
	}
	return list
}

// Known returns the addresses from which the key was used before the leak. There may be more
// if Incomparable gives a reason. Addresses of AWS's own services are none.
func (l Log) Known() (list []Place) {
	for _, p := range l.Places {
		if l.After && p.First.Before(l.Since) && p.Address != "" && !ofAWS(p.Address) {
			list = append(list, p)
		}
	}
	return list
}

// IsNew reports whether address is among New.
func (l Log) IsNew(address string) bool {
	return address != "" && slices.ContainsFunc(l.New(), func(p Place) bool { return p.Address == address })
}

// Caller finds a use of a service at a time, as IAM tells the last use of a key, among the
// calls of the key in the last 24 hours, and returns the address that it came from.
func (l Log) Caller(service string, at time.Time) (address string, use Use, ok bool) {
	for _, p := range l.Places {
		for _, use := range p.Recent {
			name, _, _ := strings.Cut(use.Action, ":")
			if p.Address != "" && !ofAWS(p.Address) && name == service && use.Time.Sub(at).Abs() <= sameCall {
				return p.Address, use, true
			}
		}
	}
	return "", Use{}, false
}

// toldWhole are services all of whose calls are management events, so that none is hidden from
// CloudTrail's history. Others, such as s3, have events of data as well (CloudTrail User Guide,
// "Logging data events").
var toldWhole = []string{"ec2", "iam", "organizations", "cloudformation"}

// Lately returns the newest call of a service in the last 24 hours, and its address, if
// CloudTrail tells all calls of the service. It stands for a newer call of which CloudTrail
// does not tell yet: somebody who uses a key all the time is always ahead of it.
func (l Log) Lately(service string) (address string, newest Use, ok bool) {
	if !slices.Contains(toldWhole, service) {
		return "", Use{}, false
	}
	for _, p := range l.Places {
		for _, use := range p.Recent {
			name, _, _ := strings.Cut(use.Action, ":")
			if p.Address != "" && !ofAWS(p.Address) && name == service && use.Time.After(newest.Time) {
				address, newest, ok = p.Address, use, true
			}
		}
	}
	return address, newest, ok
}

// ofAWS reports whether an address is one of AWS's services, which calls on somebody's
// behalf ("sourceIPAddress" in CloudTrail's record contents).
func ofAWS(address string) bool {
	return address == "AWS Internal" || strings.HasSuffix(address, ".amazonaws.com") || strings.HasSuffix(address, ".amazonaws.com.cn")
}
