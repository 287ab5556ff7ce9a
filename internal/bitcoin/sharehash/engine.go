package sharehash

import (
	"strings"
	"sync/atomic"
)

// kernels is a set of ways to hash.
type kernels uint32

const (
	shaExtensions kernels = 1 << iota // one share, or two side by side
	avx512Lanes                       // 16 shares side by side
	avx2Lanes                         // 8 shares side by side
)

// kernelNames are the sets of one kernel, in the order in which they are shown.
var kernelNames = []struct {
	kernel kernels
	name   string
}{
	{shaExtensions, "sha-ni"},
	{avx512Lanes, "avx512"},
	{avx2Lanes, "avx2"},
}

// String lists the kernels of a set.
func (k kernels) String() string {
	var names []string
	for _, n := range kernelNames {
		if k&n.kernel != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, " ")
}

// Engine hashes shares. All its methods may be called by several goroutines at
// once.
type Engine struct {
	used   atomic.Uint32 // a kernels
	failed atomic.Uint32 // a kernels
}

// New makes an engine of what this CPU has. A kernel that does not agree with
// crypto/sha256 is not used.
func New() *Engine { return newEngine(detect()) }

// newEngine makes an engine that has some kernels only.
func newEngine(k kernels) *Engine {
	e := new(Engine)
	for _, n := range kernelNames {
		if k&n.kernel == 0 {
			continue
		}
		if selfTest(n.kernel) {
			e.used.Store(e.used.Load() | uint32(n.kernel))
		} else {
			e.failed.Store(e.failed.Load() | uint32(n.kernel))
		}
	}
	return e
}

// Distrust makes the engine use crypto/sha256 alone from now on: for who has
// seen it be wrong. It reports whether that is news.
func (e *Engine) Distrust() bool {
	k := e.used.Swap(0)
	e.failed.Or(k)
	return k != 0
}

// Names says with what shares are hashed, such as "sha-ni avx512" or
// "crypto/sha256".
func (e *Engine) Names() string {
	if k := kernels(e.used.Load()); k != 0 {
		return k.String()
	}
	return "crypto/sha256"
}

// Failed lists the kernels that were found wrong, "" if none was.
func (e *Engine) Failed() string { return kernels(e.failed.Load()).String() }
