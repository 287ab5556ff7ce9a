// Package bitcoin holds the parts of Bitcoin that a mining pool computes
// itself: targets and difficulties, block headers, merkle branches, the
// coinbase transaction, payout scripts, and the audit of what was built.
// Everything here is a function on values: no sockets, no clocks, no logs.
//
// # Byte orders
//
// A hash is 32 bytes. In a serialized header or transaction, and in [Hash],
// it stands in serialization order; read as a number it is then
// little-endian, so a hash with much work in it *ends* in zero bytes. People
// and RPC interfaces write the same bytes reversed, as a big-endian number:
// that is display order, which [Hash.String] writes and [ParseHash] reads.
// Integers in headers and transactions are little-endian. A [Target] is a
// plain 256-bit number, and its text and byte forms are big-endian.
// (Stratum adds a third order for the previous hash, which swaps the bytes of
// each 32-bit word; that one belongs to the Stratum package.)
//
// # Proof of work, targets, compact bits
//
// A header of 80 bytes ([Header]) is a block when the double SHA-256 of it,
// as a number, is at most the network's target ([Hash.Meets]). The header
// carries the target as 32 compact bits: one byte of size and three bytes of
// mantissa,
//
//	target = mantissa · 256^(size-3)
//
// with 0x00800000 as a sign that no valid target has set. Compact bits keep
// 23 significant bits, so [Target.Bits] rounds down. [TargetFromBits] follows
// the rules of Bitcoin Core's arith_uint256::SetCompact.
//
// # Difficulty
//
// Difficulty says how much harder a target is than the easiest one of the
// first main network, difficulty 1:
//
//	difficulty = 0xffff·2^208 / target
//
// One unit of difficulty takes 2^32 hashes on average (exactly
// 2^48/0xffff, which is 1.5e-5 more; the field uses [HashesPerDifficulty]).
// The same formula applied to the hash of a share instead of a target is the
// share's own, "true" difficulty ([HashDifficulty]). Decisions never compare
// difficulties, they compare 256-bit numbers: [TargetFromDifficulty] is exact
// for the value that the float holds, and no rounding decides over a share.
//
// # Coinbase
//
// The coinbase is the one transaction that the pool writes itself, and the
// miner fills in its middle. Ours ([CoinbaseTemplate]) is
//
//	version      4   02000000
//	inputs       1   01
//	previous    36   32 × 00, ffffffff
//	scriptSig  var   length, then
//	                   BIP34 height   minimal push, heights 0-16 as OP_0…OP_16
//	                   flags          coinbaseaux of the template, mostly empty
//	                   salt           04 and 4 bytes: makes each job new work
//	                   extranonces    length, extranonce1, extranonce2
//	                   tag            pushed text of the pool, may be absent
//	sequence     4   fffffffe                                        (BIP54)
//	outputs    var   payout, fee, donation …, witness commitment last
//	lock time    4   height - 1                                      (BIP54)
//
// Miners are sent what stands before and after the extranonces
// ([CoinbaseParts]) in this stripped form, whose double SHA-256 is the
// transaction id. In a block the coinbase also carries the witness reserved
// value of BIP141 ([AppendWitness]). The stripped size stays at 250 bytes
// unless told otherwise, since small miners have buffers of 255.
//
// The id of the coinbase and the branches ([MerkleBranches]) give the merkle
// root of the header ([MerkleRoot]).
//
// # Who is paid
//
// [PayoutScript] turns an address into an output script, or says why not.
// [AuditCoinbase] checks a finished coinbase the other way round, by parsing
// it with btcd's code, which shares nothing with the code that built it. A
// job whose coinbase fails its audit must not be sent.
package bitcoin
