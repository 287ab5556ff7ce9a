// Package capture records what was said on miners' connections into a file, for
// the operator who has to find out why one miner behaves as it does.
//
// A recording is bounded in time and size. It never delays a miner: lines wait
// in a bounded queue, and what does not fit is counted, not waited for.
// Passwords of mining.authorize are not recorded.
package capture
