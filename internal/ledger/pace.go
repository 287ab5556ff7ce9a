package ledger

import (
	"math"
	"time"
)

// paceLife is how long a worker's pace is worth something: miners are retuned,
// and names are given to other machines.
const paceLife = 30 * 24 * time.Hour

// Pace is the hashrate that one connection of a worker proved by its shares.
// The zero value means that none did.
type Pace struct {
	Hashrate float64 // H/s
	Agent    string  // what the miner called itself
	At       time.Time
}

// SetPace notes the hashrate in H/s that the connection has proved by now.
func (a *Account) SetPace(hashrate float64, now time.Time) {
	hashrate = finite(hashrate)
	if hashrate == 0 {
		return
	}
	a.mu.Lock()
	a.pending.pace, a.pending.paceAt, a.pending.touched = hashrate, now, true
	a.mu.Unlock()
}

// Pace is the hashrate in H/s that the worker proved last, before this
// connection and with a miner of the same name, or 0 when none is known (yet:
// what the books know of a new worker is read in the background).
func (a *Account) Pace() float64 { return math.Float64frombits(a.pace.Load()) }

// keepPace takes a new pace in. One that hardly differs is not worth writing.
func (w *worker) keepPace(l *latest, agent string) (changed bool) {
	if !l.paceAt.After(w.pace.At) {
		return false
	}
	p := Pace{l.pace, agent, l.paceAt}
	ratio := p.Hashrate / w.pace.Hashrate
	if p.Agent == w.pace.Agent && ratio > 0.8 && ratio < 1.25 && p.At.Sub(w.pace.At) < time.Hour {
		return false
	}
	w.pace = p
	return true
}

// recallLocked tells an account what its worker did before. Ledger.mu is held.
func (w *worker) recallLocked(a *Account) {
	if w.pace.Agent == a.info.UserAgent && a.info.ConnectedAt.Sub(w.pace.At) < paceLife {
		a.pace.Store(math.Float64bits(w.pace.Hashrate))
	}
}
