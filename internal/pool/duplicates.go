package pool

import (
	"encoding/binary"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// maxShares bounds the shares of one connection on one tip. Vardiff keeps
// honest miners below a few hundred.
const maxShares = 1 << 20

// shareSet remembers the shares of one connection on one tip, by their hash and
// so by the decoded header: no way to write a share twice differently (R-U4).
// Only shares that met their target are put in, so it costs an attacker work to
// fill it and nothing can flush it. It is an open-addressing table of the
// hash's low 8 bytes, which two different shares have in common once in 2^64.
type shareSet struct {
	slots []uint64 // 0 is free
	used  int
}

// add puts a share in. It reports whether the share is new, and whether there
// was room.
func (s *shareSet) add(h *bitcoin.Hash) (fresh, room bool) {
	if 4*(s.used+1) > 3*len(s.slots) {
		if s.used >= maxShares {
			return false, false
		}
		s.grow()
	}
	key := shareKey(h)
	if !s.insert(key) {
		return false, true
	}
	s.used++
	return true, true
}

// reset forgets every share. A table that grew large is let go.
func (s *shareSet) reset() {
	if len(s.slots) > 256 {
		s.slots = nil
	}
	clear(s.slots)
	s.used = 0
}

// shareKey takes the bytes of the hash that no target makes zero.
func shareKey(h *bitcoin.Hash) uint64 {
	key := binary.LittleEndian.Uint64(h[:8])
	if key == 0 {
		key = 1
	}
	return key
}

func (s *shareSet) insert(key uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case 0:
			s.slots[i] = key
			return true
		case key:
			return false
		}
	}
}

func (s *shareSet) grow() {
	old := s.slots
	s.slots = make([]uint64, max(16, 2*len(old)))
	for _, key := range old {
		if key != 0 {
			s.insert(key)
		}
	}
}
