package abuse

import "time"

// Step is what a connection's strikes call for.
type Step uint8

// The steps, each harder than the one before.
const (
	// Nothing is called for.
	Nothing Step = iota
	// Resend gives the miner new work: it may be lost in old one.
	Resend
	// Warn tells the miner, if it can show a message.
	Warn
	// Drop ends the connection.
	Drop
)

// Parts of the limit at which the first two steps are due.
const (
	resendAt = 0.25
	warnAt   = 0.5
)

// forgivenPerMinute is the part of the limit that time alone forgives.
const forgivenPerMinute = 0.05

// Strikes is the record of one connection: points for what was wrong, which
// time and accepted shares take away again. The zero value has none. It is not
// safe for concurrent use.
type Strikes struct {
	points float64
	at     int64 // points are as of then, in Unix nanoseconds
	taken  Step  // hardest step of this climb
}

// Add adds points and says which step is due. Each is due once on the way up,
// and again after the points fell below it. A limit of 0 never calls for
// anything.
func (s *Strikes) Add(points, limit float64, now time.Time) Step {
	if limit <= 0 {
		return Nothing
	}
	if passed := now.UnixNano() - s.at; passed > 0 {
		s.points = max(0, s.points-time.Duration(passed).Minutes()*limit*forgivenPerMinute)
		s.at = now.UnixNano()
	}
	s.taken = min(s.taken, stepOf(s.points, limit))
	s.points += points
	due := stepOf(s.points, limit)
	if due <= s.taken {
		return Nothing
	}
	s.taken = due
	return due
}

// Forgive takes points away, for work that was right.
func (s *Strikes) Forgive(points float64) {
	if s.points > 0 {
		s.points = max(0, s.points-points)
	}
}

// Points are what the connection has now, without what time has forgiven since
// the last Add.
func (s *Strikes) Points() float64 { return s.points }

// At is Points with what time has forgiven until now, for those who look.
func (s *Strikes) At(now time.Time, limit float64) float64 {
	passed := now.UnixNano() - s.at
	if passed <= 0 || limit <= 0 {
		return s.points
	}
	return max(0, s.points-time.Duration(passed).Minutes()*limit*forgivenPerMinute)
}

// Clean reports whether the record is below what would get the first step.
func (s *Strikes) Clean(limit float64) bool { return limit <= 0 || s.points < limit*resendAt }

func stepOf(points, limit float64) Step {
	switch {
	case points >= limit:
		return Drop
	case points >= limit*warnAt:
		return Warn
	case points >= limit*resendAt:
		return Resend
	}
	return Nothing
}
