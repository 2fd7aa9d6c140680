package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier"
)

// maxServices is how many services the fact services-used names.
const maxServices = 10

// services adds the services that the user or role of the key used last: whoever uses them
// loses them when it is shut off. Two keys of one user share the fact.
func (r *inquiry) services(ctx context.Context) {
	if r.arn == "" || r.identity.Kind == "root" {
		return
	}
	if facts, ok := r.Assessor.services[r.arn]; ok {
		r.facts = append(r.facts, facts...)
		return
	}
	before := len(r.facts)
	r.askServices(ctx)
	if r.Assessor.services == nil {
		r.Assessor.services = map[string][]verifier.Fact{}
	}
	r.Assessor.services[r.arn] = slices.Clone(r.facts[before:])
}

// askServices has IAM list the services. IAM makes the list on request, about all keys and
// sessions of the user or role, and knows of a call up to four hours late
// (GenerateServiceLastAccessedDetails).
func (r *inquiry) askServices(ctx context.Context) {
	const name = "services-used"
	var job struct {
		ID string `xml:"GenerateServiceLastAccessedDetailsResult>JobId"`
	}
	if !r.read(ctx, name, r.iam("GenerateServiceLastAccessedDetails", "Arn", r.arn), &job) {
		return
	}
	get := r.iam("GetServiceLastAccessedDetails", "JobId", job.ID)
	for n := 1; ; n++ {
		var out lastAccessed
		if !r.read(ctx, name, get, &out) {
			return
		}
		switch {
		case out.Status == "COMPLETED":
			r.add(name, out.String(), neutral, source(get))
			return
		case out.Status == "FAILED":
			r.add(name, unknownPrefix+"IAM could not make the list ("+out.Code+")", neutral, source(get))
			return
		case n == reportTries:
			r.add(name, unknownPrefix+"IAM is still making the list", neutral, source(get))
			return
		}
		r.sleep(ctx, time.Duration(n)*2*r.pace()) // 1, 2, 3, 4 seconds
	}
}

// lastAccessed is the answer of iam:GetServiceLastAccessedDetails.
type lastAccessed struct {
	Status   string        `xml:"GetServiceLastAccessedDetailsResult>JobStatus"`
	Code     string        `xml:"GetServiceLastAccessedDetailsResult>Error>Code"`
	Services []serviceUsed `xml:"GetServiceLastAccessedDetailsResult>ServicesLastAccessed>member"`
}

// A serviceUsed is a service that the policies allow; At is empty if it was not used.
type serviceUsed struct {
	Name   string `xml:"ServiceNamespace"`
	At     string `xml:"LastAuthenticated"`
	Region string `xml:"LastAuthenticatedRegion"`
}

// String lists the services that were used, the newest first.
func (l lastAccessed) String() string {
	type use struct {
		at   time.Time
		text string
	}
	var uses []use
	for _, s := range l.Services {
		if s.At == "" {
			continue
		}
		u := use{text: s.Name + " " + s.At}
		if at, err := time.Parse(time.RFC3339, s.At); err == nil {
			u.at, u.text = at, s.Name+" "+at.UTC().Format(time.RFC3339)
		}
		if s.Region != "" {
			u.text += " in " + s.Region
		}
		uses = append(uses, u)
	}
	slices.SortStableFunc(uses, func(a, b use) int { return b.at.Compare(a.at) })
	var texts []string
	for _, u := range uses[:min(len(uses), maxServices)] {
		texts = append(texts, u.text)
	}
	switch more := len(uses) - maxServices; {
	case len(l.Services) == 0:
		return "none: IAM names no service that its policies allow"
	case len(uses) == 0:
		return fmt.Sprintf("none of the %d that its policies allow", len(l.Services))
	case more > 0:
		return fmt.Sprintf("%s, and %d more", strings.Join(texts, ", "), more)
	}
	return strings.Join(texts, ", ")
}
