package main

import (
	"path"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/verifier"
)

// confidences are the values of --min-confidence, from sure to doubtful.
var confidences = []string{string(detectors.High), string(detectors.Medium), string(detectors.Low)}

// placeholders suppresses what AWS's own documentation says, and filler. What the
// rules of the user find is judged by those alone.
func placeholders(f *scanner.Finding) string {
	if f.Match.Rule.Value {
		return ""
	}
	return awskeys.Placeholder(f.Match.Credential)
}

// doubtful suppresses what is below --min-confidence.
func (f *scanFlags) doubtful(x *scanner.Finding) string {
	if slices.Index(confidences, string(x.Match.Confidence)) <= slices.Index(confidences, f.confidence) {
		return ""
	}
	return string(x.Match.Confidence) + " confidence, below --min-confidence " + f.confidence
}

// expiredURLs suppresses presigned URLs that are over: they open nothing.
func expiredURLs(now time.Time) scanner.Filter {
	return func(f *scanner.Finding) string {
		if f.Match.Rule != awskeys.PresignedURL || !f.Over(now) {
			return ""
		}
		return "a presigned URL that expired on " + f.Match.Expires.UTC().Format(time.DateOnly)
	}
}

// expiredSigners allows the ids and tokens that stand in such URLs and nowhere else, without
// a secret. They still count as a part of a key: its secret may stand in another text.
func expiredSigners(now time.Time) scanner.Filter {
	return func(f *scanner.Finding) string {
		until := f.Match.SignedUntil
		if until.IsZero() || !until.Before(now) || !f.Match.Credential.Secret.IsZero() || f.Verdict.State == verifier.IDActive {
			return ""
		}
		return "it stands only in presigned URLs, the last of which expired on " + until.UTC().Format(time.DateOnly)
	}
}

// byPath says what the name of its file says of a key, if the file's form did not.
func byPath(f *scanner.Finding) {
	if f.Match.Rule != awskeys.AccessKey {
		return
	}
	for i := range f.Locations {
		if path.Base(f.Locations[i].Path) == "rootkey.csv" {
			f.Note(awskeys.RootKeyFile)
			return
		}
	}
}
