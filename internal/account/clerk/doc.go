// Package clerk signs people in with Clerk: it verifies Clerk's session tokens
// (JWT, RFC 7519) against the provider's keys (JWKS, RFC 7517) and takes the
// cookie with one for a session of the person.
//
// Tokens live for a minute or so and are never stored here. A session is known
// by the claim sid; one that was revoked is refused although its tokens still
// verify.
package clerk
