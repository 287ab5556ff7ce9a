//go:build !linux

package stratum

import "net"

// Loop serves many connections with one goroutine. There is none on this system.
type Loop struct{}

// Member is a connection that a Loop serves.
type Member struct{ Conn }

// NewLoop returns ErrNoLoop.
func NewLoop(func()) (*Loop, error) { return nil, ErrNoLoop }

// Run returns ErrNoLoop.
func (*Loop) Run() error { return ErrNoLoop }

// Stop does nothing.
func (*Loop) Stop() {}

// Take returns ErrNoLoop.
func (*Loop) Take(*net.TCPConn, string, Handler) (*Member, error) { return nil, ErrNoLoop }

// Start does nothing.
func (*Member) Start([]byte) {}

// SetStanding does nothing.
func (*Member) SetStanding(Standing) {}

// Pause does nothing.
func (*Member) Pause() {}

// Resume does nothing.
func (*Member) Resume() {}

// Control returns net.ErrClosed.
func (*Member) Control(func(fd uintptr)) error { return net.ErrClosed }
