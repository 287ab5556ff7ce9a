package sharehash

import (
	"golang.org/x/sys/cpu"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// The declarations of the generated assembly. Hashes are written as bytes by
// the narrow kernels and as words, lane by lane, by the wide ones.

// hashNI is the double SHA-256 of a padded message of n blocks.
//
//go:noescape
func hashNI(dst *bitcoin.Hash, blocks *byte, n int)

// hashNI2 is the same for two messages of n blocks each.
//
//go:noescape
func hashNI2(dst0, dst1 *bitcoin.Hash, blocks0, blocks1 *byte, n int)

// foldNI folds a coinbase's id with n branches, at least one.
//
//go:noescape
func foldNI(root *bitcoin.Hash, branches *bitcoin.Hash, n int)

// foldNI2 is the same for two ids and the same branches.
//
//go:noescape
func foldNI2(root0, root1 *bitcoin.Hash, branches *bitcoin.Hash, n int)

// hash16 is the double SHA-256 of 16 padded messages that lie stride bytes
// apart. active has a mask for each block, all ones for the lanes whose message
// reaches that far.
//
//go:noescape
func hash16(digests *vectors16, messages *byte, stride int, active *lanes16, blocks int)

// fold16 folds 16 ids with the same n branches, at least one.
//
//go:noescape
func fold16(roots *vectors16, branches *bitcoin.Hash, n int)

// headers16 is the double SHA-256 of 16 headers that share fixed.
//
//go:noescape
func headers16(hashes, roots *vectors16, rolled *rolled16, fixed *[9]uint32)

//go:noescape
func hash8(digests *vectors8, messages *byte, stride int, active *lanes8, blocks int)

//go:noescape
func fold8(roots *vectors8, branches *bitcoin.Hash, n int)

//go:noescape
func headers8(hashes, roots *vectors8, rolled *rolled8, fixed *[9]uint32)

// hasSHA asks the CPU for the SHA extensions, which x/sys/cpu does not.
func hasSHA() bool

// detect returns the kernels that this CPU and its operating system can run.
func detect() kernels {
	var k kernels
	if hasSHA() && cpu.X86.HasSSSE3 && cpu.X86.HasSSE41 {
		k |= shaExtensions
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW {
		k |= avx512Lanes
	}
	if cpu.X86.HasAVX2 {
		k |= avx2Lanes
	}
	return k
}
