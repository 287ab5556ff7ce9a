package audit

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// wire is a session that a test plays both sides of.
type wire struct {
	t        testing.TB
	recorder *capture.Recorder
	auditor  *Auditor
	tape     *capture.Tape
	n        uint64 // lines so far
	ids      int
}

// play runs an auditor behind a recorder, in a bubble of time, and lets do
// speak for a miner and its pool.
func play(t *testing.T, cfg Config, do func(w *wire)) (*Auditor, *capture.Store) {
	t.Helper()
	var a *Auditor
	var store *capture.Store
	synctest.Test(t, func(t *testing.T) {
		a = New(cfg, slog.New(slog.DiscardHandler))
		r := capture.New(capture.Config{Analyst: a}, slog.New(slog.DiscardHandler), a)
		store = r.Store()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		go func() { done <- r.Run(ctx) }()
		go func() { done <- a.Run(ctx) }()
		w := &wire{t: t, recorder: r, auditor: a}
		w.tape = r.Open(capture.Opening{ID: "s", Origin: capture.OriginProxy, Miner: "192.0.2.1:1000", Pool: "pool.example:3333", At: time.Now()})
		do(w)
		w.settle()
		a.now = frozen(time.Now())
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if r.Faults() > 0 {
			t.Errorf("%d panics", r.Faults())
		}
	})
	return a, store
}

func frozen(at time.Time) func() time.Time { return func() time.Time { return at } }

// settle waits until everything that was said has been looked at.
func (w *wire) settle() {
	synctest.Wait()
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

// say records a line and returns the number of its message.
func (w *wire) say(d capture.Direction, line string) uint64 {
	w.t.Helper()
	if !strings.HasSuffix(line, "\n") {
		line += "\n"
	}
	w.tape.Chunk(d, []byte(line), time.Now()).Forwarded(time.Now())
	w.n++
	return w.n
}

func (w *wire) miner(line string) uint64 { w.t.Helper(); return w.say(capture.MinerToPool, line) }
func (w *wire) pool(line string) uint64  { w.t.Helper(); return w.say(capture.PoolToMiner, line) }

// call sends a request of the miner and returns its id and message.
func (w *wire) call(method, params string) (id int, n uint64) {
	w.t.Helper()
	w.ids++
	return w.ids, w.miner(fmt.Sprintf(`{"id":%d,"method":%q,"params":%s}`, w.ids, method, params))
}

// ask sends a request and lets the pool answer it.
func (w *wire) ask(method, params, result string) (request, response uint64) {
	w.t.Helper()
	id, request := w.call(method, params)
	time.Sleep(3 * time.Millisecond)
	return request, w.pool(fmt.Sprintf(`{"id":%d,%s}`, id, result))
}

const (
	yes = `"result":true,"error":null`
	low = `"result":null,"error":[23,"Low difficulty share",null]`
)

// shares lists the session's shares, oldest first.
func shares(t testing.TB, a *Auditor) []Share {
	t.Helper()
	p, ok := a.Shares("s", 0, maxPage)
	if !ok {
		t.Fatal("no session")
	}
	out := make([]Share, 0, len(p.Items))
	for i := len(p.Items) - 1; i >= 0; i-- {
		out = append(out, p.Items[i])
	}
	return out
}

// alarm returns the session's alarm of a kind.
func alarm(a *Auditor, kind string) (Alarm, bool) {
	p := a.Alarms(AlarmFilter{Session: "s", Kind: kind})
	if len(p.Alarms) == 0 {
		return Alarm{}, false
	}
	return p.Alarms[0], true
}

func answer(id int, result string) string { return fmt.Sprintf(`{"id":%d,%s}`, id, result) }

// gap loses bytes of the pool.
func (w *wire) gap() {
	w.settle()
	w.tape.Chunk(capture.PoolToMiner, make([]byte, 65<<20), time.Now())
	w.tape.Chunk(capture.PoolToMiner, []byte("rest\n"), time.Now()).Forwarded(time.Now())
}

func replaceJob(params, id string) string {
	parts := strings.Split(params, `"`)
	parts[3] = id
	return strings.Join(parts, `"`)
}
