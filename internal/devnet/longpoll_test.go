package devnet

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// pollAnswer is the end of a long poll.
type pollAnswer struct {
	template *gbtResult
	err      error
	after    time.Duration
}

// poll asks for a template as the RPC server does and waits for nothing.
func poll(ctx context.Context, t *testing.T, n *Node, longPollID any) <-chan pollAnswer {
	t.Helper()
	raw, err := json.Marshal([]any{map[string]any{"rules": []string{"segwit"}, "longpollid": longPollID}})
	if err != nil {
		t.Fatal(err)
	}
	a, rerr := n.rpc.methods["getblocktemplate"].arguments(raw)
	if rerr != nil {
		t.Fatal(rerr)
	}
	done := make(chan pollAnswer, 1)
	go func() {
		began := time.Now()
		v, err := n.api.getBlockTemplate(ctx, a)
		template, _ := v.(*gbtResult)
		done <- pollAnswer{template, err, time.Since(began)}
	}()
	synctest.Wait()
	return done
}

// inBubble is a configuration for synctest, whose clocks begin in 2000.
func inBubble(t *testing.T) Config {
	c := easy(t)
	c.Now = func() time.Time { return time.Now().AddDate(26, 0, 0) }
	return c
}

// mineInside mines a block without going through the network.
func mineInside(t *testing.T, n *Node) {
	t.Helper()
	if err := n.engine.mineEmpty(t.Context(), n.cfg.Now(), anyone); err != nil {
		t.Fatal(err)
	}
}

// sendInside makes one wallet transaction.
func sendInside(t *testing.T, n *Node) {
	t.Helper()
	before := n.traffic.sent.Load()
	if err := n.traffic.send(); err != nil {
		t.Fatal(err)
	}
	if n.traffic.sent.Load() != before+1 {
		t.Fatal("the mempool refused a wallet transaction")
	}
}

func pending0(t *testing.T, done <-chan pollAnswer) {
	t.Helper()
	synctest.Wait()
	select {
	case a := <-done:
		t.Fatalf("the long poll returned early: %+v", a)
	default:
	}
}

func TestLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := open(t, inBubble(t))
		current, err := n.templates(t)
		if err != nil {
			t.Fatal(err)
		}

		// A new tip ends it at once.
		done := poll(t.Context(), t, n, current.LongPollID)
		time.Sleep(30 * time.Second)
		pending0(t, done)
		mineInside(t, n)
		a := <-done
		if a.err != nil || a.after != 30*time.Second || a.template.Height != current.Height+1 {
			t.Fatalf("after a new tip: %+v", a)
		}
		if a.template.LongPollID == current.LongPollID {
			t.Error("the new template has the old longpollid")
		}

		// An old id does not wait at all.
		if a := <-poll(t.Context(), t, n, current.LongPollID); a.err != nil || a.after != 0 {
			t.Fatalf("with an old id: %+v", a)
		}

		// A changed mempool ends it after a minute.
		current = a.template
		done = poll(t.Context(), t, n, current.LongPollID)
		sendInside(t, n)
		time.Sleep(59 * time.Second)
		pending0(t, done)
		a = <-done
		if a.err != nil || a.after != time.Minute || len(a.template.Transactions) != 1 {
			t.Fatalf("after a transaction: %+v", a)
		}

		// After the minute the mempool is looked at every ten seconds.
		current = a.template
		done = poll(t.Context(), t, n, current.LongPollID)
		time.Sleep(65 * time.Second)
		pending0(t, done)
		sendInside(t, n)
		a = <-done
		if a.err != nil || a.after != 70*time.Second || len(a.template.Transactions) != 2 {
			t.Fatalf("after a late transaction: %+v", a)
		}

		// An id that is no string means the present state.
		done = poll(t.Context(), t, n, 5)
		time.Sleep(time.Minute)
		pending0(t, done)
		mineInside(t, n)
		if a := <-done; a.err != nil {
			t.Fatal(a.err)
		}

		// It ends with the server.
		ctx, cancel := context.WithCancel(t.Context())
		latest, err := n.templates(t)
		if err != nil {
			t.Fatal(err)
		}
		done = poll(ctx, t, n, latest.LongPollID)
		cancel()
		var rerr *rpcError
		if a := <-done; !errors.As(a.err, &rerr) || rerr.Code != codeNotConnected {
			t.Fatalf("after the end: %v, want code %d", a.err, codeNotConnected)
		}

		for _, id := range []string{"", "abc", "zz" + latest.LongPollID[2:]} {
			if a := <-poll(t.Context(), t, n, id); !errors.As(a.err, &rerr) || rerr.Code != codeInvalidParameter {
				t.Errorf("id %q: %v, want code %d", id, a.err, codeInvalidParameter)
			}
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

// templates returns the node's present template.
func (n *Node) templates(t *testing.T) (*gbtResult, error) {
	t.Helper()
	made, err := n.api.templates.current()
	if err != nil {
		return nil, err
	}
	return n.api.encodeTemplate(made)
}

func TestTemplateIsCachedForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := open(t, inBubble(t))
		size := func() int {
			t.Helper()
			g, err := n.templates(t)
			if err != nil {
				t.Fatal(err)
			}
			if g.CurTime != n.cfg.Now().Unix() {
				t.Errorf("curtime %d, now is %d", g.CurTime, n.cfg.Now().Unix())
			}
			return len(g.Transactions)
		}
		size()
		sendInside(t, n)
		time.Sleep(4 * time.Second)
		if got := size(); got != 0 {
			t.Errorf("%d transactions after four seconds, want the cached template", got)
		}
		time.Sleep(time.Second)
		if got := size(); got != 1 {
			t.Errorf("%d transactions after five seconds, want 1", got)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}
