// Package signin knows who sends a request to the server of a sweep, and which role they
// have. A Gate stands before the handlers that show or change findings:
//
//	request → Host → origin → user → handler
//
// A user is known by a token (programs send it with each request, browsers once), or by a
// header that a proxy sets after it has signed the user in.
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

// String returns the word of the role.
func (r Role) String() string {
	return [...]string{"nobody", "reader", "triager"}[r]
}

// A User is a person or a program that is signed in.
type User struct {
	Name string // as history and pages show it; never a token
	Role Role
	// Session says that a cookie of this server tells who the user is: POST /sign-out ends it.
	Session bool
}

type key struct{}

// With returns a context of a request that u sends.
func With(ctx context.Context, u User) context.Context { return context.WithValue(ctx, key{}, u) }

// UserOf returns the user who sends the request of ctx. Without one it is Nobody.
func UserOf(ctx context.Context) User {
	u, _ := ctx.Value(key{}).(User)
	return u
}
