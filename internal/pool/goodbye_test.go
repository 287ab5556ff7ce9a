package pool

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
)

// TestGoodbye stops the pool: who shows messages gets one, who may not know
// the method does not.
func TestGoodbye(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	shows := map[string]bool{"cgminer/4.11.1": true, "NMMiner/1.0": false}
	miners := make(map[string]*testMiner)
	for agent := range shows {
		m := r.connect(t)
		m.call("mining.subscribe", agent)
		m.call("mining.authorize", m.user, "x")
		m.nextJob()
		miners[agent] = m
	}
	r.stop()
	for agent, m := range miners {
		shown := false
		for {
			line, err := m.tryLine()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			shown = shown || strings.Contains(line, "client.show_message")
		}
		if shown != shows[agent] {
			t.Errorf("%s: a message was shown: %t", agent, shown)
		}
	}
}

// TestShareSentBeforeTheEndCounts sends shares and ends the pool at once.
func TestShareSentBeforeTheEndCounts(t *testing.T) {
	r := newRig(t, false)
	r.newTip()
	m := r.connect(t)
	m.start(m.user, "x")
	const shares = 20
	var lines strings.Builder
	for i := range shares {
		s := m.solve(m.job, m.job.ofShare(), "", 0)
		fmt.Fprintf(&lines, `{"id":%d,"method":"mining.submit","params":["%s","%s","%s","%s","%s"]}`+"\n", 100+i, m.user, s.job, s.en2, s.ntime, s.nonce)
	}
	m.send(lines.String())
	r.stop()

	accepted := 0
	for {
		line, err := m.tryLine()
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, `"result":true`) {
			accepted++
		}
	}
	if accepted != shares {
		t.Errorf("%d of %d shares were answered before the end", accepted, shares)
	}
}
