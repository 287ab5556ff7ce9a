// Package journal keeps captured messages on disk, and finds them again.
//
//	capture.Recorder ─ Captured, Updated ─▶ queue ─▶ Run, one writer ─▶ journal-2026-11-22.db
//	                                          │                          journal-2026-11-22.2.db …
//	capture.Store (ring) ─┐                   │                                │
//	                      ├─▶ Library ◀── Find┴──────── readers of their own ──┘
//	Journal ──────────────┘
//
// The recorder never waits for a disk: a message finds room in the queue, or it
// is dropped, counted and noted as a [Gap]. One goroutine writes what is queued
// about ten times a second, each batch in one transaction. A killed process
// loses what was not yet written and damages nothing.
//
// There is a SQLite file for each day (UTC), and another one of the same day
// when a file becomes large, so that the limit of all files together can hold
// by deleting whole files. A file is complete in itself; its tables are in
// schema.sql and can be read with any SQLite tool.
//
// # Search
//
// Messages are rows in the order of their Seq, without any secondary index: each
// would cost as much time as the row. Instead, what filters look at is also
// kept in segments: for about a thousand messages at a time, one blob with a few
// bytes per message. A search reads segments, the newest first, and then only
// the rows that are wanted.
package journal
