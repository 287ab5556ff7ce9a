//go:build !unix

package app

// canBecome says whether a running program can be replaced by another.
const canBecome = false

// TakeSockets finds no sockets: nobody passes any on this system.
func TakeSockets() (*Sockets, error) { return &Sockets{}, nil }

// become is not possible on this system.
func (p Program) become(*Sockets) error { return errNoUpgrade }
