package pool

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/stratum"
)

// patient is a node that says what is wrong with it.
type patient struct {
	*fakeNode
	trouble atomic.Pointer[string]
}

func (n *patient) Trouble() string {
	if text := n.trouble.Load(); text != nil {
		return *text
	}
	return ""
}

func newPatientRig(t *testing.T, failover time.Duration) (*rig, *patient) {
	t.Helper()
	n := &patient{fakeNode: newFakeNode()}
	return newRigOn(t, n, n.fakeNode, func(c *Config) { c.FailoverAfter = failover }), n
}

// stay lets time pass in which the node delivers as usual, and the miner reads.
func (r *rig) stay(m *testMiner, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		m.wait(20 * time.Second)
		r.refresh()
	}
	m.wait(2 * time.Second)
}

// readToEnd reads until the pool closes the connection, and returns the last
// line.
func (m *testMiner) readToEnd() (last string) {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		m.t.Fatal(err)
	}
	for {
		line, err := m.lines.ReadString('\n')
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			m.t.Fatal("the connection stays open")
		case err != nil:
			return last
		}
		last = line
	}
}

// Trouble that lasts sends miners to their backup pools, with a word to those
// that can show it, and lets them in again as soon as it is over.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := newPatientRig(t, 5*time.Minute)
		r.newTip()
		m := r.connect(t)
		m.call("mining.subscribe", "bitaxe/BM1368/v2.4")
		m.call("mining.authorize", alice, "x")

		// Blips, one after the other, are no trouble.
		text := "The node lacks the last 4 blocks of a chain whose headers it has."
		for range 4 {
			n.trouble.Store(&text)
			r.stay(m, 4*time.Minute)
			n.trouble.Store(nil)
			r.stay(m, time.Minute)
		}
		if st := r.pool.Status(); st.Health != (HealthStatus{}) || st.State != StateMining || st.Reason != "" {
			t.Fatalf("after blips: %+v, %s %q", st.Health, st.State, st.Reason)
		}

		n.trouble.Store(&text)
		r.stay(m, 4*time.Minute)
		if st := r.pool.Status(); st.Health.Trouble != text || st.Health.TurningAway || st.State != StateMining || st.Reason != text {
			t.Errorf("while the trouble is young: %+v, %s %q", st.Health, st.State, st.Reason)
		}
		if last := m.readToEnd(); !strings.Contains(last, "client.show_message") || !strings.Contains(last, "backup pool") {
			t.Errorf("the last that it was told: %q", last)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		st := r.pool.Status()
		if !st.Health.TurningAway || st.Health.SentAway != 1 || st.Health.Gates != 1 || st.State != StateTurningAway || st.Connections != 0 {
			t.Errorf("with the gate closed: %+v, %s, %d connections", st.Health, st.State, st.Connections)
		}
		if got := r.closes(stratum.CloseNodeDown.String()); got != 1 {
			t.Errorf("%d closes are counted", got)
		}
		r.connect(t).wantEnd()

		n.trouble.Store(nil)
		time.Sleep(2 * time.Second)
		back := r.connect(t)
		back.start(alice, "x")
		if st := r.pool.Status(); st.Health.TurningAway || st.State != StateMining || st.Errors[0].Type != "health" {
			t.Errorf("after it: %+v, %s, %v", st.Health, st.State, st.Errors[0])
		}
		r.stop()
	})
}

// Without a word from the node its silence tells: no template, or an old one.
// Who does not want the gate keeps the miners.
func TestGateOnSilence(t *testing.T) {
	for name, c := range map[string]struct {
		template bool
		failover time.Duration
		ends     time.Duration // 0: never
	}{
		"no template ever": {false, 5 * time.Minute, 5 * time.Minute},
		"no new template":  {true, 5 * time.Minute, staleTemplate + 5*time.Minute},
		"switched off":     {true, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			r, _ := newPatientRig(t, c.failover)
			if c.template {
				r.newTip()
			}
			m := r.connect(t)
			m.call("mining.subscribe", "x")
			m.call("mining.authorize", alice, "x")
			if c.ends == 0 {
				m.wait(time.Hour)
				r.stop()
				return
			}
			m.wait(c.ends - 5*time.Second)
			m.readToEnd()
			if took := time.Since(began); took > c.ends+5*time.Second {
				t.Errorf("%s: closed after %s", name, took)
			}
			r.stop()
		})
	}
}
