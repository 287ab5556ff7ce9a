// Package fleet is what the members of a fleet say to each other over Nostr: a
// scope publishes shares of its miners and orders for load, agents in other
// places submit shares to a pool and tell how it went.
//
//	scope ── share, order ──▶ relays ──▶ agents ── mining.submit ──▶ pool
//	      ◀───────────────── telemetry ──────┘
//
// Shares and telemetry have the schema hashscope.v1 of HashScope: the same tags
// and the same members of the content in the same order, so that its agents and
// ours read each other. What is ours stands beside: the tag r, since relays
// index tags of one letter only, and in telemetry the member poolscope.
//
// A Member makes events, a Gate lets in those of other members and counts by
// reason what it refuses. The signature is checked before, by nostr/client,
// which hands on nothing else. The package hub is the scope's side, the package
// agent the other one.
package fleet
