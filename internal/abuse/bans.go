package abuse

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// maxBans bounds the bans that are kept, those in force and those remembered.
const maxBans = 10_000

// bans is the set of bans by block.
type bans struct {
	m map[netip.Prefix]*Ban
	// Number of bans by length of their prefix: few lengths are in use.
	bits4, bits6 [blockBits6 + 1]int

	listed  []Ban     // what list returned last, nil after a change
	listEnd time.Time // when the first of them ends
}

// find returns the ban that holds for an address, or nil.
func (s *bans) find(address netip.Addr, now time.Time) *Ban {
	if len(s.m) == 0 || !address.IsValid() {
		return nil
	}
	address = address.Unmap().WithZone("")
	counts := &s.bits6
	if address.Is4() {
		counts = &s.bits4
	}
	for bits, n := range counts {
		if n == 0 {
			continue
		}
		block, err := address.Prefix(bits)
		if err != nil {
			continue
		}
		if b := s.m[block]; b != nil && b.InForce(now) {
			return b
		}
	}
	return nil
}

func (s *bans) count(block netip.Prefix, by int) {
	if block.Addr().Is4() {
		s.bits4[block.Bits()] += by
	} else {
		s.bits6[block.Bits()] += by
	}
	s.listed = nil
}

// put sets a ban.
func (s *bans) put(b Ban) {
	if s.m[b.Block] == nil {
		s.count(b.Block, 1)
	}
	s.m[b.Block] = &b
	s.listed = nil
}

// remove forgets a block's ban and reports whether there was one.
func (s *bans) remove(block netip.Prefix) bool {
	if s.m[block] == nil {
		return false
	}
	delete(s.m, block)
	s.count(block, -1)
	return true
}

// weakest is the ban that matters least: one that ended, else the one that ends
// first. It is nil when all were made by hand.
func (s *bans) weakest() *Ban {
	var found *Ban
	for _, b := range s.m {
		if !b.Manual && (found == nil || b.Until.Before(found.Until)) {
			found = b
		}
	}
	return found
}

// list returns the bans in force, those that last longest first.
func (s *bans) list(now time.Time) []Ban {
	if s.listed != nil && (s.listEnd.IsZero() || now.Before(s.listEnd)) {
		return s.listed
	}
	s.listed, s.listEnd = make([]Ban, 0, len(s.m)), time.Time{}
	for _, b := range s.m {
		if !b.InForce(now) {
			continue
		}
		s.listed = append(s.listed, *b)
		if !b.Until.IsZero() && (s.listEnd.IsZero() || b.Until.Before(s.listEnd)) {
			s.listEnd = b.Until
		}
	}
	slices.SortFunc(s.listed, func(a, b Ban) int {
		if a.Until.IsZero() != b.Until.IsZero() {
			if a.Until.IsZero() {
				return -1
			}
			return 1
		}
		return cmp.Or(b.Until.Compare(a.Until), a.Block.Addr().Compare(b.Block.Addr()), cmp.Compare(a.Block.Bits(), b.Block.Bits()))
	})
	return s.listed
}
