// Package price knows what a bitcoin costs, when it is told where to ask.
//
// Nothing is asked unless a feed is configured, and nobody ever waits for one:
// [Feed.Run] fetches in the background, [Feed.Price] says what was learned last.
// A price keeps its own time. While the feed fails, the last price stays until
// it is too old to be told; failures are tried again with growing pauses, from
// the first one on.
package price
