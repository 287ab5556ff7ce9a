// Package saved keeps the workers that people want to have an eye on, and knows
// which of them are theirs.
//
// Saving a worker takes nothing but its name, and shows what the public sees of
// it. Owning one is proven, in one of two ways:
//
//   - The person puts a code of ours into the miner's password field once. That
//     proves one worker, by its full name. Since anybody can sign a miner in
//     under any name, the code counts only when it comes from where the worker
//     is at home: see evidence.
//   - The person signs a message with the key of the payout address (BIP-322).
//     That proves all workers of the address.
//
// Ownership is a fact about a person and a worker, not a possession: two people
// who prove the same worker both own it, and each can give it up for themselves.
package saved
