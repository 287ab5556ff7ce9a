// Package oidc signs people in with any OpenID Connect provider: the
// authorization code flow (OpenID Connect Core 1.0 section 3.1) with PKCE
// (RFC 7636, S256 only), state and nonce bound to the browser that began, and
// the issuer of the answer checked (RFC 9207).
//
// Of the provider's tokens nothing is kept: the ID token is verified, says who
// the person is, and is forgotten.
package oidc
