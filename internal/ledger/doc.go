// Package ledger keeps the books of the pool: who sent which work, how fast a
// miner is, the best shares, the blocks that were found, and their history.
//
//	sessions ── Accept, Reject ──▶ accounts ─┐
//	                                         ├─ once a second ─▶ books in memory ─▶ Snapshot, when asked ─▶ pages
//	pool ────── BlockFound ──────────────────┘                       │
//	                                                     every three seconds
//	                                                                 ▼
//	                                                               Store
//
// # Counting
//
// An [Account] is one worker on one connection. Accept adds to a few numbers
// under a lock that nobody else wants, except for the ledger once a second.
// The ledger then collects the accounts into workers (one per name, with all
// of its connections) and into the pool. Nothing that a miner waits for
// touches a disk, a map or a lock that is shared.
//
// # Work and hashrate
//
// A difficulty of 1 takes 2^32 hashes on average. A share is credited with the
// difficulty that the miner was assigned, never with what its hash happened to
// reach: the assigned difficulty says how many hashes a share costs, and a
// lucky hash does not mean that there were more. Therefore
//
//	hashrate = credited work · 2^32 / time
//
// and this is right on average, whatever the difficulty is and however often it
// changes, because each share is found with a probability of one in
// (its difficulty · 2^32) per hash.
//
// The time is the part of the last ten minutes in which the miner was
// connected. It begins with the connection, not with the first share: to start
// the clock at a share, or to stop it at one, flatters slow miners, and so does
// an average of which each share is an update. The work is summed up in 20
// buckets of half a minute; a full bucket leaves when it is ten minutes old, so
// the window is 9.5 to 10 minutes long and is divided by its true length.
// There is no smoothing: a share counts fully until it leaves. A connected
// miner that goes silent sinks steadily, and is at zero after ten minutes. One
// that disconnects is at zero at once.
//
// In the first ten seconds of a connection the work is divided by ten seconds,
// since one share in the first second would make a giant of a dwarf. That is
// the only time in which the number is not right on average; it is too low.
//
// A miner that comes back within ten minutes (the same worker, user agent and
// host) goes on with its window; the time between counts neither as work nor
// as time. A worker's hashrate is the sum over its connections, and the pool's
// is the sum over all. Both are right on average because each term is.
//
// # Accuracy
//
// Shares come at random, so a number made of n of them is off by about
// 1/√n of itself: that is its standard error. With shares of unequal
// difficulties d it is √Σd² / Σd. The API contract marks a hashrate "~" while
// it is warming up and "≈" while it is settling, and leaves the mark out when
// the hashrate is stable. Here:
//
//	"~"   the standard error is above 1/4: fewer than 16 equal shares
//	"≈"   it is above 1/8: fewer than 64
//	""    it is 1/8 or less: two times out of three the truth is within an
//	      eighth of the number
//
// At the usual 15 shares a minute a miner is "~" for its first minute and
// stable after four. One at 3 a minute stays at "≈", since its number is that
// uncertain. Age and a longer past do not count: they say nothing about now.
//
// # History and totals
//
// Each worker has a row per minute, by the UTC minute of the share. They are
// rolled up into hours and days by the [Store] and kept for 48 hours, 90 days
// and for ever. Totals count from the first share ever and survive restarts. A
// worker gets a place in the store with its first accepted share; names that
// never brought one stay in memory only, since anybody can make up names.
//
// # What can be lost
//
// Changes are written every three seconds, so a process that is killed loses
// less than five. Found blocks are on disk before BlockFound returns. While
// the store fails, mining goes on: one batch is kept as it was sent, what
// comes after it is added up per worker, and when a worker has more than half
// an hour of minutes waiting, the oldest lose their detail, but not their sum.
// All of this is counted in [BooksStatus].
package ledger
