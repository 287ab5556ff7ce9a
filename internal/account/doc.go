// Package account knows people: who they are, what they may do, where they are
// signed in, and what they did.
//
// A person signs in with a name and password of ours, with Clerk, or with any
// OpenID Connect provider; each way ends in a [Session]. Whether a request is a
// person's is decided in one place, [github.com/poolscope/poolscope/internal/api/access].
package account
