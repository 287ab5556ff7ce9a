package pool

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// simulation is a miner of a hashrate on a fake clock, steered by vardiff.
type simulation struct {
	rng        *rand.Rand
	hashrate   float64 // H/s
	now, start time.Time
	control    vardiff
	difficulty float64
	lowest     float64
	shares     int // since the last step
	changes    []change
}

type change struct {
	at       time.Duration
	from, to float64
	shares   int
}

func simulate(seed uint64, hashrate, difficulty float64) *simulation {
	start := time.Unix(1.7e9, 0)
	s := &simulation{rng: rand.New(rand.NewPCG(seed, 1)), hashrate: hashrate, now: start, start: start,
		control: vardiff{interval: 4 * time.Second}, difficulty: difficulty, lowest: 0.0001}
	s.control.begin(start)
	return s
}

// ideal is the difficulty that gives the wanted rate, or the lowest.
func (s *simulation) ideal() float64 { return max(s.hashrate*4/bitcoin.HashesPerDifficulty, s.lowest) }

// run lets the miner work: shares come by a Poisson process, the pool looks
// every four seconds.
func (s *simulation) run(d time.Duration) {
	end := s.now.Add(d)
	tick := s.now.Add(4 * time.Second)
	for {
		// No firmware sends more than a thousand shares a second.
		wait := max(s.rng.ExpFloat64()*s.difficulty*bitcoin.HashesPerDifficulty/s.hashrate, 1e-3)
		share := s.now.Add(time.Duration(min(wait, 1e9) * float64(time.Second)))
		for !tick.After(share) && !tick.After(end) {
			s.now = tick
			tick = tick.Add(4 * time.Second)
			if s.step(s.control.tick(s.now, s.difficulty)) {
				// A Poisson process does not remember: start again.
				share = time.Time{}
				break
			}
		}
		switch {
		case share.IsZero():
		case share.After(end):
			s.now = end
			return
		default:
			s.now = share
			s.shares++
			s.step(s.control.share(s.now, s.difficulty, s.difficulty))
		}
	}
}

func (s *simulation) step(wanted float64) bool {
	if wanted == s.difficulty {
		return false
	}
	wanted = clampDifficulty(wanted, s.lowest, 0, 1e14)
	s.control.begin(s.now)
	if wanted == s.difficulty {
		return false
	}
	s.changes = append(s.changes, change{s.now.Sub(s.start), s.difficulty, wanted, s.shares})
	s.difficulty, s.shares = wanted, 0
	return true
}

// off is how far the difficulty is from the ideal, as a factor of at least 1.
func (s *simulation) off() float64 { return math.Exp(math.Abs(math.Log(s.difficulty / s.ideal()))) }

// From any start, upwards by shares and downwards by shares or silence, three
// steps lead near the ideal, also where the start was fifty million times too
// hard; no table of devices is wronger than that.
func TestVardiffConverges(t *testing.T) {
	for _, hashrate := range []float64{50e3, 1e6, 100e6, 500e9, 1.2e12, 100e12, 500e12} {
		for _, start := range []float64{0.0001, 1, 1024, 65536, 1e6} {
			if start/simulate(0, hashrate, start).ideal() > 1e8 && hashrate > 50e3 {
				continue
			}
			t.Run(fmt.Sprintf("%.0e from %v", hashrate, start), func(t *testing.T) {
				const seeds = 40
				tooManySteps, slow := 0, 0
				const allowed = 3
				for seed := range uint64(seeds) {
					s := simulate(seed, hashrate, start)
					s.run(5 * time.Minute)
					for i, c := range s.changes {
						if c.to > c.from && c.shares < minEvidence {
							t.Fatalf("a step upwards after %d shares", c.shares)
						}
						arrived := c.to/s.ideal() < 2.8 && s.ideal()/c.to < 2.8
						if arrived {
							break
						}
						if i == allowed-1 {
							tooManySteps++
						}
					}
					if s.off() > 3 {
						slow++
					}
				}
				// Chance may play against anybody, but rarely.
				if tooManySteps > seeds/8 || slow > seeds/8 {
					t.Errorf("of %d miners %d needed more than %d steps, %d are not there after five minutes", seeds, tooManySteps, allowed, slow)
				}
			})
		}
	}
}

// A miner at its ideal difficulty is left alone.
func TestVardiffDoesNotOscillate(t *testing.T) {
	const seeds = 50
	total, worst := 0, 0
	for seed := range uint64(seeds) {
		s := simulate(seed, 1.2e12, 0)
		s.difficulty = roundDifficulty(s.ideal())
		s.run(2 * time.Hour)
		total += len(s.changes)
		worst = max(worst, len(s.changes))
	}
	t.Logf("changes in two hours: %.1f on average, %d at worst", float64(total)/seeds, worst)
	if float64(total)/seeds > 4 || worst > 12 {
		t.Errorf("changes in two hours: %.1f on average, %d at worst", float64(total)/seeds, worst)
	}
}

// Miners from 50 kH/s to 500 TH/s, whose shares and whose jobs are on their way
// for 300 ms: each share is judged by the difficulty of its own job, so that no
// change of difficulty costs a single one (R-J5).
func TestRetargetsRejectNothing(t *testing.T) {
	const latency = 300 * time.Millisecond
	shares, changes, rejects := 0, 0, 0
	for _, hashrate := range []float64{50e3, 80e6, 1.2e12, 200e12, 500e12} {
		for _, start := range []float64{0.001, 1024, 1e6} {
			s := simulate(uint64(hashrate), hashrate, start)
			var line timeline
			type job struct {
				id         uint32
				difficulty float64
				from       time.Time // when the miner has it
			}
			sent := []job{{1, s.difficulty, s.now}}
			line.assign(1, s.difficulty)
			type arrival struct {
				at   time.Time
				id   uint32
				true float64
			}
			var flying []arrival
			steer := func(wanted float64) {
				if s.step(wanted) {
					changes++
					id := sent[len(sent)-1].id + 1
					line.assign(id, s.difficulty)
					sent = append(sent, job{id, s.difficulty, s.now.Add(latency)})
				}
			}
			find, tick := s.now, s.now.Add(4*time.Second)
			have := sent[0]
			for end := s.now.Add(20 * time.Minute); s.now.Before(end); {
				// The next thing that happens: a share is found, one arrives, the
				// pool looks.
				for _, j := range sent {
					if !j.from.After(find) {
						have = j
					}
				}
				wait := max(s.rng.ExpFloat64()*have.difficulty*bitcoin.HashesPerDifficulty/s.hashrate, 2e-3)
				find = find.Add(time.Duration(min(wait, 3600) * float64(time.Second)))
				if wait < 3600 {
					flying = append(flying, arrival{find.Add(latency), have.id, have.difficulty / (1 - s.rng.Float64())})
				}
				for len(flying) > 0 && !flying[0].at.After(find) || !tick.After(find) {
					if len(flying) == 0 || tick.Before(flying[0].at) {
						s.now, tick = tick, tick.Add(4*time.Second)
						steer(s.control.tick(s.now, s.difficulty))
						continue
					}
					a := flying[0]
					flying, s.now = flying[1:], a.at
					shares++
					held, given := line.at(a.id)
					if !given || a.true < held.difficulty*shareTolerance {
						rejects++
						continue
					}
					s.shares++
					steer(s.control.share(s.now, held.difficulty, s.difficulty))
				}
				s.now = find
			}
		}
	}
	t.Logf("%d shares, %d changes of difficulty, %d rejected", shares, changes, rejects)
	if rejects > 0 || changes < 15 || shares < 1000 {
		t.Errorf("%d of %d shares were rejected in %d changes", rejects, shares, changes)
	}
}

// A miner that falls silent for a while is found again after it.
func TestVardiffFollowsChanges(t *testing.T) {
	s := simulate(7, 1.2e12, 1024)
	s.run(10 * time.Minute)
	s.hashrate *= 10
	s.run(5 * time.Minute)
	if s.off() > 2.5 {
		t.Errorf("after ten times the hashrate off by %.1f: %+v", s.off(), s.changes)
	}
	s.hashrate /= 30
	s.run(10 * time.Minute)
	if s.off() > 2.5 {
		t.Errorf("after a thirtieth of the hashrate off by %.1f: %+v", s.off(), s.changes)
	}
}

func TestVardiffIsDeterministic(t *testing.T) {
	v := vardiff{interval: 4 * time.Second}
	now := time.Unix(1.7e9, 0)
	v.begin(now)
	// Seven shares say nothing, however fast; the eighth does.
	for i := range 7 {
		now = now.Add(200 * time.Millisecond)
		if d := v.share(now, 1, 1); d != 1 {
			t.Fatalf("after %d shares: %v", i+1, d)
		}
	}
	now = now.Add(200 * time.Millisecond)
	if d := v.share(now, 1, 1); math.Abs(d-20) > 1e-9 {
		t.Errorf("eight shares in 1.6 s lead to %v, want 20", d)
	}
	// But not within the first second.
	v.begin(now)
	for range 20 {
		now = now.Add(time.Millisecond)
		if d := v.share(now, 1, 1); d != 1 {
			t.Fatalf("after %v: %v", now, d)
		}
	}
	// Silence lowers the difficulty after eight shares that did not come.
	v.begin(now)
	if d := v.tick(now.Add(31*time.Second), 100); d != 100 {
		t.Errorf("after 31 s of silence: %v", d)
	}
	if d := v.tick(now.Add(32*time.Second), 100); math.Abs(d-12.5) > 1e-9 {
		t.Errorf("after 32 s of silence: %v, want 12.5", d)
	}
	// Also after many shares, but not as soon.
	for range 20 {
		now = now.Add(4 * time.Second)
		if d := v.share(now, 100, 100); d != 100 {
			t.Fatalf("at the wanted rate: %v", d)
		}
	}
	if d := v.tick(now.Add(63*time.Second), 100); d != 100 {
		t.Errorf("after 63 s of silence: %v", d)
	}
	if d := v.tick(now.Add(64*time.Second), 100); math.Abs(d-6.25) > 1e-9 {
		t.Errorf("after 64 s of silence: %v, want 6.25", d)
	}
	// Of a miner that never sent a share nothing is known.
	v = vardiff{interval: 4 * time.Second}
	for i, fall := range []float64{firstFall, laterFall, laterFall} {
		v.begin(now)
		now = now.Add(32 * time.Second)
		if d := v.tick(now, 1e9); d != 1e9/fall {
			t.Errorf("fall %d to %v", i, d)
		}
	}
}
