//go:build !amd64

package sharehash

import "github.com/poolscope/poolscope/internal/bitcoin"

// detect finds nothing: crypto/sha256 hashes, and uses what the CPU has.
func detect() kernels { return 0 }

// None of these is called without a kernel having been detected.

func hashNI(*bitcoin.Hash, *byte, int)                     {}
func hashNI2(_, _ *bitcoin.Hash, _, _ *byte, _ int)        {}
func foldNI(_, _ *bitcoin.Hash, _ int)                     {}
func foldNI2(_, _, _ *bitcoin.Hash, _ int)                 {}
func hash16(*vectors16, *byte, int, *lanes16, int)         {}
func fold16(*vectors16, *bitcoin.Hash, int)                {}
func headers16(_, _ *vectors16, _ *rolled16, _ *[9]uint32) {}
func hash8(*vectors8, *byte, int, *lanes8, int)            {}
func fold8(*vectors8, *bitcoin.Hash, int)                  {}
func headers8(_, _ *vectors8, _ *rolled8, _ *[9]uint32)    {}
