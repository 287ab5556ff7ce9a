// Package store keeps the books of the pool in a SQLite file: it implements
// [ledger.Store].
//
//	ledger ── a batch every three seconds ──▶ one connection that writes ──▶ poolscope.db
//	pages  ── history of a worker ──────────▶ four connections that read ──▶   and its log (WAL)
//
// # Safety
//
// The file is in WAL mode: a transaction is appended to the log, and a killed
// process leaves the books as the last complete transaction left them. A
// power failure may take back the last seconds, but not a found block, which
// is forced to the medium before SaveBlock returns. What SQLite was asked for
// is read back after opening, because drivers ignore what they do not know.
//
// A batch carries the name of the run that made it and a number. The last
// number of each run is written in the same transaction as the batch, so a
// batch that is sent again, since its answer was lost, is recognized.
//
// A file that is damaged is never repaired in place. [Open] says so and
// changes nothing; [OpenOrRecover] sets it aside under another name and
// begins fresh books, because a pool that mines without its past is better
// than one that does not mine.
//
// # History
//
// Each worker has a row per minute, the pool (the worker with the empty name)
// too. Maintain adds each complete minute to its hour and each complete hour
// to its day, in one transaction with a note of how far it has come; a row
// that comes late is added to the longer periods at once. So every share is
// in each table exactly once, whenever the process ends. Minutes are deleted
// after 48 hours, hours after 90 days, days never. All periods are UTC's.
//
// The key of these tables begins with the time and not with the worker. Ten
// thousand workers then write to a few pages at the end of the table instead
// of ten thousand pages all over it, and old rows leave in whole pages. Reading
// one worker's two days costs 2,880 small look-ups, a few milliseconds.
package store
