// Package sharehash hashes shares as cheaply as the CPU allows.
//
// A share costs a double SHA-256 of the coinbase, one of 64 bytes for each
// merkle branch, and one of the header: with the 11 branches of a full block
// about 40 blocks of SHA-256, most of what a pool does for a share. An [Engine]
// hashes one share with the SHA extensions of the CPU, and several of the same
// [Job] side by side, in pairs with the SHA extensions or in the lanes of wide
// vector registers. What each kernel is worth is in
// docs/decisions/0007-hashing-shares.md.
//
// Package bitcoin's own functions stay on crypto/sha256 and know nothing of
// this package: they are what it is measured by, here and at run time. An
// engine tests its kernels against them when it is made. Who uses an engine
// should hash again, with [Share.Reference], whatever would be refused for its
// hash and whatever would become a block: a kernel that goes wrong later is
// then caught by the first share that it gets wrong, and no share is lost.
package sharehash
