package audit

import (
	"encoding/binary"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// seen remembers the hashes of shares, by 8 bytes that no target makes zero. It
// holds the newest: when its younger half is full, the older one is let go of.
type seen struct {
	young, old map[uint64]struct{}
	half       int
}

func keyOf(h *bitcoin.Hash) uint64 { return binary.LittleEndian.Uint64(h[:8]) }

func (s *seen) has(key uint64) bool {
	_, young := s.young[key]
	_, old := s.old[key]
	return young || old
}

// add puts a key in. It returns how many made room.
func (s *seen) add(key uint64) (gone int) {
	if len(s.young) >= s.half {
		gone = len(s.old)
		s.old, s.young = s.young, nil
	}
	if s.young == nil {
		s.young = make(map[uint64]struct{})
	}
	s.young[key] = struct{}{}
	return gone
}

func (s *seen) remove(key uint64) {
	delete(s.young, key)
	delete(s.old, key)
}

func (s *seen) len() int { return len(s.young) + len(s.old) }
