package run

import (
	"path"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// Confidences are the values of Options.MinConfidence, the highest first.
var Confidences = []string{string(detectors.High), string(detectors.Medium), string(detectors.Low)}

// placeholders ignores the examples of AWS's documentation, and filler. Findings of the
// user's own rules are judged by those rules alone.
func placeholders(f *finding.Finding) string {
	if f.Match.Rule.Value {
		return ""
	}
	return awskeys.Placeholder(f.Match.Credential)
}

// otherStores ignores the secrets of other stores that stand alone.
func otherStores(f *finding.Finding) string {
	if store := awskeys.OtherStore(&f.Match); store != "" {
		return "a secret of another store than AWS: " + store
	}
	return ""
}

// below ignores findings with less confidence than least.
func below(least detectors.Confidence) scanner.Filter {
	return func(f *finding.Finding) string {
		if slices.Index(Confidences, string(f.Match.Confidence)) <= slices.Index(Confidences, string(least)) {
			return ""
		}
		return string(f.Match.Confidence) + " confidence, below --min-confidence " + string(least)
	}
}

// expiredURLs ignores presigned URLs that have expired: they open nothing.
func expiredURLs(now time.Time) scanner.Filter {
	return func(f *finding.Finding) string {
		if f.Match.Rule != awskeys.PresignedURL || !f.Over(now) {
			return ""
		}
		return "a presigned URL that expired on " + f.Match.Expires.UTC().Format(time.DateOnly)
	}
}

// expiredSigners ignores ids and tokens without a secret that stand only in presigned URLs
// that have expired. They can still become part of a key, whose secret is in another text.
func expiredSigners(now time.Time) scanner.Filter {
	return func(f *finding.Finding) string {
		until := f.Match.SignedUntil
		if until.IsZero() || !until.Before(now) || !f.Match.Credential.Secret.IsZero() || f.Verdict.State == verifier.IDActive {
			return ""
		}
		return "it stands only in presigned URLs, the last of which expired on " + until.UTC().Format(time.DateOnly)
	}
}

// NoteFileName adds a fact to keys in rootkey.csv, the file that AWS made for keys of the
// root user. It is an annotator.
func NoteFileName(f *finding.Finding) {
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
