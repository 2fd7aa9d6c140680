// Package signin knows who sends a request to the page of a sweep, and which role they have.
package signin

import "context"

// A Role says what a user may do.
type Role int

// The roles, each of which may do all that those before it may.
const (
	Nobody  Role = iota // may see nothing
	Reader              // may see the findings
	Triager             // may change their status, owner and comment
)

// A User is a person or a program that is signed in.
type User struct {
	Name string // as history and pages show it; never a token
	Role Role
}

type key struct{}

// With returns a context of a request that u sends.
func With(ctx context.Context, u User) context.Context { return context.WithValue(ctx, key{}, u) }

// UserOf returns the user who sends the request of ctx. Without one it is Nobody.
func UserOf(ctx context.Context) User {
	u, _ := ctx.Value(key{}).(User)
	return u
}
