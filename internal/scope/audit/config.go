package audit

import (
	"math"
	"time"
)

// Config says what the auditor knows besides the messages, and how much it
// keeps. The zero value is fine.
type Config struct {
	Limits Limits
	Rules  Rules
	Chain  Chain // our own node; nil without

	// OwnPool is the pool of this program, as sessions name it: host:port. It
	// submits its blocks itself, so that they are no emergency. "" without.
	OwnPool string

	// Payouts are addresses of which a coinbase must pay at least one, for pools
	// that keep the reward and pay later. With none, the address that a worker's
	// name begins with has to be paid; a change is told in any case.
	Payouts []string
}

// Limits bound what is kept. Zero members get their defaults.
type Limits struct {
	Ended        int // ended sessions: 500
	Jobs         int // of a session: 128
	Shares       int // of a session: 2000
	Difficulties int // of a session: 500
	Seen         int // hashes of a session that duplicates are found by: 32768
	Alarms       int // over all sessions: 1000
	Bytes        int // over all sessions, about: 128 MiB; jobs and shares make room first
}

func (l *Limits) setDefaults() {
	for _, d := range []struct {
		value    *int
		standard int
	}{
		{&l.Ended, 500}, {&l.Jobs, 128}, {&l.Shares, 2000}, {&l.Difficulties, 500},
		{&l.Seen, 32768}, {&l.Alarms, 1000}, {&l.Bytes, 128 << 20},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
}

// Rules are the thresholds of alarms. Zero members get their defaults; times
// below zero switch an alarm off.
type Rules struct {
	PoolSilent     time.Duration // without a job: 2 minutes
	Unanswered     time.Duration // of a share: 10 s
	MinerSilent    time.Duration // without a share, of a miner that sent some: 10 minutes, and ten times its mean interval
	EmptyJobs      time.Duration // that jobs stay empty after a new tip: 30 s
	LateJob        time.Duration // from our node's tip to the pool's first job on it: 2 s
	OldTip         time.Duration // that jobs stay on an older tip than our node's: 10 s
	TimeSkew       time.Duration // between ntime and the clock: 2 hours
	TimeBackwards  time.Duration // of ntime, from one job of a tip to the next: 10 s
	PayoutFraction float64       // change of the share of the coinbase's value that an address gets: 0.01
	RaisedInterval time.Duration // that a miner would need for a share after a raise: 1 minute
}

// never is longer than any silence.
const never = time.Duration(math.MaxInt64)

func (r *Rules) setDefaults() {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&r.PoolSilent, 2 * time.Minute}, {&r.Unanswered, 10 * time.Second}, {&r.MinerSilent, 10 * time.Minute},
		{&r.EmptyJobs, 30 * time.Second}, {&r.LateJob, 2 * time.Second}, {&r.OldTip, 10 * time.Second},
		{&r.TimeSkew, 2 * time.Hour}, {&r.TimeBackwards, 10 * time.Second}, {&r.RaisedInterval, time.Minute},
	} {
		switch {
		case *d.value == 0:
			*d.value = d.standard
		case *d.value < 0:
			*d.value = never
		}
	}
	if r.PayoutFraction <= 0 {
		r.PayoutFraction = 0.01
	}
}
