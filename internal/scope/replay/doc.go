// Package replay sends captured shares to the pool again: one, edited or not,
// when somebody asks for it, or each share of a miner many times to put load on
// a pool of one's own.
//
//	message ─ edit ─▶ {"id":"…private…", …} ─▶ the miner's own connection ─▶ pool
//	                                                                          │
//	result  ◀─ caller's id put back ◀─ the relay keeps the answer back ◀──────┘
//
// A replay goes over the live connection of the session, since a share is valid
// for the extranonce of its connection only. So that the miner never sees an
// answer that is not his, nor misses one that is, each line that is sent has an
// id that nobody else uses. It is put in place of the line's own by replacing
// those bytes; everything else goes out as it is, however odd.
//
// # Load
//
// Sending shares many times is an attack when the pool is somebody else's. Auto
// replay therefore acts only on pools that the configuration lists as the
// user's own; that is looked at before each single line, since a session may
// have failed over to another pool meanwhile.
package replay
