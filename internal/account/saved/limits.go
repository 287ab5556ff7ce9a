package saved

import (
	"net/netip"
	"time"
)

// allowance is how often something may be done in an hour.
type allowance struct {
	perHour float64
	spent   map[string]spent
}

// spent is what somebody has used up, as of a moment; it comes back by itself.
type spent struct {
	times float64
	at    time.Time
}

// maxSpenders bounds whom an allowance remembers. When there are more, those who
// have it all back are forgotten, and if that does not help, everybody is: who
// has so many addresses cannot be held up by counting them.
const maxSpenders = 8192

func newAllowance(perHour float64) *allowance {
	return &allowance{perHour: perHour, spent: make(map[string]spent)}
}

// take uses one up, or reports false.
func (a *allowance) take(who string, now time.Time) bool {
	s := a.left(who, now)
	if s.times+1 > a.perHour {
		return false
	}
	if _, known := a.spent[who]; !known && len(a.spent) >= maxSpenders {
		for other := range a.spent {
			if a.left(other, now).times == 0 {
				delete(a.spent, other)
			}
		}
		if len(a.spent) >= maxSpenders {
			clear(a.spent)
		}
	}
	a.spent[who] = spent{s.times + 1, now}
	return true
}

// left is what is still used up.
func (a *allowance) left(who string, now time.Time) spent {
	s := a.spent[who]
	s.times = max(0, s.times-now.Sub(s.at).Hours()*a.perHour)
	return s
}

// blockOf is the block of addresses that an address stands for: itself, or the
// /64 of an IPv6 one, within which a host picks its addresses.
func blockOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	block, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return block
}
