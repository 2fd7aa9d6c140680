package github

import "github.com/stanch-dev/stanch/scanner/github/internal/requests"

// A TokenSource has the token for a request. It is safe for use by several goroutines.
type TokenSource = requests.TokenSource

// Static is a TokenSource with one token, of a person or of a job; the zero Secret means no
// token.
type Static = requests.Static

// RateLimited says that GitHub answers nothing before a time, which is longer than MaxWait.
type RateLimited = requests.RateLimited
