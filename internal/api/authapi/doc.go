// Package authapi is the part of the HTTP interface for signing in and out, for
// a person's own sessions, and for the accounts that operators keep.
//
// Who asks is decided by the shared [access.Gate]; what is done is
// [account.Service]'s business. Every route checks the method first, then who
// asks, then the rest. Errors are plain text.
package authapi
