package devnet

import "errors"

// Errors of New and Run. They come wrapped with the path, the port or the
// cause; compare with errors.Is.
var (
	// ErrConfig says that a field of Config has no usable value.
	ErrConfig = errors.New("devnet: bad configuration")
	// ErrLocked says that another process uses the data directory.
	ErrLocked = errors.New("devnet: data directory is in use by another process")
	// ErrPortInUse says that a listen address is taken.
	ErrPortInUse = errors.New("devnet: address already in use")
	// ErrCorrupt says that the stored chain cannot be read. The files are
	// left exactly as they were found.
	ErrCorrupt = errors.New("devnet: stored chain is damaged")
	// ErrClosed says that the node was closed before or while it ran.
	ErrClosed = errors.New("devnet: node is closed")
)

// Errors inside the package.
var (
	errNoSolution = errors.New("devnet: no nonce meets the target")
	errNoCoins    = errors.New("devnet: wallet has no spendable coin")
)
