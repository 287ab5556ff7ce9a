package replay

import (
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// Settings are the switches of one session. They hold for as long as the
// process runs.
type Settings struct {
	// AutoReplay sends each mining.submit of the miner again, AutoReplayCount
	// times.
	AutoReplay      bool `json:"auto_replay_enabled"`
	AutoReplayCount int  `json:"auto_replay_count"`
	// AutoReplayRate bounds the lines a second; each also waits for the answer to
	// the one before. AutoReplayJitter is by how much the time between two lines
	// varies at random, as a part of it: 0 for even, 1 for between none and twice.
	AutoReplayRate   float64 `json:"auto_replay_rate"`
	AutoReplayJitter float64 `json:"auto_replay_jitter"`

	// Broadcast publishes each mining.submit to the fleet, whose agents submit it
	// RepeatCount times. Nothing happens while there is no fleet.
	Broadcast   bool `json:"broadcast_enabled"`
	RepeatCount int  `json:"repeat_count"`
}

// DefaultSettings are those of a session that nothing was set for. Its pace is
// that of the original: a pause of one to five milliseconds.
func DefaultSettings() Settings {
	return Settings{AutoReplayCount: 1, AutoReplayRate: 1000.0 / 3, AutoReplayJitter: 2.0 / 3, RepeatCount: 1}
}

// Bounds of the settings.
const (
	MaxRepeatCount     = 1000
	MaxAutoReplayCount = 900_000
	minRate, maxRate   = 0.01, 100_000
)

// Change is what to change of a session's settings; nil fields stay.
type Change struct {
	AutoReplay       *bool
	AutoReplayCount  *int
	AutoReplayRate   *float64
	AutoReplayJitter *float64
	Broadcast        *bool
	RepeatCount      *int
}

// apply changes settings, if what comes out is within bounds.
func (c Change) apply(s *Settings) error {
	next := *s
	set(&next.AutoReplay, c.AutoReplay)
	set(&next.AutoReplayCount, c.AutoReplayCount)
	set(&next.AutoReplayRate, c.AutoReplayRate)
	set(&next.AutoReplayJitter, c.AutoReplayJitter)
	set(&next.Broadcast, c.Broadcast)
	set(&next.RepeatCount, c.RepeatCount)
	switch {
	case next.RepeatCount < 1 || next.RepeatCount > MaxRepeatCount:
		return ErrRepeatCount
	case next.AutoReplayCount < 1 || next.AutoReplayCount > MaxAutoReplayCount:
		return ErrAutoReplayCount
	case !(next.AutoReplayRate >= minRate && next.AutoReplayRate <= maxRate && next.AutoReplayJitter >= 0 && next.AutoReplayJitter <= 1):
		return ErrPace
	}
	*s = next
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// pause is the time between two lines; random is from 0 to 1.
func (s *Settings) pause(random float64) time.Duration {
	return time.Duration(float64(time.Second) / s.AutoReplayRate * (1 + s.AutoReplayJitter*(2*random-1)))
}

// Settings are those of a session.
func (s *Service) Settings(session string) Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.autos[session]; a != nil {
		return a.settings
	}
	return DefaultSettings()
}

// Change changes the settings of a session, live or ended, and returns them. It
// returns a *Refusal, or an error that wraps one, and changes nothing when one
// of them is out of bounds, or when auto-replay is to be switched on and the
// session's pool is not the user's own. Switching auto-replay off stops it at
// once: what waits is cancelled, and nobody waits for answers any more.
func (s *Service) Change(session string, c Change) (Settings, error) {
	known, ok := s.cfg.Store.Session(session)
	if !ok {
		s.counts.refuse(ErrNoSession)
		return Settings{}, ErrNoSession
	}
	// Asked before the lock is taken: these have locks of their own.
	var foreign error
	if c.AutoReplay != nil && *c.AutoReplay {
		foreign = s.foreign(session, known)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.autos[session]
	settings := DefaultSettings()
	if a != nil {
		settings = a.settings
	}
	before := settings.AutoReplay
	err := c.apply(&settings)
	if err == nil {
		err = foreign
	}
	if err != nil {
		s.counts.refuse(refusalOf(err))
		return Settings{}, err
	}
	if a == nil {
		s.sweepLocked()
		a = &auto{session: session}
		s.autos[session] = a
	}
	a.settings = settings
	switch {
	case settings.AutoReplay && !before:
		s.enabled.Add(1)
		a.progress = Progress{}
	case !settings.AutoReplay && before:
		s.offLocked(a, StopAsked)
	}
	return settings, nil
}

// maxSettings is how many sessions may have settings before those that are
// forgotten are looked for.
const maxSettings = 1024

// sweepLocked forgets the settings of sessions that are not known any more. The
// store bounds how many are known.
func (s *Service) sweepLocked() {
	if len(s.autos) < maxSettings {
		return
	}
	for id, a := range s.autos {
		if _, known := s.cfg.Store.Session(id); !known {
			if a.settings.AutoReplay {
				s.offLocked(a, StopSession)
			}
			delete(s.autos, id)
		}
	}
}

// foreign says why a session must not be used to put load on its pool.
func (s *Service) foreign(id string, known capture.Session) error {
	if known.Origin != capture.OriginProxy {
		return ErrNotRelayed
	}
	pool, peer := known.Pool, known.PoolPeer
	if live, ok := s.cfg.Sessions.Live(id); ok {
		pool, peer = live.Upstream()
	}
	return s.refuseForeign(pool, peer)
}
