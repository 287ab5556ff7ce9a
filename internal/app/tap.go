package app

import (
	"time"

	"github.com/poolscope/poolscope/internal/api/scopeapi"
	"github.com/poolscope/poolscope/internal/pool"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/stratum"
)

// tapSink shows the scope what the pool's miners say. Pool and scope do not know
// each other: this is where they meet.
type tapSink struct{ recorder *capture.Recorder }

var _ pool.TapSink = tapSink{}

// Open begins a session of the scope.
func (t tapSink) Open(o pool.TapOpening) pool.TapSession {
	opening := capture.Opening{ID: capture.NewID(), Origin: capture.OriginTap, Miner: o.Miner, Listener: o.Listener, At: o.At}
	if late := o.Late; late != nil {
		opening.Known = &capture.Known{
			UserAgent: late.UserAgent, Workers: late.Workers, Difficulty: late.Difficulty,
			Extranonce1: late.Extranonce1, Extranonce2Size: late.Extranonce2Size, VersionMask: late.VersionMask,
		}
	}
	tape := t.recorder.OpenSoon(opening)
	tape.PoolConnected(o.Listener)
	return tapSession{tape}
}

// tapSession is a tapped connection.
type tapSession struct{ *capture.Tape }

var tapDirections = [...]capture.Direction{stratum.FromMiner: capture.MinerToPool, stratum.ToMiner: capture.PoolToMiner}

// Line records a line.
func (s tapSession) Line(dir stratum.Direction, line []byte, at time.Time) {
	s.Tape.Line(tapDirections[dir], line, at)
}

// tapSwitch turns the pool's tap on and off, in the words of the API.
type tapSwitch struct {
	pool    *pool.Pool
	changed func() // called after a change; nil without
}

var _ scopeapi.Tap = tapSwitch{}

// TapMode is "off", "all" or "worker:NAME".
func (t tapSwitch) TapMode() string { return t.pool.Tap().Mode.String() }

// SetTapMode changes it. The error is pool.ErrTapMode or pool.ErrNoTap.
func (t tapSwitch) SetTapMode(mode string) error {
	m, err := pool.ParseTapMode(mode)
	if err != nil {
		return err
	}
	if err := t.pool.SetTap(m); err != nil {
		return err
	}
	if t.changed != nil {
		t.changed()
	}
	return nil
}
