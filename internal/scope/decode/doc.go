// Package decode tells what Stratum lines say: it computes from them what they
// leave to the miner, and puts a sentence to each.
//
// Decode takes the JSON object of a line and what is known of its session, and
// returns a Message. ParseJob, ParseSubmit and ParseError read single parts for
// those who need no sentences; Work.Header rebuilds the header of a share.
//
// Everything here is a function on values. Nothing fails because of what a
// peer sent: fields that cannot be read are named in a list of problems, all
// others are there. All texts are valid UTF-8 without control characters.
//
// # mining.notify
//
// A pool sends the coinbase transaction in two halves, between which the miner
// puts extranonce1, given by the pool for the connection, and extranonce2, of
// its own choice. The decoder does the same, with zeros for what it does not
// know, and so gets the whole transaction: whom the block would pay, which
// height and text it carries, what it commits to. Without the sizes it tries
// those with which the two halves make one whole transaction.
//
// The hash of the previous block has the bytes of each 32-bit word reversed on
// the wire. It is shown in display order, as block explorers do.
package decode
