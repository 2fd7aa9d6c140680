package github

import "github.com/stanch-dev/stanch/scanner/github/internal/requests"

// A TokenSource has the token for a request. It is safe for use by several goroutines.
type TokenSource = requests.TokenSource

// Static is a TokenSource with one token, of a person or of a job; the zero Secret means no
// token.
type Static = requests.Static

// A Budget is a number of requests that GitHub answers by the hour, and the token that it
// counts them by.
type Budget = requests.Budget

// Limits keeps until when budgets are spent, for all processes that have the same ones.
type Limits = requests.Limits

// RateLimited says that GitHub answers nothing before a time, which is longer than MaxWait.
type RateLimited = requests.RateLimited
